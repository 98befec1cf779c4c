#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/utf8.h"

/* In memory of its own, so that a sanitizer sees a read behind the end. */
static size_t char_of(const char *text, size_t len)
{
	auto_free char *copy = xmalloc(len);

	memcpy(copy, text, len);
	return utf8_char(copy, len);
}

static void ill_formed_characters_are_refused(void **state)
{
	static const char *const rows[] = {
	    "\x80",
	    "\xBF",
	    "\xC0\x80",
	    "\xC1\xBF",
	    "\xC2",
	    "\xC2 ",
	    "\xC2\xC0",
	    "\xDF",
	    "\xE0",
	    "\xE0\xA0",
	    "\xE0\x80\x80",
	    "\xE0\x9F\xBF",
	    "\xE1\x80",
	    "\xE1\x80\xC0",
	    "\xED\xA0\x80",
	    "\xED\xBF\xBF",
	    "\xEF\xBF",
	    "\xEF\x3F\xBF",
	    "\xF0\x80\x80\x80",
	    "\xF0\x8F\xBF\xBF",
	    "\xF0\x90\x80",
	    "\xF0\x90\x80\x7F",
	    "\xF4\x90\x80\x80",
	    "\xF5\x80\x80\x80",
	    "\xF8\x88\x80\x80\x80",
	    "\xFC\x84\x80\x80\x80\x80",
	    "\xFE",
	    "\xFF",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (char_of(rows[i], strlen(rows[i])) != 0)
			fail_msg("row %zu was accepted", i);
		assert_false(utf8_valid(rows[i], strlen(rows[i])));
	}
	assert_int_equal(utf8_char("", 0), 0);
	assert_true(utf8_valid("", 0));
}

static void every_code_point_round_trips(void **state)
{
	char text[4], longer[5];

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
		size_t len;

		if (cp >= 0xD800 && cp <= 0xDFFF)
			continue;
		len = utf8_encode(cp, text);
		assert_int_equal(len, cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4);
		if (utf8_char(text, len) != len || (len > 1 && utf8_char(text, len - 1) != 0))
			fail_msg("U+%04X", cp);
		memcpy(longer, text, len);
		longer[len] = 'x';
		assert_int_equal(utf8_char(longer, len + 1), len);
	}
}

static void one_bad_byte_spoils_a_text(void **state)
{
	char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
	size_t len = sizeof(text) - 1;

	(void)state;
	assert_true(utf8_valid(text, len));
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];

		text[i] = '\xFF';
		assert_false(utf8_valid(text, len));
		text[i] = kept;
	}
}

static void prefixes_end_between_characters(void **state)
{
	static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

	(void)state;
	for (size_t max = 0; max < ARRAY_LEN(expected); max++)
		assert_int_equal(utf8_prefix(text, sizeof(text) - 1, max), expected[max]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ill_formed_characters_are_refused),
	    cmocka_unit_test(every_code_point_round_trips),
	    cmocka_unit_test(one_bad_byte_spoils_a_text),
	    cmocka_unit_test(prefixes_end_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
