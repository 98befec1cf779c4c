/* krateo_test.c - the golden bodies were written by Go's json.Marshal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/judge.h"
#include "runner/krateo.h"

static char *text_of(char c, size_t len)
{
	char *text = xmalloc(len + 1);

	memset(text, c, len);
	text[len] = '\0';
	return text;
}

/* predictions= and its value make one argument. */
static void test_argument_limit(void **state UNUSED)
{
	struct contract contract = {.job_id = "j"};

	for (size_t len = 131059; len <= 131060; len++) {
		auto_free char *predictions = text_of('1', len);
		auto_buf struct buf out = BUF_INIT(1 << 20);
		struct fault fault = FAULT_INIT;
		int rc = krateo_output_body(&contract, "p", predictions, &out, &fault);

		assert_int_equal(rc, len == 131059 ? 0 : -1);
		if (rc == 0)
			continue;
		assert_int_equal(fault.reason, REASON_ARG_TOO_LONG);
		assert_non_null(
		    strstr(fault.err.msg, "predictions: expected at most 131059 bytes"));
		assert_int_equal(out.len, 0);
	}
}

static void test_arguments_limit(void **state UNUSED)
{
	auto_free char *value = text_of('1', KRATEO_ARG_MAX - 4);
	auto_json struct json *parameters = json_object();
	struct contract contract = {.job_id = "j", .parameters = parameters};
	auto_buf struct buf out = BUF_INIT(4 << 20);
	struct fault fault = FAULT_INIT;
	size_t count = KRATEO_ARGS_MAX / (KRATEO_ARG_MAX + 1);

	for (size_t i = 0; i < count; i++) {
		auto_free char *key = xasprintf("p%02zu", i);

		json_set_str(parameters, key, value);
	}
	assert_int_equal(krateo_input_body(&contract, &out, &fault), 0);
	json_set_str(parameters, "q00", value);
	assert_int_equal(krateo_input_body(&contract, &out, &fault), -1);
	assert_int_equal(fault.reason, REASON_ARG_TOO_LONG);
}

static void test_reserved_keys(void **state UNUSED)
{
	auto_json struct json *parameters =
	    json_build("{'job_uid': 'evil', 'pod_uid': 'evil', 'predictions': 'evil', 'a': '1'}");
	struct contract contract = {.job_id = "j", .parameters = parameters};
	auto_buf struct buf out = BUF_INIT(1000), in = BUF_INIT(1000);
	struct fault fault = FAULT_INIT;

	assert_int_equal(krateo_output_body(&contract, "p", "[]", &out, &fault), 0);
	assert_string_equal(out.data, "{\"a\":\"1\",\"job_uid\":\"j\",\"pod_uid\":\"p\","
				      "\"predictions\":\"[]\"}");
	assert_int_equal(krateo_input_body(&contract, &in, &fault), 0);
	assert_non_null(strstr(in.data, "\"job_uid\":\"evil\""));
}

static void test_bodies_as_go(void **state UNUSED)
{
	auto_json struct json *parameters =
	    json_build("{'x': '1', 'output_table_name': 't', 'a': 'b', 'n': null}");
	struct contract contract = {.job_id = "j"};
	auto_buf struct buf none = BUF_INIT(1000), in = BUF_INIT(1000), out = BUF_INIT(1000);
	struct fault fault = FAULT_INIT;

	assert_int_equal(krateo_input_body(&contract, &none, &fault), 0);
	assert_string_equal(none.data, "{}");
	contract.parameters = parameters;
	assert_int_equal(krateo_input_body(&contract, &in, &fault), 0);
	assert_string_equal(in.data,
			    "{\"a\":\"b\",\"n\":\"\",\"output_table_name\":\"t\",\"x\":\"1\"}");
	json_remove(parameters, "n");
	assert_int_equal(krateo_output_body(&contract, "p", "[0,1,2.5]", &out, &fault), 0);
	assert_string_equal(out.data,
			    "{\"a\":\"b\",\"job_uid\":\"j\",\"output_table_name\":\"t\","
			    "\"pod_uid\":\"p\",\"predictions\":\"[0,1,2.5]\",\"x\":\"1\"}");
}

static void test_judges(void **state UNUSED)
{
	static const struct {
		int status;
		const char *body;
		enum reason fetch, store; /* REASON_COMPLETED: a success */
	} cases[] = {
	    {200, "", REASON_INPUT_NOT_JSON, REASON_COMPLETED},
	    {204, "", REASON_INPUT_NOT_JSON, REASON_COMPLETED},
	    {200, "{\"result\": []}", REASON_COMPLETED, REASON_COMPLETED},
	    {200, "{\"error\": \"x\"}", REASON_INPUT_REJECTED, REASON_OUTPUT_REJECTED},
	    {200, "Traceback (most recent call last)\nValueError: x", REASON_NOTEBOOK_FAILED,
	     REASON_NOTEBOOK_FAILED},
	    {200, "missing agument for call: x", REASON_NOTEBOOK_FAILED, REASON_NOTEBOOK_FAILED},
	    {200, "no connection info for database", REASON_NOTEBOOK_FAILED,
	     REASON_NOTEBOOK_FAILED},
	    {200, "<html>", REASON_INPUT_NOT_JSON, REASON_OUTPUT_REJECTED},
	    {200, "stored 3 rows", REASON_INPUT_NOT_JSON, REASON_OUTPUT_REJECTED},
	    {401, "", REASON_INPUT_REJECTED, REASON_OUTPUT_REJECTED},
	    {500, "{\"error\": \"x\"}", REASON_INPUT_REJECTED, REASON_OUTPUT_REJECTED},
	    {503, "", REASON_INPUT_UNAVAILABLE, REASON_OUTPUT_UNAVAILABLE},
	    {502, "", REASON_INPUT_UNAVAILABLE, REASON_OUTPUT_AMBIGUOUS},
	    {504, "", REASON_INPUT_UNAVAILABLE, REASON_OUTPUT_AMBIGUOUS},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_reply struct http_reply reply = HTTP_REPLY_INIT;
		struct fault fetch = FAULT_INIT, store = FAULT_INIT;

		reply.status = cases[i].status;
		buf_adds(&reply.body, cases[i].body);
		if (krateo_judge_fetch(&reply, &fetch) == 0)
			fetch.reason = REASON_COMPLETED;
		if (judge_stored(&reply, &store) == 0)
			store.reason = REASON_COMPLETED;
		if (fetch.reason != cases[i].fetch || store.reason != cases[i].store)
			fail_msg("%d %s: fetch %s, store %s", cases[i].status, cases[i].body,
				 reason_name(fetch.reason), reason_name(store.reason));
	}
}

static const char *find_line(const struct http_headers *headers, const char *prefix)
{
	const char *found = NULL;

	for (size_t i = 0; i < headers->count; i++) {
		if (!has_prefix(headers->lines[i], prefix))
			continue;
		assert_null(found);
		found = headers->lines[i];
	}
	return found;
}

static void test_own_headers(void **state UNUSED)
{
	struct http_headers headers = {0};

	krateo_headers(NULL, "Basic eDp5", &headers);
	assert_string_equal(find_line(&headers, "Accept"), "Accept: application/json");
	assert_string_equal(find_line(&headers, "Content-Type"), "Content-Type: application/json");
	assert_string_equal(find_line(&headers, "Authorization"), "Authorization: Basic eDp5");
	assert_int_equal(strlen(find_line(&headers, "X-Krateo-TraceId: ")), 18 + 36);
	http_headers_done(&headers);
}

static void test_headers_of_contract_win(void **state UNUSED)
{
	auto_json struct json *section =
	    json_build("{'api': {'headers': ['accept:text/plain', 'nocolon', ': novalue', 'X-A: "
		       "1', 'x-a:  2:3 ',"
		       " 'Authorization: Bearer own', 'Content-Length: 7', 'X-Empty:']}}");
	struct http_headers headers = {0};

	krateo_headers(section, "Basic eDp5", &headers);
	assert_string_equal(find_line(&headers, "accept"), "accept: text/plain");
	assert_null(find_line(&headers, "Accept"));
	assert_string_equal(find_line(&headers, "x-a"), "x-a: 2:3");
	assert_string_equal(find_line(&headers, "Authorization"), "Authorization: Bearer own");
	assert_string_equal(find_line(&headers, "X-Empty"), "X-Empty: ");
	assert_null(find_line(&headers, "Content-Length"));
	http_headers_done(&headers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_argument_limit),
	    cmocka_unit_test(test_arguments_limit),
	    cmocka_unit_test(test_reserved_keys),
	    cmocka_unit_test(test_bodies_as_go),
	    cmocka_unit_test(test_judges),
	    cmocka_unit_test(test_own_headers),
	    cmocka_unit_test(test_headers_of_contract_win),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
