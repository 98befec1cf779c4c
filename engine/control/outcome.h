/*
 * outcome.h - the second half of decide.h (start.h is the first): what becomes of a run whose Job
 * exists, and after. Pure.
 */
#ifndef CONTROL_OUTCOME_H
#define CONTROL_OUTCOME_H

#include "control/decide.h"

struct policy_failure {
	const char *message;   /* "status.lua:12: attempt to ..." */
	const char *traceback; /* lines of it, "" if there is none */
	bool rejected;         /* the script called reject(): the user's fault, not the script's */
	const char *reason;    /* PolicyError, PolicyLimit, PolicyUnavailable, ... */
};

/* True, and *out set, if one of the results is an error. Borrowed from results. */
bool outcome_failure(const struct json *results, struct policy_failure *out);

/* The run waits with the policy's error in its status, and is tried again. */
void outcome_policy_error(const struct observed *o, const struct policy_failure *failure,
			  struct plan *plan);

/* STARTED: record what the status policy says of the Job, and keep the Job as the run wants it. */
void outcome_record(const struct observed *o, const struct json *results, struct plan *plan);

/* LOST */
void outcome_lost(const struct observed *o, struct plan *plan);

/* FINISHED: autoDeletePolicy */
void outcome_cleanup(const struct observed *o, struct plan *plan);

#endif
