#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "net/serve.h"

enum { MAX_BODY = 1000, SAFETY_MS = 20000 };

/* One server and one raw client. What the handler does with a request is said by its path. */
struct scene {
	struct loop *loop;
	struct serve *serve;
	struct serve_request *kept;
	int fd;
	struct io *io;
	struct timer *safety;
	struct buf got;
	const char *until; /* stop reading at this text; NULL: at the end of the stream */
	bool closed;
	int calls;
};

static void handle(void *arg, struct serve_request *request)
{
	struct scene *s = arg;
	const char *path = serve_path(request);
	auto_free char *text = NULL;
	size_t len;
	const char *body = serve_body(request, &len);
	const char *test = serve_header(request, "x-test");

	s->calls++;
	assert_int_equal(strlen(body), len);
	if (streq(path, "/drop")) {
		serve_drop(request);
	} else if (streq(path, "/free")) {
		serve_free(s->serve);
		s->serve = NULL;
	} else if (streq(path, "/keep")) {
		s->kept = request;
		loop_stop(s->loop);
	} else {
		static const char *const headers[] = {"X-One: 1", "X-Two:2", "nonsense", NULL};

		text = xasprintf("%s %s ?%s [%s] %zu", serve_method(request), path,
				 serve_query(request), test == NULL ? "-" : test, len);
		serve_reply(request, streq(path, "/teapot") ? 418 : 200, "text/plain", headers,
			    text, strlen(text));
	}
}

static void timed_out(void *arg UNUSED)
{
	fail_msg("nothing happened for too long");
}

static void readable(void *arg)
{
	struct scene *s = arg;
	char bytes[4096];
	ssize_t n = read(s->fd, bytes, sizeof(bytes));

	if (n > 0)
		buf_add(&s->got, bytes, (size_t)n);
	if (n <= 0) {
		s->closed = true;
		io_want(s->io, false, false);
		loop_stop(s->loop);
	} else if (s->until != NULL && strstr(s->got.data, s->until) != NULL) {
		loop_stop(s->loop);
	}
}

static void dial(struct scene *s)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)serve_port(s->serve)),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	s->io = io_new(s->loop, s->fd, readable, NULL, s);
	io_want(s->io, true, false);
	s->closed = false;
}

static void hang_up(struct scene *s)
{
	io_free(s->io);
	s->io = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct err err = ERR_INIT;

	s->loop = loop_new();
	s->got = (struct buf)BUF_INIT(1 << 20);
	s->serve = serve_new(s->loop, "127.0.0.1:0", MAX_BODY, handle, s, &err);
	assert_non_null(s->serve);
	s->safety = timer_new(s->loop, timed_out, s);
	timer_set(s->safety, SAFETY_MS);
	dial(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	hang_up(s);
	serve_free(s->serve);
	timer_free(s->safety);
	loop_free(s->loop);
	buf_done(&s->got);
	free(s);
	return 0;
}

static void say(const struct scene *s, const char *text)
{
	for (size_t at = 0, len = strlen(text); at < len;) {
		ssize_t n = write(s->fd, text + at, len - at);

		if (n < 0)
			break;
		at += (size_t)n;
	}
}

/* Send a request and collect the reply up to the given text, or to the end. */
static void ask(struct scene *s, const char *text, const char *until)
{
	buf_clear(&s->got);
	s->until = until;
	say(s, text);
	loop_run(s->loop);
}

#define assert_got(s, text) assert_non_null(strstr((s)->got.data, text))

static void body_limit(void **state)
{
	struct scene *s = *state;
	char body[MAX_BODY + 2];
	auto_free char *fits = NULL, *over = NULL;

	memset(body, 'x', sizeof(body));
	body[MAX_BODY] = '\0';
	fits = xasprintf("POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", MAX_BODY, body);
	ask(s, fits, "POST /a");
	assert_got(s, " 1000");
	body[MAX_BODY] = 'x';
	body[MAX_BODY + 1] = '\0';
	over = xasprintf("POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", MAX_BODY + 1, body);
	ask(s, over, NULL);
	assert_got(s, " 413 ");
	assert_int_equal(s->calls, 1);
}

static void body_limit_of_chunks(void **state)
{
	struct scene *s = *state;
	auto_buf struct buf text = BUF_INIT(1 << 16);

	buf_adds(&text, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < MAX_BODY / 10 + 1; i++)
		buf_adds(&text, "a\r\n0123456789\r\n");
	buf_adds(&text, "0\r\n\r\n");
	ask(s, text.data, NULL);
	assert_got(s, " 413 ");
	assert_int_equal(s->calls, 0);
}

static void headers_over_the_limit(void **state)
{
	struct scene *s = *state;
	auto_buf struct buf text = BUF_INIT(1 << 20);

	buf_adds(&text, "GET /a HTTP/1.1\r\n");
	for (int i = 0; i < 70; i++)
		buf_addf(&text, "X-%d: %01000d\r\n", i, 0);
	buf_adds(&text, "\r\n");
	ask(s, text.data, NULL);
	assert_int_equal(s->calls, 0);
	assert_true(s->closed);
}

static void refuses_bad_requests(void **state)
{
	static const struct {
		const char *request, *status;
	} table[] = {
	    {"GET /a%00b HTTP/1.1\r\nConnection: close\r\n\r\n", " 400 "},
	    {"BREW /a HTTP/1.1\r\nConnection: close\r\n\r\n", " 501 "},
	    {"TRACE /a HTTP/1.1\r\nConnection: close\r\n\r\n", " 501 "},
	    {"nonsense\r\n\r\n", ""},
	    {"POST /a HTTP/1.1\r\nContent-Length: -5\r\n\r\n", ""},
	    {"POST /a HTTP/1.1\r\nContent-Length: x\r\n\r\n", ""},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		hang_up(s);
		dial(s);
		ask(s, table[i].request, NULL);
		assert_got(s, table[i].status);
	}
	assert_int_equal(s->calls, 0);
}

static void drop_closes_without_an_answer(void **state)
{
	struct scene *s = *state;

	ask(s, "GET /drop HTTP/1.1\r\n\r\n", NULL);
	assert_true(s->closed);
	assert_int_equal(s->got.len, 0);
}

static void handler_may_free_the_server(void **state)
{
	struct scene *s = *state;

	ask(s, "GET /free HTTP/1.1\r\n\r\n", NULL);
	assert_true(s->closed);
	assert_null(s->serve);
}

static void free_with_a_request_unanswered(void **state)
{
	struct scene *s = *state;

	ask(s, "GET /keep HTTP/1.1\r\n\r\n", NULL);
	assert_non_null(s->kept);
	serve_free(s->serve);
	s->serve = NULL;
	loop_run(s->loop);
	assert_true(s->closed);
}

static void stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

static void free_with_half_a_request(void **state)
{
	struct scene *s = *state;

	ask(s, "GET /a HTTP/1.1\r\n\r\n", "GET /a");
	loop_defer(s->loop, stop, s);
	ask(s, "POST /b HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf", NULL);
	serve_free(s->serve);
	s->serve = NULL;
	loop_run(s->loop);
	assert_true(s->closed);
	assert_int_equal(s->calls, 1);
}

static void answer_to_a_client_that_has_gone(void **state)
{
	struct scene *s = *state;
	struct linger reset = {.l_onoff = 1};

	for (int i = 0; i < 3; i++) {
		ask(s, "GET /keep HTTP/1.1\r\n\r\n", NULL);
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		hang_up(s);
		timer_set(s->safety, SAFETY_MS);
		loop_defer(s->loop, stop, s);
		loop_run(s->loop);
		if (i == 0)
			serve_drop(s->kept);
		else
			serve_reply(s->kept, 200, "text/plain", NULL, "late", 4);
		dial(s);
		ask(s, "GET /a HTTP/1.1\r\n\r\n", "GET /a");
		hang_up(s);
		dial(s);
	}
}

static void accept_waits_for_a_free_descriptor(void **state)
{
	struct scene *s = *state;
	struct rlimit old, low;
	struct timer *timer;

	ask(s, "GET /a HTTP/1.1\r\n\r\n", "GET /a");
	hang_up(s);
	dial(s);
	timer = timer_new(s->loop, stop, s);
	timer_set(timer, 50);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	loop_run(s->loop);
	setrlimit(RLIMIT_NOFILE, &old);
	timer_free(timer);
	ask(s, "GET /b HTTP/1.1\r\n\r\n", "GET /b");
}

static void addresses(void **state)
{
	static const struct {
		const char *address;
		enum err_kind kind;
	} table[] = {
	    {"", ERR_INVALID},
	    {"8080", ERR_INVALID},
	    {"127.0.0.1", ERR_INVALID},
	    {"127.0.0.1:", ERR_INVALID},
	    {"127.0.0.1:-1", ERR_INVALID},
	    {"127.0.0.1:65536", ERR_INVALID},
	    {"127.0.0.1:99999999999999999999", ERR_INVALID},
	    {"127.0.0.1:http", ERR_INVALID},
	    {"127.0.0.1:80x", ERR_INVALID},
	    {"192.0.2.1:0", ERR_RETRY}, /* RFC 5737: nobody's */
	    {"127.0.0.1:0", ERR_NONE},
	    {":0", ERR_NONE},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = ERR_INIT;
		struct serve *serve = serve_new(s->loop, table[i].address, 0, handle, s, &err);

		assert_int_equal(err.kind, table[i].kind);
		assert_true((serve == NULL) == (table[i].kind != ERR_NONE));
		assert_true(serve == NULL || serve_port(serve) > 0);
		serve_free(serve);
	}
}

static void port_in_use(void **state)
{
	struct scene *s = *state;
	auto_free char *address = xasprintf("127.0.0.1:%d", serve_port(s->serve));
	struct err err = ERR_INIT;

	assert_null(serve_new(s->loop, address, 0, handle, s, &err));
	assert_non_null(strstr(err.msg, "in use"));
	assert_non_null(strstr(err.msg, address));
}

static void all_addresses_take_ipv4(void **state)
{
	struct scene *s = *state;
	struct err err = ERR_INIT;

	serve_free(s->serve);
	s->serve = serve_new(s->loop, ":0", MAX_BODY, handle, s, &err);
	assert_non_null(s->serve);
	hang_up(s);
	dial(s);
	ask(s, "GET /a HTTP/1.1\r\n\r\n", "GET /a");
}

static void one_connection_carries_many(void **state)
{
	struct scene *s = *state;

	ask(s,
	    "PATCH /a%20b/%C3%BC?q=%20x&y HTTP/1.1\r\nX-Test: yes\r\nContent-Length: 3\r\n\r\nabc",
	    "PATCH");
	assert_got(s, "HTTP/1.1 200 OK\r\n");
	assert_got(s, "Content-Type: text/plain\r\n");
	assert_got(s, "X-One: 1\r\n");
	assert_got(s, "X-Two: 2\r\n");
	assert_got(s, "PATCH /a b/\xC3\xBC ?q=%20x&y [yes] 3");
	ask(s, "DELETE /teapot HTTP/1.1\r\n\r\n", "DELETE");
	assert_got(s, "HTTP/1.1 418 ");
	assert_got(s, "DELETE /teapot ? [-] 0");
	ask(s, "HEAD /a HTTP/1.1\r\n\r\n", "\r\n\r\n");
	assert_got(s, "Content-Length: 15\r\n");
	assert_null(strstr(s->got.data, "HEAD"));
	ask(s, "GET /b HTTP/1.1\r\nConnection: close\r\n\r\n", NULL);
	assert_got(s, "GET /b");
	assert_int_equal(s->calls, 4);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(body_limit),
	    scene_test(body_limit_of_chunks),
	    scene_test(headers_over_the_limit),
	    scene_test(refuses_bad_requests),
	    scene_test(drop_closes_without_an_answer),
	    scene_test(handler_may_free_the_server),
	    scene_test(free_with_a_request_unanswered),
	    scene_test(free_with_half_a_request),
	    scene_test(answer_to_a_client_that_has_gone),
	    scene_test(accept_waits_for_a_free_descriptor),
	    scene_test(addresses),
	    scene_test(port_in_use),
	    scene_test(all_addresses_take_ipv4),
	    scene_test(one_connection_carries_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
