/*
 * fakeapi.h - an API server for one test: it answers each request as a function or a script says,
 * also in ways that no honest server would. On the test's own loop, with raw sockets.
 *
 *	static const struct fake_answer script[] = {
 *		{.expect = "GET /api/v1/pods?limit=500", .status = 200, .body = "..."},
 *		{.expect = "watch=true", .how = FAKE_CUT, .body = "{\"type\":..."},
 *	};
 *	struct fake *fake = fake_new(script, ARRAY_LEN(script));
 *
 *	watch_start(fake->loop, fake->client, ...);
 *	fake_run(fake);  until a callback of the test calls loop_stop(fake->loop)
 */
#ifndef FAKEAPI_H
#define FAKEAPI_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "kube/client.h"
#include "net/loop.h"

enum fake_how {
	FAKE_REPLY,  /* with Content-Length */
	FAKE_STREAM, /* chunked, with its end */
	FAKE_HOLD,   /* chunked, then silence */
	FAKE_CUT,    /* chunked, then the connection is closed */
	FAKE_CLOSE,  /* closed without an answer */
	FAKE_SILENT, /* no answer at all */
};

struct fake_answer {
	const char *expect; /* must be in "METHOD PATH?QUERY BODY"; NULL: anything */
	enum fake_how how;
	int status;          /* 0: 200 */
	const char *headers; /* each ends with \r\n; NULL: none */
	const char *body;    /* NULL: empty */
};

struct fake_connection {
	LIST_ENTRY(fake_connection) link;
	struct fake *fake;
	int fd;
	struct io *io;
	struct buf in, out;
	bool close; /* when out is empty */
};

/* What came: "METHOD PATH?QUERY BODY", and the header lines. */
struct fake_request {
	const char *text, *headers;
};

typedef void fake_fn(void *arg, const struct fake_request *request, struct fake_answer *answer);

struct fake {
	struct loop *loop;
	struct client *client;
	struct kube_config config;
	fake_fn *fn;
	void *arg;

	const struct fake_answer *script; /* answered one after another; then FAKE_SILENT */
	size_t steps, at;
	struct buf log; /* the text of each request, one a line */
	size_t requests;
	bool timed_out;

	int fd;
	struct io *io;
	struct timer *guard;
	LIST_HEAD(, fake_connection) connections;
};

static inline void fake_close(struct fake_connection *c)
{
	LIST_REMOVE(c, link);
	io_free(c->io);
	close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c);
}

static inline void fake_send(struct fake_connection *c, const struct fake_answer *answer)
{
	bool chunked = answer->how != FAKE_REPLY;
	const char *body = answer->body != NULL ? answer->body : "";

	buf_addf(&c->out, "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n%s",
		 answer->status != 0 ? answer->status : 200,
		 answer->headers != NULL ? answer->headers : "");
	if (!chunked)
		buf_addf(&c->out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		buf_adds(&c->out, "Transfer-Encoding: chunked\r\n\r\n");
	if (chunked && *body != '\0')
		buf_addf(&c->out, "%zx\r\n%s\r\n", strlen(body), body);
	if (answer->how == FAKE_STREAM)
		buf_adds(&c->out, "0\r\n\r\n");
	c->close = answer->how == FAKE_CUT;
}

static inline void fake_answer(struct fake_connection *c, const struct fake_request *request)
{
	struct fake *fake = c->fake;
	struct fake_answer answer = {.how = FAKE_SILENT};

	fake->requests++;
	buf_adds(&fake->log, request->text);
	buf_addc(&fake->log, '\n');
	if (fake->fn != NULL)
		fake->fn(fake->arg, request, &answer);
	else if (fake->at < fake->steps)
		answer = fake->script[fake->at++];
	if (answer.expect != NULL && strstr(request->text, answer.expect) == NULL)
		fail_msg("request %zu: expected %s in %s", fake->requests, answer.expect,
			 request->text);
	if (answer.how == FAKE_CLOSE)
		c->close = true;
	else if (answer.how != FAKE_SILENT)
		fake_send(c, &answer);
}

/* False while the request at the start of c->in is incomplete. */
static inline bool fake_take_request(struct fake_connection *c)
{
	const char *end = strstr(c->in.data, "\r\n\r\n");
	const char *length = strcasestr(c->in.data, "\r\nContent-Length:");
	size_t head, body = 0;
	auto_free char *text = NULL;
	auto_free char *headers = NULL;

	if (end == NULL)
		return false;
	head = (size_t)(end - c->in.data) + 4;
	if (length != NULL && length < end)
		body = strtoul(length + 17, NULL, 10);
	if (c->in.len < head + body)
		return false;
	headers = xstrndup(c->in.data, head);
	text = xasprintf("%.*s %.*s", (int)(strstr(headers, " HTTP/1.1") - headers), headers,
			 (int)body, c->in.data + head);
	buf_consume(&c->in, head + body);
	fake_answer(c, &(struct fake_request){.text = text, .headers = headers});
	return true;
}

static inline void fake_flush(void *arg)
{
	struct fake_connection *c = arg;
	ssize_t n = c->out.len > 0 ? send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL) : 0;

	if (n > 0)
		buf_consume(&c->out, (size_t)n);
	if ((n < 0 && errno != EAGAIN) || (c->close && c->out.len == 0))
		fake_close(c);
	else
		io_want(c->io, true, c->out.len > 0);
}

static inline void fake_readable(void *arg)
{
	struct fake_connection *c = arg;
	char bytes[16 << 10];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			fake_close(c);
		return;
	}
	buf_add(&c->in, bytes, (size_t)n);
	while (fake_take_request(c))
		;
	fake_flush(c);
}

static inline void fake_accept(void *arg)
{
	struct fake *fake = arg;
	int fd = accept4(fake->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct fake_connection *c;

	if (fd < 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->fake = fake;
	c->fd = fd;
	c->in = (struct buf)BUF_INIT(4 << 20);
	c->out = (struct buf)BUF_INIT(64 << 20);
	c->io = io_new(fake->loop, fd, fake_readable, fake_flush, c);
	io_want(c->io, true, false);
	LIST_INSERT_HEAD(&fake->connections, c, link);
}

static inline void fake_late(void *arg)
{
	struct fake *fake = arg;

	fake->timed_out = true;
	loop_stop(fake->loop);
}

static inline struct fake *fake_new(const struct fake_answer *script, size_t steps)
{
	struct fake *fake = xcalloc(1, sizeof(*fake));
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	struct err err = ERR_INIT;

	fake->loop = loop_new();
	fake->script = script;
	fake->steps = steps;
	fake->log = (struct buf)BUF_INIT(16 << 20);
	fake->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fake->fd, 64), 0);
	assert_int_equal(getsockname(fake->fd, (struct sockaddr *)&address, &len), 0);
	fake->io = io_new(fake->loop, fake->fd, fake_accept, NULL, fake);
	io_want(fake->io, true, false);
	fake->guard = timer_new(fake->loop, fake_late, fake);
	fake->config.server = xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
	fake->config.token = xstrdup("s3cret-token");
	fake->client = client_new(fake->loop, &fake->config, &err);
	assert_non_null(fake->client);
	return fake;
}

/* Until loop_stop, or half a minute: then the test fails. */
static inline void fake_run(struct fake *fake)
{
	timer_set(fake->guard, 30000);
	loop_run(fake->loop);
	timer_clear(fake->guard);
	if (fake->timed_out)
		fail_msg("nothing more happens after these requests:\n%s", fake->log.data);
}

/* Run what is due now and for so long. */
static inline void fake_stop(void *arg)
{
	loop_stop(((struct fake *)arg)->loop);
}

static inline void fake_run_for(struct fake *fake, int64_t ms)
{
	struct timer *end = timer_new(fake->loop, fake_stop, fake);

	timer_set(end, ms);
	fake_run(fake);
	timer_free(end);
}

static inline void fake_free(struct fake *fake)
{
	struct loop *loop = fake->loop;

	client_free(fake->client);
	for (struct fake_connection *next, *c = LIST_FIRST(&fake->connections); c != NULL;
	     c = next) {
		next = LIST_NEXT(c, link);
		fake_close(c);
	}
	io_free(fake->io);
	timer_free(fake->guard);
	close(fake->fd);
	buf_done(&fake->log);
	free(fake->config.server);
	free(fake->config.token);
	free(fake);
	loop_free(loop);
}

#endif
