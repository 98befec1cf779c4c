/*
 * sandbox_state.h - for sandbox.c, sandbox_run.c and kept.c alone: what a sandbox is made of.
 */
#ifndef POLICY_SANDBOX_STATE_H
#define POLICY_SANDBOX_STATE_H

#include <signal.h>

#include "policy/arena.h"
#include "policy/luaapi.h"
#include "policy/sandbox.h"

enum limit { LIMIT_NONE, LIMIT_MEMORY, LIMIT_INSTRUCTIONS, LIMIT_CPU, LIMIT_RESULT };

struct sandbox {
	lua_State *L;        /* NULL: not even the empty state fits the heap */
	struct arena *arena; /* of the prepared state; NULL: malloc */
	struct sandbox_options options;
	size_t heap_used, heap_peak;
	int64_t left;                /* instructions */
	volatile sig_atomic_t limit; /* enum limit; sticky */
	int log_lines;

	/* Read by a signal handler: the name belongs to the bundle, which outlives the state. */
	const char *volatile seen_file;
	volatile sig_atomic_t seen_line;

	const struct sandbox_call *call;
	struct buf *out;
	struct policy_fault *fault;
};

#endif
