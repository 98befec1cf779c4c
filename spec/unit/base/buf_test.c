#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"

static void the_maximum_is_exact(void **state)
{
	static const size_t maxima[] = {0, 1, 63, 64, 65, 1000, 100000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
		auto_buf struct buf b = BUF_INIT(maxima[i]);
		auto_free char *bytes = xcalloc(1, maxima[i] + 1);

		memset(bytes, 'x', maxima[i] + 1);
		assert_int_equal(buf_add(&b, bytes, maxima[i]), 0);
		assert_false(b.full);
		assert_int_equal(b.len, maxima[i]);
		assert_int_equal(b.data[b.len], '\0');
		assert_int_equal(buf_addc(&b, 'y'), -1);
		assert_true(b.full);
		assert_int_equal(b.len, maxima[i]);

		buf_clear(&b);
		assert_false(b.full);
		assert_int_equal(buf_add(&b, bytes, maxima[i] + 1), -1);
		assert_true(b.full);
		assert_int_equal(b.len, 0);
	}
}

static void full_stays_until_cleared(void **state)
{
	auto_buf struct buf b = BUF_INIT(4);

	(void)state;
	assert_int_equal(buf_adds(&b, "abc"), 0);
	assert_int_equal(buf_adds(&b, "de"), -1);
	assert_int_equal(buf_addc(&b, 'd'), -1); /* it would fit, but the chain has failed */
	assert_int_equal(buf_addf(&b, "%d", 1), -1);
	assert_int_equal(buf_add(&b, "", 0), -1);
	assert_string_equal(b.data, "abc");
	buf_clear(&b);
	assert_string_equal(b.data, "");
	assert_int_equal(buf_addf(&b, "%s-%d", "x", 12), 0);
	assert_string_equal(b.data, "x-12");
}

static void sizes_near_overflow_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT(100);

	(void)state;
	buf_adds(&b, "abc");
	assert_int_equal(buf_add(&b, "", SIZE_MAX), -1);
	buf_clear(&b);
	assert_int_equal(buf_add(&b, "", SIZE_MAX - 3), -1);
	assert_int_equal(b.len, 0);
}

static void an_unused_buffer_is_text(void **state)
{
	auto_buf struct buf b = BUF_INIT(10);
	auto_free char *text = NULL;

	(void)state;
	assert_string_equal(b.data, "");
	buf_clear(&b);
	buf_consume(&b, 0);
	text = buf_steal(&b);
	assert_string_equal(text, "");
	assert_string_equal(b.data, "");
	assert_int_equal(b.max, 10);
}

static void binary_bytes_are_kept(void **state)
{
	auto_buf struct buf b = BUF_INIT(10);

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_addc(&b, '\0');
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "a\0b\0", 5);
}

static void consume_keeps_the_rest(void **state)
{
	auto_buf struct buf b = BUF_INIT(6);

	(void)state;
	buf_adds(&b, "abcdef");
	buf_consume(&b, 4);
	assert_string_equal(b.data, "ef");
	assert_int_equal(buf_adds(&b, "ghij"), 0);
	assert_string_equal(b.data, "efghij");
	buf_consume(&b, 6);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
}

static void steal_leaves_a_usable_buffer(void **state)
{
	auto_buf struct buf b = BUF_INIT(6);
	auto_free char *first = NULL, *second = NULL;

	(void)state;
	buf_adds(&b, "abcdef");
	first = buf_steal(&b);
	buf_adds(&b, "ghijkl");
	second = buf_steal(&b);
	assert_string_equal(first, "abcdef");
	assert_string_equal(second, "ghijkl");
}

static void many_small_adds_grow(void **state)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 1 << 20; i++)
		assert_int_equal(buf_addc(&b, (char)('a' + i % 26)), 0);
	assert_int_equal(strlen(b.data), 1 << 20);
	assert_int_equal(b.data[26000], 'a');
}

static void json_strings_are_escaped(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *json;
	} rows[] = {
	    {"", 0, "\"\""},
	    {"plain", 5, "\"plain\""},
	    {"\"\\/", 3, "\"\\\"\\\\/\""},
	    {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
	    {"\0\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\\u007f\""},
	    {"\xC3\xA9\xF0\x9F\x98\x80", 6, "\"\xC3\xA9\xF0\x9F\x98\x80\""},
	    {"\xFF", 1, "\"\xEF\xBF\xBD\""},
	    {"a\xC3", 2, "\"a\xEF\xBF\xBD\""},
	    {"\xC3z", 2, "\"\xEF\xBF\xBDz\""},
	    {"\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	    {"\xC0\x80\xF5", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = BUF_INIT(100);

		assert_int_equal(buf_add_json(&b, rows[i].text, rows[i].len), 0);
		assert_string_equal(b.data, rows[i].json);
	}
}

static void a_json_string_that_does_not_fit_adds_nothing(void **state)
{
	static const char text[] = "ab\n\xFF"
				   "cd"; /* as JSON: 11 bytes */

	(void)state;
	for (size_t max = 1; max <= 12; max++) {
		auto_buf struct buf b = BUF_INIT(max);
		bool fits = max == 12;

		buf_addc(&b, '=');
		assert_int_equal(buf_add_json(&b, text, sizeof(text) - 1), fits ? 0 : -1);
		assert_int_equal(b.full, !fits);
		assert_string_equal(b.data, fits ? "=\"ab\\n\xEF\xBF\xBD"
						   "cd\""
						 : "=");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_maximum_is_exact),
	    cmocka_unit_test(full_stays_until_cleared),
	    cmocka_unit_test(sizes_near_overflow_are_refused),
	    cmocka_unit_test(an_unused_buffer_is_text),
	    cmocka_unit_test(binary_bytes_are_kept),
	    cmocka_unit_test(consume_keeps_the_rest),
	    cmocka_unit_test(steal_leaves_a_usable_buffer),
	    cmocka_unit_test(many_small_adds_grow),
	    cmocka_unit_test(json_strings_are_escaped),
	    cmocka_unit_test(a_json_string_that_does_not_fit_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
