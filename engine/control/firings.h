/*
 * firings.h - the Jobs that the schedule of a run has started: which of them have failed. Pure.
 *
 * A CronJob tells when a firing last succeeded, but not that one has failed, and removes the Jobs
 * of the last ones. So each failure is written into the run's status while its Job is there:
 *
 *	failures         the latest last, at most FIRINGS_KEPT: {"job": "inf-a-5be07ada-29366640",
 *	                 "reason": "InferenceFailed", "message": "...", "finishedAt": "2026-..."}
 *	lastFailureTime  when the latest failed
 *
 * What to say of a firing is asked of the status policy, as for a Job without a schedule.
 */
#ifndef CONTROL_FIRINGS_H
#define CONTROL_FIRINGS_H

#include "base/json.h"

enum { FIRINGS_KEPT = 5, FIRING_MESSAGE_MAX = 1024 /* bytes; longer ones are cut */ };

/* The Job that failed first among those in jobs whose failure the run's status does not have and
 * still takes; NULL: none. Borrowed from jobs. */
const struct json *firings_untold(const struct json *run, const struct json *jobs);

/* Put the failure of that Job into status. */
void firings_record(struct json *status, const struct json *job, const char *reason,
		    const char *message);

#endif
