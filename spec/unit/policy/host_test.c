/* The interface of the host, with the real worker. */
#include "host_scene.h"

static void the_default_bundle_is_in_force_at_first(void **state)
{
	struct scene *s = *state;
	const struct json *contract;

	eval(s, "[\"validate\", \"contract\", \"status\"]");
	contract = json_get(result(s, "contract"), "ok");
	assert_string_equal(json_get_str(contract, "jobId", ""), "i");
	assert_string_equal(json_number_text(json_at(contract, "input", "n")), "1e400");
	assert_int_equal(json_len(json_get(result(s, "validate"), "ok")), 0);
	assert_string_equal(json_get_str(json_get(result(s, "status"), "ok"), "phase", ""),
			    "Pending");
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, ""));
}

static void a_good_bundle_replaces_the_one_before(void **state)
{
	struct scene *s = *state;
	auto_free char *before = xstrdup(policy_digest(s->host, ""));

	load(s, "contract.lua", "return {contract = function() return {new = true} end}");
	assert_string_equal(json_str(json_get(s->reply, "digest")), policy_digest(s->host, ""));
	assert_string_not_equal(policy_digest(s->host, ""), before);
	eval(s, "[\"contract\"]");
	assert_true(json_is_true(json_at(s->reply, "results", "contract", "ok", "new")));
}

static void a_broken_bundle_leaves_the_one_before(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua", "return {contract = function() return {old = true} end}");
	load(s, "contract.lua", "\nreturn {contract = function( end}");
	assert_int_equal(s->err.kind, ERR_INVALID);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: "));
	load(s, "contracts.lua", "return {}");
	assert_true(has_prefix(s->err.msg, "contracts.lua: no other file says require"));
	eval(s, "[\"contract\"]");
	assert_true(json_is_true(json_at(s->reply, "results", "contract", "ok", "old")));
}

static void script_errors_and_rejections_are_told_apart(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua", "return {contract = function() reject('no model') end}");
	eval(s, "[\"contract\"]");
	assert_error(s, "contract", "reject", "no model");
	load(s, "contract.lua", "return {contract = function(run)\n return run.x.y end}");
	eval(s, "[\"contract\"]");
	assert_error(s, "contract", "script", "contract.lua:2: attempt to index a nil value");
	assert_non_null(
	    strstr(json_str(json_at(s->reply, "results", "contract", "error", "traceback")),
		   "contract.lua:2:"));
}

static void nothing_is_kept_from_one_evaluation_to_the_next(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "local n = 0 return {contract = function() n = n + 1 return {n = n} end}");
	for (int i = 0; i < 3; i++) {
		eval(s, "[\"contract\"]");
		assert_int_equal(json_get_int(json_get(result(s, "contract"), "ok"), "n", 0), 1);
	}
}

static void a_deep_object_passes_both_ways(void **state)
{
	struct scene *s = *state;
	struct buf text = BUF_INIT(1 << 16);
	auto_json struct json *request =
	    json_of("{\"hooks\":[\"contract\"],\"run\":{\"spec\":{}}}");
	auto_json struct json *run = NULL;

	load(s, "contract.lua", "return {contract = function(run) return run.spec end}");
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "{\"spec\":");
	buf_adds(&text, "{}");
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "}");
	run = json_of(text.data);
	json_set(request, "run", json_copy(run));
	buf_done(&text);
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_true(json_equal(json_get(run, "spec"), json_get(result(s, "contract"), "ok")));
}

static void a_large_input_passes(void **state)
{
	struct scene *s = *state;
	auto_json struct json *request =
	    json_of("{\"hooks\":[\"contract\"],\"run\":{\"spec\":{}},"
		    "\"config\":{\"spec\":{\"storage\":{}}},\"job\":{}}");
	struct json *input =
	    json_obj(json_obj(json_obj(json_mut(request, "config"), "spec"), "storage"), "input");

	for (int i = 0; i < 20000; i++) {
		auto_free char *key = xasprintf("key-%d", i);

		json_set_str(input, key, "0123456789");
	}
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_true(json_equal(input, json_at(s->reply, "results", "contract", "ok", "input")));
}

static void odd_requests_are_errors(void **state)
{
	static const char *const hooks[] = {"[]", "{}", "null", "[1]",
					    "[\"contract\",\"contract\"]"};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		eval(s, hooks[i]);
		assert_int_equal(s->err.kind, ERR_INVALID);
	}
	eval(s, "[\"colour\"]");
	assert_error(s, "colour", "script", "unknown hook");
}

static void a_request_that_is_too_large_is_an_error(void **state)
{
	struct scene *s = *state;
	auto_free char *big = xcalloc(1, FRAME_MAX + 1);
	auto_json struct json *request = NULL;

	memset(big, 'x', FRAME_MAX);
	request = json_build("{'hooks': ['contract'], 'run': %s}", big);
	s->waiting++;
	policy_eval(s->host, "", request, on_done, s);
	loop_run(s->loop);
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_serves(s);
}

static void requests_wait_and_can_be_cancelled(void **state)
{
	struct scene *s = *state;
	struct policy_call *calls[5];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = start_eval(s, "[\"contract\"]");
	policy_cancel(calls[0]);
	policy_cancel(calls[2]);
	policy_cancel(calls[4]);
	s->waiting -= 3;
	start_eval(s, "[\"validate\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 3);
}

static void cancel_first(void *arg)
{
	struct policy_call **call = arg;

	policy_cancel(*call);
}

/* Nor does it take away what had the name before. */
static void a_cancelled_load_has_no_effect(void **state)
{
	struct scene *s = *state;
	auto_json struct json *files = json_build("{'contract.lua': %s}", CONTRACT("new"));
	struct timer *timer = NULL;

	load_named(s, "old", false, "contract.lua", CONTRACT("old"));
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "old" : "fresh";
		struct policy_call *call = policy_load(s->host, name, false, files, on_done, s);

		timer = timer_new(s->loop, cancel_first, &call);
		timer_set(timer, 0);
		eval_named(s, "old", "[\"contract\"]");
		load_named(s, "other", false, "contract.lua", CONTRACT("x")); /* after it */
		timer_free(timer);
	}
	assert_from(s, "old", "old");
	assert_false(policy_has(s->host, "fresh"));
}

static void a_call_in_the_worker_can_be_cancelled(void **state)
{
	struct scene *s = *state;
	struct policy_call *call = start_eval(s, "[\"contract\"]");
	struct timer *timer = timer_new(s->loop, cancel_first, &call);

	timer_set(timer, 0); /* after the turn that sends it */
	s->waiting--;
	start_eval(s, "[\"validate\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 1);
	timer_free(timer);
}

static void free_host(void *arg, const struct json *reply, const struct err *err)
{
	struct scene *s = arg;

	(void)reply, (void)err;
	policy_host_free(s->host);
	s->host = NULL;
	s->calls = 0;
	loop_stop(s->loop);
}

static void a_callback_may_free_the_host(void **state)
{
	struct scene *s = *state;
	auto_json struct json *request = json_of("{\"hooks\":[\"contract\"]}");

	s->waiting++; /* only free_host() ends the loop */
	policy_eval(s->host, "", request, free_host, s);
	start_eval(s, "[\"contract\"]");
	loop_run(s->loop);
	assert_int_equal(s->calls, 0);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    host_test(the_default_bundle_is_in_force_at_first),
	    host_test(a_good_bundle_replaces_the_one_before),
	    host_test(a_broken_bundle_leaves_the_one_before),
	    host_test(script_errors_and_rejections_are_told_apart),
	    host_test(nothing_is_kept_from_one_evaluation_to_the_next),
	    host_test(a_deep_object_passes_both_ways),
	    host_test(a_large_input_passes),
	    host_test(odd_requests_are_errors),
	    host_test(a_request_that_is_too_large_is_an_error),
	    host_test(requests_wait_and_can_be_cancelled),
	    host_test(a_cancelled_load_has_no_effect),
	    host_test(a_call_in_the_worker_can_be_cancelled),
	    host_test(a_callback_may_free_the_host),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return host_main(argc, argv, tests);
}
