/* What holds for every tree: print and parse are inverse, and RFC 7386's examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

static struct json *parsed(const char *text)
{
	struct err err = ERR_INIT;
	struct json *value = json_parse(text, strlen(text), &err);

	if (value == NULL)
		fail_msg("%s: %s", text, err.msg);
	return value;
}

/* xorshift64 with a fixed seed: a failure repeats itself. */
static uint64_t random_state;

static unsigned pick(unsigned count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % count;
}

static const char *random_text(void)
{
	static const char *const texts[] = {
	    "",
	    "a",
	    "A",
	    "it's",
	    "\"quoted\"",
	    "back\\slash",
	    "line\nbreak\ttab",
	    "\x01\x1F\x7F",
	    "\xC3\xA9",
	    "\xF0\x9F\x98\x80",
	    "%s %d %j",
	    "</script>",
	    "{\"not\": \"json\"}",
	    "null",
	    "1",
	};

	return texts[pick(ARRAY_LEN(texts))];
}

static struct json *random_scalar(void)
{
	static const char *const numbers[] = {"0",      "-0", "1e400", "0.10", "9007199254740993",
					      "-1.5E-7"};

	switch (pick(4)) {
	case 0:
		return json_null();
	case 1:
		return json_bool(pick(2));
	case 2:
		return json_number(numbers[pick(ARRAY_LEN(numbers))]);
	default:
		return json_string(random_text());
	}
}

static struct json *random_tree(int depth)
{
	unsigned kind = depth > 0 ? pick(3) : 0, count = pick(6);
	struct json *value;

	if (kind == 0)
		return random_scalar();
	value = kind == 1 ? json_array() : json_object();
	for (unsigned i = 0; i < count; i++) {
		if (kind == 1)
			json_append(value, random_tree(depth - 1));
		else
			json_set(value, random_text(), random_tree(depth - 1));
	}
	return value;
}

static void print_and_parse_are_inverse(void **state)
{
	(void)state;
	random_state = 88172645463325252ULL;
	for (int i = 0; i < 2000; i++) {
		auto_json struct json *tree = random_tree(6);
		auto_free char *compact = json_print(tree);
		auto_json struct json *again = parsed(compact);
		auto_free char *compact_again = json_print(again);

		assert_true(json_equal(tree, again));
		assert_string_equal(compact, compact_again);
	}
}

static void copies_and_templates_are_equal_and_apart(void **state)
{
	(void)state;
	random_state = 1234567;
	for (int i = 0; i < 500; i++) {
		auto_json struct json *tree = json_build("{'x': %j}", NULL);
		auto_json struct json *copy = NULL, *built = NULL;

		json_set(tree, "x", random_tree(5));
		copy = json_copy(tree);
		built = json_build("[%j, %j]", tree, json_get(tree, "x"));
		assert_true(json_equal(copy, tree));
		assert_true(json_equal(json_first(built), tree));
		assert_true(json_equal(json_next(json_first(built)), json_get(tree, "x")));
		json_set_str(copy, "x", "changed");
		assert_false(json_equal(copy, json_first(built)));
		assert_true(json_equal(tree, json_first(built)));
	}
}

/* ---- merge patch ---- */

/* The table of RFC 7386, appendix A. Whole values are tried as a member, where every kind may
 * stand; a patch of null would remove it, which a row below tests by itself. */
static const struct {
	const char *target, *patch, *result;
} rfc7386[] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
};

static void merge_patch_follows_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc7386); i++) {
		auto_json struct json *target = parsed(rfc7386[i].target);
		auto_json struct json *patch = parsed(rfc7386[i].patch);
		auto_json struct json *expected = parsed(rfc7386[i].result);
		auto_json struct json *outer = json_build("{'x': %j}", target);
		auto_json struct json *outer_patch = json_build("{'x': %j}", patch);

		json_merge_patch(outer, outer_patch);
		if (!json_equal(json_get(outer, "x"), expected))
			fail_msg("row %zu as a member", i);
		if (json_type(target) != JSON_OBJECT || json_type(patch) != JSON_OBJECT)
			continue;
		json_merge_patch(target, patch);
		if (!json_equal(target, expected))
			fail_msg("row %zu", i);
	}
}

static void merge_patch_of_null_removes(void **state)
{
	auto_json struct json *target = parsed("{\"a\":{\"b\":1},\"c\":[null]}");
	auto_json struct json *patch = parsed("{\"a\":null,\"d\":null,\"c\":[null,{\"e\":null}]}");
	auto_json struct json *expected = parsed("{\"c\":[null,{\"e\":null}]}");

	(void)state;
	json_merge_patch(target, patch);
	assert_true(json_equal(target, expected));
	json_merge_patch(target, NULL);
	assert_true(json_equal(target, expected));
}

static void merge_patch_twice_is_merge_patch_once(void **state)
{
	(void)state;
	random_state = 42;
	for (int i = 0; i < 500; i++) {
		auto_json struct json *target = json_object();
		auto_json struct json *patch = json_object();
		auto_json struct json *once = NULL;

		json_set(target, random_text(), random_tree(4));
		json_set(patch, random_text(), random_tree(4));
		json_merge_patch(target, patch);
		once = json_copy(target);
		json_merge_patch(target, patch);
		assert_true(json_equal(target, once));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(print_and_parse_are_inverse),
	    cmocka_unit_test(copies_and_templates_are_equal_and_apart),
	    cmocka_unit_test(merge_patch_follows_the_rfc),
	    cmocka_unit_test(merge_patch_of_null_removes),
	    cmocka_unit_test(merge_patch_twice_is_merge_patch_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
