/* http_stream_test.c - replies that are read piece by piece, and calls beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/http_multi.h"
#include "runner/http_stream.h"
#include "spec/unit/runner/scripted.h"

enum { LONG = 3 << 20 };

struct world {
	struct scripted server;
	char *url;
	struct http_request request;
	struct http_reply reply;
	struct err err;
	struct buf bytes;
	int reads;
};

static void begin(struct world *w, const char *const *answers)
{
	*w = (struct world){.reply = HTTP_REPLY_INIT, .bytes = BUF_INIT(2 * LONG)};
	w->server.routes[0].path = "/x";
	for (int i = 0; i < SCRIPT_ANSWERS && answers[i] != NULL; i++)
		w->server.routes[0].answers[i] = answers[i];
	scripted_start(&w->server);
	w->url = xasprintf("http://127.0.0.1:%d/x", w->server.port);
	w->request = (struct http_request){.method = "GET", .url = w->url};
}

static void end(struct world *w)
{
	scripted_stop(&w->server);
	scripted_done(&w->server);
	http_reply_done(&w->reply);
	buf_done(&w->bytes);
	free(w->url);
}

/* Open the stream and read to its end; -1 if one of the two fails. */
static int read_all(struct world *w)
{
	struct http_stream *stream = http_stream_open(&w->request, &w->reply, &w->err);
	size_t before;
	int rc;

	if (stream == NULL)
		return -1;
	do {
		before = w->bytes.len;
		rc = http_stream_read(stream, &w->bytes, &w->err);
		w->reads++;
	} while (rc == 0 && w->bytes.len > before);
	http_stream_close(stream);
	return rc;
}

static char *long_answer(size_t announced)
{
	char *text = xasprintf("HTTP/1.1 200 OK\r\nETag: e\r\nContent-Length: %zu\r\n\r\n%*s",
			       announced, LONG, "");

	for (char *p = strstr(text, "\r\n\r\n") + 4; *p != '\0'; p++)
		*p = 'a' + (p - text) % 26;
	return text;
}

static void test_broken(void **state UNUSED)
{
	auto_free char *text = long_answer(LONG + 1);
	const char *const answers[] = {text, OK("x"), NULL};
	struct world w;

	begin(&w, answers);
	assert_int_equal(read_all(&w), -1);
	assert_int_equal(w.err.kind, ERR_RETRY);
	assert_int_equal(w.bytes.len, LONG);
	assert_int_equal(w.server.count, 1);
	end(&w);
}

static void test_no_answer(void **state UNUSED)
{
	static const char *const resets[] = {SCRIPT_RESET, NULL}, *const hang[] = {SCRIPT_HANG,
										   NULL};
	struct world w;

	begin(&w, resets);
	assert_int_equal(read_all(&w), -1);
	assert_int_equal(w.err.kind, ERR_RETRY);
	assert_int_equal(w.server.count, HTTP_TRIES);
	end(&w);
	begin(&w, hang);
	w.request.timeout_ms = 1;
	assert_int_equal(read_all(&w), -1);
	assert_int_equal(w.err.kind, ERR_RETRY);
	end(&w);
}

static void test_silence(void **state UNUSED)
{
	static const char *const answers[] = {
	    SCRIPT_STALL ANSWER("200 OK", "Content-Length: 9\r\n", "half"), NULL};
	struct world w;

	begin(&w, answers);
	w.request.timeout_ms = 1000;
	assert_int_equal(read_all(&w), -1);
	assert_int_equal(w.err.kind, ERR_RETRY);
	assert_string_equal(w.bytes.data, "half");
	end(&w);
}

static void test_status(void **state UNUSED)
{
	static const char *const answers[] = {ANSWER("404 Not Found", "X-A: b\r\n", "no such key"),
					      NULL};
	static const char *const busy[] = {ANSWER("503 x", "", "wait"), OK("good"), NULL};
	auto_free char *header = NULL;
	struct world w;

	begin(&w, answers);
	assert_int_equal(read_all(&w), 0);
	assert_int_equal(w.reply.status, 404);
	assert_string_equal(w.reply.body.data, "no such key");
	assert_int_equal(w.bytes.len, 0);
	header = http_reply_header(&w.reply, "x-a");
	assert_string_equal(header, "b");
	end(&w);
	begin(&w, busy);
	assert_int_equal(read_all(&w), 0);
	assert_string_equal(w.bytes.data, "good");
	assert_int_equal(w.reply.body.len, 0);
	end(&w);
}

static void test_long(void **state UNUSED)
{
	auto_free char *text = long_answer(LONG);
	const char *const answers[] = {text, NULL};
	struct world w;

	begin(&w, answers);
	assert_int_equal(read_all(&w), 0);
	assert_int_equal(w.bytes.len, LONG);
	assert_string_equal(w.bytes.data, strstr(text, "\r\n\r\n") + 4);
	assert_true(w.reads > LONG / (2 * STREAM_HELD));
	end(&w);
}

static void test_empty(void **state UNUSED)
{
	static const char *const answers[] = {OK(""), NULL};
	struct world w;

	begin(&w, answers);
	assert_int_equal(read_all(&w), 0);
	assert_int_equal(w.reply.status, 200);
	assert_int_equal(w.bytes.len, 0);
	end(&w);
}

/* ---- several at once ---- */

static void test_multi(void **state UNUSED)
{
	static const char *const answers[] = {OK("1"), SCRIPT_RESET, ANSWER("503 x", "", ""),
					      OK("4"), NULL};
	struct http_multi *multi = http_multi_new();
	struct http_reply replies[4];
	int good = 0, retries = 0;
	struct world w;
	bool again;
	int rc;

	begin(&w, answers);
	assert_null(http_multi_wait(multi, 1, &rc, &again, &w.err));
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		replies[i] = (struct http_reply)HTTP_REPLY_INIT;
		http_multi_add(multi, &w.request, &replies[i], &replies[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		struct http_reply *reply = http_multi_wait(multi, 60000, &rc, &again, &w.err);

		assert_non_null(reply);
		good += rc == 0 && reply->status == 200 && reply->body.len == 1;
		retries += again;
		http_reply_done(reply);
	}
	assert_int_equal(good, 2);
	assert_int_equal(retries, 2);
	http_multi_free(multi);
	end(&w);
}

/* Calls that are under way do not outlive it. */
static void test_multi_free(void **state UNUSED)
{
	static const char *const answers[] = {SCRIPT_HANG, NULL};
	struct http_multi *multi = http_multi_new();
	struct world w;
	bool again;
	int rc;

	begin(&w, answers);
	http_multi_add(multi, &w.request, &w.reply, &w);
	assert_null(http_multi_wait(multi, 1, &rc, &again, &w.err));
	http_multi_free(multi);
	end(&w);
}

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;

	setenv("KSERVE_RETRY_DELAY", "1ms", 1);
	return http_setup(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_broken),  cmocka_unit_test(test_no_answer),
	    cmocka_unit_test(test_silence), cmocka_unit_test(test_status),
	    cmocka_unit_test(test_long),    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_multi),   cmocka_unit_test(test_multi_free),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
