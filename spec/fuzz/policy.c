/*
 * A script that wants to get out. The first line is the JSON of its argument, the rest its
 * contract.lua. It ends with a result that is JSON or with an error of a known kind; in a copy of a
 * prepared state, as in a worker, it gives the same bytes, and a second time at the same cost.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "base/utf8.h"
#include "spec/fuzz/parts/fuzz.h"
#include "policy/sandbox.h"

enum { HEAP = 512 << 10, INSTRUCTIONS = 50000, CLOCK_MS = 50, OUTPUT = 64 << 10 };

struct outcome {
	struct buf out;
	struct policy_fault fault;
	int failed;
	int64_t instructions;
	size_t heap;
};

/* ---- the clock: what worker.c does, but where it ends the process, this leaves the state ---- */

static struct sandbox *volatile running;
static volatile sig_atomic_t warned;
static sigjmp_buf way_out;

static void on_clock(int signo)
{
	(void)signo;
	if (running == NULL)
		return;
	if (warned)
		siglongjmp(way_out, 1);
	warned = 1;
	sandbox_expire(running);
}

static void set_clock(int ms)
{
	const struct itimerval clock = {.it_value.tv_usec = ms * 1000,
					.it_interval.tv_usec = ms * 1000};
	const struct sigaction action = {.sa_handler = on_clock, .sa_flags = SA_RESTART};

	sigaction(SIGPROF, &action, NULL);
	promise(setitimer(ITIMER_PROF, &clock, NULL) == 0);
}

/* Returns false if the clock ended it. What outlasts both ticks is a pattern, which leaves nothing
 * half done when it is left. */
static bool evaluate(const struct sandbox_options *options, const struct sandbox_call *call,
		     struct outcome *outcome)
{
	warned = 0;
	running = sandbox_new(options);
	set_clock(CLOCK_MS);
	if (sigsetjmp(way_out, 1) == 0)
		outcome->failed = sandbox_call(running, call, &outcome->out, &outcome->fault);
	set_clock(0);
	outcome->instructions = sandbox_instructions(running);
	outcome->heap = sandbox_heap_peak(running);
	sandbox_free(running);
	running = NULL;
	return !warned;
}

/* ---- promises ---- */

static void check(const struct outcome *o)
{
	struct err err = ERR_INIT;
	auto_json struct json *value = NULL;

	if (o->failed) {
		promise(streq(o->fault.kind, "reject") || streq(o->fault.kind, "script") ||
			streq(o->fault.kind, "limit"));
		promise(streq(o->fault.kind, "reject") || o->fault.message[0] != '\0');
		return;
	}
	value = o->out.len > 0 ? json_parse(o->out.data, o->out.len, &err) : json_null();
	promise(value != NULL);
}

static void compare(const struct outcome *a, const struct outcome *b)
{
	promise(a->failed == b->failed);
	promise(a->instructions == b->instructions);
	if (!a->failed) {
		promise(a->out.len == b->out.len);
		promise(memcmp(a->out.data, b->out.data, a->out.len) == 0);
		return;
	}
	promise(streq(a->fault.kind, b->fault.kind));
	promise(streq(a->fault.message, b->fault.message));
	promise(streq(a->fault.traceback, b->fault.traceback));
}

/* Where the heap ends a script is a matter of how much of it the state itself takes. */
static bool lacked_memory(const struct outcome *o)
{
	return o->failed && strstr(o->fault.message, "KiB of memory") != NULL;
}

static void run(const struct bundle *bundle, const struct json *argument)
{
	const struct sandbox_options options = {
	    .bundle = bundle, .heap_max = HEAP, .instructions = INSTRUCTIONS};
	const struct sandbox_call call = {.file = "contract.lua",
					  .function = "contract",
					  .want = SANDBOX_RESULT,
					  .args = {argument},
					  .arg_count = 1};
	struct outcome fresh = {.out = BUF_INIT(OUTPUT)};
	struct outcome copies[2] = {{.out = BUF_INIT(OUTPUT)}, {.out = BUF_INIT(OUTPUT)}};
	struct sandbox *copy = sandbox_new(&options); /* while it is in use, others are fresh */
	bool ended = evaluate(&options, &call, &fresh);

	sandbox_free(copy);
	if (ended)
		check(&fresh);
	if (ended && evaluate(&options, &call, &copies[0]) &&
	    evaluate(&options, &call, &copies[1])) {
		if (!lacked_memory(&fresh) && !lacked_memory(&copies[0]))
			compare(&fresh, &copies[0]);
		compare(&copies[0], &copies[1]);
		promise(copies[0].heap == copies[1].heap);
	}
	buf_done(&fresh.out);
	buf_done(&copies[0].out);
	buf_done(&copies[1].out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	const char *newline = len > 0 ? memchr(text, '\n', len) : NULL;
	auto_json struct json *argument = NULL, *files = NULL;
	auto_free char *script = NULL;
	struct bundle *bundle = NULL;
	struct err err = ERR_INIT;
	static bool prepared;

	if (!prepared)
		sandbox_prepare();
	prepared = true;
	if (newline == NULL)
		return 0;
	argument = json_parse(text, (size_t)(newline - text), &err);
	script = xstrndup(newline + 1, len - 1 - (size_t)(newline - text));
	files = json_build("{'contract.lua': %s}", script);
	bundle = bundle_new(files, &err);
	if (bundle != NULL)
		run(bundle, argument);
	bundle_free(bundle);
	return 0;
}
