/*
 * child.h - run a program to its end: exec credential plugins.
 *
 * The child gets stdin from /dev/null, its stdout is collected, its stderr goes to ours; no other
 * descriptor is inherited. It is killed (its process group, SIGKILL) on a timeout, on too much
 * output and on child_cancel.
 */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include "base/err.h"
#include "net/loop.h"

struct child;

struct child_spec {
	const char *const *argv; /* argv[0] is looked up in PATH; NULL at the end */
	const char *const *env;  /* "NAME=value" added to ours; NULL at the end, or NULL */
	size_t max_output;
	int64_t timeout_ms;
};

/* err is NULL if the program exited with 0 in time; out is its stdout, valid during the call. */
typedef void child_done_fn(void *arg, const char *out, size_t len, const struct err *err);

/* NULL with err set if the program cannot be started; then done is not called. */
struct child *child_start(struct loop *loop, const struct child_spec *spec, child_done_fn *done,
			  void *arg, struct err *err);
void child_cancel(struct child *child);

#endif
