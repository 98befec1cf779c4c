#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "net/http.h"

/* Against a peer that misbehaves. http_serve_test.c: against a good one. */

enum { SAFETY_MS = 30000, PEER_CONNECTIONS = 16 };

enum then { KEEP, CLOSE, RESET };

struct line {
	struct scene *scene;
	struct io *io;
	int fd;
};

/* A client, and a raw server that answers each request with the same bytes and then does
 * something to the connection. */
struct scene {
	struct loop *loop;
	struct http *http;
	struct timer *safety, *timer;
	int listen_fd;
	struct io *listener;
	struct line lines[PEER_CONNECTIONS];
	size_t accepted;
	const char *answer;
	size_t answer_len;
	enum then then;
	struct buf request; /* the last one */
	char *url;

	struct http_request spec;
	struct http_call *call;
	int calls, status;
	struct buf body;
	struct err err;
};

/* ---- the peer ---- */

static void line_readable(void *arg)
{
	struct line *line = arg;
	struct scene *s = line->scene;
	struct linger reset = {.l_onoff = 1};
	char bytes[4096];
	ssize_t n = read(line->fd, bytes, sizeof(bytes));

	if (n <= 0) {
		io_want(line->io, false, false);
		return;
	}
	buf_clear(&s->request);
	buf_add(&s->request, bytes, (size_t)n);
	for (size_t at = 0; at < s->answer_len; at += (size_t)n) {
		n = write(line->fd, s->answer + at, s->answer_len - at);
		if (n < 0)
			break; /* the client has hung up */
	}
	if (s->then == KEEP)
		return;
	if (s->then == RESET)
		setsockopt(line->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	io_free(line->io);
	line->io = NULL;
	close(line->fd);
	line->fd = -1;
}

static void listener_readable(void *arg)
{
	struct scene *s = arg;
	struct line *line = &s->lines[s->accepted];

	assert_true(s->accepted < PEER_CONNECTIONS);
	s->accepted++;
	line->scene = s;
	line->fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(line->fd >= 0);
	line->io = io_new(s->loop, line->fd, line_readable, NULL, line);
	io_want(line->io, true, false);
}

static void answer(struct scene *s, const char *bytes, enum then then)
{
	s->answer = bytes;
	s->answer_len = strlen(bytes);
	s->then = then;
}

static int listen_anywhere(struct scene *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);

	s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listen_fd, (struct sockaddr *)&at, len) < 0 || listen(s->listen_fd, 16) < 0 ||
	    getsockname(s->listen_fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	s->listener = io_new(s->loop, s->listen_fd, listener_readable, NULL, s);
	io_want(s->listener, true, false);
	return ntohs(at.sin_port);
}

/* ---- the scene ---- */

static void timed_out(void *arg UNUSED)
{
	fail_msg("nothing happened for too long");
}

static void stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->http = http_new(s->loop);
	s->safety = timer_new(s->loop, timed_out, s);
	s->timer = timer_new(s->loop, stop, s);
	timer_set(s->safety, SAFETY_MS);
	s->request = (struct buf)BUF_INIT(1 << 20);
	s->body = (struct buf)BUF_INIT(1 << 20);
	s->url =
	    xasprintf("http://user:hunter2@127.0.0.1:%d/path?token=hunter2", listen_anywhere(s));
	s->spec = (struct http_request){.method = "GET", .url = s->url, .max_reply = 1000};
	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", KEEP);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	http_free(s->http);
	io_free(s->listener);
	close(s->listen_fd);
	for (size_t i = 0; i < s->accepted; i++) {
		io_free(s->lines[i].io);
		if (s->lines[i].fd >= 0)
			close(s->lines[i].fd);
	}
	timer_free(s->safety);
	timer_free(s->timer);
	loop_free(s->loop);
	buf_done(&s->request);
	buf_done(&s->body);
	free(s->url);
	free(s);
	return 0;
}

static void done(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct scene *s = arg;

	assert_true((reply == NULL) != (err == NULL));
	s->calls++;
	s->call = NULL;
	if (err != NULL) {
		s->err = *err;
		assert_int_equal(err->status, 0);
	} else if (reply != NULL) {
		s->status = reply->status;
		assert_int_equal(reply->body[reply->len], '\0');
		buf_clear(&s->body);
		buf_add(&s->body, reply->body, reply->len);
	}
	loop_stop(s->loop);
}

static void never(void *arg UNUSED, const struct http_reply *reply UNUSED,
		  const struct err *err UNUSED)
{
	fail_msg("called after it was cancelled");
}

static void run(struct scene *s)
{
	int before = s->calls;

	s->err = (struct err)ERR_INIT;
	s->status = 0;
	s->call = http_start(s->http, &s->spec, done, s);
	assert_int_equal(s->calls, before);
	loop_run(s->loop);
	assert_int_equal(s->calls, before + 1);
}

/* The loop goes on for a few turns. */
static void settle(struct scene *s)
{
	timer_set(s->timer, 30);
	loop_run(s->loop);
}

static void assert_failed(const struct scene *s, enum err_kind kind, const char *text)
{
	assert_int_equal(s->err.kind, kind);
	if (strstr(s->err.msg, text) == NULL)
		fail_msg("expected \"%s\", found \"%s\"", text, s->err.msg);
	assert_non_null(strstr(s->err.msg, "GET http://127.0.0.1:"));
	assert_null(strstr(s->err.msg, "hunter2"));
}

/* ---- broken replies ---- */

static void broken_replies(void **state)
{
	static const struct {
		const char *bytes;
		enum then then;
	} table[] = {
	    {"", CLOSE},
	    {"", RESET},
	    {"\r\n\r\n", CLOSE},
	    {"garbage", CLOSE},
	    {"HTTP/1.1", CLOSE},
	    {"HTTP/1.1 abc\r\n\r\n", CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Le", RESET},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", RESET},
	    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", CLOSE},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", CLOSE},
	};
	struct scene *s = *state;

	s->spec.compressed = true;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		answer(s, table[i].bytes, table[i].then);
		run(s);
		assert_failed(s, ERR_RETRY, ": ");
	}
}

static void refused_connection(void **state)
{
	struct scene *s = *state;

	io_free(s->listener);
	s->listener = NULL;
	close(s->listen_fd);
	s->listen_fd = -1;
	run(s);
	assert_failed(s, ERR_RETRY, "Connection refused");
}

static void unknown_host(void **state)
{
	struct scene *s = *state;

	s->spec.url = "http://no-such-host.invalid/"; /* RFC 6761 */
	run(s);
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "GET http://no-such-host.invalid: "));
}

static void a_proxy_that_cannot_be_read_keeps_its_password(void **state)
{
	static const char *const proxies[] = {"http://u:hunter2/@p", "foo://u:hunter2@p",
					      "u:hunter2 @p"};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		http_set_proxy(s->http, proxies[i]);
		run(s);
		assert_failed(s, ERR_RETRY, ": ");
	}
}

static void silence_after_the_request(void **state)
{
	struct scene *s = *state;

	answer(s, "", KEEP);
	s->spec.timeout_ms = 50;
	run(s);
	assert_failed(s, ERR_RETRY, "timed out");
	s->spec.timeout_ms = 0;
	s->spec.begin_ms = 50;
	run(s);
	assert_failed(s, ERR_RETRY, "no reply within 50 ms");
}

static void silence_in_a_body_that_has_begun(void **state)
{
	struct scene *s = *state;

	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", KEEP);
	s->spec.begin_ms = 20;
	s->spec.timeout_ms = 100;
	run(s);
	assert_failed(s, ERR_RETRY, "timed out");
}

static void silence_of_a_peer_that_never_accepts(void **state)
{
	struct scene *s = *state;

	io_want(s->listener, false, false);
	s->spec.begin_ms = 50;
	run(s);
	assert_failed(s, ERR_RETRY, "no reply within 50 ms");
}

static void trickle(void *arg)
{
	struct scene *s = arg;

	if (s->accepted > 0)
		assert_int_equal(write(s->lines[0].fd, "x", 1), 1);
	timer_set(s->timer, 20);
}

static void a_trickle_is_not_silence_but_has_a_timeout(void **state)
{
	struct scene *s = *state;

	timer_free(s->timer);
	s->timer = timer_new(s->loop, trickle, s);
	timer_set(s->timer, 20);
	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", KEEP);
	s->spec.timeout_ms = 300;
	run(s);
	assert_failed(s, ERR_RETRY, "timed out");
}

static void header_limit(void **state)
{
	struct scene *s = *state;
	auto_buf struct buf text = BUF_INIT(1 << 20);

	buf_adds(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
	while (text.len + 1000 < 256 << 10)
		buf_addf(&text, "X: %0995d\r\n", 0);
	buf_addf(&text, "X: %0*d\r\n", (int)((256 << 10) - text.len - 7), 0);
	buf_adds(&text, "\r\n");
	assert_int_equal(text.len, 256 << 10);
	answer(s, text.data, CLOSE);
	run(s);
	assert_int_equal(s->err.kind, ERR_NONE);
	text.len -= 4;
	buf_adds(&text, "y\r\n\r\n");
	answer(s, text.data, CLOSE);
	run(s);
	assert_failed(s, ERR_LIMIT, "headers");
}

static void one_connection_serves_many_and_not_after_new_settings(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 3; i++)
		run(s);
	assert_int_equal(s->accepted, 1);
	http_set_tls(s->http, &(struct http_tls){.insecure = true});
	run(s);
	assert_int_equal(s->accepted, 2);
	run(s);
	assert_int_equal(s->accepted, 2);
}

static void a_kept_connection_that_the_peer_closed_is_replaced(void **state)
{
	struct scene *s = *state;

	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CLOSE);
	for (int i = 0; i < 3; i++) {
		run(s);
		assert_int_equal(s->status, 200);
		settle(s);
	}
	assert_int_equal(s->accepted, 3);
}

static void calls_in_flight_go_on_with_old_settings(void **state)
{
	struct scene *s = *state;

	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", KEEP);
	s->call = http_start(s->http, &s->spec, done, s);
	while (s->request.len == 0)
		settle(s);
	for (int i = 0; i < 3; i++)
		http_set_tls(s->http, &(struct http_tls){0});
	settle(s);
	assert_int_equal(write(s->lines[0].fd, "k", 1), 1);
	loop_run(s->loop);
	assert_string_equal(s->body.data, "ok");
}

/* The trap of several libcurl releases in event mode: 100% of a core while nothing happens. */
static void idle_client_uses_no_cpu(void **state)
{
	struct scene *s = *state;
	struct rusage before, after;
	int64_t used_us;

	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CLOSE);
	run(s);
	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", KEEP);
	run(s);
	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", KEEP);
	s->call = http_start(s->http, &s->spec, never, s); /* as a quiet watch */
	settle(s);
	getrusage(RUSAGE_SELF, &before);
	timer_set(s->timer, 1000);
	loop_run(s->loop);
	getrusage(RUSAGE_SELF, &after);
	used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
		  after.ru_utime.tv_usec - before.ru_utime.tv_usec;
	assert_true(used_us < 200000); /* a spin would use a million */
}

/* ---- cancelling and freeing ---- */

static void cancel_at_once(void **state)
{
	struct scene *s = *state;

	http_cancel(http_start(s->http, &s->spec, never, s));
	settle(s);
	assert_int_equal(s->accepted, 0);
}

static void cancel_in_flight(void **state)
{
	struct scene *s = *state;

	answer(s, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", KEEP);
	s->spec.begin_ms = 60;
	s->call = http_start(s->http, &s->spec, never, s);
	while (s->request.len == 0)
		settle(s);
	http_cancel(s->call);
	timer_set(s->timer, 100);
	loop_run(s->loop);
}

static void free_with_calls_in_every_state(void **state)
{
	struct scene *s = *state;

	answer(s, "", KEEP);
	http_start(s->http, &s->spec, never, s);
	settle(s);
	http_set_tls(s->http, &(struct http_tls){0});
	http_start(s->http, &s->spec, never, s);
	s->spec.url = "nonsense";
	http_start(s->http, &s->spec, never, s);
	http_free(s->http);
	s->http = NULL;
	settle(s);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(broken_replies),
	    scene_test(refused_connection),
	    scene_test(unknown_host),
	    scene_test(a_proxy_that_cannot_be_read_keeps_its_password),
	    scene_test(silence_after_the_request),
	    scene_test(silence_in_a_body_that_has_begun),
	    scene_test(silence_of_a_peer_that_never_accepts),
	    scene_test(a_trickle_is_not_silence_but_has_a_timeout),
	    scene_test(header_limit),
	    scene_test(one_connection_serves_many_and_not_after_new_settings),
	    scene_test(a_kept_connection_that_the_peer_closed_is_replaced),
	    scene_test(calls_in_flight_go_on_with_old_settings),
	    scene_test(idle_client_uses_no_cpu),
	    scene_test(cancel_at_once),
	    scene_test(cancel_in_flight),
	    scene_test(free_with_calls_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
