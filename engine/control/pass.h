/*
 * pass.h - one pass over one run: look at Events where there is need, ask the policies, decide,
 * act. What it was asked for is in view; what it found out is told to done, once.
 */
#ifndef CONTROL_PASS_H
#define CONTROL_PASS_H

#include "control/act.h"
#include "control/bundles.h"
#include "control/cache.h"
#include "policy/host.h"

struct pass;

struct pass_env {
	struct act_env act;
	struct policy_host *host;
	struct bundles *bundles;
	const char *service_account;
	int64_t pending_ms; /* see waiting.h */
	/* May Events be asked for now? They cost the API server more than anything else here. */
	bool (*may_look)(void *arg);
	/* After every evaluation, for metrics; kind is NULL or the kind of the error. */
	void (*evaluated)(void *arg, int64_t duration_ms, const char *error_kind);
};

struct pass_result {
	bool failed;                /* come back after the key's back-off */
	int64_t requeue_ms;         /* come back after so long; -1: no */
	const char *run_version;    /* written by this pass; NULL: nothing */
	const char *job_uid;        /* created by this pass; NULL: none */
	const char *finished_phase; /* the outcome that was recorded; NULL: none */
	int64_t finished_after_ms;  /* since the run's creation; with finished_phase */
	const struct err *err;      /* what went wrong; NULL: nothing */
};

typedef void pass_done_fn(void *arg, const char *key, const struct pass_result *result);

/* Takes the trees of view. */
struct pass *pass_start(const struct pass_env *env, const char *key, struct view *view_taken,
			pass_done_fn *done, void *arg);
void pass_cancel(struct pass *pass);

#endif
