#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/numbers.h"

enum { TEXT_MAX = 64 };

static void too_large(void **state UNUSED)
{
	static const char *const texts[] = {"1e400", "[-1e309]", "{\"a\": 1e999999999}"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_buf struct buf out = BUF_INIT(TEXT_MAX);
		struct err err = ERR_INIT;

		assert_int_equal(numbers_rewrite(texts[i], strlen(texts[i]), &out, &err), -1);
		assert_non_null(strstr(err.msg, "cannot unmarshal number "));
	}
}

static void limit(void **state UNUSED)
{
	auto_buf struct buf enough = BUF_INIT(5), less = BUF_INIT(4);
	struct err err = ERR_INIT;

	assert_int_equal(numbers_rewrite("[1e2]", 5, &enough, &err), 0);
	assert_string_equal(enough.data, "[100]");
	assert_int_equal(numbers_rewrite("[1e2]", 5, &less, &err), -1);
	assert_int_equal(err.kind, ERR_INVALID);
}

/* What the parser refuses must still be there for it. */
static void no_json(void **state UNUSED)
{
	static const char *const texts[] = {
	    "",      "01",     "-",    "-01.50",        "1-2", "1.2.3",
	    "+1.50", "\"1.50", "\"\\", "\"a\\\"1.50\"", "nan",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_buf struct buf out = BUF_INIT(TEXT_MAX);
		struct err err = ERR_INIT;

		assert_int_equal(numbers_rewrite(texts[i], strlen(texts[i]), &out, &err), 0);
		if (*texts[i] != '+')
			assert_string_equal(out.data, texts[i]);
	}
}

static void numbers(void **state UNUSED)
{
	static const struct {
		const char *text, *kept;
	} rows[] = {
	    {"9007199254740993", "9007199254740993"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"9223372036854775808", "9223372036854776000"},
	    {"18446744073709551615", "18446744073709552000"},
	    {"123456789012345678901234567890", "1.2345678901234568e+29"},
	    {"0.1000000000000000055", "0.1"},
	    {"0.30000000000000004", "0.30000000000000004"},
	    {"2.50", "2.5"},
	    {"-1.0", "-1"},
	    {"1e2", "100"},
	    {"1e20", "100000000000000000000"},
	    {"1E21", "1e+21"},
	    {"1.5e300", "1.5e+300"},
	    {"0.000001", "0.000001"},
	    {"0.00000015", "1.5e-7"},
	    {"-123.456", "-123.456"},
	    {"-0", "0"},
	    {"-0.0", "0"},
	    {"1e-400", "0"},
	    {"{\"1.50\": [1.50, \"\\\"2.50\", 3.50]}", "{\"1.50\": [1.5, \"\\\"2.50\", 3.5]}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(TEXT_MAX);
		struct err err = ERR_INIT;

		assert_int_equal(numbers_rewrite(rows[i].text, strlen(rows[i].text), &out, &err),
				 0);
		assert_string_equal(out.data, rows[i].kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(too_large),
	    cmocka_unit_test(limit),
	    cmocka_unit_test(no_json),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("apisim/numbers", tests, NULL, NULL);
}
