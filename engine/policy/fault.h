/*
 * fault.h - what went wrong in a script, in the words that a reply has for it (host.h).
 */
#ifndef POLICY_FAULT_H
#define POLICY_FAULT_H

#include "policy/bundle.h"

struct lua_State;

enum { FAULT_TRACE_LINES = 8 };

struct policy_fault {
	const char *kind; /* "reject", "script" or "limit" */
	char file[BUNDLE_NAME_MAX + 1];
	int line; /* 0: unknown */
	char message[ERR_MSG_MAX];
	char traceback[ERR_MSG_MAX];
};

/* Text for people: cut to fit, without the control characters that could steer a terminal. */
void fault_set_text(char out[ERR_MSG_MAX], const char *text, size_t len);

/* "file:12: text": take file and line from the message if the file is one of the bundle. */
void fault_read_place(struct policy_fault *fault, const struct bundle *bundle);

/* Put the place in front of a message that lacks it. */
void fault_add_place(struct policy_fault *fault, const char *file, int line);

/*
 * Write the traceback from where the state is now, the innermost call first. Only calls of policy
 * files are told, and at most FAULT_TRACE_LINES of them:
 *	contract.lua:12: in upvalue 'storage'
 *	contract.lua:30: in function at line 28
 *	contract.lua:41: in the file itself
 */
void fault_trace(struct policy_fault *fault, struct lua_State *L, const struct bundle *bundle);

#endif
