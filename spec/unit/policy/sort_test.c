#include "policy_util.h"

/* table.sort of policies: errors first, then every small length, stability, and odd lists. */

struct sorting {
	const char *script, *expected; /* the result or a part of the message */
};

static void sort_as_told(void **state)
{
	static const struct sorting cases[] = {
	    {"table.sort()", "bad argument #1 to 'table.sort' (table expected, got no value)"},
	    {"table.sort({}, 1)",
	     "bad argument #2 to 'table.sort' (function expected, got number)"},
	    {"table.sort({2, 'a', 1})", "attempt to compare"},
	    {"table.sort({{}, {}})", "attempt to compare two table values"},
	    {"table.sort({1, 2}, function() error('mine') end)", "contract.lua:1: mine"},
	    {"table.sort(setmetatable({}, {__len = function() return 9 end}))",
	     "a table with __len"},
	    {"local t = {} table.sort(t) return #t", "0"},
	    {"local t = {3, 1, 2} table.sort(t, nil) return t", "[1,2,3]"},
	    {"local t = {'b', 'a', ''} table.sort(t) return t", "[\"\",\"a\",\"b\"]"},
	    {"local t = {3, 1.5, 2} table.sort(t, function(a, b) return a > b end) return t",
	     "[3,2,1.5]"},
	    /* it may change while it is sorted, and need not be a plain list */
	    {"local t = {3, 2, 1} table.sort(t, function(a, b) t[1] = nil t[9] = 9 return a < b "
	     "end) t[9] = nil return t",
	     "[1,2,3]"},
	    {"local log = {} local t = setmetatable({}, {__index = function(_, k) log[#log + 1] = "
	     "k "
	     "end}) table.sort(t) return #log",
	     "0"},
	    {"for n = 0, 70 do local t, seed = {}, n for i = 1, n do seed = (seed * 75 + 74) % "
	     "65537 "
	     "t[i] = {seed % 7, i} end table.sort(t, function(a, b) return a[1] < b[1] end) "
	     "assert(#t == n) for i = 2, n do local a, b = t[i - 1], t[i] "
	     "assert(a[1] < b[1] or a[1] == b[1] and a[2] < b[2], n) end end return 'stable'",
	     "\"stable\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bundle *bundle = bundle_of(cases[i].script);
		const struct sandbox_options options = {.bundle = bundle};
		const struct sandbox_call call = {.file = "contract.lua", .want = SANDBOX_RETURN};
		struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
		struct sandbox *box = sandbox_new(&options);
		struct policy_fault fault;
		bool failed = sandbox_call(box, &call, &out, &fault) < 0;

		if (strstr(failed ? fault.message : out.data, cases[i].expected) == NULL)
			assert_string_equal(failed ? fault.message : out.data, cases[i].expected);
		sandbox_free(box);
		buf_done(&out);
		bundle_free(bundle);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sort_as_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
