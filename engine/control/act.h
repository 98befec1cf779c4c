/*
 * act.h - carry a plan out: one API call after another, up to the first that fails.
 */
#ifndef CONTROL_ACT_H
#define CONTROL_ACT_H

#include "control/plan.h"
#include "kube/client.h"

struct act;

struct act_env {
	struct loop *loop;
	struct client *client;
	bool (*may_write)(void *arg); /* asked before every call that changes something */
	void (*emit)(void *arg, const struct json *run, const struct json *event);
	void *arg;
};

struct act_result {
	const struct err *err;       /* NULL: everything was done */
	const struct action *failed; /* the action that was not */
	const struct json *run;      /* the run as the API server last showed it to this plan */
	const struct json *job;      /* the Job or CronJob that was created, else NULL */
};

/* Everything in result is valid during the call only. */
typedef void act_done_fn(void *arg, const struct act_result *result);

/* run (a copy is kept) is what the plan was made from. The plan is emptied. */
struct act *act_start(const struct act_env *env, const struct json *run, struct plan *plan_taken,
		      act_done_fn *done, void *arg);
void act_cancel(struct act *act);

#endif
