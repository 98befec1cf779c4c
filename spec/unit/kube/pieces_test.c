#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "kube/pieces.h"

static struct piece piece(const char *text)
{
	return (struct piece){text, strlen(text)};
}

static void only_objects_have_members(void **state)
{
	static const char *const bad[] = {
	    "",      "7",       "[]",         "null",      "\"x\"", "{",
	    "{} {}", "{\"a\":", "{\"a\":[1}", "{\"a\" 1}", "{1:2}", "{\"a\":}"};
	static const char *const keys[] = {"a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct piece found;
		struct err err = ERR_INIT;

		if (pieces_find(piece(bad[i]), 1, keys, &found, &err) == 0)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void members_are_found_as_they_are(void **state)
{
	static const char *const keys[] = {"a", "b"};
	static const struct {
		const char *text, *a, *b;
	} rows[] = {
	    {"{}", "", ""},
	    {"{\"b\":1}", "", "1"},
	    {" { \"b\" : [ ] , \"a\" : \"x\\\"}\" } ", "\"x\\\"}\"", "[ ]"},
	    {"{\"c\":{\"a\":1},\"a\":{\"b\":2}}", "{\"b\":2}", ""},
	    {"{\"\\u0000\":\"\\u0000\",\"a\":\"\\u0000\"}", "\"\\u0000\"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct piece found[2];
		struct err err = ERR_INIT;

		assert_int_equal(pieces_find(piece(rows[i].text), 2, keys, found, &err), 0);
		assert_int_equal(found[0].len, strlen(rows[i].a));
		assert_memory_equal(found[0].text, rows[i].a, found[0].len);
		assert_int_equal(found[1].len, strlen(rows[i].b));
		assert_memory_equal(found[1].text, rows[i].b, found[1].len);
	}
}

/* Up to three. */
static bool collect(void *arg, size_t number, struct piece element)
{
	buf_addf(arg, "%zu=%.*s ", number, (int)element.len, element.text);
	return number < 3;
}

static void arrays_are_walked(void **state)
{
	static const struct {
		const char *text, *elements;
		bool fails;
	} rows[] = {
	    {"", "", false},
	    {"null", "", false},
	    {"[]", "", false},
	    {"[{}]", "1={} ", false},
	    {"[ 1 ,\"a]\", [{\"b\":[]}] ]", "1=1 2=\"a]\" 3=[{\"b\":[]}] ", false},
	    {"[1,2,3,4,5 broken", "1=1 2=2 3=3 ", false}, /* it was told to stop */
	    {"{}", "", true},
	    {"true", "", true},
	    {"[1 2]", "1=1 ", true},
	    {"[1,]", "1=1 ", true},
	    {"[1", "1=1 ", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(4096);
		struct err err = ERR_INIT;
		int result = pieces_each(piece(rows[i].text), collect, &out, &err);

		assert_int_equal(result, rows[i].fails ? -1 : 0);
		assert_string_equal(out.data, rows[i].elements);
	}
}

static void identity_is_what_can_be_read(void **state)
{
	static const struct {
		const char *text, *identity;
	} rows[] = {
	    {"", "{}"},
	    {"17", "{}"},
	    {"{\"metadata\":7}", "{}"},
	    {"{\"metadata\":{\"name\":7,\"uid\":\"\\ud800\",\"namespace\":\"n\"}}",
	     "{\"namespace\":\"n\"}"},
	    {"{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"\\u0000\"},\"uid\":\"u\","
	     "\"resourceVersion\":\"5\"},\"spec\":\"\\u0000\"}",
	     "{\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"5\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *identity = piece_identity(piece(rows[i].text));
		auto_free char *text = json_print(json_get(identity, "metadata"));

		assert_string_equal(text, rows[i].identity);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_objects_have_members),
	    cmocka_unit_test(members_are_found_as_they_are),
	    cmocka_unit_test(arrays_are_walked),
	    cmocka_unit_test(identity_is_what_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
