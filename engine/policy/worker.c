#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "base/log.h"
#include "policy/confine.h"
#include "policy/eval.h"
#include "policy/frame.h"
#include "policy/host.h"
#include "policy/shelf.h"

/*
 * The child's side of host.h: read a message, serve it, write the answer, for ever.
 *
 *	{"op": "use", "bundle": name, "over": bool, "files": ...}
 *		take a bundle that was checked before; no answer
 *	{"op": "load", and the same}
 *		check it, take it if it is good; {"ok": {}} or {"error": ...}
 *	{"op": "forget", "bundle": name}
 *		drop it; no answer
 *	{"op": "eval", "bundle": name, "hooks": [...], ...}
 *		one answer a hook: {"hook": ..., "ok" or "error": ...}
 *
 * A bundle that is not named is "", the one in force.
 * An answer with "last" is the last one of this worker. With "coverage": true in a load or eval,
 * the answer has "lines" (coverage.h); the engine never asks for them, tests of policies do.
 */

enum {
	CHANNEL = 3,
	EXIT_PROTOCOL = 2,
	EXIT_EXPIRED = 3,
	GRACE_MS = 100, /* from the polite end of an evaluation to the hard one */
	LAST_WORDS_MAX = 512,
	SPARE_MAX = 256 << 10, /* bytes */
	READ_STEP = 64 << 10,
};

/* What runs now, for the signal handler. */
static struct {
	struct sandbox *volatile box;
	const char *volatile hook;
	volatile sig_atomic_t warned;
} running;

static struct shelf *shelf;
static struct buf in = BUF_INIT(FRAME_HEADER + FRAME_MAX + READ_STEP); /* not served yet */

static void write_all(const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(CHANNEL, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_PROTOCOL); /* the engine is gone */
		at += n;
		len -= (size_t)n;
	}
}

/* Have at least len bytes in `in`; false at the end of the channel. */
static bool read_up_to(size_t len)
{
	static char bytes[READ_STEP];

	while (in.len < len) {
		ssize_t n = read(CHANNEL, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf_add(&in, bytes, (size_t)n);
	}
	return true;
}

/* ---- the clock ---- */

/* Last words of a signal handler: snprintf(3) is not async-signal-safe. */
static void say(char out[LAST_WORDS_MAX], const char *text)
{
	size_t used = strnlen(out, LAST_WORDS_MAX - 1), len = strlen(text);

	if (len > LAST_WORDS_MAX - 1 - used)
		len = LAST_WORDS_MAX - 1 - used;
	memcpy(out + used, text, len);
	out[used + len] = '\0';
}

static void say_number(char out[LAST_WORDS_MAX], int n)
{
	char digits[12];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	say(out, at);
}

/* Answer for the evaluation and end. It may sit in a C function that no hook interrupts. */
_Noreturn static void end_hard(const char *problem)
{
	char words[LAST_WORDS_MAX + FRAME_HEADER] = "";
	char *body = words + FRAME_HEADER;
	const char *file;
	int line;

	sandbox_where(running.box, &file, &line);
	say(body, "last true\nhook \"");
	say(body, running.hook);
	say(body, "\"\nerror {\"kind\":\"limit\",\"traceback\":\"\",\"hook\":\"");
	say(body, running.hook);
	say(body, "\",\"file\":\"");
	say(body, file != NULL ? file : "");
	say(body, "\",\"line\":");
	say_number(body, line);
	say(body, ",\"message\":\"");
	if (file != NULL) {
		say(body, file);
		say(body, ":");
		say_number(body, line);
		say(body, ": ");
	}
	say(body, problem);
	say(body, ", while it ran ");
	say(body, running.hook[0] != '\0' ? running.hook : "the file");
	say(body, "\"}\n");
	frame_put_size(strlen(body), (unsigned char *)words);
	write_all(words, FRAME_HEADER + strlen(body));
	_exit(EXIT_EXPIRED);
}

_Noreturn static void end_inside_call(void)
{
	char problem[LAST_WORDS_MAX] = "";

	say(problem, "the script used more than ");
	say_number(problem, sandbox_cpu_ms(running.box));
	say(problem, " ms of processor time inside one call, such as a pattern match");
	end_hard(problem);
}

static void on_clock(int signo)
{
	int saved = errno;

	(void)signo;
	if (running.box == NULL)
		return;
	if (running.warned)
		end_inside_call();
	running.warned = 1;
	sandbox_expire(running.box);
	errno = saved;
}

/* The engine does not wait any longer. Without an evaluation there is nothing to tell. */
static void on_deadline(int signo)
{
	(void)signo;
	if (running.box != NULL)
		end_hard("the script did not end before the deadline of its request");
}

static void set_clock(int ms, int again_ms)
{
	struct itimerval clock = {.it_value = {ms / 1000, ms % 1000 * 1000},
				  .it_interval = {again_ms / 1000, again_ms % 1000 * 1000}};

	if (setitimer(ITIMER_PROF, &clock, NULL) < 0)
		abort(); /* without a clock nothing may run */
}

static void on_started(void *arg, struct sandbox *box, const char *hook)
{
	(void)arg;
	/* First the clock: what is left of the last evaluation's must not be taken for this one's. */
	set_clock(sandbox_cpu_ms(box), GRACE_MS);
	running.warned = 0;
	running.hook = hook;
	running.box = box;
}

static void on_ended(void *arg)
{
	(void)arg;
	running.box = NULL; /* the clock may run on: idle, it does not tick */
}

static void on_log(void *arg, const char *text)
{
	(void)arg;
	log_info("policy log", "hook", running.hook, "text", text);
}

/* ---- serving ---- */

/* hook: NULL for a load. */
static void answer(struct json *result_taken, const char *hook)
{
	auto_buf struct buf out = BUF_INIT(FRAME_HEADER + POLICY_REPLY_MAX);
	auto_json struct json *result = result_taken;
	struct err err = ERR_INIT;

	if (hook != NULL)
		json_set_str(result, "hook", hook);
	if (frame_pack(result, NULL, &out, &err) <
	    0) { /* only a manifest that no job.lua has shaped */
		json_free(result);
		result = eval_error("limit", hook, "", 0, "the result is too large", "");
		json_set_str(result, "hook", hook);
		frame_pack(result, NULL, &out, &err);
	}
	write_all(out.data, out.len);
}

static struct eval evaluation(const struct bundle *of, const struct json *request)
{
	return (struct eval){
	    .bundle = of,
	    .started = on_started,
	    .ended = on_ended,
	    .log = on_log,
	    .coverage = json_is_true(json_get(request, "coverage")) ? coverage_new(of) : NULL,
	};
}

static void end_evaluation(struct eval *eval, struct json *result)
{
	if (eval->coverage != NULL)
		json_set(result, "lines", coverage_lines(eval->coverage));
	coverage_free(eval->coverage);
}

static const char *bundle_name(const struct json *request)
{
	return json_get_str(request, "bundle", "");
}

static struct bundle *bundle_in(const struct json *request, struct err *err)
{
	return shelf_make(shelf, json_is_true(json_get(request, "over")),
			  json_get(request, "files"), err);
}

static void put(const struct json *request, struct bundle *bundle_taken)
{
	shelf_put(shelf, bundle_name(request), json_is_true(json_get(request, "over")),
		  bundle_taken);
}

static void serve_use(const struct json *request)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_in(request, &err);

	if (bundle == NULL)
		_exit(EXIT_PROTOCOL);
	put(request, bundle);
}

static void serve_load(const struct json *request)
{
	struct err err = ERR_INIT;
	struct bundle *next = bundle_in(request, &err);
	struct json *result;

	if (next == NULL) {
		result = eval_error("script", "", "", 0, err.msg, "");
	} else {
		struct eval eval = evaluation(next, request);

		result = eval_check(&eval);
		end_evaluation(&eval, result);
	}
	if (json_get(result, "ok") != NULL)
		put(request, next);
	else
		bundle_free(next);
	answer(result, NULL);
}

static void serve_eval(const struct json *request)
{
	const struct shelf_item *item = shelf_find(shelf, bundle_name(request));

	if (item == NULL)
		_exit(EXIT_PROTOCOL);
	for (const struct json *h = json_first(json_get(request, "hooks")); h != NULL;
	     h = json_next(h)) {
		struct eval eval = evaluation(item->bundle, request);
		const char *hook = json_str(h);
		struct json *result;

		if (hook == NULL)
			_exit(EXIT_PROTOCOL);
		result = eval_hook(&eval, hook, request);
		end_evaluation(&eval, result);
		answer(result, hook);
	}
}

static void serve(const struct json *request)
{
	const char *op = json_get_str(request, "op", "");

	if (streq(op, "eval"))
		serve_eval(request);
	else if (streq(op, "load"))
		serve_load(request);
	else if (streq(op, "use"))
		serve_use(request);
	else if (streq(op, "forget"))
		shelf_forget(shelf, bundle_name(request));
	else
		_exit(EXIT_PROTOCOL);
}

static bool serve_next(void)
{
	auto_json struct json *request = NULL;
	struct err err = ERR_INIT;
	size_t len;

	if (!read_up_to(FRAME_HEADER))
		return false;
	len = frame_get_size(in.data);
	if (len > FRAME_MAX)
		_exit(EXIT_PROTOCOL);
	if (!read_up_to(FRAME_HEADER + len))
		return false;
	request = frame_unpack(in.data + FRAME_HEADER, len, &err);
	if (request == NULL)
		_exit(EXIT_PROTOCOL);
	buf_consume(&in, FRAME_HEADER + len);
	serve(request);
	return true;
}

/* What a large request has used is not kept while the worker idles. */
static void trim(void)
{
	static uintptr_t top; /* of the heap, after it was trimmed */

	if (in.len == 0 && in.cap > SPARE_MAX)
		buf_done(&in);
	if ((uintptr_t)sbrk(0) <= top + SPARE_MAX)
		return;
	malloc_trim(0);
	top = (uintptr_t)sbrk(0);
}

_Noreturn void policy_worker_main(void)
{
	struct sigaction clock = {.sa_handler = on_clock, .sa_flags = SA_RESTART};
	struct sigaction deadline = {.sa_handler = on_deadline, .sa_flags = SA_RESTART};
	struct err err = ERR_INIT;

	tzset(); /* gmtime_r(3) would read a file for it later */
	sigaction(SIGPROF, &clock, NULL);
	sigaction(SIGTERM, &deadline, NULL);
	prctl(PR_SET_NAME, "kserve-policy", 0, 0, 0); /* what ps(1) shows */
	shelf = shelf_new();
	sandbox_prepare();
	if (confine(CHANNEL, &err) < 0) {
		log_error("policy worker cannot be confined", "error", err.msg);
		_exit(EXIT_PROTOCOL);
	}
	while (serve_next())
		trim();
	shelf_free(shelf);
	shelf = NULL;
	exit(EXIT_SUCCESS);
}
