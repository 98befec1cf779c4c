#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "runner/report.h"

static struct json *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json *value = json_parse(text, strlen(text), &err);

	if (value == NULL)
		fail_msg("%s: %s", err.msg, text);
	return value;
}

/* Whatever the message holds, the text is one line of JSON within the limit. */
static void test_hostile_messages(void **state UNUSED)
{
	static const char *const units[] = {"x", "\x01", "\"\\", "\n", "\xF0\x9F\x98\x80", "\xFF"};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct report report = {.phase = PHASE_INPUT, .rows_in = INT64_MAX};
		struct fault fault = {.reason = REASON_INPUT_REJECTED};
		auto_free char *text = NULL;
		auto_json struct json *value = NULL;
		auto_buf struct buf message = BUF_INIT(ERR_MSG_MAX - 1);

		while (buf_adds(&message, units[i]) == 0)
			;
		memcpy(fault.err.msg, message.data, message.len + 1);
		text = report_text(&report, &fault);
		assert_in_range(strlen(text), 1, REPORT_MAX);
		assert_null(strchr(text, '\n'));
		value = parse(text);
		assert_true(strlen(json_get_str(value, "message", "")) >= 64);
	}
}

static void test_message_limit(void **state UNUSED)
{
	struct report report = {.phase = PHASE_INPUT};
	struct fault fault = {.reason = REASON_INPUT_REJECTED};

	for (size_t len = 511; len <= 513; len++) {
		auto_free char *text = NULL;
		auto_json struct json *value = NULL;

		memset(fault.err.msg, 'x', len);
		text = report_text(&report, &fault);
		value = parse(text);
		assert_int_equal(strlen(json_get_str(value, "message", "")), len < 512 ? len : 512);
	}
}

static void test_exit_codes(void **state UNUSED)
{
	static const struct {
		enum phase phase;
		enum reason reason;
		enum err_kind kind;
		int exit;
	} cases[] = {
	    {PHASE_CONTRACT, REASON_CONTRACT_INVALID, ERR_INVALID, 2},
	    {PHASE_CONTRACT, REASON_CONTRACT_INVALID, ERR_RETRY, 2},
	    {PHASE_INPUT, REASON_INPUT_UNAVAILABLE, ERR_RETRY, 3},
	    {PHASE_INPUT, REASON_INPUT_REJECTED, ERR_DENIED, 13},
	    {PHASE_INPUT, REASON_INPUT_INVALID, ERR_LIMIT, 13},
	    {PHASE_INPUT, REASON_SECRET_UNAVAILABLE, ERR_RETRY, 3},
	    {PHASE_INPUT, REASON_SECRET_FORBIDDEN, ERR_DENIED, 8},
	    {PHASE_OUTPUT, REASON_SECRET_NOT_FOUND, ERR_NOT_FOUND, 8},
	    {PHASE_OUTPUT, REASON_SECRET_INVALID, ERR_INVALID, 8},
	    {PHASE_INFERENCE, REASON_MODEL_UNAVAILABLE, ERR_RETRY, 4},
	    {PHASE_INFERENCE, REASON_MODEL_REJECTED, ERR_INVALID, 14},
	    {PHASE_OUTPUT, REASON_OUTPUT_AMBIGUOUS, ERR_RETRY, 5},
	    {PHASE_OUTPUT, REASON_OUTPUT_REJECTED, ERR_DENIED, 15},
	    {PHASE_OUTPUT, REASON_ROWS_FAILED, ERR_INVALID, 6},
	    {PHASE_INFERENCE, REASON_INTERRUPTED, ERR_RETRY, 7},
	    {PHASE_INPUT, REASON_INTERNAL, ERR_BUG, 70},
	    {PHASE_OUTPUT, REASON_COMPLETED, ERR_NONE, 0},
	    {PHASE_INPUT, REASON_INPUT_EMPTY, ERR_NONE, 0},
	    {PHASE_INPUT, REASON_INPUT_EMPTY, ERR_INVALID, 13},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report report = {.phase = cases[i].phase};
		struct fault fault = {.reason = cases[i].reason, .err = {.kind = cases[i].kind}};

		assert_int_equal(report_exit(&report, &fault), cases[i].exit);
	}
}

static void test_results(void **state UNUSED)
{
	static const struct {
		enum reason reason;
		int64_t failed;
		const char *result;
	} cases[] = {
	    {REASON_COMPLETED, 0, "ok"},          {REASON_COMPLETED, 1, "partial"},
	    {REASON_ROWS_FAILED, 1, "partial"},   {REASON_INTERRUPTED, 1, "interrupted"},
	    {REASON_MODEL_REJECTED, 1, "failed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report report = {.phase = PHASE_OUTPUT, .rows_failed = cases[i].failed};
		struct fault fault = {.reason = cases[i].reason};
		auto_free char *text = report_text(&report, &fault);
		auto_json struct json *value = parse(text);

		assert_string_equal(json_get_str(value, "result", ""), cases[i].result);
	}
}

/* Only the first failures are listed, and the longest of messages leave the text within its limit.
 */
static void test_failures(void **state UNUSED)
{
	struct report report = {.phase = PHASE_OUTPUT};
	struct fault fault = {.reason = REASON_ROWS_FAILED};
	struct err why = {.status = 400};
	auto_json struct json *value = NULL;
	auto_free char *text = NULL;

	memset(why.msg, '\x01', sizeof(why.msg) - 1);
	memcpy(fault.err.msg, why.msg, sizeof(why.msg));
	for (int64_t row = 0; row < FAILURES_MAX + 1; row++)
		report_failure(&report, row, &why);
	text = report_text(&report, &fault);
	assert_in_range(strlen(text), 1, REPORT_MAX);
	value = parse(text);
	assert_int_equal(json_len(json_get(value, "failures")), FAILURES_MAX);
	assert_int_equal(json_get_int(json_first(json_get(value, "failures")), "row", 0), 1);
	assert_int_equal(json_get_int(json_get(value, "rows"), "failed", 0), FAILURES_MAX + 1);
}

static void test_cannot_write(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(report_write("/nonexistent/log", "{}", &err), -1);
	assert_non_null(strstr(err.msg, "/nonexistent/log"));
}

static void test_whole_text(void **state UNUSED)
{
	struct report report = {
	    .phase = PHASE_INFERENCE, .rows_in = 150, .ms = {[PHASE_INPUT] = 12}};
	struct fault fault = {.reason = REASON_MODEL_UNAVAILABLE,
			      .err = {.kind = ERR_RETRY, .status = 503, .msg = "busy"}};
	auto_free char *failed = report_text(&report, &fault), *good = NULL;

	assert_string_equal(
	    failed, "{\"v\":1,\"result\":\"failed\",\"exit\":4,\"phase\":\"inference\","
		    "\"reason\":\"ModelUnavailable\",\"message\":\"busy\",\"http\":503,"
		    "\"retryable\":true,\"rows\":{\"in\":150,\"out\":0,\"stored\":0,\"failed\":0},"
		    "\"requests\":0,\"retries\":0,\"bytes\":{\"in\":0,\"out\":0},"
		    "\"ms\":{\"input\":12,\"inference\":0,\"output\":0}}");
	fault = (struct fault){.reason = REASON_COMPLETED};
	good = report_text(&report, &fault);
	assert_non_null(strstr(good, "\"result\":\"ok\",\"exit\":0"));
	assert_null(strstr(good, "http"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hostile_messages), cmocka_unit_test(test_message_limit),
	    cmocka_unit_test(test_results),          cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_exit_codes),       cmocka_unit_test(test_cannot_write),
	    cmocka_unit_test(test_whole_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
