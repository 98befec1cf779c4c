/*
 * retry.h - how long to wait before another try, and how many tries there may be in all.
 */
#ifndef RUNNER_RETRY_H
#define RUNNER_RETRY_H

#include "base/base.h"

enum { RETRY_WAIT_MAX_MS = 30 * 1000 };

/*
 * The wait after so many tries (1, 2, ...): a random time between half of base_ms and
 * base_ms * 2^(tries - 1), so that clients that failed together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). wanted_ms, what the
 * server asked for (-1: nothing), takes its place. At most RETRY_WAIT_MAX_MS.
 */
int64_t retry_wait(int64_t base_ms, int tries, int64_t wanted_ms);

/* Retries may be a fifth of the calls, and 10: a model in trouble gets no storm on top. */
struct retry_budget {
	int64_t calls, retries;
};

/* Count a retry; false if the budget is spent. */
bool retry_take(struct retry_budget *budget);

#endif
