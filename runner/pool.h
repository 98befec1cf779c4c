/*
 * pool.h - rows to results: the input in chunks, several requests at once, the output in order.
 *
 * A chunk is at most model.rows rows and about model.bytes bytes; both unlimited where input or
 * output moves only as a whole. A shape whose first dimension is a number asks for as many rows.
 * Up to model.parallel requests are under way. What is finished out of turn waits, and no more than
 * twice as many chunks as requests are held; fewer, down to one, where chunks as heavy as the
 * heaviest so far (its rows, request, reply and records) would be more than HELD_BYTES. So memory is
 * bounded by that, or by the size of a chunk where one is larger, not by the input. Until the first
 * good answer one request is under way, so its weight is known before there are more.
 *
 * What judge_model says is done: a request is tried again after the waits of retry.h; chunks become
 * smaller, for good, where the model cannot take them (a time-out before its first good answer is of
 * this request alone: the model starts); and where the contract allows failed rows, a
 * chunk that the model refuses is halved until the rows at fault are alone. Once more rows have
 * failed than allowed, chunks that are refused fail as a whole.
 *
 * Until the model has answered well, and again after trouble, one request at a time probes it. It
 * has KSERVE_PATIENCE (300 s; patienceSeconds) from the last good answer to the next: a model that
 * starts from zero needs minutes. The end of the Job's time comes as SIGTERM, see http_stop.
 */
#ifndef RUNNER_POOL_H
#define RUNNER_POOL_H

#include "runner/contract.h"
#include "runner/reader.h"

struct pool {
	struct contract *contract;
	struct reader *reader;
	struct storage *output;
	struct report *report;
};

/* Read the environment. */
int pool_setup(struct err *err);

/* Read the first chunk, of which requests are made: rows->count is 0 if the input is empty. */
int pool_first(const struct pool *pool, struct rows *rows, struct fault *fault);

/* Move everything from the input to the output, but do not commit. rows is what pool_first gave. */
int pool_run(const struct pool *pool, struct rows *rows, struct fault *fault);

#endif
