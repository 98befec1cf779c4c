/*
 * policy_util.h - for the tests of engine/policy: bundles and JSON from short texts, attacks in a
 * child process.
 */
#ifndef SPEC_POLICY_UTIL_H
#define SPEC_POLICY_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "policy/sandbox.h"

static inline struct json *json_of(const char *text)
{
	struct err err = ERR_INIT;
	struct json *value = json_parse(text, strlen(text), &err);

	if (value == NULL)
		fail_msg("not JSON: %s: %s", text, err.msg);
	return value;
}

/* A bundle whose contract.lua is text. */
static inline struct bundle *bundle_of(const char *text)
{
	auto_json struct json *files = json_build("{'contract.lua': %s}", text);
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);

	if (bundle == NULL)
		fail_msg("no bundle: %s", err.msg);
	return bundle;
}

/* Run text as contract.lua in a child that an alarm ends: a hang is a failure, not a wait. The
 * child tells by its status whether check(fault, out) liked what came back; fault is NULL on
 * success. */
typedef bool check_outcome_fn(const struct policy_fault *fault, const char *out, const void *arg);

static inline bool in_child(const struct sandbox_options *limits, const char *text,
			    enum sandbox_want want, check_outcome_fn *check, const void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct bundle *bundle = bundle_of(text);
		struct sandbox_options options = *limits;
		struct sandbox_call call = {
		    .file = "contract.lua", .function = "contract", .want = want};
		struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
		struct policy_fault fault;
		struct sandbox *box;
		bool good;
		int failed;

		alarm(20);
		options.bundle = bundle;
		box = sandbox_new(&options);
		failed = sandbox_call(box, &call, &out, &fault);
		sandbox_free(box);
		good = check(failed ? &fault : NULL, out.data, arg);
		if (!good)
			fprintf(stderr, "  got: %s: %s | %s\n", failed ? fault.kind : "ok",
				failed ? fault.message : "", out.data);
		buf_done(&out);
		bundle_free(bundle);
		_exit(good ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
