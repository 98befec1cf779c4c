#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/judge.h"

static void test_bodies(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum body body;
		const char *says; /* a part of it, or NULL */
	} cases[] = {
	    {"", BODY_EMPTY, NULL},
	    {" \r\n\t", BODY_EMPTY, NULL},
	    {"{}", BODY_JSON, NULL},
	    {" [1] ", BODY_JSON, NULL},
	    {"{\"error\": null, \"x\": 1}", BODY_JSON, NULL},
	    {"{\"error\": \"\"}", BODY_JSON, NULL},
	    {"{\"error\": false}", BODY_JSON, NULL},
	    {"{\"x\": {\"error\": \"inner\"}}", BODY_JSON, NULL},
	    {"{\"x\": \"Traceback (most recent call last)\"}", BODY_JSON, NULL},
	    {"{\"error\": \"404 Not Found\\nx\"}", BODY_ERROR, "404 Not Found x"},
	    {"{\"a\": [1], \"\\u0065rror\": {\"code\": 7}}", BODY_ERROR, "{\"code\": 7}"},
	    {"{\"error\": true}", BODY_ERROR, "true"},
	    {"{\"error\": \"x\"", BODY_TEXT, "{\"error\""},
	    {"{\"error\": \"x\"} trailing", BODY_TEXT, "trailing"},
	    {"missing agument for call: a{\"result\": []}", BODY_NOTEBOOK,
	     "missing agument for call: a"},
	    {"Warning: x\nTraceback (most recent call last):\n  File \"x\"\nValueError: no\n\n",
	     BODY_NOTEBOOK, "ValueError: no"},
	    {"Traceback (most recent call last):  File \"x\"ValueError: no", BODY_NOTEBOOK,
	     "ValueError: no"},
	    {"no connection info for database", BODY_NOTEBOOK, "no connection info"},
	    {"<html>\n<b>502</b>", BODY_HTML, "<html> <b>502</b>"},
	    {"upstream connect error", BODY_TEXT, "upstream connect error"},
	    {"\xFF\xFE", BODY_TEXT, ""},
	    {"[1,]", BODY_TEXT, "[1,]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *says = NULL;
		enum body body = judge_body(cases[i].text, strlen(cases[i].text), &says);

		if (body != cases[i].body || (says == NULL) != (cases[i].says == NULL) ||
		    (says != NULL && strstr(says, cases[i].says) == NULL))
			fail_msg("%s: body %d, says %s", cases[i].text, body, says);
	}
}

/* NUL bytes and texts of any length do no harm, and a quote stays short. */
static void test_long_and_binary(void **state UNUSED)
{
	auto_buf struct buf body = BUF_INIT(1 << 20);
	auto_free char *says = NULL, *binary = NULL, *tail = NULL;

	assert_int_equal(judge_body("\0\0\0", 3, &binary), BODY_TEXT);
	for (int i = 0; i < 1000; i++)
		buf_adds(&body, "\xE2\x82\xAC");
	assert_int_equal(judge_body(body.data, body.len, &says), BODY_TEXT);
	assert_int_equal(strlen(says), 198);
	buf_adds(&body, "Traceback (most recent call last)");
	for (int i = 0; i < 1000; i++)
		buf_adds(&body, "\xE2\x82\xAC");
	assert_int_equal(judge_body(body.data, body.len, &tail), BODY_NOTEBOOK);
	assert_int_equal(strlen(tail), 198);
}

static void test_statuses(void **state UNUSED)
{
	static const struct {
		int status;
		enum reason reason;
		enum err_kind kind;
	} cases[] = {
	    {302, REASON_MODEL_REJECTED, ERR_INVALID},  {400, REASON_MODEL_REJECTED, ERR_INVALID},
	    {401, REASON_MODEL_REJECTED, ERR_DENIED},   {404, REASON_MODEL_REJECTED, ERR_NOT_FOUND},
	    {429, REASON_MODEL_UNAVAILABLE, ERR_RETRY}, {500, REASON_MODEL_REJECTED, ERR_RETRY},
	    {501, REASON_MODEL_REJECTED, ERR_INVALID},  {502, REASON_MODEL_UNAVAILABLE, ERR_RETRY},
	    {503, REASON_MODEL_UNAVAILABLE, ERR_RETRY}, {504, REASON_MODEL_UNAVAILABLE, ERR_RETRY},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_reply struct http_reply reply = HTTP_REPLY_INIT;
		struct fault fault = FAULT_INIT;

		reply.status = cases[i].status;
		buf_adds(&reply.body, "{\"error\": \"boom\"}");
		assert_int_equal(judge_status(&reply, "the model", REASON_MODEL_REJECTED,
					      REASON_MODEL_UNAVAILABLE, &fault),
				 -1);
		assert_int_equal(fault.reason, cases[i].reason);
		assert_int_equal(fault.err.kind, cases[i].kind);
		assert_int_equal(fault.err.status, cases[i].status);
		assert_non_null(strstr(fault.err.msg, "boom"));
	}
}

/* What the database handler answers where the database does not let the user in. */
static void test_wrong_password(void **state UNUSED)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct fault fault = FAULT_INIT;

	reply.status = 500;
	buf_adds(&reply.body, "{\"error\": \"password authentication failed for user \\\"u\\\"\"}");
	assert_int_equal(judge_status(&reply, "the input", REASON_INPUT_REJECTED,
				      REASON_INPUT_UNAVAILABLE, &fault),
			 -1);
	assert_int_equal(fault.reason, REASON_INPUT_REJECTED);
	assert_int_equal(fault.err.kind, ERR_DENIED);
}

static void test_success(void **state UNUSED)
{
	static const int good[] = {200, 201, 204, 299};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct http_reply reply = HTTP_REPLY_INIT;
		struct fault fault = FAULT_INIT;

		reply.status = good[i];
		assert_int_equal(
		    judge_status(&reply, "x", REASON_INTERNAL, REASON_INTERNAL, &fault), 0);
	}
}

/* ---- the model ---- */

static void test_model(void **state UNUSED)
{
	static const struct {
		const char *body;
		int status;                  /* 0: no answer */
		enum verdict verdict, alone; /* for two rows; for one */
		enum reason reason;
		enum err_kind kind, of_call; /* of what is reported; of a call that failed */
		int tries;
		bool started, timed_out, interrupted;
	} cases[] = {
	    {"", 0, VERDICT_OVER, VERDICT_OVER, REASON_INTERRUPTED, .kind = ERR_RETRY,
	     .of_call = ERR_RETRY, .interrupted = true},
	    {"", 0, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_UNAVAILABLE, .kind = ERR_INVALID,
	     .of_call = ERR_INVALID},
	    {"", 0, VERDICT_OVER, VERDICT_OVER, REASON_INTERNAL, .kind = ERR_BUG,
	     .of_call = ERR_BUG},
	    {"", 0, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY,
	     .of_call = ERR_RETRY},
	    {"", 0, VERDICT_SMALLER, VERDICT_AGAIN, REASON_MODEL_TIMEOUT, .kind = ERR_RETRY,
	     .of_call = ERR_RETRY, .timed_out = true},
	    {"", 0, VERDICT_SMALLER, VERDICT_ROWS, REASON_MODEL_UNAVAILABLE, .kind = ERR_LIMIT,
	     .of_call = ERR_LIMIT},
	    {"", 204, VERDICT_GOOD, VERDICT_GOOD, REASON_INTERNAL, .kind = ERR_NONE},
	    {"", 302, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_INVALID},
	    {"{\"error\":\"bad\"}", 400, VERDICT_ROWS, VERDICT_ROWS, REASON_MODEL_REJECTED,
	     .kind = ERR_INVALID},
	    {"{\"error\":\"Model m is Not Ready yet\"}", 400, VERDICT_AGAIN, VERDICT_AGAIN,
	     REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 401, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_DENIED},
	    {"", 403, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_DENIED},
	    {"no healthy upstream", 404, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE,
	     .kind = ERR_RETRY},
	    {"{\"error\":\"x\"}", 404, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED,
	     .kind = ERR_NOT_FOUND},
	    {"", 404, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_NOT_FOUND,
	     .started = true},
	    {"", 405, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_INVALID},
	    {"", 408, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 413, VERDICT_SMALLER, VERDICT_ROWS, REASON_MODEL_REJECTED, .kind = ERR_INVALID},
	    {"", 422, VERDICT_ROWS, VERDICT_ROWS, REASON_MODEL_REJECTED, .kind = ERR_INVALID},
	    {"", 425, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 429, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 500, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_REJECTED, .kind = ERR_RETRY,
	     .tries = 1},
	    {"", 500, VERDICT_ROWS, VERDICT_ROWS, REASON_MODEL_REJECTED, .kind = ERR_INVALID,
	     .tries = 2},
	    {"", 501, VERDICT_OVER, VERDICT_OVER, REASON_MODEL_REJECTED, .kind = ERR_INVALID},
	    {"", 502, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 503, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY,
	     .started = true},
	    {"", 504, VERDICT_SMALLER, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	    {"", 507, VERDICT_AGAIN, VERDICT_AGAIN, REASON_MODEL_UNAVAILABLE, .kind = ERR_RETRY},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t rows = 1; rows <= 2; rows++) {
			auto_reply struct http_reply reply = HTTP_REPLY_INIT;
			struct fault fault = FAULT_INIT;
			enum verdict verdict;

			reply.status = cases[i].status;
			reply.timed_out = cases[i].timed_out;
			reply.interrupted = cases[i].interrupted;
			fault.err.kind = cases[i].of_call;
			buf_adds(&reply.body, cases[i].body);
			verdict = judge_model(reply.status == 0 ? -1 : 0, &reply, cases[i].started,
					      cases[i].tries, rows, &fault);
			if (verdict != (rows == 1 ? cases[i].alone : cases[i].verdict) ||
			    fault.reason != cases[i].reason || fault.err.kind != cases[i].kind)
				fail_msg("row %zu, %d %s: %d %s %s", i, cases[i].status,
					 cases[i].body, verdict, reason_name(fault.reason),
					 err_kind_name(fault.err.kind));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bodies),         cmocka_unit_test(test_long_and_binary),
	    cmocka_unit_test(test_statuses),       cmocka_unit_test(test_success),
	    cmocka_unit_test(test_wrong_password), cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
