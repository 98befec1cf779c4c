#include "policy_util.h"

#include "policy/show.h"

struct lines {
	char last[SANDBOX_LOG_LINE_MAX + 1];
};

static void keep(void *arg, const char *text)
{
	struct lines *lines = arg;

	snprintf(lines->last, sizeof(lines->last), "%s", text);
}

/* Run it; the message of what went wrong, "" if nothing; yours. */
static char *run(const char *script, struct lines *lines)
{
	struct bundle *bundle = bundle_of(script);
	struct sandbox_options options = {.bundle = bundle, .log = keep, .log_arg = lines};
	struct sandbox_call call = {.file = "contract.lua", .want = SANDBOX_RETURN};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault = {0};
	int status = sandbox_call(box, &call, &out, &fault);

	buf_done(&out);
	sandbox_free(box);
	bundle_free(bundle);
	return xstrdup(status == 0 ? "" : fault.message);
}

static void what_is_big_is_cut(void **state)
{
	static const struct {
		const char *script;
		size_t len;
	} rows[] = {
	    {"log {('x'):rep(1019)} return true", 1023},
	    {"log {('x'):rep(1020)} return true", 1024},
	    {"log {('x'):rep(1021)} return true", 1024},
	    {"log {('x'):rep(1021) .. '\xC3\xA4'} return true", 1023},
	    {"local t = {} for i = 1, 9999 do t[i] = {i} end log(t) return true", 1024},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lines lines = {0};
		auto_free char *problem = run(rows[i].script, &lines);

		assert_string_equal(problem, "");
		assert_int_equal(strlen(lines.last), rows[i].len);
	}
}

static void what_cannot_be_shown_is_an_error(void **state)
{
	static const char *const rows[][2] = {
	    {"log()", "value expected"},
	    {"log {[{}] = 1}", "key"},
	    {"log {a = setmetatable({}, {__tostring = function() error 'own' end})}", "own"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lines lines = {0};
		auto_free char *problem = run(rows[i][0], &lines);

		if (strstr(problem, rows[i][1]) == NULL)
			fail_msg("%s: expected %s, found %s", rows[i][0], rows[i][1], problem);
		assert_string_equal(lines.last, "");
	}
}

static void a_table_is_shown_as_json(void **state)
{
	static const char *const rows[][2] = {
	    {"'a line'", "a line"},
	    {"nil", "nil"},
	    {"json.null", "null"},
	    {"{}", "{}"},
	    {"{1, '2', true, json.null}", "[1,\"2\",true,null]"},
	    {"{b = {c = 0.5}, a = {}}", "{\"a\":{},\"b\":{\"c\":0.5}}"},
	    {"{1, n = 2}", "{1:1,\"n\":2}"},
	    {"json.parse '{\"a\": [0.10, {}]}'", "{\"a\":[0.10,{}]}"},
	    {"{f = tostring}", "{\"f\":function}"},
	    {"setmetatable({}, {__tostring = function() return 'me' end})", "me"},
	    {"(function() local t = {} t.t = t return t end)()",
	     "{\"t\":{\"t\":{\"t\":{\"t\":{\"t\":{\"t\":{\"t\":{\"t\":table}}}}}}}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *script = xasprintf("log(%s) return true", rows[i][0]);
		struct lines lines = {0};
		auto_free char *problem = run(script, &lines);

		assert_string_equal(problem, "");
		assert_string_equal(lines.last, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_big_is_cut),
	    cmocka_unit_test(what_cannot_be_shown_is_an_error),
	    cmocka_unit_test(a_table_is_shown_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
