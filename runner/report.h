/*
 * report.h - how a run ended: reasons, exit codes and the termination message.
 *
 * A step that fails fills a struct fault: an err (see base/err.h) with the reason that programs
 * read. Its kind ERR_RETRY means that the same run may succeed later; its status is the HTTP
 * status, where there was one.
 *
 * The termination message is one line of JSON, at most REPORT_MAX bytes, that the kubelet copies
 * into the status of the pod:
 *
 *	{"v":1,"result":"failed","exit":4,"phase":"inference","reason":"ModelUnavailable",
 *	 "message":"...","http":503,"retryable":true,
 *	 "rows":{"in":150,"out":0,"stored":0,"failed":0},"requests":1,"retries":4,
 *	 "bytes":{"in":4096,"out":0},"ms":{"input":12,"inference":830,"output":0},
 *	 "failures":[{"row":17,"http":400,"message":"..."}]}
 *
 * result is ok, partial (some rows failed, as many as the contract allows), failed or interrupted.
 * rows.in counts the rows of the input, rows.out the predicted values, rows.stored those that the
 * output has confirmed, rows.failed the rows without a prediction; failures are the first of them.
 * http is left out where no HTTP status decided, resumed_rows and failures where there are none.
 */
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include "base/err.h"

enum { REPORT_MAX = 2048 };

/* Where the run is; the value is the exit code of a failure there. */
enum phase { PHASE_CONTRACT = 2, PHASE_INPUT = 3, PHASE_INFERENCE = 4, PHASE_OUTPUT = 5 };

/* A failure that the same run would meet again adds EXIT_PERMANENT to its phase's code. */
enum {
	EXIT_ROWS_FAILED = 6,
	EXIT_INTERRUPTED = 7,
	EXIT_SECRET = 8,
	EXIT_PERMANENT = 10,
	EXIT_INTERNAL = 70
};

enum reason {
	REASON_COMPLETED,
	REASON_INPUT_EMPTY, /* a success unless the contract says otherwise */
	REASON_ROWS_FAILED, /* more rows than the contract allows; the others are stored */
	REASON_INTERRUPTED, /* SIGTERM or SIGINT */
	REASON_INTERNAL,    /* a bug of the runner, or no memory */
	REASON_CONTRACT_INVALID,
	REASON_SECRET_NOT_FOUND,
	REASON_SECRET_FORBIDDEN,
	REASON_SECRET_INVALID,
	REASON_SECRET_UNAVAILABLE, /* the Kubernetes API did not answer */
	REASON_NOTEBOOK_FAILED,    /* HTTP 200 with an error text */
	REASON_NOTEBOOK_MISSING,   /* the handler knows none of this name */
	REASON_ARG_TOO_LONG,       /* a value is too long for the command line of a notebook */
	REASON_INPUT_UNAVAILABLE,
	REASON_INPUT_REJECTED,
	REASON_INPUT_NOT_JSON,
	REASON_INPUT_INVALID, /* JSON, but no rows of numbers of one width */
	REASON_MODEL_UNAVAILABLE,
	REASON_MODEL_REJECTED,
	REASON_MODEL_REPLY_INVALID,
	REASON_MODEL_TIMEOUT, /* no answer in time, for one row alone */
	REASON_SHAPE_MISMATCH,
	REASON_NON_FINITE, /* NaN, Infinity or null, and kserve.nonFinite is fail */
	REASON_OUTPUT_UNAVAILABLE,
	REASON_OUTPUT_REJECTED,
	REASON_OUTPUT_CONFLICT,  /* something else stands there already */
	REASON_OUTPUT_AMBIGUOUS, /* the request was sent, but no answer came: perhaps it is stored
				  */
};

struct fault {
	enum reason reason;
	struct err err;
};

#define FAULT_INIT                                                                                 \
	{                                                                                          \
		.reason = REASON_INTERNAL                                                          \
	}

/* Set both parts. Returns -1. */
int fault_set(struct fault *fault, enum reason reason, enum err_kind kind, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Give the error that already stands in fault->err its reason. Returns -1. */
int fault_as(struct fault *fault, enum reason reason);

enum { FAILURES_MAX = 5 };

struct report {
	enum phase phase;
	int64_t rows_in, rows_out, rows_stored, rows_failed, rows_resumed;
	int64_t requests, retries;
	int64_t bytes_in, bytes_out;
	int64_t ms[PHASE_OUTPUT + 1]; /* by phase */
	int64_t since;                /* when the phase began, on the monotonic clock */
	struct {
		int64_t row; /* from 1 */
		struct err why;
	} failures[FAILURES_MAX];
};

/* Another phase begins, or goes on; the time since the last one began is counted for that. */
void report_enter(struct report *report, enum phase phase);

/* Count a row (its number from 0) that failed. */
void report_failure(struct report *report, int64_t row, const struct err *why);

/* "ModelUnavailable", ... and "inference", ... */
const char *reason_name(enum reason reason);
const char *phase_name(enum phase phase);

/* The exit code of a run that ended in this way; fault.reason tells a success, too. */
int report_exit(const struct report *report, const struct fault *fault);

/* The termination message, without a newline; yours. A long message is cut, never the JSON. */
char *report_text(const struct report *report, const struct fault *fault);

/* Write the message to the file at path, in one go. */
int report_write(const char *path, const char *text, struct err *err);

#endif
