/*
 * work.h - the inside of a pool (pool.h): what is under way, and what an answer of the model does to
 * it. Chunks and requests are pool.c's.
 */
#ifndef RUNNER_WORK_H
#define RUNNER_WORK_H

#include "runner/chunk.h"
#include "runner/http_multi.h"
#include "runner/pool.h"
#include "runner/retry.h"
#include "runner/writer.h"

enum { HELD_BYTES = 64 << 20 }; /* see pool.h */

struct work {
	const struct pool *pool;
	struct model *model;
	struct report *report;
	struct http_multi *multi;
	struct chunk *chunks;
	size_t held, asked; /* chunks in the list, and under way */
	size_t heaviest;    /* bytes that one chunk has needed */
	size_t max_rows, max_bytes;
	bool started, probing; /* the model has answered well; it is in trouble */
	struct writer writer;
	bool warned; /* of outputs that are not stored */
	int64_t last_good, last_progress;
	struct retry_budget budget;
};

/* Remember what a chunk has needed. */
void work_weigh(struct work *w, const struct chunk *chunk);

/* How many chunks of the weight of the heaviest there may be: at most so many, and at least one. */
size_t work_room(const struct work *w, size_t wanted);

/*
 * The model is not there: until when to wait before the next try, a time on the monotonic clock.
 * tries counts those of this request, wanted is what the model asks for (-1: nothing). -1 where
 * patience is over; the last try comes when it ends.
 */
int work_wait(struct work *w, int tries, int64_t wanted, int64_t *until, const struct fault *fault);

/*
 * The call for a chunk has ended as rc and fault tell: the chunk is done, or ready to be asked again,
 * now or later, perhaps as two. -1 with fault where the run is over.
 */
int work_answer(struct work *w, struct chunk *chunk, int rc, struct fault *fault);

#endif
