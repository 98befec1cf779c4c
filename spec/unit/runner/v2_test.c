/* v2_test.c - the golden requests were written by Go's json.Marshal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/v2.h"

static const struct model model = {.nonfinite = NONFINITE_FAIL};
static const struct row_rule numbers = {.leaves = LEAF_NUMBER, .even = true};

static void test_bad_replies(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum reason reason;
		const char *message;
	} cases[] = {
	    {"", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {"<html>", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {"[]", REASON_MODEL_REPLY_INVALID, "expected an object, found an array"},
	    {"{}", REASON_MODEL_REPLY_INVALID, "expected outputs[0].data, found none"},
	    {"{\"predictions\":[1,2]}", REASON_MODEL_REPLY_INVALID, "found none"},
	    {"{\"error\":\"boom\"}", REASON_MODEL_REJECTED, "boom"},
	    {"{\"error\":\"boom\",\"outputs\":[{\"data\":[1,2]}]}", REASON_MODEL_REJECTED, "boom"},
	    {"{\"outputs\":{}}", REASON_MODEL_REPLY_INVALID, "outputs: expected one array"},
	    {"{\"outputs\":null}", REASON_MODEL_REPLY_INVALID, "found null"},
	    {"{\"outputs\":[1]}", REASON_MODEL_REPLY_INVALID, "found a number"},
	    {"{\"outputs\":[]}", REASON_MODEL_REPLY_INVALID, "found none"},
	    {"{\"outputs\":[{\"name\":\"x\"}]}", REASON_MODEL_REPLY_INVALID, "found none"},
	    {"{\"outputs\":[{\"data\":3}]}", REASON_MODEL_REPLY_INVALID, "found a number"},
	    {"{\"outputs\":[{\"data\":[1,null]}]}", REASON_NON_FINITE, "found null"},
	    {"{\"outputs\":[{\"data\":[1,{}]}]}", REASON_MODEL_REPLY_INVALID, "found an object"},
	    {"{\"outputs\":[{\"data\":[1,NaN]}]}", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {"{\"outputs\":[{\"data\":[1,2", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {"{\"outputs\":[{\"data\":[1,2]}]} 1", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {"{\"outputs\":[{\"data\":[1,2],\"data\":[1,2]}]}", REASON_MODEL_REPLY_INVALID,
	     "one array"},
	    {"{\"outputs\":[{\"data\":[1,2]}],\"outputs\":[]}", REASON_MODEL_REPLY_INVALID,
	     "one array"},
	    {"{\"outputs\":[{\"data\":[]}]}", REASON_SHAPE_MISMATCH, "found 0 values"},
	    {"{\"outputs\":[{\"data\":[1,2,3]}]}", REASON_SHAPE_MISMATCH, "found 3 values"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[3]}]}", REASON_SHAPE_MISMATCH, "expected 3"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[1,2]}]}", REASON_SHAPE_MISMATCH,
	     "for 2 rows"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[]}]}", REASON_SHAPE_MISMATCH, "expected 1"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[-2]}]}", REASON_MODEL_REPLY_INVALID,
	     "whole"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[\"2\"]}]}", REASON_MODEL_REPLY_INVALID,
	     "whole"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[9223372036854775808]}]}",
	     REASON_MODEL_REPLY_INVALID, "whole"},
	    {"{\"outputs\":[{\"data\":[1,2],\"shape\":[4294967296,4294967296]}]}",
	     REASON_MODEL_REPLY_INVALID, "whole"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct results results = {.count = 0};
		struct fault fault = FAULT_INIT;

		if (v2_reply(&model, cases[i].text, strlen(cases[i].text), 2, &results, &fault) ==
		    0)
			fail_msg("accepted: %s", cases[i].text);
		if (fault.reason != cases[i].reason ||
		    strstr(fault.err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s: %s", cases[i].text, reason_name(fault.reason),
				 fault.err.msg);
	}
}

static void test_good_replies(void **state UNUSED)
{
	const struct section section = {.format = &json_format, .layout = LAYOUT_FLAT};
	static const struct {
		const char *text, *predictions;
		size_t count;
	} cases[] = {
	    {"{\"outputs\":[{\"data\":[0, 1]}]}", "0,1", 2},
	    {"{\"id\":null,\"outputs\":[{\"name\":\"o\",\"shape\":[2],\"datatype\":\"INT64\","
	     "\"data\":[9007199254740993,0.10]}]}",
	     "9007199254740993,0.10", 2},
	    {"{\"outputs\":[{\"data\":[[[1],[2]],[[3],[4e0]]],\"shape\":[2,2,1]}]}", "1,2,3,4e0",
	     4},
	    {"{\"outputs\":[{\"data\":[\"a=b\\\"\",\"\xC3\xA9\"]}]}",
	     "\"a\\u003db\\\"\",\"\xC3\xA9\"", 2},
	    {"{\"outputs\":[{\"data\":[true,false]}]}", "true,false", 2},
	    {"{\"outputs\":[{\"data\":[1,2]},{\"data\":[3]}]}", "1,2", 2},
	    {"{\"error\":null,\"outputs\":[{\"parameters\":{\"data\":1},\"data\":[1,2]}]}", "1,2",
	     2},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_results struct results results = {.count = 0};
		auto_buf struct buf flat = BUF_INIT(1000), header = BUF_INIT(1000);
		struct fault fault = FAULT_INIT;

		if (v2_reply(&model, cases[i].text, strlen(cases[i].text), 2, &results, &fault) < 0)
			fail_msg("%s: %s", cases[i].text, fault.err.msg);
		results_encode(&results, &section, 0, &flat, &header, &fault);
		assert_string_equal(flat.data, cases[i].predictions);
		assert_int_equal(results.outputs[0].values, cases[i].count);
	}
}

static void test_fit(void **state UNUSED)
{
	static const struct {
		struct shape wanted;
		size_t count, width;
		const char *fitted; /* NULL: refused */
	} cases[] = {
	    {{.rank = 0}, 3, 4, "3,4,"},         {{{-1, 512, 1}, 3}, 2, 512, "2,512,1,"},
	    {{{-1, 512, 1}, 3}, 2, 511, NULL},   {{{-1, -1}, 2}, 2, 7, "2,7,"},
	    {{{-1, -1, -1}, 3}, 2, 7, "2,7,1,"}, {{{-1, 2, -1}, 3}, 5, 6, "5,2,3,"},
	    {{{-1, 4, -1}, 3}, 5, 6, NULL},      {{{5, 6}, 2}, 5, 6, "5,6,"},
	    {{{4, 6}, 2}, 5, 6, NULL},           {{{-1, INT64_MAX, INT64_MAX}, 3}, 5, 6, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf text = BUF_INIT(100);
		struct err err = ERR_INIT;
		struct shape out = {.rank = 0};
		int rc = shape_fit(&cases[i].wanted, cases[i].count, cases[i].width, &out, &err);

		assert_int_equal(rc, cases[i].fitted != NULL ? 0 : -1);
		for (size_t d = 0; d < out.rank; d++)
			buf_addf(&text, "%lld,", (long long)out.dims[d]);
		assert_string_equal(text.data, cases[i].fitted != NULL ? cases[i].fitted : "");
	}
}

static void test_metadata_url(void **state UNUSED)
{
	auto_free char *url = v2_metadata_url("http://h/v2/models/x/infer");

	assert_string_equal(url, "http://h/v2/models/x");
	assert_null(v2_metadata_url("http://h/v1/models/x:predict"));
	assert_null(v2_metadata_url("/infer"));
	assert_null(v2_metadata_url(""));
}

static void test_metadata_shape(void **state UNUSED)
{
	static const struct {
		const char *text;
		size_t rank;
	} cases[] = {
	    {"", 0},
	    {"[]", 0},
	    {"{\"inputs\":{}}", 0},
	    {"{\"inputs\":[]}", 0},
	    {"{\"inputs\":[{\"name\":\"x\"}]}", 0},
	    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,\"a\"]}]}", 0},
	    {"{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2]},{\"name\":\"b\",\"shape\":[1,2]}]}", 0},
	    {"{\"inputs\":[{\"name\":\"other\",\"shape\":[-1,4]}]}", 2},
	    {"{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2]},{\"name\":\"x\",\"shape\":[-1,512,1]}]"
	     "}",
	     3},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shape shape = {.rank = 0};
		bool found = v2_metadata_shape(cases[i].text, strlen(cases[i].text), "x", &shape);

		assert_int_equal(found, cases[i].rank > 0);
		assert_int_equal(shape.rank, cases[i].rank);
	}
}

static void check_request(const char *const *row_texts, const char *name, struct shape shape,
			  const char *expected)
{
	struct model asked = {.inputs = {{.name = name, .datatype = "FP32", .shape = shape}},
			      .input_count = 1};
	auto_buf struct buf out = BUF_INIT(1000);
	auto_rows struct rows rows = ROWS_INIT(numbers);
	struct fault fault = FAULT_INIT;

	for (; *row_texts != NULL; row_texts++)
		assert_int_equal(rows_add(&rows, *row_texts, strlen(*row_texts), &fault), 0);
	assert_int_equal(v2_protocol.request(&asked, &rows, 0, rows.count, &out, &fault), 0);
	assert_string_equal(out.data, expected);
}

static void test_request_as_go(void **state UNUSED)
{
	check_request(
	    (const char *[]){"[5.1, 3.5, 1.4, 0.2]", "[4.9, 3, 1.4, 0.2]", NULL}, "in<0>",
	    (struct shape){.rank = 0},
	    "{\"inputs\":[{\"data\":[[5.1,3.5,1.4,0.2],[4.9,3,1.4,0.2]],\"datatype\":\"FP32\","
	    "\"name\":\"in\\u003c0\\u003e\",\"shape\":[2,4]}]}");
	check_request(
	    (const char *[]){"[1, 2.5, -3]", NULL}, "past_values",
	    (struct shape){.dims = {-1, 3, 1}, .rank = 3},
	    "{\"inputs\":[{\"data\":[[1,2.5,-3]],\"datatype\":\"FP32\",\"name\":\"past_values\","
	    "\"shape\":[1,3,1]}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_replies),
	    cmocka_unit_test(test_good_replies),
	    cmocka_unit_test(test_fit),
	    cmocka_unit_test(test_metadata_url),
	    cmocka_unit_test(test_metadata_shape),
	    cmocka_unit_test(test_request_as_go),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
