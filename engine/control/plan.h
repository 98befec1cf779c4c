/*
 * plan.h - what a pass wants done, as plain data: an ordered list of actions, carried out by act.h
 * one after another until the first that fails.
 */
#ifndef CONTROL_PLAN_H
#define CONTROL_PLAN_H

#include "base/json.h"
#include "control/names.h"

enum action_type {
	ACTION_STATUS,  /* merge patch of the run's /status, guarded by the observed version */
	ACTION_CONFIRM, /* go on only if the run still has the observed version (a live GET) */
	ACTION_ABSENT,  /* go on only if the run has no such object (a live GET) */
	ACTION_CREATE,  /* an object owned by the run; one that exists and is the run's will do */
	ACTION_PATCH,   /* merge patch of the run's Job or CronJob, guarded by its uid */
	ACTION_DELETE,  /* the run, guarded by uid and version; what it owns goes with it */
	ACTION_EVENT,   /* body: {"type","reason","message"}; never fails */
};

struct action {
	enum action_type type;
	const struct kind *kind; /* of what is created or patched */
	struct json *body;       /* a patch, an object, an event; NULL: none */
};

struct plan {
	struct action *actions;
	size_t len;
	int64_t requeue_ms; /* look again after so long; -1: when something changes */
	bool backoff;       /* nothing more can be done now: look again after the key's back-off */
};

void plan_init(struct plan *plan);
void plan_done(struct plan *plan);
void plan_add(struct plan *plan, enum action_type type, const struct kind *kind,
	      struct json *body_taken);
void plan_event(struct plan *plan, const char *type, const char *reason, const char *message);

/* The status patch that makes the run's status `wanted`, if it is not that already. */
void plan_status(struct plan *plan, const struct json *run, const struct json *wanted);

const char *action_name(enum action_type type);

/* The plan as JSON, for tests and debug logs: [{"action":"create","kind":"Job","body":{...}}, ...].
 */
struct json *plan_json(const struct plan *plan);

#endif
