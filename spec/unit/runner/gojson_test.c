/* gojson_test.c - the golden texts were written by Go's json.Marshal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/gojson.h"

static void test_limit_of_buffer(void **state UNUSED)
{
	auto_buf struct buf out = BUF_INIT(8);

	gojson_add_string(&out, "123456");
	assert_false(out.full);
	assert_string_equal(out.data, "\"123456\"");
	buf_clear(&out);
	gojson_add_string(&out, "1234567");
	assert_true(out.full);
}

static void test_empty_map(void **state UNUSED)
{
	auto_buf struct buf out = BUF_INIT(100);

	gojson_add_map(&out, NULL, 0);
	assert_string_equal(out.data, "{}");
}

static void test_escapes_and_order(void **state UNUSED)
{
	struct gojson_pair pairs[] = {
	    {"z", "1"},
	    {"Z", "2"},
	    {"a b", "<&>\xE2\x80\xA8\xE2\x80\xA9"},
	    {"q", "\"\\/\b\f\n\r\t\x01\x1f\x7f"},
	    {"\xC3\xA9", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"},
	    {"_", ""},
	};
	auto_buf struct buf out = BUF_INIT(1000);

	gojson_add_map(&out, pairs, ARRAY_LEN(pairs));
	assert_string_equal(
	    out.data, "{\"Z\":\"2\",\"_\":\"\",\"a b\":\"\\u003c\\u0026\\u003e\\u2028\\u2029\","
		      "\"q\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\"z\":\"1\","
		      "\"\xC3\xA9\":\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\"}");
}

/* Other characters that start with the byte of U+2028 stay as they are. */
static void test_neighbours_of_line_separator(void **state UNUSED)
{
	auto_buf struct buf out = BUF_INIT(100);

	gojson_add_string(&out, "\xE2\x80\xA7\xE2\x80\xAA\xE2\x81\xA8");
	assert_string_equal(out.data, "\"\xE2\x80\xA7\xE2\x80\xAA\xE2\x81\xA8\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limit_of_buffer),
	    cmocka_unit_test(test_empty_map),
	    cmocka_unit_test(test_escapes_and_order),
	    cmocka_unit_test(test_neighbours_of_line_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
