#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/rows.h"

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum reason reason;
		const char *message;
	} cases[] = {
	    {"", REASON_INPUT_NOT_JSON, "line 1, column 1"},
	    {"{\"result\": [[1, 2]", REASON_INPUT_NOT_JSON, "end of the text"},
	    {"{\"result\": [[1, 2]]} x", REASON_INPUT_NOT_JSON, "nothing behind"},
	    {"{\"result\": [[1, NaN]]}", REASON_INPUT_NOT_JSON, "line 1, column 17"},
	    {"{\"result\": [[01]]}", REASON_INPUT_NOT_JSON, "not JSON"},
	    {"{\"x\": [}", REASON_INPUT_NOT_JSON, "not JSON"},
	    {"[[1]]", REASON_INPUT_INVALID, "found an array"},
	    {"\"Traceback\"", REASON_INPUT_INVALID, "found a string"},
	    {"{\"rows\": [[1]]}", REASON_INPUT_INVALID, "expected the member result"},
	    {"{\"result\": {}}", REASON_INPUT_INVALID, "array of rows, found an object"},
	    {"{\"result\": [1, 2]}", REASON_INPUT_INVALID, "row 1: expected an array"},
	    {"{\"result\": [[1], 2]}", REASON_INPUT_INVALID, "row 2: expected an array"},
	    {"{\"result\": [[1, 2], []]}", REASON_INPUT_INVALID, "row 2: expected numbers"},
	    {"{\"result\": [[1, 2], [3]]}", REASON_INPUT_INVALID,
	     "row 2: expected 2 values as in row 1, found 1"},
	    {"{\"result\": [[1], [2], [3, 4]]}", REASON_INPUT_INVALID, "row 3"},
	    {"{\"result\": [[1, \"2\"]]}", REASON_INPUT_INVALID,
	     "row 1, value 2: expected a number, found a string"},
	    {"{\"result\": [[null]]}", REASON_INPUT_INVALID, "found null"},
	    {"{\"result\": [[true]]}", REASON_INPUT_INVALID, "found true"},
	    {"{\"result\": [[[1]]]}", REASON_INPUT_INVALID, "found an array"},
	    {"{\"result\": [[1]], \"result\": [[2]]}", REASON_INPUT_INVALID, "found two"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_rows struct rows rows = ROWS_INIT;
		struct fault fault = FAULT_INIT;

		assert_int_equal(rows_parse(cases[i].text, strlen(cases[i].text), &rows, &fault),
				 -1);
		if (fault.reason != cases[i].reason ||
		    strstr(fault.err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s: %s", cases[i].text, reason_name(fault.reason),
				 fault.err.msg);
		assert_int_equal(rows.count, 0);
	}
}

static void test_no_rows(void **state UNUSED)
{
	static const char *const cases[] = {"{}", " { \"result\" : [ ] } ", "{\"result\": null}",
					    "{\"result\": [], \"note\": 1}"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_rows struct rows rows = ROWS_INIT;
		struct fault fault = FAULT_INIT;

		assert_int_equal(rows_parse(cases[i], strlen(cases[i]), &rows, &fault), 0);
		assert_int_equal(rows.count, 0);
		assert_int_equal(rows.width, 0);
	}
}

/* Each of these numbers would change if it went through a double, or through its text again. */
static void test_digits_stay(void **state UNUSED)
{
	static const char text[] =
	    "{\"a\": {\"result\": 1}, \"r\\u0065sult\": [ [9007199254740993, 0.10, 1E400 ],\n"
	    "[-0, 0.1000000000000000055, 1e-7] ], \"b\": [2]}";
	auto_rows struct rows rows = ROWS_INIT;
	struct fault fault = FAULT_INIT;

	assert_int_equal(rows_parse(text, strlen(text), &rows, &fault), 0);
	assert_string_equal(rows.text.data, "[[9007199254740993,0.10,1E400],"
					    "[-0,0.1000000000000000055,1e-7]]");
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.width, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_no_rows),
	    cmocka_unit_test(test_digits_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
