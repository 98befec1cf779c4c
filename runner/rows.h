/*
 * rows.h - the rows of the input, cut out of {"result": [[...], ...]} with every digit as it came.
 *
 * A number is never converted: 9007199254740993 and 0.1000000000000000055 reach the model as the
 * database wrote them.
 */
#ifndef RUNNER_ROWS_H
#define RUNNER_ROWS_H

#include "base/buf.h"
#include "base/scan.h"
#include "runner/report.h"

struct rows {
	struct buf text;     /* "[[1,2],[3,4]]", compact */
	size_t count, width; /* both 0: no rows */
};

#define ROWS_INIT                                                                                  \
	{                                                                                          \
		.text = BUF_INIT(SIZE_MAX / 2)                                                     \
	}

/*
 * Read a reply. An empty, null or missing result is no row, not a failure; an object that has
 * other members but no result is one, and so are rows of different widths and values that are
 * no numbers. Reasons: InputNotJSON, InputInvalid.
 */
int rows_parse(const char *text, size_t len, struct rows *rows, struct fault *fault);
void rows_done(struct rows *rows);
#define auto_rows __attribute__((cleanup(rows_done)))

/* True if the key that was read last is this one. */
bool scan_key_is(const struct scan *s, const char *key);

/* What was found, for messages: "a string", "an array", ... */
const char *scan_token_name(enum scan_token token);

#endif
