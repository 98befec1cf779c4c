/* protocol_test.c - V1 and raw, several inputs, the choice of a protocol, NaN, layouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/nonfinite.h"
#include "runner/protocol.h"

static struct json *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json *value = json_parse(text, strlen(text), &err);

	if (value == NULL)
		fail_msg("%s: %s", text, err.msg);
	return value;
}

/* ---- replies of V1 and raw ---- */

static void test_bad_replies(void **state UNUSED)
{
	static const struct {
		const struct protocol *protocol;
		const char *text;
		enum reason reason;
		const char *message;
	} cases[] = {
	    {&v1_protocol, "", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {&v1_protocol, "<html>", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {&v1_protocol, "[1,2]", REASON_MODEL_REPLY_INVALID, "found an array"},
	    {&v1_protocol, "{}", REASON_MODEL_REJECTED, "no predictions"},
	    {&v1_protocol, "{\"predictions\":{}}", REASON_MODEL_REPLY_INVALID, "an object"},
	    {&v1_protocol, "{\"predictions\":[1]}", REASON_SHAPE_MISMATCH,
	     "2 predictions, found 1"},
	    {&v1_protocol, "{\"predictions\":[1,2,3]}", REASON_SHAPE_MISMATCH, "found 3"},
	    {&v1_protocol, "{\"predictions\":[1,2", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {&v1_protocol, "{\"predictions\":[1,2]} x", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {&v1_protocol, "{\"error\":\"boom\"}", REASON_MODEL_REJECTED, "boom"},
	    {&v1_protocol, "{\"message\":\"batch failed\",\"predictions\":null}",
	     REASON_MODEL_REJECTED, "no predictions: batch failed"},
	    {&raw_protocol, "", REASON_MODEL_REPLY_INVALID, "not JSON"},
	    {&raw_protocol, "{} {}", REASON_MODEL_REPLY_INVALID, "not JSON"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_results struct results results = {.count = 0};
		struct fault fault = FAULT_INIT;
		const struct model model = {.url = NULL};

		if (cases[i].protocol->reply(&model, cases[i].text, strlen(cases[i].text), 2,
					     &results, &fault) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (fault.reason != cases[i].reason ||
		    strstr(fault.err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s: %s", cases[i].text, reason_name(fault.reason),
				 fault.err.msg);
	}
}

/* ---- replies in every layout ---- */

#define TWO_OUTPUTS                                                                                \
	"{\"outputs\":[{\"name\":\"class\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[7,8]},"  \
	"{\"name\":\"p\",\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":[[\"a=\",\"b\"],"         \
	"[\"c\",\n\"d\"]]}]}"

static void test_layouts(void **state UNUSED)
{
	static const struct {
		const struct protocol *protocol;
		const struct format *format;
		enum layout layout;
		const char *text, *records;
		size_t rows;
	} cases[] = {
	    {&v2_protocol, &json_format, LAYOUT_FLAT, TWO_OUTPUTS, "7,8", 2},
	    {&v2_protocol, &jsonl_format, LAYOUT_FLAT, TWO_OUTPUTS, "7\n8", 2},
	    {&v2_protocol, &jsonl_format, LAYOUT_ROWS, TWO_OUTPUTS,
	     "{\"row\":11,\"class\":7,\"p\":[\"a=\",\"b\"]}\n"
	     "{\"row\":12,\"class\":8,\"p\":[\"c\",\"d\"]}",
	     2},
	    {&v2_protocol, &json_format, LAYOUT_TENSORS, TWO_OUTPUTS,
	     "{\"row\":11,\"rows\":2,\"outputs\":[{\"name\":\"class\",\"datatype\":\"INT64\","
	     "\"shape\":[2],\"data\":[7,8]},{\"name\":\"p\",\"datatype\":\"BYTES\",\"shape\":[2,2],"
	     "\"data\":[[\"a=\",\"b\"],[\"c\",\"d\"]]}]}",
	     2},
	    {&v1_protocol, &json_format, LAYOUT_FLAT, "{\"predictions\":[[0.10,2],{\"a\":\n[1]}]}",
	     "[0.10,2],{\"a\":[1]}", 2},
	    {&v1_protocol, &jsonl_format, LAYOUT_ROWS, "{\"predictions\":[\"x\",[1, null]]}",
	     "{\"row\":11,\"prediction\":\"x\"}\n{\"row\":12,\"prediction\":[1, null]}", 2},
	    {&raw_protocol, &jsonl_format, LAYOUT_FLAT, "{\"choices\":\r\n[{\"text\":\"a\\n\"}]}\n",
	     "{\"choices\":[{\"text\":\"a\\n\"}]}", 1},
	    {&raw_protocol, &jsonl_format, LAYOUT_ROWS, " [1, 2]",
	     "{\"row\":11,\"response\":[1, 2]}", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct section section = {.format = cases[i].format,
						.layout = cases[i].layout};
		const struct model model = {.url = NULL};
		auto_results struct results results = {.count = 0};
		auto_buf struct buf records = BUF_INIT(1000), header = BUF_INIT(1000);
		struct fault fault = FAULT_INIT;

		if (cases[i].protocol->reply(&model, cases[i].text, strlen(cases[i].text),
					     cases[i].rows, &results, &fault) < 0 ||
		    results_encode(&results, &section, 10, &records, &header, &fault) < 0)
			fail_msg("%s: %s", cases[i].text, fault.err.msg);
		assert_string_equal(records.data, cases[i].records);
		assert_string_equal(header.data, "");
	}
}

/* Replies of two rows that make no record per row. */
static void test_no_records(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum reason reason;
		const char *message;
	} cases[] = {
	    /* a value for all rows together */
	    {"{\"outputs\":[{\"data\":[1,2]},{\"data\":[3,4,5]}]}", REASON_SHAPE_MISMATCH,
	     "output-1"},
	    {"{\"outputs\":[{\"name\":\"y\",\"data\":[1,2]},{\"name\":\"y\",\"data\":[3,4]}]}",
	     REASON_MODEL_REPLY_INVALID, "found y"},
	    {"{\"outputs\":[{\"name\":\"row\",\"data\":[1,2]}]}", REASON_MODEL_REPLY_INVALID,
	     "found row"},
	};
	const struct section section = {.format = &jsonl_format, .layout = LAYOUT_ROWS};
	const struct model model = {.url = NULL};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_results struct results results = {.count = 0};
		auto_buf struct buf records = BUF_INIT(1000), header = BUF_INIT(1000);
		struct fault fault = FAULT_INIT;
		const char *text = cases[i].text;

		assert_int_equal(v2_protocol.reply(&model, text, strlen(text), 2, &results, &fault),
				 0);
		assert_int_equal(results_encode(&results, &section, 0, &records, &header, &fault),
				 -1);
		assert_int_equal(fault.reason, cases[i].reason);
		assert_non_null(strstr(fault.err.msg, cases[i].message));
	}
}

static void test_output_limit(void **state UNUSED)
{
	for (int count = OUTPUTS_MAX; count <= OUTPUTS_MAX + 1; count++) {
		auto_buf struct buf text = BUF_INIT(1 << 20);
		auto_results struct results results = {.count = 0};
		const struct model model = {.url = NULL};
		struct fault fault = FAULT_INIT;
		int rc;

		buf_adds(&text, "{\"outputs\":[");
		for (int i = 0; i < count; i++)
			buf_addf(&text, "%s{\"data\":[1]}", i > 0 ? "," : "");
		buf_adds(&text, "]}");
		rc = v2_protocol.reply(&model, text.data, text.len, 1, &results, &fault);
		assert_int_equal(rc, count == OUTPUTS_MAX ? 0 : -1);
	}
}

/* ---- requests ---- */

static int request(const char *kserve, const char *const *texts, struct buf *out,
		   struct fault *fault)
{
	auto_json struct json *object = parse(kserve);
	struct model model = {.url = NULL};
	struct rows rows;
	int rc = model_read(object, &model, &fault->err);

	if (rc < 0)
		return fault_as(fault, REASON_CONTRACT_INVALID);
	rows = (struct rows)ROWS_INIT(model.protocol->rule(&model));
	for (; rc == 0 && *texts != NULL; texts++)
		rc = rows_add(&rows, *texts, strlen(*texts), fault);
	if (rc == 0)
		rc = model.protocol->request(&model, &rows, 0, rows.count, out, fault);
	rows_done(&rows);
	model_done(&model);
	return rc;
}

#define TWO_INPUTS                                                                                 \
	"{\"modelUrl\":\"h/infer\",\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\"},"         \
	"{\"name\":\"mask\",\"datatype\":\"BOOL\",\"shape\":[-1,1]}]}"
#define COLUMNS(columns)                                                                           \
	"{\"modelUrl\":\"h/infer\",\"modelInputName\":\"x\",\"columns\":" columns "}"

static void test_requests(void **state UNUSED)
{
	static const struct {
		const char *kserve, *rows[4], *body; /* body or what the message says */
		enum reason reason;                  /* COMPLETED: all is well */
	} cases[] = {
	    {TWO_INPUTS,
	     {"[1,2]"},
	     "column ids with values of that type, found none",
	     REASON_INPUT_INVALID},
	    {TWO_INPUTS, {"{\"ids\":[1]}"}, "expected column mask", REASON_INPUT_INVALID},
	    {TWO_INPUTS, {"{\"ids\":[1],\"mask\":1}"}, "input mask (BOOL)", REASON_INPUT_INVALID},
	    {TWO_INPUTS,
	     {"{\"ids\":[\"1\"],\"mask\":true}"},
	     "found a string",
	     REASON_INPUT_INVALID},
	    {TWO_INPUTS,
	     {"{\"ids\":{\"a\":1},\"mask\":true}"},
	     "found an object",
	     REASON_INPUT_INVALID},
	    {TWO_INPUTS,
	     {"{\"ids\":[1,2],\"mask\":true}", "{\"mask\":false,\"ids\":[3]}"},
	     "row 2: input ids: expected 2 values",
	     REASON_INPUT_INVALID},
	    {TWO_INPUTS,
	     {"{\"ids\":[1],\"mask\":[true,true]}"},
	     "rows of 1 values, found 2",
	     REASON_SHAPE_MISMATCH},
	    {COLUMNS("[4]"), {"[1,2,3,4]"}, "column 4", REASON_INPUT_INVALID},

	    {TWO_INPUTS,
	     {"{\"ids\":[[1],[2]],\"mask\":true}", "{\"mask\":false,\"z\":null,\"ids\":[3,4]}"},
	     "{\"inputs\":[{\"data\":[[1,2],[3,4]],\"datatype\":\"INT64\",\"name\":\"ids\","
	     "\"shape\":[2,2]},{\"data\":[[true],[false]],\"datatype\":\"BOOL\",\"name\":\"mask\","
	     "\"shape\":[2,1]}]}",
	     REASON_COMPLETED},
	    {COLUMNS("[2,0]"),
	     {"[1,\"skipped\",3]"},
	     "{\"inputs\":[{\"data\":[[3,1]],\"datatype\":\"FP32\",\"name\":\"x\",\"shape\":[1,2]}]"
	     "}",
	     REASON_COMPLETED},
	    {COLUMNS("[\"b\"]"),
	     {"{\"a\":1,\"b\":9007199254740993}"},
	     "{\"inputs\":[{\"data\":[[9007199254740993]],\"datatype\":\"FP32\",\"name\":\"x\","
	     "\"shape\":[1,1]}]}",
	     REASON_COMPLETED},
	    {"{\"modelUrl\":\"h/infer\"}",
	     {"{\"a\":1,\"b\":2}", "[3,4]"},
	     "{\"inputs\":[{\"data\":[[1,2],[3,4]],\"datatype\":\"FP32\",\"name\":\"\","
	     "\"shape\":[2,2]}]}",
	     REASON_COMPLETED},
	    {"{\"modelUrl\":\"h/infer\",\"datatype\":\"BYTES\"}",
	     {"[\"a\"]", "[\"\\u00e9\"]"},
	     "{\"inputs\":[{\"data\":[[\"a\"],[\"\\u00e9\"]],\"datatype\":\"BYTES\",\"name\":\"\","
	     "\"shape\":[2,1]}]}",
	     REASON_COMPLETED},
	    {"{\"modelUrl\":\"h/m:predict\"}",
	     {"[1, 2]", "{\"a\": \"b\"}", "null"},
	     "{\"instances\":[[1,2],{\"a\":\"b\"},null]}",
	     REASON_COMPLETED},
	    {"{\"modelUrl\":\"h/v1/chat/completions\",\"protocol\":\"raw\"}",
	     {"{\"model\":\"m\",\"n\":1.0}"},
	     "{\"model\":\"m\",\"n\":1.0}",
	     REASON_COMPLETED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf out = BUF_INIT(1000);
		struct fault fault = FAULT_INIT;
		int rc = request(cases[i].kserve, cases[i].rows, &out, &fault);

		if ((rc == 0) != (cases[i].reason == REASON_COMPLETED) ||
		    (rc < 0 && (fault.reason != cases[i].reason ||
				strstr(fault.err.msg, cases[i].body) == NULL)))
			fail_msg("%s: %d %s: %s", cases[i].rows[0], rc, reason_name(fault.reason),
				 fault.err.msg);
		if (rc == 0)
			assert_string_equal(out.data, cases[i].body);
	}
}

/* ---- what a contract may say ---- */

static void test_models_refused(void **state UNUSED)
{
	static const struct {
		const char *kserve, *message;
	} cases[] = {
	    {"{\"protocol\":\"grpc\"", "kserve.protocol: expected v1, v2 or raw"},
	    {"{\"datatype\":\"float\"", "kserve.datatype"},
	    {"{\"inputs\":[]", "kserve.inputs: expected 1 to 64"},
	    {"{\"inputs\":{}", "kserve.inputs"},
	    {"{\"inputs\":[{\"shape\":[1]}]", "kserve.inputs[0].shape"},
	    {"{\"columns\":[-1]", "kserve.columns"},
	    {"{\"columns\":[]", "kserve.columns"},
	    {"{\"columns\":\"a\"", "kserve.columns"},
	    {"{\"batch\":[]", "kserve.batch: expected an object"},
	    {"{\"batch\":{\"rows\":0}", "kserve.batch.rows: expected an integer from 1"},
	    {"{\"batch\":{\"parallel\":17}",
	     "kserve.batch.parallel: expected an integer from 1 to 16"},
	    {"{\"batch\":{\"bytes\":1.5}", "kserve.batch.bytes"},
	    {"{\"timeoutSeconds\":\"9\"",
	     "kserve.timeoutSeconds: expected an integer, found string"},
	    {"{\"headers\":{}", "kserve.headers: expected an array"},
	    {"{\"headers\":[\"a: b\\n\"]", NULL},
	    {"{\"headers\":[\"a: b\\nc: d\"]", "kserve.headers[0]"},
	    {"{\"credentialsRef\":{}", "kserve.credentialsRef.name"},
	    {"{\"nonFinite\":\"zero\"", "kserve.nonFinite: expected null, string or fail"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *text = xasprintf("%s,\"modelUrl\":\"h/infer\"}", cases[i].kserve);
		auto_json struct json *object = parse(text);
		struct model model = {.url = NULL};
		struct err err = ERR_INIT;
		int rc = model_read(object, &model, &err);

		if ((rc == 0) != (cases[i].message == NULL) ||
		    (rc < 0 && strstr(err.msg, cases[i].message) == NULL))
			fail_msg("%s: %s", text, err.msg);
		model_done(&model);
	}
}

static void test_choice(void **state UNUSED)
{
	static const struct {
		const char *protocol, *version, *url, *chosen;
	} cases[] = {
	    {"", "", "http://h/v2/models/m/infer", "v2"},
	    {"", "v1", "http://h/v2/models/m/infer?x=y", "v2"},
	    {"", "v2", "http://h/v1/models/m:predict", "v1"},
	    {"", "", "http://h/v1/models/m:predict?a#b", "v1"},
	    {"", "v1", "http://h/", "v1"},
	    {"", "3", "http://h/", "v2"},
	    {"", "", "http://h/", "v2"},
	    {"raw", "v1", "http://h/infer", "raw"},
	    {"v1", "v2", "http://h/infer", "v1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *kserve = json_build("{'protocol': %s, 'modelVersion': %s}",
							   cases[i].protocol, cases[i].version);
		const struct protocol *protocol = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(protocol_choose(kserve, cases[i].url, &protocol, &err), 0);
		assert_string_equal(protocol->name, cases[i].chosen);
	}
}

/* ---- NaN ---- */

static void test_nonfinite(void **state UNUSED)
{
	static const struct {
		const char *text, *null, *string; /* NULL: as it is, and no fault */
	} cases[] = {
	    {"[1,2]", NULL, NULL},
	    {"[\"NaN\",\"a\\\"NaN\"]", NULL, NULL},
	    {"\"Infinity", NULL, NULL},
	    {"[NaN]", "[null]", "[\"NaN\"]"},
	    {"{\"NaN\":[-Infinity, Infinity,\"NaN\"]}", "{\"NaN\":[null, null,\"NaN\"]}",
	     "{\"NaN\":[\"-Infinity\", \"Infinity\",\"NaN\"]}"},
	    {"NaN", "null", "\"NaN\""},
	    {"[\"\\\\\",NaN]", "[\"\\\\\",null]", "[\"\\\\\",\"NaN\"]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int policy = NONFINITE_NULL; policy <= NONFINITE_FAIL; policy++) {
			const char *wanted =
			    policy == NONFINITE_NULL ? cases[i].null : cases[i].string;
			auto_buf struct buf text = BUF_INIT(1000);
			struct fault fault = FAULT_INIT;
			int rc;

			buf_adds(&text, cases[i].text);
			rc = nonfinite_clean(&text, (enum nonfinite)policy, &fault);
			if (policy == NONFINITE_FAIL && wanted != NULL) {
				assert_int_equal(rc, -1);
				assert_int_equal(fault.reason, REASON_NON_FINITE);
				continue;
			}
			assert_int_equal(rc, 0);
			assert_string_equal(text.data, wanted != NULL ? wanted : cases[i].text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_replies), cmocka_unit_test(test_layouts),
	    cmocka_unit_test(test_no_records),  cmocka_unit_test(test_output_limit),
	    cmocka_unit_test(test_requests),    cmocka_unit_test(test_models_refused),
	    cmocka_unit_test(test_choice),      cmocka_unit_test(test_nonfinite),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
