/* csv_test.c - rows out of CSV, whole and in pieces of any size, and CSV out of results. */
#include "spec/unit/runner/decoding.h"

static const struct row_rule strings = {.leaves = LEAF_STRING, .even = true};
static const struct row_rule bools = {.leaves = LEAF_BOOL, .even = true};

/* ---- reading ---- */

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *settings;
		struct refused_case c;
	} cases[] = {
	    {"{}", {"a,b\n1,2,3\n", REASON_INPUT_INVALID, "row 1, value 3: expected no more"}},
	    {"{}", {"a,b\n1,2\n1\n", REASON_INPUT_INVALID, "row 2, value 2: expected as many"}},
	    {"{}", {"a,b\n1,x\n", REASON_INPUT_INVALID, "row 1, value 2: expected a number"}},
	    {"{}", {"a,b\n1,\"2\"\n", REASON_INPUT_INVALID, "row 1, value 2: expected a number"}},
	    {"{}", {"a,b\n1,\n", REASON_INPUT_INVALID, "row 1, value 2: expected a number"}},
	    {"{}", {"a,b\n1,NaN\n", REASON_INPUT_INVALID, "expected a number, found a string"}},
	    {"{}", {"a,b\n1,0x10\n", REASON_INPUT_INVALID, "expected a number, found a string"}},
	    {"{}", {"a,b\n1,2 3\n", REASON_INPUT_INVALID, "expected a number, found a string"}},
	    {"{}", {"a,b\n1,2\"3\n", REASON_INPUT_INVALID, "value 2: expected quotes around"}},
	    {"{}", {"a,b\n1,\"2\"3\n", REASON_INPUT_INVALID, "delimiter behind the closing quote"}},
	    {"{}",
	     {"a,b\n1,\"2\n3,4\n", REASON_INPUT_INVALID, "value 2: expected a closing quote"}},
	    {"{}", {"a,b\n1,\"", REASON_INPUT_INVALID, "value 2: expected a closing quote"}},
	    {"{}", {"a,b\n1,\"2\"\"", REASON_INPUT_INVALID, "value 2: expected a closing quote"}},
	    {"{}", {"a\n\xC3\n", REASON_INPUT_INVALID, "row 1, value 1: expected UTF-8"}},
	    {"{}", {"a\n\xEF\xBB\n", REASON_INPUT_INVALID, "row 1, value 1: expected UTF-8"}},
	    {"{}",
	     {"\"a\n1\n", REASON_INPUT_INVALID, "the first line, name 1: expected a closing"}},
	    {"{}", {"1,2\n3,4\n", REASON_INPUT_INVALID, "set header to false"}},
	    {"{'header': false}",
	     {"a,b\n", REASON_INPUT_INVALID, "row 1, value 1: expected a numb"}},
	    {"{'rows': 'objects'}",
	     {"a,a\n1,2\n", REASON_INPUT_INVALID, "name 2: expected names th"}},
	    {"{'delimiter': ';'}", {"a,b\n1,2\n", REASON_INPUT_INVALID, "row 1, value 1"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *settings = json_build(cases[i].settings);

		check_refused(&csv_format, settings, &cases[i].c);
	}
}

static void test_rows(void **state UNUSED)
{
	static const struct {
		const char *settings;
		const struct row_rule *rule;
		const char *text, *rows;
		size_t count;
	} cases[] = {
	    {"{}", &numbers, "", "", 0},
	    {"{}", &numbers, "\n\r\n", "", 0},
	    {"{}", &numbers, "\xEF\xBB\xBF", "", 0},
	    {"{}", &numbers, "a,b", "", 0},
	    {"{}", &numbers, "a,b\n1,2", "[1,2]", 1},
	    {"{}", &numbers, "\xEF\xBB\xBF\"a\",b\r\n1,2\r\n\r\n3,4\r\n", "[1,2],[3,4]", 2},
	    {"{}", &numbers, "a,b\n9007199254740993, 0.10 \n-0,1E400\n",
	     "[9007199254740993,0.10],[-0,1E400]", 2},
	    {"{'header': true}", &numbers, "1,2\n3,4\n", "[3,4]", 1},
	    {"{'header': false}", &numbers, "1,2\n3,4\n", "[1,2],[3,4]", 2},
	    {"{'delimiter': ';', 'header': false}", &numbers, "1;2\n", "[1,2]", 1},
	    {"{'delimiter': '\\t', 'header': false}", &numbers, "1\t 2\n", "[1,2]", 1},
	    {"{'header': false}", &strings, "12,\"a \"\"b\"\"\r\n,c\",\n",
	     "[\"12\",\"a \\\"b\\\"\\r\\n,c\",\"\"]", 1},
	    {"{'header': false}", &strings, "true,a=b\\,\xE2\x82\xAC\n",
	     "[\"true\",\"a=b\\\\\",\"\xE2\x82\xAC\"]", 1},
	    {"{'header': false}", &bools, "true,false\n", "[true,false]", 1},
	    {"{'header': false}", &anything, "1,\"1\",,\"\",x,true\n",
	     "[1,\"1\",null,\"\",\"x\",\"true\"]", 1},
	    {"{'rows': 'objects'}", &anything, "a,\"b \"\"c\"\"\"\n1,x\n2,\n",
	     "{\"a\":1,\"b \\\"c\\\"\":\"x\"},{\"a\":2,\"b \\\"c\\\"\":null}", 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *settings = json_build(cases[i].settings);

		check_rows(&csv_format, settings, *cases[i].rule, cases[i].text, cases[i].rows,
			   cases[i].count);
	}
}

static void test_nul_byte(void **state UNUSED)
{
	auto_rows struct rows rows = ROWS_INIT(anything);
	struct fault fault = FAULT_INIT;

	assert_int_equal(pieces_decode(&csv_format, NULL, "a\n1\0002\n", 6, 6, &rows, &fault), -1);
	assert_non_null(strstr(fault.err.msg, "row 1, value 1: expected text, found a NUL byte"));
}

/* A record that never ends is not read to its end; a long one that does is a row too long. */
static void test_long_row(void **state UNUSED)
{
	auto_json struct json *settings = json_build("{'header': false}");

	for (size_t len = ROW_MAX - 4; len < 3 * (size_t)ROW_MAX;
	     len += len == ROW_MAX - 4 ? 1 : ROW_MAX) {
		auto_free char *text = xmalloc(len + 1);
		auto_rows struct rows rows = ROWS_INIT(strings);
		struct fault fault = FAULT_INIT;
		int rc;

		memset(text, 'x', len);
		text[len] = '\0';
		rc = read_all(&csv_format, settings, text, 1 << 20, &rows, &fault);
		assert_int_equal(rc, len == ROW_MAX - 4 ? 0 : -1);
		if (rc < 0)
			assert_int_equal(fault.err.kind, ERR_LIMIT);
	}
}

static void test_settings(void **state UNUSED)
{
	static const struct {
		const char *settings, *message; /* NULL: accepted */
	} cases[] = {
	    {"{'format': 'csv', 'delimiter': ';;'}", "input.x.delimiter: expected one ASCII"},
	    {"{'format': 'csv', 'delimiter': '\\n'}", "input.x.delimiter"},
	    {"{'format': 'csv', 'delimiter': '\\u20ac'}", "input.x.delimiter"},
	    {"{'format': 'csv', 'delimiter': 1}", "input.x.delimiter: expected a string"},
	    {"{'format': 'csv', 'header': 'no'}", "input.x.header: expected true or false"},
	    {"{'format': 'csv', 'rows': 'lists'}", "input.x.rows: expected arrays or objects"},
	    {"{'format': 'csv', 'rows': 'objects', 'header': false}", "input.x.rows: expected arr"},
	    {"{'format': 'csv', 'rows': 'objects', 'delimiter': '|'}", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *settings = json_build(cases[i].settings);
		const struct format *format = NULL;
		struct err err = ERR_INIT;
		int rc = format_choose(settings, "input.x", NULL, &format, &err);

		assert_int_equal(rc, cases[i].message == NULL ? 0 : -1);
		if (rc < 0 && strstr(err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s", cases[i].settings, err.msg);
	}
}

/* ---- writing ---- */

static void check_record(const struct json *settings, const char *text, bool header,
			 const char *expected)
{
	const struct cell cells[] = {{"row", "7", 1}, {"a;\"b\"", text, strlen(text)}};
	auto_buf struct buf out = BUF_INIT(1000);
	struct fault fault = FAULT_INIT;

	assert_int_equal(csv_format.add_record(settings, cells, 2, header, &out, &fault), 0);
	assert_string_equal(out.data, expected);
}

static void test_records(void **state UNUSED)
{
	auto_json struct json *bare = json_build("{'header': false, 'delimiter': ';'}");

	check_record(NULL, "0", true, "row,\"a;\"\"b\"\"\"\n");
	check_record(bare, "0", true, "");
	check_record(NULL, "0.10", false, "7,0.10");
	check_record(NULL, "null", false, "7,");
	check_record(NULL, "true", false, "7,true");
	check_record(NULL, "\"12\"", false, "7,\"12\"");
	check_record(NULL, "\"\"", false, "7,\"\"");
	check_record(NULL, "\"a\\n\\\"\\u20ac\"", false, "7,\"a\n\"\"\xE2\x82\xAC\"");
	check_record(NULL, "[0.1,0.9]", false, "7,\"[0.1,0.9]\"");
	check_record(bare, "[0.1,0.9]", false, "7;[0.1,0.9]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),  cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_nul_byte), cmocka_unit_test(test_long_row),
	    cmocka_unit_test(test_settings), cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
