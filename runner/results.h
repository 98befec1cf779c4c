/*
 * results.h - what a model has answered for a chunk of rows, as spans of the answer, and how it is
 * written.
 *
 * Layouts of an output:
 *	flat     the values of the first output, one after another: what the stock notebooks expect
 *	rows     a record per row: {"row": 1, "<output>": value, ...}; value is a list where a row
 *	         has several values. Rows are numbered from 1. Two outputs of one name, and one named
 *	         row, are ModelReplyInvalid. A row that failed is
 *	         {"row": 17, "error": {"status": 400, "message": "..."}}
 *	tensors  a record per request: {"row": 1, "rows": 1000, "outputs": [{"name", "datatype",
 *	         "shape", "data"}, ...]}
 */
#ifndef RUNNER_RESULTS_H
#define RUNNER_RESULTS_H

#include "runner/provider.h"
#include "runner/shape.h"

enum { OUTPUTS_MAX = 64 };

struct output {
	char *name, *datatype; /* never NULL */
	struct shape shape;    /* rank 0: not told */
	const char *data;      /* JSON */
	size_t len, values;
	enum { VALUES_LEAVES, VALUES_ELEMENTS, VALUES_WHOLE } are; /* what of data is a value */
};

struct results {
	struct output outputs[OUTPUTS_MAX];
	size_t count, rows;
};

void results_done(struct results *results);
#define auto_results __attribute__((cleanup(results_done)))

/* Add the records, first being the number of the first row from 0, with format->between between
 * them; in header, what the format wants in front of all records. */
int results_encode(const struct results *results, const struct section *section, int64_t first,
		   struct buf *out, struct buf *header, struct fault *fault);

/* Add the record of a row that failed; nothing where the format or layout has no room for it. */
void results_encode_failed(const struct section *section, int64_t row, const struct err *why,
			   struct buf *out);

#endif
