/*
 * status.h - what a kubelet says about a Pod of one container, as merge patches for /status.
 *
 * Every function takes the Pod with the status it has now, for the times of its conditions, and
 * merges the new one into it; the patch is yours. It names the uid, so that it never reaches
 * another Pod of the same name.
 */
#ifndef PODRUNNER_STATUS_H
#define PODRUNNER_STATUS_H

#include "base/json.h"

enum {
	TERMINATION_MESSAGE_MAX = 4096, /* bytes of the termination log, its last ones */
	TERMINATION_TAIL_MAX = 2048,    /* bytes of the container's log, instead */
};

struct status_end {
	int64_t started_ms, finished_ms;
	int exit_code, signal; /* signal 0: none */
	const char *reason;    /* NULL: Completed or Error, by the exit code */
	const char *message;   /* NULL: none */
};

/* Pending; message may be NULL. */
struct json *status_waiting(struct json *pod, const char *reason, const char *message);
struct json *status_running(struct json *pod, int64_t started_ms);
/* Succeeded or Failed, by the exit code. */
struct json *status_ended(struct json *pod, const struct status_end *end);

/* Pod phases Succeeded and Failed. */
bool status_is_final(const struct json *pod);

/*
 * The termination message: the termination log, or the end of the container's log if that is empty,
 * the container failed and its terminationMessagePolicy is FallbackToLogsOnError. Bytes that are
 * no UTF-8 become "?". NULL if there is none; yours.
 */
char *status_message(const struct json *container, const char *termination_log, const char *log,
		     bool failed);

#endif
