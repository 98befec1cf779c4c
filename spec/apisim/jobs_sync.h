/*
 * jobs_sync.h - one pass over one Job; private to the Job controller (jobs.h).
 */
#ifndef APISIM_JOBS_SYNC_H
#define APISIM_JOBS_SYNC_H

#include <sys/queue.h>

#include "base/map.h"
#include "spec/apisim/server.h"

struct jobs;

/* What the controller knows about a Job beyond its status. */
struct job {
	TAILQ_ENTRY(job) link;
	struct jobs *jobs;
	char *uid;
	bool queued;
	struct timer *timer;

	struct map *counted;     /* uids of Pods whose end is in the counters */
	int64_t lost;            /* Pods that went without an end */
	int64_t won;             /* Pods that went after they had succeeded */
	int failures;            /* in a row, for the back-off */
	int64_t last_failure_ms; /* on the monotonic clock */
};

/* Do what there is to do; returns the milliseconds until there may be more, -1: none. */
int64_t job_sync(struct server *server, struct job *job, int64_t backoff_ms);

/* A Pod of the Job has been deleted. */
void job_pod_gone(struct job *job, const struct json *pod);

#endif
