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

/* ---- pieces ---- */

/* All pieces of a list, each with its place. */
static char *cut_all(const char *predictions)
{
	struct buf out = BUF_INIT(1 << 20);
	struct krateo_cut cut;

	krateo_cut_init(&cut, predictions, strlen(predictions));
	while (krateo_cut_next(&cut))
		buf_addf(&out, "%s@%d+%d/%d", cut.text.data, (int)cut.offset, (int)cut.count,
			 (int)cut.total);
	krateo_cut_done(&cut);
	return buf_steal(&out);
}

static void test_one_piece(void **state UNUSED)
{
	static const char *const cases[][2] = {
	    {"[]", "[]@0+0/0"},
	    {"[1.50, null ,true]", "[1.50,null,true]@0+3/3"},
	    {"[\"a,\\u003d]\",[1, 2],{\"k\":[]}]", "[\"a,\\u003d]\",[1, 2],{\"k\":[]}]@0+3/3"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *pieces = cut_all(cases[i][0]);

		assert_string_equal(pieces, cases[i][1]);
	}
}

/* ["xx...",1] with no byte to spare in one piece, or one too many for it. */
static void test_piece_limit(void **state UNUSED)
{
	enum { PREDICTIONS_MAX = 131059, REST = 6 /* [ "" , 1 ] */ };

	for (size_t over = 0; over <= 1; over++) {
		auto_free char *text = text_of('x', PREDICTIONS_MAX - REST + over);
		auto_free char *list = xasprintf("[\"%s\",1]", text);
		struct contract contract = {.job_id = "j", .job_name = ""};
		struct krateo_cut cut;
		size_t pieces = 0;

		krateo_cut_init(&cut, list, strlen(list));
		for (; krateo_cut_next(&cut); pieces++) {
			auto_buf struct buf out = BUF_INIT(1 << 20);
			struct fault fault = FAULT_INIT;

			assert_int_equal(krateo_chunk_body(&contract, "p", &cut, &out, &fault), 0);
			assert_int_equal(cut.offset, pieces);
		}
		krateo_cut_done(&cut);
		assert_int_equal(pieces, 1 + over);
	}
}

static void test_value_too_long(void **state UNUSED)
{
	auto_free char *text = text_of('1', KRATEO_ARG_MAX);
	auto_free char *list = xasprintf("[1,%s,2]", text);
	struct contract contract = {.job_id = "j", .job_name = ""};
	auto_buf struct buf out = BUF_INIT(1 << 20);
	struct fault fault = FAULT_INIT;
	struct krateo_cut cut;

	krateo_cut_init(&cut, list, strlen(list));
	assert_true(krateo_cut_next(&cut));
	assert_string_equal(cut.text.data, "[1]");
	assert_true(krateo_cut_next(&cut));
	assert_int_equal(krateo_chunk_body(&contract, "p", &cut, &out, &fault), -1);
	assert_int_equal(fault.reason, REASON_ARG_TOO_LONG);
	krateo_cut_done(&cut);
}

/* Parameters of these names must not come in between. */
static void test_piece_body(void **state UNUSED)
{
	auto_json struct json *parameters =
	    json_build("{'offset': '9', 'total': '9', 'job_name': 'x', 'z': '1'}");
	struct contract contract = {.job_id = "j", .job_name = "n", .parameters = parameters};
	auto_buf struct buf out = BUF_INIT(1 << 20);
	struct fault fault = FAULT_INIT;
	struct krateo_cut cut;

	krateo_cut_init(&cut, "[0,1]", 5);
	assert_true(krateo_cut_next(&cut));
	assert_int_equal(krateo_chunk_body(&contract, "p", &cut, &out, &fault), 0);
	assert_string_equal(
	    out.data, "{\"job_name\":\"n\",\"job_uid\":\"j\",\"offset\":\"0\",\"pod_uid\":\"p\","
		      "\"predictions\":\"[0,1]\",\"total\":\"2\",\"z\":\"1\"}");
	krateo_cut_done(&cut);
}

/* ---- the notebook ---- */

static void test_info_urls(void **state UNUSED)
{
	static const char *const cases[][2] = {
	    {"http://h/compute/nb", "http://h/compute/nb/info"},
	    {"http://h/base/compute/nb", "http://h/base/compute/nb/info"},
	    {"http://h/compute/nb/upload", NULL},
	    {"http://h/compute/nb?x=1", NULL},
	    {"http://h/compute/", NULL},
	    {"http://h/compute", NULL},
	    {"http://h/store", NULL},
	    {"http://h", NULL},
	    {"/x", NULL},
	    {"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *url = krateo_info_url(cases[i][0]);

		if (cases[i][1] == NULL)
			assert_null(url);
		else
			assert_string_equal(url, cases[i][1]);
	}
}

static void test_missing_notebook(void **state UNUSED)
{
	static const struct {
		const char *body;
		int status;
		bool missing;
	} cases[] = {
	    {"{\"notebook\":\"nb\",\"code\":\"\"}", 404, true},
	    {"{\"error\":\"no such path\"}", 404, false},
	    {"<html>", 404, false},
	    {"", 404, false},
	    {"{\"notebook\":\"nb\",\"code\":\"\"}", 200, false},
	    {"{\"notebook\":\"nb\"}", 405, false},
	    {"", 500, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_reply struct http_reply reply = HTTP_REPLY_INIT;

		reply.status = cases[i].status;
		buf_adds(&reply.body, cases[i].body);
		assert_int_equal(krateo_info_missing(&reply), cases[i].missing);
	}
}

/* ---- answers ---- */

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
	    cmocka_unit_test(test_one_piece),
	    cmocka_unit_test(test_piece_limit),
	    cmocka_unit_test(test_value_too_long),
	    cmocka_unit_test(test_piece_body),
	    cmocka_unit_test(test_info_urls),
	    cmocka_unit_test(test_missing_notebook),
	    cmocka_unit_test(test_judges),
	    cmocka_unit_test(test_own_headers),
	    cmocka_unit_test(test_headers_of_contract_win),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
