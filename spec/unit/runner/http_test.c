#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/http.h"
#include "spec/unit/runner/scripted.h"

struct result {
	int rc, tries;
	struct err err;
	int status;
	bool sent, interrupted;
};

/* One call against a server that gives these answers, with a reply of at most max bytes. */
static struct result call(const char *const *answers, bool once, size_t max)
{
	struct scripted s = {.count = 0};
	auto_free char *url = NULL;
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct result result = {.err = ERR_INIT};
	struct http_request request = {.method = "POST", .body = "{}", .body_len = 2, .once = once};

	reply.body.max = max;

	s.routes[0].path = "/x";
	for (int i = 0; i < SCRIPT_ANSWERS && answers[i] != NULL; i++)
		s.routes[0].answers[i] = answers[i];
	scripted_start(&s);
	url = xasprintf("http://user:hunter2@127.0.0.1:%d/x?sig=hunter2", s.port);
	request.url = url;
	result.rc = http_call(&request, &reply, &result.err);
	scripted_stop(&s);
	result.tries = s.count;
	result.status = reply.status;
	result.sent = reply.sent;
	result.interrupted = reply.interrupted;
	if (strstr(result.err.msg, "hunter2") != NULL)
		fail_msg("a secret shows: %s", result.err.msg);
	scripted_done(&s);
	return result;
}

static void test_reply_limit(void **state UNUSED)
{
	static const char *const answers[] = {OK("0123456789"), NULL};
	struct result fits = call(answers, false, 10), over = call(answers, false, 9);

	assert_int_equal(fits.rc, 0);
	assert_int_equal(over.rc, -1);
	assert_int_equal(over.err.kind, ERR_LIMIT);
	assert_int_equal(over.tries, 1);
	assert_non_null(strstr(over.err.msg, "at most 9 bytes"));
}

/* The header of a reply has a limit, too; libcurl has one of its own for a line. */
static void test_header_limit(void **state UNUSED)
{
	static const size_t lengths[] = {HTTP_HEADER_MAX, 4 * HTTP_HEADER_MAX};

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		auto_free char *text =
		    xasprintf("HTTP/1.1 200 OK\r\nX-A: %0*d\r\n\r\n", (int)lengths[i], 0);
		const char *const answers[] = {text, NULL};
		struct result over = call(answers, false, 10);

		assert_int_equal(over.rc, -1);
		assert_int_equal(over.err.kind, ERR_LIMIT);
		assert_int_equal(over.tries, 1);
		assert_non_null(strstr(over.err.msg, "a header of at most 65536 bytes"));
	}
}

static void test_reply_headers(void **state UNUSED)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
	    {"etag", "\"a b\""}, {"ETag", "\"a b\""}, {"X", ""}, {"x-a", "1: 2"}, {"eta", NULL},
	};
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;

	buf_adds(&reply.headers, "HTTP/1.1 200 OK\r\nETag: \t\"a b\" \r\nX:\r\nX-A:1: 2\r\n\r\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *value = http_reply_header(&reply, cases[i].name);

		if (cases[i].value == NULL)
			assert_null(value);
		else
			assert_string_equal(value, cases[i].value);
	}
}

/* The last try is the fifth, and a passing status is the caller's when no try is left. */
static void test_tries(void **state UNUSED)
{
	static const char *const four[] = {
	    SCRIPT_RESET, SCRIPT_CLOSE, ANSWER("503 x", "", ""), ANSWER("429 x", "", ""),
	    OK("good"),   NULL};
	static const char *const five[] = {
	    SCRIPT_RESET, SCRIPT_RESET, SCRIPT_RESET, SCRIPT_RESET, ANSWER("502 x", "", ""),
	    OK("late"),   NULL};
	struct result passed = call(four, false, 100), failed = call(five, false, 100);

	assert_int_equal(passed.rc, 0);
	assert_int_equal(passed.status, 200);
	assert_int_equal(passed.tries, HTTP_TRIES);
	assert_int_equal(failed.rc, 0);
	assert_int_equal(failed.status, 502);
	assert_int_equal(failed.tries, HTTP_TRIES);
}

static void test_not_tried_again(void **state UNUSED)
{
	static const char *const statuses[] = {"400 x", "404 x", "408 x",
					       "500 x", "501 x", "302 x"};

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		auto_free char *text =
		    xasprintf("HTTP/1.1 %s\r\nConnection: close\r\n\r\n", statuses[i]);
		const char *const answers[] = {text, OK("x"), NULL};
		struct result result = call(answers, false, 100);

		assert_int_equal(result.rc, 0);
		assert_int_equal(result.tries, 1);
		assert_int_equal(result.status, atoi(statuses[i]));
	}
}

static void test_once(void **state UNUSED)
{
	static const char *const faults[] = {SCRIPT_RESET, SCRIPT_CLOSE,
					     ANSWER("200 OK", "Content-Length: 5\r\n", "1234")};
	static const char *const busy[] = {ANSWER("503 x", "", ""), OK("x"), NULL};
	struct result result;

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		const char *const answers[] = {faults[i], OK("x"), NULL};

		result = call(answers, true, 100);
		assert_int_equal(result.rc, -1);
		assert_int_equal(result.tries, 1);
		assert_int_equal(result.status, 0);
		assert_true(result.sent);
	}
	result = call(busy, true, 100);
	assert_int_equal(result.status, 503);
	assert_int_equal(result.tries, 1);
}

static void test_refused_was_not_sent(void **state UNUSED)
{
	int port, fd = scripted_socket(&port);
	auto_free char *url = xasprintf("http://127.0.0.1:%d/x", port);
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct http_request request = {.method = "POST", .url = url, .body = "{}", .once = true};
	struct err err = ERR_INIT;

	assert_int_equal(http_call(&request, &reply, &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_false(reply.sent);
	close(fd);
}

static void test_proxy(void **state UNUSED)
{
	struct scripted s = {
	    .routes = {{.path = "http://model.invalid/x", .answers = {OK("via")}}}};
	struct http_peer peer = {.proxy = NULL};
	struct http_request request = {
	    .method = "GET", .url = "http://model.invalid/x", .peer = &peer};
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct err err = ERR_INIT;

	scripted_start(&s);
	peer.proxy = xasprintf("http://127.0.0.1:%d", s.port);
	assert_int_equal(http_call(&request, &reply, &err), 0);
	assert_string_equal(reply.body.data, "via");
	scripted_stop(&s);
	scripted_done(&s);
	free(peer.proxy);
}

static void test_bad_proxy(void **state UNUSED)
{
	static char with_slash[] = "http://u:s3cret/@p", of_no_scheme[] = "foo://u:s3cret@p",
		    with_blank[] = "u:s3cret @p";
	static char *const proxies[] = {with_slash, of_no_scheme, with_blank};

	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		struct http_peer peer = {.proxy = proxies[i]};
		struct http_request request = {
		    .method = "GET", .url = "http://h", .peer = &peer, .single = true};
		auto_reply struct http_reply reply = HTTP_REPLY_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(http_call(&request, &reply, &err), -1);
		if (strstr(err.msg, "GET http://h: ") == NULL || strstr(err.msg, "s3cret") != NULL)
			fail_msg("%s", err.msg);
	}
}

static void test_stop(void **state UNUSED)
{
	static const char *const answers[] = {ANSWER("503 x", "Retry-After: 3600\r\n", ""), NULL};
	struct result result;

	http_stop = 1;
	result = call(answers, false, 100);
	http_stop = 0;
	assert_int_equal(result.rc, -1);
	assert_true(result.interrupted);
}

static void test_setup(void **state UNUSED)
{
	struct err err = ERR_INIT;

	setenv("KSERVE_CALL_TIMEOUT", "soon", 1);
	assert_int_equal(http_setup(&err), -1);
	assert_non_null(strstr(err.msg, "KSERVE_CALL_TIMEOUT"));
	setenv("KSERVE_CALL_TIMEOUT", "10s", 1);
	setenv("KSERVE_RETRY_DELAY", "1ms", 1);
	assert_int_equal(http_setup(&err), 0);
}

static void test_urls(void **state UNUSED)
{
	static const struct {
		const char *url, *safe;
		bool good;
	} cases[] = {
	    {"http://h", "http://h", true},
	    {"HTTPS://h:1/a?b#c", "HTTPS://h:1/a", true},
	    {"http://u:p@h/a@b", "http://h/a@b", true},
	    {"http://u:p@@h/", "http://h/", false},
	    {"http://[::1]:80/x", "http://[::1]:80/x", true},
	    {"http://h?a@b", "http://h", true},
	    {"ftp://u:p@h/", "ftp://h/", false},
	    {"file:///etc/passwd", "file:///etc/passwd", false},
	    {"h/x", "h/x", false},
	    {"http://h:99999/", "http://h:99999/", false},
	    {"http://a b/", "http://a b/", false},
	    {"", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *safe = http_url_safe(cases[i].url);
		struct err err = ERR_INIT;

		assert_string_equal(safe, cases[i].safe);
		if (cases[i].good != (http_url_check(cases[i].url, &err) == 0))
			fail_msg("%s: %s", cases[i].url, err.msg);
	}
}

static void test_header_lines(void **state UNUSED)
{
	static const struct {
		const char *name, *value;
		bool valid;
	} cases[] = {
	    {"", "x", false},         {"a b", "x", false},     {"a:", "x", false},
	    {"\xC3\xA9", "x", false}, {"a\r", "x", false},     {"a", "x\ny", false},
	    {"a", "x\ry", false},     {"a", "\x7f", false},    {"A-1_~!", "a\tb", true},
	    {"a", "", true},          {"a", "\xC3\xA9", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(http_header_valid(cases[i].name, cases[i].value), cases[i].valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_setup), /* first: it makes the waits short */
	    cmocka_unit_test(test_reply_limit),
	    cmocka_unit_test(test_header_limit),
	    cmocka_unit_test(test_reply_headers),
	    cmocka_unit_test(test_tries),
	    cmocka_unit_test(test_not_tried_again),
	    cmocka_unit_test(test_once),
	    cmocka_unit_test(test_refused_was_not_sent),
	    cmocka_unit_test(test_proxy),
	    cmocka_unit_test(test_bad_proxy),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_header_lines),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
