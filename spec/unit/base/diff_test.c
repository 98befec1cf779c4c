#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/diff.h"

struct found {
	struct buf text;
	int left; /* stop after so many */
};

static bool note(void *arg, const char *path, const struct json *a, const struct json *b)
{
	struct found *found = arg;
	auto_free char *before = a != NULL ? json_print(a) : xstrdup("-");
	auto_free char *after = b != NULL ? json_print(b) : xstrdup("-");

	buf_addf(&found->text, "%s%s: %s %s", found->text.len > 0 ? "; " : "", path, before, after);
	return --found->left > 0;
}

static void assert_differences(const char *a, const char *b, int most, const char *expected)
{
	auto_json struct json *x = a != NULL ? json_build(a) : NULL;
	auto_json struct json *y = b != NULL ? json_build(b) : NULL;
	struct found found = {BUF_INIT(1 << 16), most};

	diff_each(x, y, note, &found);
	assert_string_equal(found.text.data, expected);
	buf_done(&found.text);
}

static void each_difference_is_told_once(void **state)
{
	static const struct {
		const char *a, *b, *expected;
	} rows[] = {
	    {NULL, NULL, ""},
	    {NULL, "1", ": - 1"},
	    {"null", NULL, ": null -"},
	    {"{}", "[]", ": {} []"},
	    {"1", "1.0", ": 1 1.0"},
	    {"{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", ""},
	    {"{'a': {'b': {'c': 1}}}", "{'a': {'b': {'c': 2}}}", "a.b.c: 1 2"},
	    {"{'a': null}", "{}", "a: null -"},
	    {"{'a': {'x': 1}}", "{'a': 1, 'b': {'y': 1}}", "a: {\"x\":1} 1; b: - {\"y\":1}"},
	    {"[1, 2, 3]", "[1, 4]", "[1]: 2 4; [2]: 3 -"},
	    {"{'l': []}", "{'l': [[0]]}", "l[0]: - [0]"},
	    {"{'env': [{'name': 'x', 'value': '1'}]}", "{'env': [{'name': 'x', 'value': '2'}]}",
	     "env[x].value: \"1\" \"2\""},
	    {"[{'name': 'x'}]", "[{'name': 'y'}]", "[y].name: \"x\" \"y\""},
	    {"[{'name': 'x'}]", "[]", "[x]: {\"name\":\"x\"} -"},
	    {"{'a.b/c': 1, '': 2}", "{}", "[\"a.b/c\"]: 1 -; [\"\"]: 2 -"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_differences(rows[i].a, rows[i].b, 100, rows[i].expected);
}

static void it_stops_when_told(void **state)
{
	(void)state;
	assert_differences("[1, 2, 3]", "[4, 5, 6]", 1, "[0]: 1 4");
	assert_differences("{'a': {'b': 1, 'c': 2}, 'd': 3}", "{}", 1, "a: {\"b\":1,\"c\":2} -");
	assert_differences("{'a': {'b': 1, 'c': 2}, 'd': 3}", "{'a': {}, 'e': 1}", 2,
			   "a.b: 1 -; a.c: 2 -");
}

/* A key that does not fit is left out; what comes after it is told in full. */
static void long_paths_are_cut(void **state)
{
	auto_free char *key = xcalloc(1, DIFF_PATH_MAX + 2);
	auto_json struct json *a = json_object(), *empty = json_object();
	struct found found = {BUF_INIT(1 << 16), 100};

	(void)state;
	memset(key, 'k', DIFF_PATH_MAX + 1);
	json_set(a, key, json_int(1));
	json_set(a, "z", json_int(2));
	diff_each(a, empty, note, &found);
	assert_string_equal(found.text.data, ": 1 -; z: 2 -");
	buf_done(&found.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_difference_is_told_once),
	    cmocka_unit_test(it_stops_when_told),
	    cmocka_unit_test(long_paths_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
