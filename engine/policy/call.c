#include "policy/call.h"

#include "policy/frame.h"

struct policy_call *call_new(struct policy_host *host, enum call_kind kind, const char *name,
			     policy_done_fn *done, void *arg)
{
	struct policy_call *call = xcalloc(1, sizeof(*call));

	call->host = host;
	call->kind = kind;
	call->name = xstrdup(name);
	call->frame = (struct buf)BUF_INIT(FRAME_HEADER + FRAME_MAX);
	call->done = done;
	call->arg = arg;
	return call;
}

void call_free(struct policy_call *call)
{
	if (call == NULL)
		return;
	buf_done(&call->frame);
	bundle_free(call->bundle);
	json_free(call->hooks);
	json_free(call->results);
	json_free(call->reply);
	free(call->name);
	free(call->source);
	free(call);
}

/* ---- the question ---- */

char *call_source(const char *name, const struct json *request)
{
	const struct json *meta = json_at(request, "run", "metadata");

	if (name[0] != '\0')
		return xasprintf("bundle %s", name);
	return xasprintf("run %s/%s", json_get_str(meta, "namespace", ""),
			 json_get_str(meta, "name", ""));
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

void call_ask(struct policy_call *call, const struct json *request)
{
	auto_json struct json *message = NULL;
	const struct json *hooks = json_get(request, "hooks");

	call->source = call_source(call->name, request);
	call->hooks = json_copy(hooks);
	call->results = json_object();
	if (!are_hooks(hooks)) {
		err_set(&call->err, ERR_INVALID, "hooks: expected a list of different names");
		return;
	}
	message = json_build("{'op': 'eval', 'bundle': %s}", call->name);
	frame_pack(request, message, &call->frame, &call->err);
}

/* ---- ends ---- */

static const char *awaited_hook(const struct policy_call *call)
{
	for (const struct json *h = json_first(call->hooks); h != NULL; h = json_next(h))
		if (json_get(call->results, json_str(h)) == NULL)
			return json_str(h);
	return NULL;
}

static void end_eval(struct policy_call *call)
{
	call->reply = json_build("{'digest': %s}", call->digest);
	json_set(call->reply, "results", steal(call->results));
}

static struct json *result_of_lost(const char *hook, const char *ran, const char *problem)
{
	auto_free char *message =
	    xasprintf("%s%s, while it ran %s", streq(hook, ran) ? "" : "not run: ", problem, ran);

	return json_build("{'error': {'kind': 'limit', 'hook': %s, 'file': '', 'line': 0, "
			  "'message': %s, 'traceback': ''}}",
			  hook, message);
}

void call_lose(struct policy_call *call, const char *ran, const char *problem)
{
	if (call->kind == CALL_LOAD) {
		err_set(&call->err, ERR_RETRY, "%s", problem);
		return;
	}
	if (ran == NULL)
		ran = awaited_hook(call);
	for (const struct json *h = json_first(call->hooks); h != NULL; h = json_next(h))
		if (json_get(call->results, json_str(h)) == NULL)
			json_set(call->results, json_str(h),
				 result_of_lost(json_str(h), ran, problem));
	end_eval(call);
}

bool call_met_limit(const struct policy_call *call)
{
	const struct json *results = json_get(call->reply, "results");

	for (const struct json *r = json_first(results); r != NULL; r = json_next(r))
		if (streq(json_get_str(json_get(r, "error"), "kind", ""), "limit"))
			return true;
	return false;
}

/* ---- answers ---- */

static enum call_state take_load(struct policy_call *call, const struct json *answer)
{
	const struct json *error = json_get(answer, "error");
	const char *message = json_str(json_get(error, "message"));

	if (json_get(answer, "ok") != NULL)
		call->reply = json_object();
	else if (message != NULL)
		err_set(&call->err,
			streq(json_get_str(error, "kind", ""), "limit") ? ERR_LIMIT : ERR_INVALID,
			"%s", message);
	else
		return CALL_NONSENSE;
	return CALL_ENDED;
}

/* {"ok"} or {"error"}, and what it took. */
static struct json *result_in(struct json *answer)
{
	static const char *const keys[] = {"ok", "error", "usage"};
	struct json *result = json_object();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_get(answer, keys[i]) != NULL)
			json_set(result, keys[i], json_take(answer, keys[i]));
	return result;
}

static enum call_state take_eval(struct policy_call *call, struct json *answer)
{
	const char *hook = awaited_hook(call);
	bool good = (json_get(answer, "ok") != NULL) != (json_get(answer, "error") != NULL);

	if (!good || !streq(json_get_str(answer, "hook", ""), hook))
		return CALL_NONSENSE;
	json_set(call->results, hook, result_in(answer));
	if (awaited_hook(call) != NULL)
		return CALL_OPEN;
	end_eval(call);
	return CALL_ENDED;
}

enum call_state call_take(struct policy_call *call, struct json *answer)
{
	return call->kind == CALL_LOAD ? take_load(call, answer) : take_eval(call, answer);
}
