/*
 * decide.h - from what is observed, and what the policies answer, to a plan. Pure: no I/O, no
 * clock, no globals.
 *
 * A run goes through these stages; each is told from the run's status and the cache alone, so a
 * restart at any point goes on where it was:
 *
 *	NEW       nothing has been made. Ask validate, contract and shape; then: status (Pending,
 *the contract, the Job's name) guarded by the run's version, ConfigMap, Job. The guarded status
 *comes first: if our copy of the run is old, it fails and nothing is made. STARTING  the status
 *names a Job that is not there and was never seen: we stopped in between. Confirm the run's version
 *by a live read, then make what is missing. STARTED   the Job is there: ask status and record what
 *it says. LOST      the Job was seen and is gone before its outcome was recorded: Failed, never
 *again. FINISHED  the outcome is recorded; only clean-up is left. NO_CONFIG wait for the
 *InferenceConfig to appear. FOREIGN   an object of the Job's name belongs to somebody else.
 *	DELETING  the garbage collector does the rest.
 */
#ifndef CONTROL_DECIDE_H
#define CONTROL_DECIDE_H

#include "base/json.h"
#include "control/plan.h"

struct observed {
	const struct json *run;     /* never NULL */
	const struct json *config;  /* NULL: not there */
	const char *config_trouble; /* why it cannot be read; NULL: it can, or is not there */
	const struct json *job;     /* the Job or CronJob of the run's job name; NULL: not there */
	const struct json *firing;  /* a Job of the CronJob whose failure is untold (firings.h) */
	const struct json *pods;    /* those of the firing, else of the Job: an array, maybe NULL */
	const struct json *events;  /* that look.h asked for; NULL: none were asked for */
	const char *digest;         /* of the policies in force */
	bool shapes;                /* the policies have a shape hook */
	const char *service_account; /* for runner pods; NULL: the namespace's default */
	int64_t pending_ms;          /* see waiting.h; 0: no limit */
	int64_t now;                 /* ms */
};

enum stage {
	STAGE_NEW,
	STAGE_STARTING,
	STAGE_STARTED,
	STAGE_LOST,
	STAGE_FINISHED,
	STAGE_NO_CONFIG,
	STAGE_FOREIGN,
	STAGE_DELETING,
};

enum stage decide_stage(const struct observed *o);

/* o->job is the run's, not somebody else's of that name. */
bool decide_owns_job(const struct observed *o);

/* The question for the policies (see policy/host.h); NULL if there is none. Yours. */
struct json *decide_question(const struct observed *o);

/* results is the reply's member of that name, NULL if nothing was asked. plan is initialised. */
void decide(const struct observed *o, const struct json *results, struct plan *plan);

/* What to do after an action of a plan has failed: tell it in the run's status where its user must
 * know. o->run is the run after the actions before it. */
void decide_failure(const struct observed *o, const struct action *action, const struct err *err,
		    struct plan *plan);

#endif
