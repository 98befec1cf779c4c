/* format_test.c - rows out of bytes, whole and in pieces of any size. */
#include "spec/unit/runner/decoding.h"

/* ---- json ---- */

static void test_json_refused(void **state UNUSED)
{
	static const struct refused_case cases[] = {
	    {"", REASON_INPUT_NOT_JSON, "line 1, column 1"},
	    {"{\"result\": [[1, 2]", REASON_INPUT_NOT_JSON, "end of the text"},
	    {"{\"result\": [[1, 2]]} x", REASON_INPUT_NOT_JSON, "nothing behind"},
	    {"{\"result\": [[1, NaN]]}", REASON_INPUT_NOT_JSON, "line 1, column 17"},
	    {"[[1],\n[2],\n[3 4]]", REASON_INPUT_NOT_JSON, "line 3, column 4"},
	    {"{\"result\": [[01]]}", REASON_INPUT_NOT_JSON, "not JSON"},
	    {"{\"x\": [}", REASON_INPUT_NOT_JSON, "not JSON"},
	    {"[[1]", REASON_INPUT_NOT_JSON, "end of the text"},
	    {"\"Traceback\"", REASON_INPUT_INVALID, "found a string"},
	    {"7", REASON_INPUT_INVALID, "found a number"},
	    {"{\"rows\": [[1]]}", REASON_INPUT_INVALID, "expected the member result"},
	    {"{\"result\": {}}", REASON_INPUT_INVALID, "array of rows, found an object"},
	    {"{\"result\": [1, 2]}", REASON_INPUT_INVALID, "row 1: expected an array"},
	    {"{\"result\": [[1], 2]}", REASON_INPUT_INVALID, "row 2: expected an array"},
	    {"{\"result\": [[1, 2], []]}", REASON_INPUT_INVALID, "row 2: expected values"},
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

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(&json_format, NULL, &cases[i]);
}

static void test_json_no_rows(void **state UNUSED)
{
	static const char *const cases[] = {"{}", " { \"result\" : [ ] } ", "{\"result\": null}",
					    "{\"result\": [], \"note\": 1}", "[]"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_rows(&json_format, NULL, numbers, cases[i], "", 0);
}

/* Each of these numbers would change if it went through a double, or through its text again. */
static void test_digits_stay(void **state UNUSED)
{
	check_rows(&json_format, NULL, numbers,
		   "{\"a\": {\"result\": 1}, \"r\\u0065sult\": [ [9007199254740993, 0.10, 1E400 "
		   "],\n[-0, 0.1000000000000000055, 1e-7] ], \"b\": [2, {\"c\": []}]}",
		   "[9007199254740993,0.10,1E400],[-0,0.1000000000000000055,1e-7]", 2);
	check_rows(&json_format, NULL, numbers, "[[12, 3], {\"a\": 4, \"b\": 50}]",
		   "[12,3],{\"a\":4,\"b\":50}", 2);
	check_rows(
	    &json_format, NULL, anything,
	    "[1, \"\\ud83d\\ude00 \xC3\xA9\", null, {\"k\": [{}, [], false]}, [[1], [2, 3]]]",
	    "1,\"\\ud83d\\ude00 \xC3\xA9\",null,{\"k\":[{},[],false]},[[1],[2,3]]", 5);
}

/* ---- jsonl ---- */

static void test_jsonl_refused(void **state UNUSED)
{
	static const struct refused_case cases[] = {
	    {"[1]\n[2", REASON_INPUT_NOT_JSON, "row 2: the input is not JSON"},
	    {"[1]\n\n[2] [3]\n", REASON_INPUT_NOT_JSON,
	     "row 2: the input is not JSON: line 1, column 5: expected nothing behind"},
	    {"[1,\n2]", REASON_INPUT_NOT_JSON, "row 1"},
	    {"[1]\n[1,2]\n", REASON_INPUT_INVALID, "row 2: expected 1 values"},
	    {"x", REASON_INPUT_NOT_JSON, "line 1, column 1"},
	    {"7\n", REASON_INPUT_INVALID, "row 1: expected an array"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(&jsonl_format, NULL, &cases[i]);
}

static void test_jsonl_rows(void **state UNUSED)
{
	check_rows(&jsonl_format, NULL, numbers, "", "", 0);
	check_rows(&jsonl_format, NULL, numbers, "\n \r\n", "", 0);
	check_rows(&jsonl_format, NULL, numbers, "[1, 2]\r\n\n [3,4] \n[5,6]", "[1,2],[3,4],[5,6]",
		   3);
	check_rows(&jsonl_format, NULL, anything, "{\"a\": \"\xE2\x82\xAC\"}\n\"x\"\n",
		   "{\"a\":\"\xE2\x82\xAC\"},\"x\"", 2);
}

/* ---- limits ---- */

static int read_row_of(const struct format *format, size_t len)
{
	auto_free char *text = xmalloc(len + 3);
	auto_rows struct rows rows = ROWS_INIT(anything);
	struct fault fault = FAULT_INIT;
	int rc;

	memset(text, 'x', len + 2);
	text[0] = '[';
	text[1] = text[len] = '"';
	memcpy(text + len + 1, "]", 2);
	if (format == &jsonl_format)
		text[0] = text[len + 1] = ' ';
	rc = read_all(format, NULL, text, 1 << 20, &rows, &fault);
	if (rc < 0) {
		assert_int_equal(fault.reason, REASON_INPUT_INVALID);
		assert_non_null(strstr(fault.err.msg, "row 1: expected at most"));
	}
	return rc;
}

static void test_row_limit(void **state UNUSED)
{
	assert_int_equal(read_row_of(&json_format, ROW_MAX), 0);
	assert_int_equal(read_row_of(&json_format, ROW_MAX + 1), -1);
	assert_int_equal(read_row_of(&jsonl_format, ROW_MAX), 0);
	assert_int_equal(read_row_of(&jsonl_format, ROW_MAX + 1), -1);
}

/* A token that never ends is not read to its end. */
static void test_endless_row(void **state UNUSED)
{
	size_t len = 3 * (size_t)ROW_MAX;
	auto_free char *text = xmalloc(len + 1);
	auto_rows struct rows rows = ROWS_INIT(anything);
	struct fault fault = FAULT_INIT;

	memset(text, 'x', len);
	memcpy(text, "[\"", 2);
	text[len] = '\0';
	assert_int_equal(read_all(&json_format, NULL, text, 1 << 20, &rows, &fault), -1);
	assert_int_equal(fault.err.kind, ERR_LIMIT);
}

/* ---- chunks ---- */

static void test_chunks(void **state UNUSED)
{
	struct storage storage = {.text = "[[1],[2],[3],[4],[5]]", .len = 21, .piece = 4};
	struct section section = {.provider = &pieces_provider, .format = &json_format};
	auto_rows struct rows rows = ROWS_INIT(numbers);
	struct fault fault = FAULT_INIT;
	struct reader reader;
	size_t len;

	reader_init(&reader, &section, &storage);
	for (int64_t i = 0; i < 3; i++) {
		struct rows chunk;

		assert_int_equal(reader_fill(&reader, &rows, 2, SIZE_MAX, &fault), 0);
		rows_take(&rows, &chunk);
		assert_int_equal(chunk.first, 2 * i);
		assert_int_equal(chunk.count, i < 2 ? 2 : 1);
		if (i == 1) {
			assert_memory_equal(rows_slice(&chunk, 0, 2, &len), "[3],[4]", 7);
			assert_int_equal(len, 7);
			assert_memory_equal(rows_slice(&chunk, 0, 1, &len), "[3]", 3);
			assert_int_equal(len, 3);
			assert_memory_equal(rows_slice(&chunk, 1, 1, &len), "[4]", 3);
			assert_int_equal(len, 3);
		}
		rows_done(&chunk);
	}
	assert_true(reader.ended);
	reader_done(&reader);
}

/* ---- choice ---- */

static void test_choice(void **state UNUSED)
{
	static const struct {
		const char *format, *path, *chosen; /* chosen NULL: refused */
	} cases[] = {
	    {NULL, NULL, "json"},     {NULL, "a.jsonl", "jsonl"},   {NULL, "a/b.ndjson", "jsonl"},
	    {NULL, "a.json", "json"}, {NULL, ".jsonl", "json"},     {NULL, "a.txt", "json"},
	    {NULL, "a.csv", "csv"},   {"jsonl", "a.json", "jsonl"}, {"xml", "a.json", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *settings = json_build("{'format': %s}", cases[i].format);
		const struct format *format = NULL;
		struct err err = ERR_INIT;
		int rc = format_choose(settings, "input.x", cases[i].path, &format, &err);

		if (cases[i].chosen == NULL) {
			assert_int_equal(rc, -1);
			assert_non_null(strstr(err.msg, "input.x.format: expected one of json, "));
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(format->name, cases[i].chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_refused), cmocka_unit_test(test_json_no_rows),
	    cmocka_unit_test(test_digits_stay),  cmocka_unit_test(test_jsonl_refused),
	    cmocka_unit_test(test_jsonl_rows),   cmocka_unit_test(test_row_limit),
	    cmocka_unit_test(test_endless_row),  cmocka_unit_test(test_chunks),
	    cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
