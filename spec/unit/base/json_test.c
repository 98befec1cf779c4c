#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"

static struct json *parsed(const char *text)
{
	struct err err = ERR_INIT;
	struct json *value = json_parse(text, strlen(text), &err);

	if (value == NULL)
		fail_msg("%s: %s", text, err.msg);
	return value;
}

static void assert_prints(const struct json *value, const char *expected)
{
	auto_free char *text = json_print(value);

	assert_string_equal(text, expected);
}

/* ---- hostile input and limits ---- */

static void refusals_name_the_place(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"", "line 1, column 1: expected a value"},
	    {"{\"a\": [1,\n  {\"b\": }]}", "line 2, column 9: expected a value"},
	    {"[1, \"\xED\xA0\x80\"]", "line 1, column 6: expected UTF-8"},
	    {"{\"a\":1}x", "column 8: expected nothing behind the value"},
	    {"{\"a\":1,\"b\":2,\"a\":3}", "expected each key once, found one twice"},
	    {"[{\"a\":{\"\\u0062\":1,\"b\":2}}]", "expected each key once, found one twice"},
	    {"{\"\":1,\"\":2}", "expected each key once, found one twice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		assert_null(json_parse(rows[i].text, strlen(rows[i].text), &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: \"%s\" does not hold \"%s\"", rows[i].text, err.msg,
				 rows[i].message);
	}
}

static void every_truncation_fails_and_leaks_nothing(void **state)
{
	static const char text[] =
	    "{\"a\":{\"b\":[1,\"x\\u00e9\",[true,null,{\"c\":-1e5}]]},\"d\":\"y\"}";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		auto_free char *prefix = xmalloc(len);
		struct err err = ERR_INIT;

		memcpy(prefix, text, len);
		assert_null(json_parse(prefix, len, &err));
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void keys_differ_by_case(void **state)
{
	auto_json struct json *value = parsed("{\"a\":1,\"A\":2}");

	(void)state;
	assert_int_equal(json_get_int(value, "a", 0), 1);
	assert_int_equal(json_get_int(value, "A", 0), 2);
	json_remove(value, "A");
	assert_prints(value, "{\"a\":1}");
}

static struct json *nested(int levels)
{
	auto_buf struct buf text = BUF_INIT(1024);

	for (int i = 0; i < levels; i++)
		buf_addc(&text, '[');
	for (int i = 0; i < levels; i++)
		buf_addc(&text, ']');
	return parsed(text.data);
}

/* Whoever writes a resource decides how deep it is; putting it into a template must not abort. */
static void build_takes_values_of_any_depth(void **state)
{
	auto_json struct json *deep = nested(64);
	auto_json struct json *deeper = json_build("{'a': [%j, {'b': %j}]}", deep, deep);
	auto_json struct json *more = json_build("[%j]", deeper);
	const struct json *copy = json_first(json_get(json_first(more), "a"));

	(void)state;
	assert_true(json_equal(copy, deep));
	assert_true(json_equal(json_get(json_next(copy), "b"), deep));
}

static void build_leaves_the_numbers_of_a_value(void **state)
{
	auto_json struct json *numbers = parsed("[0e1,0e0,0]");
	auto_json struct json *built = json_build("{'a': %j, 'b': [%j]}", numbers, numbers);

	(void)state;
	assert_prints(built, "{\"a\":[0e1,0e0,0],\"b\":[[0e1,0e0,0]]}");
}

static void a_hundred_thousand_keys_take_no_square_time(void **state)
{
	auto_buf struct buf text = BUF_INIT(8 << 20);
	auto_json struct json *value = NULL;
	struct err err = ERR_INIT;

	(void)state;
	buf_addc(&text, '{');
	for (int i = 0; i < 100000; i++)
		buf_addf(&text, "\"key%d\":%d,", i, i);
	buf_adds(&text, "\"last\":0}");
	value = parsed(text.data);
	assert_int_equal(json_len(value), 100001);
	assert_int_equal(json_get_int(value, "key99999", 0), 99999);

	text.data[text.len - 1] = ',';
	buf_adds(&text, "\"key77777\":1}");
	assert_null(json_parse(text.data, text.len, &err));
	assert_non_null(strstr(err.msg, "found one twice"));
}

/* ---- numbers ---- */

static void numbers_keep_their_text(void **state)
{
	static const char *const rows[] = {
	    "0",
	    "-0",
	    "0.10",
	    "1.0",
	    "1e5",
	    "1E+05",
	    "-1.50e-7",
	    "9007199254740993",
	    "1e400",
	    "1e-400",
	    "18446744073709551616",
	    "123456789012345678901234567890.123456789012345678901234567890",
	    "1e999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *value = parsed(rows[i]);
		auto_json struct json *copy = json_copy(value);

		assert_int_equal(json_type(value), JSON_NUMBER);
		assert_string_equal(json_number_text(value), rows[i]);
		assert_prints(copy, rows[i]);
	}
}

static void integers_are_exact_or_none(void **state)
{
	static const struct {
		const char *text;
		bool is_integer;
		int64_t n;
	} rows[] = {
	    {"0", true, 0},
	    {"-0", true, 0},
	    {"-12", true, -12},
	    {"9223372036854775807", true, INT64_MAX},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775809", false, 0},
	    {"1.0", false, 0},
	    {"1e2", false, 0},
	    {"\"1\"", false, 0},
	    {"true", false, 0},
	    {"null", false, 0},
	    {"[1]", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *value = parsed(rows[i].text);
		int64_t n = 77;

		assert_int_equal(json_int64(value, &n), rows[i].is_integer);
		assert_int_equal(n, rows[i].is_integer ? rows[i].n : 77);
	}
}

static void json_int_prints_its_extremes(void **state)
{
	auto_json struct json *value = json_build("[%d, %d, %d]", INT64_MIN, (int64_t)0, INT64_MAX);

	(void)state;
	assert_prints(value, "[-9223372036854775808,0,9223372036854775807]");
}

/* ---- reading ---- */

static void missing_values_chain(void **state)
{
	auto_json struct json *value =
	    parsed("{\"a\":{\"b\":\"x\",\"n\":5},\"l\":[1],\"s\":\"t\"}");

	(void)state;
	assert_string_equal(json_str(json_at(value, "a", "b")), "x");
	assert_null(json_at(value, "a", "none", "b"));
	assert_null(json_at(value, "s", "b"));
	assert_null(json_get(json_get(value, "l"), "0"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_str(NULL));
	assert_null(json_str(json_at(value, "a", "n")));
	assert_null(json_number_text(json_get(value, "s")));
	assert_null(json_first(NULL));
	assert_null(json_copy(NULL));
	assert_int_equal(json_len(NULL), 0);
	assert_false(json_is_true(NULL));
	assert_false(json_int64(NULL, &(int64_t){0}));
	assert_int_equal(json_type(NULL), JSON_MISSING);
	assert_string_equal(json_type_name(json_type(NULL)), "nothing");
	assert_string_equal(json_get_str(value, "l", "fallback"), "fallback");
	assert_int_equal(json_get_int(value, "s", 9), 9);
	json_free(NULL);
}

static void members_are_walked_in_order(void **state)
{
	auto_json struct json *value = parsed("{\"z\":1,\"a\":[true,\"s\",null],\"\":{}}");
	auto_buf struct buf seen = BUF_INIT(100);

	(void)state;
	for (const struct json *c = json_first(value); c != NULL; c = json_next(c))
		buf_addf(&seen, "%s:%s ", json_key(c), json_type_name(json_type(c)));
	for (const struct json *c = json_first(json_get(value, "a")); c != NULL; c = json_next(c)) {
		assert_null(json_key(c));
		buf_addf(&seen, "%s ", json_type_name(json_type(c)));
	}
	assert_string_equal(seen.data, "z:number a:array :object boolean string null ");
}

static void equality_is_deep(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
	    {"{\"a\":1,\"b\":[2,{}]}", "{\"b\":[2,{}],\"a\":1}", true},
	    {"[1,2]", "[2,1]", false},
	    {"[1]", "[1,1]", false},
	    {"{\"a\":null}", "{}", false},
	    {"{\"a\":null}", "{\"b\":null}", false},
	    {"1", "1.0", false},
	    {"1", "\"1\"", false},
	    {"0", "false", false},
	    {"[]", "{}", false},
	    {"true", "false", false},
	    {"\"\\u0041\"", "\"A\"", true},
	    {"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2}}}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *a = parsed(rows[i].a), *b = parsed(rows[i].b);

		assert_int_equal(json_equal(a, b), rows[i].equal);
		assert_int_equal(json_equal(b, a), rows[i].equal);
		assert_true(json_equal(a, a));
		assert_false(json_equal(a, NULL));
	}
	assert_true(json_equal(NULL, NULL));
}

/* ---- making and changing ---- */

static void build_escapes_its_arguments(void **state)
{
	auto_json struct json *inner = parsed("{\"it's\":\"%s\"}");
	auto_json struct json *value =
	    json_build("{'s': %s, 'n': %s, 'd': %d, 't': %b, 'f': %b, 'j': %j, 'k': %j}",
		       "'\"}, \"x\": 1\n\\%s\x01", (char *)NULL, (int64_t)-5, 7, 0, inner,
		       (struct json *)NULL);

	(void)state;
	assert_int_equal(json_len(value), 7);
	assert_string_equal(json_str(json_get(value, "s")), "'\"}, \"x\": 1\n\\%s\x01");
	assert_int_equal(json_type(json_get(value, "n")), JSON_NULL);
	assert_int_equal(json_get_int(value, "d", 0), -5);
	assert_true(json_is_true(json_get(value, "t")));
	assert_false(json_is_true(json_get(value, "f")));
	assert_true(json_equal(json_get(value, "j"), inner));
	assert_int_equal(json_type(json_get(value, "k")), JSON_NULL);
}

static void strings_that_are_not_utf8_are_mended(void **state)
{
	auto_json struct json *built = json_build("%s", "a\xFF\xC3z");
	auto_json struct json *made = json_string("a\xFF\xC3z");

	(void)state;
	assert_prints(built, "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
	assert_prints(made, "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
}

static void a_replaced_member_keeps_its_place(void **state)
{
	auto_json struct json *value = parsed("{\"a\":1,\"b\":2,\"c\":3}");
	auto_json struct json *taken = NULL;

	(void)state;
	json_set_str(value, "b", "x");
	json_set(value, "d", json_null());
	json_set(json_obj(value, "e"), "in", json_bool(true));
	json_set(json_obj(value, "a"), "in", json_number("1e3"));
	assert_prints(value,
		      "{\"a\":{\"in\":1e3},\"b\":\"x\",\"c\":3,\"d\":null,\"e\":{\"in\":true}}");

	taken = json_take(value, "a");
	assert_prints(taken, "{\"in\":1e3}");
	assert_null(json_take(value, "a"));
	assert_null(json_take(NULL, "a"));
	assert_null(json_take(json_mut(value, "c"), "a"));
	json_remove(value, "none");
	json_remove(value, "c");
	assert_null(json_mut(value, "c"));
	assert_prints(value, "{\"b\":\"x\",\"d\":null,\"e\":{\"in\":true}}");
}

static void what_is_no_object_gets_no_member(void **state)
{
	auto_json struct json *list = parsed("[1]"), *number = parsed("1");

	(void)state;
	json_set(list, "a", json_object());
	json_set(number, "a", json_object());
	json_set_str(NULL, "a", "x");
	assert_null(json_obj(list, "a"));
	assert_prints(list, "[1]");
	assert_null(json_first(number));
}

static void what_is_appended_has_no_key(void **state)
{
	auto_json struct json *array = json_array();
	auto_json struct json *object = parsed("{\"a\":1,\"b\":2}");

	(void)state;
	json_append(array, json_copy(json_get(object, "a")));
	json_append(array, json_take(object, "b"));
	assert_prints(array, "[1,2]");
	assert_null(json_key(json_first(array)));
	assert_null(json_key(json_next(json_first(array))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals_name_the_place),
	    cmocka_unit_test(every_truncation_fails_and_leaks_nothing),
	    cmocka_unit_test(keys_differ_by_case),
	    cmocka_unit_test(build_takes_values_of_any_depth),
	    cmocka_unit_test(build_leaves_the_numbers_of_a_value),
	    cmocka_unit_test(a_hundred_thousand_keys_take_no_square_time),
	    cmocka_unit_test(numbers_keep_their_text),
	    cmocka_unit_test(integers_are_exact_or_none),
	    cmocka_unit_test(json_int_prints_its_extremes),
	    cmocka_unit_test(missing_values_chain),
	    cmocka_unit_test(members_are_walked_in_order),
	    cmocka_unit_test(equality_is_deep),
	    cmocka_unit_test(build_escapes_its_arguments),
	    cmocka_unit_test(strings_that_are_not_utf8_are_mended),
	    cmocka_unit_test(a_replaced_member_keeps_its_place),
	    cmocka_unit_test(what_is_no_object_gets_no_member),
	    cmocka_unit_test(what_is_appended_has_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
