/*
 * rows.h - rows of the input, each one JSON value, compact, with every digit as it came.
 *
 * A number is never converted: 9007199254740993 and 0.1000000000000000055 reach the model as the
 * database wrote them. A format (format.h) adds rows, whole with rows_add() or token by token with
 * rows_token(); a protocol (protocol.h) puts slices of them into requests. What a row may look like
 * is a row_rule, which the protocol knows.
 */
#ifndef RUNNER_ROWS_H
#define RUNNER_ROWS_H

#include "base/buf.h"
#include "base/scan.h"
#include "runner/report.h"

enum { ROW_MAX = 16 << 20 }; /* bytes of one row, compact */

enum leaf { LEAF_NUMBER = 1, LEAF_STRING = 2, LEAF_BOOL = 4, LEAF_NULL = 8, LEAF_ANY = 15 };

struct row_rule {
	unsigned leaves; /* which leaves a row may hold */
	bool scalars;    /* a row may be a single leaf; else it is an array or an object */
	bool nested;     /* a row may hold arrays and objects */
	bool even;       /* all rows have the same number of leaves, and at least one */
};

struct rows {
	struct row_rule rule;
	struct buf text; /* "[1,2],[3,4]" */
	size_t *starts;  /* of each row in text */
	size_t count, room;
	size_t width;  /* leaves in a row, where the rule says even; kept by rows_next */
	int64_t first; /* how many rows of the input came before these */

	/* private: the row under construction */
	size_t leaves;
	int depth;
	bool comma;
};

#define ROWS_INIT(row_rule)                                                                        \
	{                                                                                          \
		.rule = (row_rule), .text = BUF_INIT(SIZE_MAX / 2)                                 \
	}

/* Add one JSON value as a row. Reasons: InputNotJSON, InputInvalid. */
int rows_add(struct rows *rows, const char *text, size_t len, struct fault *fault);

/*
 * Add the token that s has just read to the row under construction: 1 if the row is complete now, 0
 * if there is more to come, -1 on a fault. SCAN_ERROR becomes InputNotJSON with line and column.
 */
int rows_token(struct rows *rows, const struct scan *s, enum scan_token token, struct fault *fault);

/* The text of count rows from row `from` on, with commas between; borrowed. */
const char *rows_slice(const struct rows *rows, size_t from, size_t count, size_t *len);

/* Hand the rows out in `out`, an uninitialized struct, and start anew behind them. */
void rows_take(struct rows *rows, struct rows *out);

/* Copy count rows from row `from` on into out, an uninitialized struct. */
void rows_part(const struct rows *rows, size_t from, size_t count, struct rows *out);

void rows_done(struct rows *rows);
#define auto_rows __attribute__((cleanup(rows_done)))

/* Set InputNotJSON from a scanner that found SCAN_ERROR. Returns -1. */
int rows_not_json(const struct scan *s, struct fault *fault);

/* True if the key that was read last is this one. */
bool scan_key_is(const struct scan *s, const char *key);

/* What was found, for messages: "a string", "an array", ... */
const char *scan_token_name(enum scan_token token);

#endif
