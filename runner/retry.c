#include "runner/retry.h"

#include <sys/random.h>

/* A number from 0 to max - 1. */
static int64_t random_below(int64_t max)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return max > 0 ? random % max : 0;
}

static int64_t at_most(int64_t ms, int64_t max)
{
	return ms < max ? ms : max;
}

int64_t retry_wait(int64_t base_ms, int tries, int64_t wanted_ms)
{
	int64_t low = at_most(base_ms / 2, RETRY_WAIT_MAX_MS), high = base_ms;

	if (wanted_ms >= 0)
		return at_most(wanted_ms, RETRY_WAIT_MAX_MS);
	for (int i = 1; i < tries && high < RETRY_WAIT_MAX_MS; i++)
		high *= 2;
	high = at_most(high, RETRY_WAIT_MAX_MS);
	return low + random_below(high - low + 1);
}

bool retry_take(struct retry_budget *budget)
{
	if (budget->retries >= 10 + budget->calls / 5)
		return false;
	budget->retries++;
	return true;
}
