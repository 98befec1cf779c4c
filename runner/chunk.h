/*
 * chunk.h - some rows of the input on their way through the model.
 */
#ifndef RUNNER_CHUNK_H
#define RUNNER_CHUNK_H

#include "runner/http.h"
#include "runner/rows.h"

struct chunk {
	struct chunk *next; /* in the order of the input */
	struct rows rows;
	enum { CHUNK_READY, CHUNK_ASKED, CHUNK_DONE } state;
	int tries, errors_500;
	int64_t due; /* not before this time, on the monotonic clock */
	struct buf body;
	struct http_request request;
	struct http_reply reply;
	struct buf records, header; /* of the output */
};

struct chunk *chunk_new(struct rows *rows_taken);
void chunk_free(struct chunk *chunk);

/* Make two of one, which has at least two rows; the second one is next. Both are ready. */
void chunk_split(struct chunk *chunk);

/* How many bytes it holds. */
size_t chunk_weight(const struct chunk *chunk);

/* Free what was needed to ask, and the answer. */
void chunk_forget(struct chunk *chunk);

#endif
