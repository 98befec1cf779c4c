/*
 * eval.h - the hooks of a bundle: which file and function, which arguments, what may come back.
 *
 * Each evaluation runs in a sandbox of its own. Results have the form that host.h tells:
 * {"ok": ...} or {"error": {"kind", "hook", "file", "line", "message", "traceback"}}. That of a
 * hook has beside it "usage": {"instructions", "memory"}, what it took of the limits (sandbox.h).
 */
#ifndef POLICY_EVAL_H
#define POLICY_EVAL_H

#include "policy/sandbox.h"

/* A hook's place in a bundle, and what its function is given. */
struct eval_form {
	const char *hook, *file, *function;
	const char *args[SANDBOX_ARGS_MAX + 1]; /* names, NULL-terminated */
};

#define EVAL_EXAMPLES "examples.lua"

/* NULL: there is no such hook, it is no hook's file. */
const struct eval_form *eval_form_of(const char *hook);
const struct eval_form *eval_form_of_file(const char *file);

struct eval {
	const struct bundle *bundle;
	/* Around each evaluation, so that a clock can end it; NULL is fine. */
	void (*started)(void *arg, struct sandbox *box, const char *hook);
	void (*ended)(void *arg);
	sandbox_log_fn *log;
	void *arg;                 /* of all three */
	struct coverage *coverage; /* gets the lines that run; NULL: nobody asks */
};

/* Run one hook with the inputs that host.h tells; yours. `parameters` beside the run stands for
 * run.spec.parameters. Without a job.lua, shape answers the manifest. */
struct json *eval_hook(const struct eval *eval, const char *hook, const struct json *request);

/*
 * Check a new bundle: every file runs, the functions are there, the examples come out as told. ok
 * is {}. examples.lua returns a list of
 *	{hook = "validate", input = {...}, output = ...}    or    {..., error = "message"}
 * with the inputs of eval_hook(); an error is compared with the message of a reject().
 */
struct json *eval_check(const struct eval *eval);

/* {"error": ...} with the members given. */
struct json *eval_error(const char *kind, const char *hook, const char *file, int line,
			const char *message, const char *traceback);

#endif
