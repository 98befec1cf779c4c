#include "policy/host.h"

#include "policy/bundle.h"
#include "policy/frame.h"
#include "policy/process.h"

enum { DEADLINE_MS = 2000, READ_STEP = 64 << 10 };

enum call_kind { CALL_LOAD, CALL_EVAL };

struct policy_call {
	struct policy_host *host;
	struct policy_call *next;
	enum call_kind kind;
	struct buf frame;     /* the request as it is sent */
	struct err err;       /* set: the call failed before it was sent */
	struct json *files;   /* CALL_LOAD: what comes into force */
	struct json *hooks;   /* CALL_EVAL: names */
	struct json *results; /* CALL_EVAL: so far, by name */
	char digest[BUNDLE_DIGEST_MAX];
	policy_done_fn *done; /* NULL: cancelled while the worker has it */
	void *arg;
};

struct policy_host {
	struct loop *loop;
	const char *program;
	int64_t deadline_ms;
	struct timer *deadline;
	struct policy_call *first, **last;
	bool busy; /* the worker has the first call */

	struct process worker; /* fd < 0: none */
	struct io *io;
	struct buf out, in;

	struct json *files; /* in force; NULL: the default bundle */
	char digest[BUNDLE_DIGEST_MAX];
};

static void pump(void *arg);
static void on_readable(void *arg);
static void on_writable(void *arg);
static void on_deadline(void *arg);

/* ---- calls ---- */

static void call_free(struct policy_call *call)
{
	buf_done(&call->frame);
	json_free(call->files);
	json_free(call->hooks);
	json_free(call->results);
	free(call);
}

static struct policy_call *call_new(struct policy_host *host, enum call_kind kind,
				    policy_done_fn *done, void *arg)
{
	struct policy_call *call = xcalloc(1, sizeof(*call));

	call->host = host;
	call->kind = kind;
	call->frame = (struct buf)BUF_INIT(FRAME_HEADER + FRAME_MAX);
	call->done = done;
	call->arg = arg;
	return call;
}

static void schedule(struct policy_host *host)
{
	loop_undefer(host->loop, host);
	loop_defer(host->loop, pump, host);
}

static struct policy_call *submit(struct policy_call *call)
{
	struct policy_host *host = call->host;

	*host->last = call;
	host->last = &call->next;
	schedule(host);
	return call;
}

static struct policy_call *unlink_first(struct policy_host *host)
{
	struct policy_call *call = host->first;

	host->first = call->next;
	if (host->first == NULL)
		host->last = &host->first;
	return call;
}

/* The last act of whoever calls it: the callback may free the host. */
static void finish(struct policy_host *host, struct json *reply_taken, const struct err *err)
{
	struct policy_call *call = unlink_first(host);
	policy_done_fn *done = call->done;
	auto_json struct json *reply = reply_taken;
	void *arg = call->arg;
	struct err copy = ERR_INIT;

	if (err != NULL)
		copy = *err; /* it may be the call's */
	host->busy = false;
	timer_clear(host->deadline);
	if (host->first != NULL)
		schedule(host);
	call_free(call);
	if (done != NULL)
		done(arg, reply, err != NULL ? &copy : NULL);
}

/* ---- the worker ---- */

static void stop_worker(struct policy_host *host, char how[PROCESS_HOW_MAX])
{
	io_free(host->io);
	host->io = NULL;
	process_kill(&host->worker, how);
	buf_done(&host->out);
	buf_done(&host->in);
}

static int start_worker(struct policy_host *host, struct err *err)
{
	if (process_start(&host->worker, host->program, err) < 0)
		return err_wrap(err, "policy worker");
	host->io = io_new(host->loop, host->worker.fd, on_readable, on_writable, host);
	if (host->files != NULL) {
		auto_json struct json *use = json_object();

		json_set_str(use, "op", "use");
		json_set(use, "files", json_copy(host->files));
		return frame_pack(use, &host->out, err);
	}
	return 0;
}

static const char *awaited_hook(const struct policy_call *call)
{
	for (const struct json *h = json_first(call->hooks); h != NULL; h = json_next(h))
		if (json_get(call->results, json_str(h)) == NULL)
			return json_str(h);
	return NULL;
}

static struct json *result_of_lost(const char *hook, const char *ran, const char *problem)
{
	auto_free char *message =
	    xasprintf("%s%s, while it ran %s", streq(hook, ran) ? "" : "not run: ", problem, ran);

	return json_build("{'error': {'kind': 'limit', 'hook': %s, 'file': '', 'line': 0, "
			  "'message': %s, 'traceback': ''}}",
			  hook, message);
}

/* A hook that has answered keeps its answer. The others get an error: the worker met its problem
 * while it ran the hook `ran`. */
static struct json *eval_reply(struct policy_call *call, const char *ran, const char *problem)
{
	struct json *reply = json_build("{'digest': %s}", call->host->digest);

	for (const struct json *h = json_first(call->hooks); h != NULL; h = json_next(h))
		if (json_get(call->results, json_str(h)) == NULL)
			json_set(call->results, json_str(h),
				 result_of_lost(json_str(h), ran, problem));
	json_set(reply, "results", steal(call->results));
	return reply;
}

/* The worker is of no use any more: end it and answer for it. */
static void lose_worker(struct policy_host *host, const char *problem)
{
	char how[PROCESS_HOW_MAX];
	struct err err = ERR_INIT;

	stop_worker(host, how);
	if (!host->busy)
		return;
	err_set(&err, ERR_LIMIT, "the policy worker %s", problem != NULL ? problem : how);
	if (host->first->kind == CALL_EVAL)
		finish(host, eval_reply(host->first, awaited_hook(host->first), err.msg), NULL);
	else
		finish(host, NULL, &err);
}

static void on_deadline(void *arg)
{
	struct policy_host *host = arg;
	char problem[80];

	snprintf(problem, sizeof(problem), "did not answer within %lld ms and was ended",
		 (long long)host->deadline_ms);
	lose_worker(host, problem);
}

/* ---- answers ---- */

static void put_in_force(struct policy_host *host, struct policy_call *call)
{
	json_free(host->files);
	host->files = steal(call->files);
	memcpy(host->digest, call->digest, sizeof(host->digest));
}

static void on_load_answer(struct policy_host *host, const struct json *answer)
{
	const struct json *error = json_get(answer, "error");
	struct err err = ERR_INIT;

	if (json_get(answer, "ok") != NULL) {
		put_in_force(host, host->first);
		finish(host, json_build("{'digest': %s}", host->digest), NULL);
	} else if (json_str(json_get(error, "message")) != NULL) {
		err_set(&err,
			streq(json_get_str(error, "kind", ""), "limit") ? ERR_LIMIT : ERR_INVALID,
			"%s", json_str(json_get(error, "message")));
		finish(host, NULL, &err);
	} else {
		lose_worker(host, "gave an answer that makes no sense and was ended");
	}
}

/* {"ok"} or {"error"}, and what it took. */
static struct json *result_in(const struct json *answer)
{
	struct json *result = json_object();
	const char *key = json_get(answer, "ok") != NULL ? "ok" : "error";

	json_set(result, key, json_copy(json_get(answer, key)));
	if (json_get(answer, "usage") != NULL)
		json_set(result, "usage", json_copy(json_get(answer, "usage")));
	return result;
}

/* Returns true if more answers are to come. */
static bool on_eval_answer(struct policy_host *host, const struct json *answer)
{
	struct policy_call *call = host->first;
	const char *hook = awaited_hook(call);
	bool good = (json_get(answer, "ok") != NULL) != (json_get(answer, "error") != NULL);

	if (!good || !streq(json_get_str(answer, "hook", ""), hook)) {
		lose_worker(host, "gave an answer that makes no sense and was ended");
		return false;
	}
	json_set(call->results, hook, result_in(answer));
	if (host->io != NULL && awaited_hook(call) != NULL)
		return true;
	finish(host, eval_reply(call, hook, "the policy worker was ended"), NULL);
	return false;
}

/* Take one answer out of what was read. Returns true if there may be another. */
static bool take_answer(struct policy_host *host)
{
	auto_json struct json *answer = NULL;
	char how[PROCESS_HOW_MAX];
	struct err err = ERR_INIT;
	size_t size = 0;

	if (host->in.len >= FRAME_HEADER)
		size = frame_get_size(host->in.data);
	if (!host->busy ? host->in.len > 0 : size > POLICY_REPLY_MAX) {
		lose_worker(host, "gave an answer that nobody asked for and was ended");
		return false;
	}
	if (host->in.len < FRAME_HEADER + size || host->in.len == 0)
		return false;
	answer = frame_unpack(host->in.data + FRAME_HEADER, size, &err);
	buf_consume(&host->in, FRAME_HEADER + size);
	if (answer == NULL) {
		lose_worker(host, "gave an answer that is not JSON and was ended");
		return false;
	}
	if (json_is_true(json_get(answer, "last")))
		stop_worker(host, how); /* it ends itself: nothing more may be sent to it */
	if (host->first->kind == CALL_EVAL)
		return on_eval_answer(host, answer);
	on_load_answer(host, answer);
	return false;
}

static void on_readable(void *arg)
{
	struct policy_host *host = arg;
	static char bytes[READ_STEP];
	ssize_t n = process_read(&host->worker, bytes, sizeof(bytes));

	if (n < 0)
		return; /* not yet */
	if (n == 0) {
		lose_worker(host, NULL);
		return;
	}
	buf_add(&host->in, bytes, (size_t)n);
	while (take_answer(host))
		;
}

static void on_writable(void *arg)
{
	struct policy_host *host = arg;
	ssize_t n = process_write(&host->worker, host->out.data, host->out.len);

	/* A worker that is gone shows at the reading side. */
	if (n > 0)
		buf_consume(&host->out, (size_t)n);
	io_want(host->io, true, host->out.len > 0);
}

/* Send the next call to the worker. */
static void pump(void *arg)
{
	struct policy_host *host = arg;
	struct policy_call *call = host->first;
	char how[PROCESS_HOW_MAX];

	if (host->busy || call == NULL)
		return;
	if (host->in.len > 0)
		stop_worker(host, how); /* it said more than it was asked */
	if (call->err.kind == ERR_NONE && host->io == NULL && start_worker(host, &call->err) < 0)
		stop_worker(host, how);
	if (call->err.kind != ERR_NONE) {
		finish(host, NULL, &call->err);
		return;
	}
	host->busy = true;
	buf_add(&host->out, call->frame.data, call->frame.len);
	buf_done(&call->frame);
	timer_set(host->deadline, host->deadline_ms);
	io_want(host->io, true, true);
}

/* ---- the interface ---- */

struct policy_host *policy_host_new(struct loop *loop, const struct policy_options *options)
{
	struct policy_host *host = xcalloc(1, sizeof(*host));
	struct bundle *bundle = bundle_new_default();

	host->loop = loop;
	host->program = options->program != NULL ? options->program : "/proc/self/exe";
	host->deadline_ms = options->deadline_ms != 0 ? options->deadline_ms : DEADLINE_MS;
	host->deadline = timer_new(loop, on_deadline, host);
	host->last = &host->first;
	host->worker = (struct process)PROCESS_INIT;
	host->out = (struct buf)BUF_INIT(2 * (FRAME_HEADER + FRAME_MAX)); /* a bundle and a call */
	host->in = (struct buf)BUF_INIT(FRAME_HEADER + POLICY_REPLY_MAX + READ_STEP);
	bundle_digest(bundle, host->digest);
	bundle_free(bundle);
	return host;
}

void policy_host_free(struct policy_host *host)
{
	char how[PROCESS_HOW_MAX];

	if (host == NULL)
		return;
	while (host->first != NULL)
		call_free(unlink_first(host));
	stop_worker(host, how);
	loop_undefer(host->loop, host);
	timer_free(host->deadline);
	json_free(host->files);
	free(host);
}

struct policy_call *policy_load(struct policy_host *host, const struct json *files,
				policy_done_fn *done, void *arg)
{
	struct policy_call *call = call_new(host, CALL_LOAD, done, arg);
	struct bundle *bundle = bundle_new(files, &call->err);
	auto_json struct json *message = json_object();

	if (bundle == NULL)
		return submit(call);
	bundle_digest(bundle, call->digest);
	bundle_free(bundle);
	call->files = json_copy(files);
	json_set_str(message, "op", "load");
	json_set(message, "files", json_copy(files));
	frame_pack(message, &call->frame, &call->err);
	return submit(call);
}

static bool are_hooks(const struct json *hooks)
{
	for (const struct json *h = json_first(hooks); h != NULL; h = json_next(h)) {
		if (json_str(h) == NULL)
			return false;
		for (const struct json *o = json_first(hooks); o != h; o = json_next(o))
			if (json_equal(o, h))
				return false;
	}
	return json_type(hooks) == JSON_ARRAY && json_first(hooks) != NULL;
}

struct policy_call *policy_eval(struct policy_host *host, const struct json *request,
				policy_done_fn *done, void *arg)
{
	struct policy_call *call = call_new(host, CALL_EVAL, done, arg);
	auto_json struct json *message = json_copy(request);
	const struct json *hooks = json_get(request, "hooks");

	call->hooks = json_copy(hooks);
	call->results = json_object();
	if (!are_hooks(hooks)) {
		err_set(&call->err, ERR_INVALID, "hooks: expected a list of different names");
		return submit(call);
	}
	json_set_str(message, "op", "eval");
	frame_pack(message, &call->frame, &call->err);
	return submit(call);
}

void policy_cancel(struct policy_call *call)
{
	struct policy_host *host = call->host;
	struct policy_call **link = &host->first;

	if (host->busy && host->first == call) {
		call->done = NULL; /* the worker finishes it; nobody hears of it */
		return;
	}
	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	if (host->last == &call->next)
		host->last = link;
	call_free(call);
}

bool policy_shapes(const struct policy_host *host)
{
	return json_get(host->files, "job.lua") != NULL;
}

const char *policy_digest(const struct policy_host *host)
{
	return host->digest;
}
