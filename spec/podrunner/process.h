/*
 * process.h - one container as a local process.
 *
 * With namespaces (root is needed) the process sees a root folder of its own: an overlay over ours
 * whose changes are thrown away, an empty /tmp, a /dev of the usual devices, and its volumes at
 * their mount paths. Without, it sees ours, and these variables tell the runner where its files
 * are: KSERVE_CONTRACT, KSERVE_TERMINATION_LOG, KSERVE_SERVICEACCOUNT_DIR.
 *
 * stdout and stderr go to the log file. The process leads a session of its own and dies with us.
 */
#ifndef PODRUNNER_PROCESS_H
#define PODRUNNER_PROCESS_H

#include "net/loop.h"
#include "spec/podrunner/layout.h"

struct process;

struct process_spec {
	const struct layout *layout;
	const char *log;
	bool namespaces;
};

/* status is that of waitpid(2). problem is NULL, or why the container could not be started. */
typedef void process_done_fn(void *arg, int status, const char *problem);

/* NULL with err set if there can be no process; then done is not called. */
struct process *process_start(struct loop *loop, const struct process_spec *spec,
			      process_done_fn *done, void *arg, struct err *err);

/* SIGKILL goes to everything that the process has started, other signals to itself. */
void process_signal(struct process *process, int signo);

/* Kill it at once and wait for its end; done is not called. */
void process_free(struct process *process);

/* Whether namespaces work here: tries it in a child, below root. All paths are absolute. */
bool process_can_isolate(const char *root);

/* rootfs.c, in the child: enter a root folder of its own below layout->dir. -1: errno, and what
 * failed in *step. */
int rootfs_enter(const struct layout *layout, const char **step);

#endif
