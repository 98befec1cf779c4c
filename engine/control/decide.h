/*
 * decide.h - from what is observed, and what the policies answer, to a plan. Pure: no I/O, no
 * clock, no globals.
 *
 * A run goes through stages; each is told from the run's status and the cache alone, so a restart
 * at any point goes on where it was. docs/lifecycle.md has them, and every plan.
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
	STAGE_NEW, /* nothing has been made: ask the policies, write the status, make the rest */
	STAGE_STARTING,  /* the status names a Job that is not there: we stopped in between */
	STAGE_STARTED,   /* the Job is there: record what the status policy says of it */
	STAGE_LOST,      /* the Job has been there: Failed, and never again */
	STAGE_FINISHED,  /* the outcome is recorded; only clean-up is left */
	STAGE_NO_CONFIG, /* wait for the InferenceConfig */
	STAGE_FOREIGN,   /* an object of the Job's name belongs to somebody else */
	STAGE_DELETING,  /* the garbage collector does the rest */
};

enum stage decide_stage(const struct observed *o);

/* o->job is the run's, not somebody else's of that name. */
bool decide_owns_job(const struct observed *o);

/* The question for the policies (see policy/host.h); NULL if there is none. Yours. */
struct json *decide_question(const struct observed *o);

/* results is the reply's member of that name, NULL if nothing was asked. plan is initialised. */
void decide(const struct observed *o, const struct json *results, struct plan *plan);

/* What to do after an action of a plan has failed: tell it in the run's status where its user must
 * know, of a run that has finished in an Event alone. o->run is the run after the actions before
 * it. */
void decide_failure(const struct observed *o, const struct action *action, const struct err *err,
		    struct plan *plan);

#endif
