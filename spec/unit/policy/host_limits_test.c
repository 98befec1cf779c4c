/* Scripts that need too much: time that only the worker's clock ends, and memory. */
#include "host_scene.h"

static void too_much_memory_in_the_worker_is_a_limit(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return {contract = function() local t = {} while true do\n t[#t + 1] = "
	     "('x'):rep(100000) .. #t end end}");
	for (int i = 0; i < 3; i++) {
		eval(s, "[\"contract\", \"validate\"]");
		assert_error(s, "contract", "limit", "needs more than 32768 KiB of memory");
		assert_non_null(json_get(result(s, "validate"), "ok"));
	}
}

static void hangs_inside_one_call_are_ended(void **state)
{
	static const char *const attacks[] = {
	    "string.find(('a'):rep(30000), ('.-'):rep(6) .. 'b')",
	    "string.find(('a'):rep(200), ('a*'):rep(12) .. 'b')",
	    "string.find(('a'):rep(400), '(a*)(a*)(a*)(a*)%1%2%3%4b')",
	    "string.find(('a'):rep(3000000), '(.-)b')",
	    "string.find(('a'):rep(8000000), ('a'):rep(4000000) .. 'b', 1, true)",
	    "schema.check({a = ('a'):rep(30000)}, {a = {pattern = ('.-'):rep(6) .. 'b'}})",
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		auto_free char *text =
		    xasprintf("return {\n contract = function()\n\n %s\nend\n}", attacks[i]);

		load(s, "contract.lua", text);
		assert_int_equal(s->err.kind, ERR_NONE);
		eval(s, "[\"validate\", \"contract\", \"status\"]");
		assert_non_null(json_get(result(s, "validate"), "ok"));
		assert_error(s, "contract", "limit",
			     "contract.lua:4: the script used more than 500 ms of processor time");
		assert_int_equal(json_get_int(json_get(result(s, "contract"), "error"), "line", 0),
				 4);
		assert_error(s, "status", "limit",
			     "not run: the policy worker was ended, while it ran contract");
		/* The next worker has the bundle that is in force. */
		eval(s, "[\"validate\"]");
		assert_non_null(json_get(result(s, "validate"), "ok"));
		assert_string_equal(json_str(json_get(s->reply, "digest")),
				    policy_digest(s->host, ""));
	}
}

/* The deadline is shorter than the time that a script may use: last words of the worker. */
static void the_deadline_names_the_line(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return {\n contract = function()\n string.find(('a'):rep(30000), ('.-'):rep(6) .. "
	     "'b')\nend\n}");
	eval(s, "[\"validate\", \"contract\", \"status\"]");
	assert_non_null(json_get(result(s, "validate"), "ok"));
	assert_error(s, "contract", "limit",
		     "contract.lua:3: the script did not end before the deadline of its request, "
		     "while it ran contract");
	assert_int_equal(json_get_int(json_get(result(s, "contract"), "error"), "line", 0), 3);
	assert_error(s, "status", "limit", "not run: ");
	load(s, "contract.lua", "\nstring.find(('a'):rep(30000), ('.-'):rep(6) .. 'b') return {}");
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: the script did not end before the "
					   "deadline of its request"));
}

static void slow_work_between_calls_ends_politely(void **state)
{
	struct scene *s = *state;

	load(s, "contract.lua",
	     "return { contract = function() local s = ('x'):rep(2000000)\n"
	     "while true do pcall(function() while true do local t = s .. s end end) end end }");
	eval(s, "[\"contract\", \"validate\"]");
	assert_error(s, "contract", "limit", "contract.lua:2: the script used more than 500 ms");
	assert_non_null(json_get(result(s, "validate"), "ok"));
}

static void a_bundle_that_hangs_is_not_taken(void **state)
{
	struct scene *s = *state;
	auto_free char *before = xstrdup(policy_digest(s->host, ""));

	load(s, "contract.lua", "\nstring.find(('a'):rep(30000), ('.-'):rep(6) .. 'b') return {}");
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_true(has_prefix(s->err.msg, "contract.lua:2: the script used more than"));
	assert_string_equal(policy_digest(s->host, ""), before);
	assert_serves(s);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    host_test(too_much_memory_in_the_worker_is_a_limit),
	    host_test(hangs_inside_one_call_are_ended),
	    impatient_test(the_deadline_names_the_line),
	    host_test(slow_work_between_calls_ends_politely),
	    host_test(a_bundle_that_hangs_is_not_taken),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return host_main(argc, argv, tests);
}
