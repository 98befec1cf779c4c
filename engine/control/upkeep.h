/*
 * upkeep.h - keeping the Job or CronJob of a run as the run's spec wants it. Pure.
 *
 * Of what may change after the start: schedule and its settings, and suspend. A setting that the
 * run does not have is left as it is, for a policy may have set it. suspend is more: a run without
 * it resumes what was suspended for it (LABEL_SUSPENDED), and only that.
 *
 * A Job in a queue of Kueue's (LABEL_QUEUE) is suspended and resumed by Kueue alone
 * (https://kueue.sigs.k8s.io/docs/tasks/run/jobs/): whoever else did it would be undone at once.
 */
#ifndef CONTROL_UPKEEP_H
#define CONTROL_UPKEEP_H

#include "control/decide.h"

/* A merge patch of o->job with this spec. Its uid makes it fail on another object of that name. */
struct json *upkeep_patch(const struct observed *o, const struct json *spec);

/* A merge patch that makes o->job what the run wants; NULL if it is that. */
struct json *upkeep_changes(const struct observed *o);

/*
 * Tell in the conditions of status which settings have no effect on this run:
 *	AutoDelete False/Scheduled	an autoDeletePolicy, with a schedule
 *	Suspend False/Queued		suspend, in a queue of Kueue's
 * Each is there only while that is so.
 */
void upkeep_note(const struct observed *o, struct json *status);

#endif
