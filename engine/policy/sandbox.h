/*
 * sandbox.h - one evaluation of one policy function in a Lua state of its own.
 *
 * The state has an allow-list of Lua (stdlib.h), a capped heap and a budget of instructions. When a
 * limit is reached the sandbox is dead: every pcall of the script raises again, so the evaluation
 * ends. What a C function of Lua spends inside one call (patterns, concatenation) is bounded by
 * the caller's clock, which calls sandbox_expire().
 *
 *	struct sandbox *box = sandbox_new(&options);
 *	int failed = sandbox_call(box, &call, &out, &fault);
 *	sandbox_free(box);
 */
#ifndef POLICY_SANDBOX_H
#define POLICY_SANDBOX_H

#include "base/buf.h"
#include "base/json.h"
#include "policy/bundle.h"
#include "policy/coverage.h"
#include "policy/fault.h"

struct lua_State;
struct sandbox;

enum {
	SANDBOX_HEAP_MAX = 32 << 20,    /* bytes of one Lua state */
	SANDBOX_INSTRUCTIONS = 5000000, /* of one evaluation */
	SANDBOX_CPU_MS = 500,           /* of one evaluation; worker.c keeps this clock */
	SANDBOX_OUTPUT_MAX = 1 << 20,   /* bytes of JSON; the caller's buf carries it */
	SANDBOX_LOG_LINES_MAX = 32,     /* of one evaluation; the rest is told and dropped */
	SANDBOX_LOG_LINE_MAX = 1024,    /* bytes; the rest is cut */
	SANDBOX_ARGS_MAX = 4,
};

typedef void sandbox_log_fn(void *arg, const char *text);

struct sandbox_options {
	const struct bundle *bundle; /* borrowed; the files that are run and required */
	size_t heap_max;             /* 0: SANDBOX_HEAP_MAX */
	int64_t instructions;        /* 0: SANDBOX_INSTRUCTIONS */
	int cpu_ms;                  /* 0: SANDBOX_CPU_MS; the caller's clock keeps it */
	int depth_max;               /* levels of the result; 0: CONVERT_DEPTH_MAX */
	int log_lines;               /* 0: SANDBOX_LOG_LINES_MAX */
	sandbox_log_fn *log;         /* gets what the script logs; NULL: dropped */
	void *log_arg;
	struct coverage *coverage; /* gets the lines that run; NULL: nobody asks */
};

enum sandbox_want {
	SANDBOX_MODULE, /* run the file */
	SANDBOX_CHECK,  /* run the file; it must return a table with the function */
	SANDBOX_RETURN, /* run the file; out gets what it returns */
	SANDBOX_RESULT, /* run the file, call its function; out gets what that returns */
};

struct sandbox_call {
	const char *file;     /* of the bundle */
	const char *function; /* for SANDBOX_CHECK and SANDBOX_RESULT */
	enum sandbox_want want;
	const struct json *args[SANDBOX_ARGS_MAX]; /* NULL and JSON null: nil */
	int arg_count;
};

/* For a process that evaluates much: prepare a state, libraries and all, once. While none of its
 * copies is in use, sandbox_new() makes one, which is as good as new and takes a tenth of the time.
 */
void sandbox_prepare(void);

struct sandbox *sandbox_new(const struct sandbox_options *options);
void sandbox_free(struct sandbox *box); /* NULL is fine */

/* Once for each sandbox. A result of nothing leaves out empty. Returns 0, or -1 with fault set. */
int sandbox_call(struct sandbox *box, const struct sandbox_call *call, struct buf *out,
		 struct policy_fault *fault);

/* What it has used. */
size_t sandbox_heap_peak(const struct sandbox *box);
/* Counted in steps of 1000; one that was begun counts whole. */
int64_t sandbox_instructions(const struct sandbox *box);

int sandbox_cpu_ms(const struct sandbox *box); /* what it may use */

/* For a signal handler (both are async-signal-safe): end the evaluation at the next instruction,
 * and the file and line that were seen last (file may be NULL). */
void sandbox_expire(struct sandbox *box);
void sandbox_where(const struct sandbox *box, const char **file, int *line);

/* ---- for the functions that a script calls (stdlib.c, convert.c) ---- */

/* NULL: a state that is no sandbox, such as that of an author's tests (engine/lua/). */
struct sandbox *sandbox_of(struct lua_State *L);

/* Take work done in C from the budget; raises if that was the last of it. Without a sandbox there
 * is no budget. */
void sandbox_charge(struct lua_State *L, int64_t instructions);

/* The result is beyond a limit: raises, with the message for the fault. */
int sandbox_exceed(struct lua_State *L, const char *message);
int sandbox_depth_max(struct lua_State *L);

/* Remember where the script is, before a C function that may take long. */
void sandbox_note(struct lua_State *L);

/* Raise again if the sandbox is dead: after every lua_pcall() on behalf of the script. */
void sandbox_check(struct lua_State *L, int status);

const struct bundle *sandbox_bundle(const struct sandbox *box);

/* Run a file of the bundle, by its name for messages; its value is left on the stack. */
void sandbox_run_file(struct lua_State *L, const char *name, const struct bundle_file *file);

void sandbox_log(struct sandbox *box, const char *text, size_t len);

#endif
