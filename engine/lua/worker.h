/*
 * worker.h - the engine's policy worker, for a program that can wait.
 *
 * It is the worker of policy/host.h in a child of this process, forked and not started again: the
 * same walls, limits and clock. One worker serves all bundles, one question after another. One that
 * crashes or does not answer is ended, and the next question finds a new one.
 */
#ifndef LUA_WORKER_H
#define LUA_WORKER_H

#include "base/json.h"
#include "policy/process.h"

struct worker {
	struct process process;
	uint64_t taken; /* the bundle that it has; 0: the default one */
	/* How long it may take to answer. A script cannot wait, and its processor time has a limit
	 * of its own: this is for a worker that is stopped, or a computer that does much else. */
	int patience_ms;
};

#define WORKER_INIT                                                                                \
	{                                                                                          \
		.process = PROCESS_INIT, .patience_ms = 30000                                      \
	}

void worker_stop(struct worker *worker); /* it starts again when it is asked */

/* Both return the worker's answer as policy/worker.c tells it, or NULL with err set. `id` names the
 * bundle, and must be another one for other files. */
struct json *worker_load(struct worker *worker, uint64_t id, const struct json *files,
			 bool coverage, struct err *err);

/* request: that of policy_eval(), for one hook. The files have been loaded once. */
struct json *worker_eval(struct worker *worker, uint64_t id, const struct json *files,
			 const struct json *request, struct err *err);

#endif
