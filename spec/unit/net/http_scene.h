/*
 * http_scene.h - the client and our own server on one loop, for http_serve_test.c and
 * http_stream_test.c. http_test.c: against a peer that misbehaves.
 */
#ifndef SPEC_HTTP_SCENE_H
#define SPEC_HTTP_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "net/http.h"
#include "net/serve.h"

enum { SAFETY_MS = 30000, MAX_BODY = 4 << 20 };

struct scene {
	struct loop *loop;
	struct http *http;
	struct serve *serve;
	struct timer *safety;
	const char *const *headers; /* of the answer */
	const char *text;           /* the answer; NULL: what was asked */
	size_t len;
	int answer_status;

	struct http_request spec;
	char *url;
	struct http_call *call;
	int calls, status, chunks;
	int64_t retry_after_ms;
	struct buf body, streamed;
	char type[100];
	struct err err;
};

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

/* Answers with the text of the scene, or with what it has received. */
static void handle(void *arg, struct serve_request *request)
{
	struct scene *s = arg;
	size_t len;
	const char *body = serve_body(request, &len);
	auto_free char *echo = NULL;

	if (s->text != NULL) {
		serve_reply(request, s->answer_status, "text/plain", s->headers, s->text, s->len);
		return;
	}
	echo = xasprintf("%s %s?%s host=%s len=%s type=%s expect=%s x=%s agent=%s body=%zu:%.20s",
			 serve_method(request), serve_path(request), serve_query(request),
			 or_dash(serve_header(request, "Host")),
			 or_dash(serve_header(request, "Content-Length")),
			 or_dash(serve_header(request, "Content-Type")),
			 or_dash(serve_header(request, "Expect")),
			 or_dash(serve_header(request, "X-Test")),
			 or_dash(serve_header(request, "Accept-Encoding")), len, body);
	serve_reply(request, s->answer_status, "text/plain; charset=utf-8", s->headers, echo,
		    strlen(echo));
}

static void timed_out(void *arg UNUSED)
{
	fail_msg("nothing happened for too long");
}

static UNUSED int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct err err = ERR_INIT;

	s->loop = loop_new();
	s->http = http_new(s->loop);
	s->serve = serve_new(s->loop, "127.0.0.1:0", MAX_BODY, handle, s, &err);
	assert_non_null(s->serve);
	s->safety = timer_new(s->loop, timed_out, s);
	timer_set(s->safety, SAFETY_MS);
	s->body = (struct buf)BUF_INIT(16 << 20);
	s->streamed = (struct buf)BUF_INIT(16 << 20);
	s->url = xasprintf("http://127.0.0.1:%d/a", serve_port(s->serve));
	s->spec = (struct http_request){.method = "GET", .url = s->url, .max_reply = 1000};
	s->answer_status = 200;
	*state = s;
	return 0;
}

static UNUSED int teardown(void **state)
{
	struct scene *s = *state;

	http_free(s->http);
	serve_free(s->serve);
	timer_free(s->safety);
	loop_free(s->loop);
	buf_done(&s->body);
	buf_done(&s->streamed);
	free(s->url);
	free(s);
	return 0;
}

static void done(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct scene *s = arg;

	s->calls++;
	buf_clear(&s->body);
	if (err != NULL) {
		s->err = *err;
	} else {
		s->status = reply->status;
		s->retry_after_ms = reply->retry_after_ms;
		snprintf(s->type, sizeof(s->type), "%s", reply->content_type);
		buf_add(&s->body, reply->body, reply->len);
		assert_int_equal(reply->body[reply->len], '\0');
	}
	loop_stop(s->loop);
}

static UNUSED void never(void *arg UNUSED, const struct http_reply *reply UNUSED,
			 const struct err *err UNUSED)
{
	fail_msg("called after it was cancelled");
}

static UNUSED void run(struct scene *s)
{
	int before = s->calls;

	s->err = (struct err)ERR_INIT;
	s->status = 0;
	s->call = http_start(s->http, &s->spec, done, s);
	loop_run(s->loop);
	assert_int_equal(s->calls, before + 1);
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static UNUSED void settle(struct scene *s)
{
	struct timer *timer = timer_new(s->loop, stop, s->loop);

	timer_set(timer, 30);
	loop_run(s->loop);
	timer_free(timer);
}

static UNUSED void answer(struct scene *s, int status, const char *text, size_t len,
			  const char *const *headers)
{
	s->answer_status = status;
	s->text = text;
	s->len = len;
	s->headers = headers;
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
