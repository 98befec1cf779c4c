/*
 * scripted.h - an HTTP server for tests that answers as told, badly if told so.
 *
 * A route is a path with a list of answers; request k gets answer k, later ones the last. An
 * answer is the raw text that goes over the wire, or one of the SCRIPT_ words. A path without
 * route gets 404; with `think` the answer is what that makes of the request, yours. One connection
 * carries one request; connections are served one after another by a thread. What came is to be
 * read after scripted_stop.
 */
#ifndef SPEC_UNIT_RUNNER_SCRIPTED_H
#define SPEC_UNIT_RUNNER_SCRIPTED_H

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"

#define ANSWER(status, headers, body)                                                              \
	"HTTP/1.1 " status "\r\nConnection: close\r\n" headers "\r\n" body
#define JSON_TYPE "Content-Type: application/json\r\n"
#define OK(body) ANSWER("200 OK", JSON_TYPE, body)
#define SCRIPT_RESET "reset"
#define SCRIPT_CLOSE "close"
#define SCRIPT_HANG "hang"      /* no answer until the client goes */
#define SCRIPT_STALL "stall "   /* in front of an answer: then nothing more until the client goes */
#define SCRIPT_SIGNAL "signal " /* in front of an answer: SIGTERM to `victim` before it */

enum { SCRIPT_ROUTES = 8, SCRIPT_ANSWERS = 7, SCRIPT_REQUESTS = 32 };

struct scripted_route {
	const char *path;
	const char *answers[SCRIPT_ANSWERS + 1]; /* ends with NULL */
	int used;
};

struct scripted {
	struct scripted_route routes[SCRIPT_ROUTES];
	char *(*think)(struct scripted *s, const char *request);
	void *arg;                       /* of think */
	char *requests[SCRIPT_REQUESTS]; /* whole texts, in order */
	int count;
	int fd, port;
	atomic_int victim; /* a pid */
	pthread_t thread;
};

/* A socket on loopback; without listening it refuses connections. */
static inline int scripted_socket(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

/* The length of the whole request, 0 while its header is not there yet. */
static inline size_t scripted_length(const struct buf *request)
{
	const char *body = strstr(request->data, "\r\n\r\n"), *length;
	size_t header;

	if (body == NULL)
		return 0;
	header = (size_t)(body + 4 - request->data);
	length = strcasestr(request->data, "\r\nContent-Length:");
	return header + (length != NULL && length < body ? strtoul(length + 17, NULL, 10) : 0);
}

/* Read until the header and Content-Length bytes of body are there; false if the client left. */
static inline bool scripted_read(int fd, struct buf *request)
{
	size_t wanted = 0;
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(request, chunk, (size_t)n);
		if (wanted == 0)
			wanted = scripted_length(request);
		if (wanted > 0 && request->len >= wanted)
			return true;
	}
	return false;
}

static inline const char *scripted_choose(struct scripted *s, const char *request)
{
	const char *path = strchr(request, ' ');
	size_t len = path != NULL ? strcspn(path + 1, " ?") : 0;

	for (struct scripted_route *r = s->routes; r < s->routes + SCRIPT_ROUTES; r++) {
		if (r->path == NULL || strlen(r->path) != len ||
		    strncmp(r->path, path + 1, len) != 0 || r->answers[0] == NULL)
			continue;
		return r->answers[r->used + 1] != NULL ? r->answers[r->used++]
						       : r->answers[r->used];
	}
	return ANSWER("404 Not Found", "", "no such path");
}

/* Wait until the client has gone. */
static inline void scripted_stall(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

static inline void scripted_write(int fd, const char *answer)
{
	bool stall = has_prefix(answer, SCRIPT_STALL);
	size_t left;
	ssize_t n;

	answer += stall ? strlen(SCRIPT_STALL) : 0;
	left = strlen(answer);

	while (left > 0 && (n = send(fd, answer, left, MSG_NOSIGNAL)) > 0) {
		answer += n;
		left -= (size_t)n;
	}
	if (stall)
		scripted_stall(fd);
	shutdown(fd, SHUT_WR);
}

static inline void scripted_answer(struct scripted *s, int fd, const char *answer)
{
	const struct linger reset = {.l_onoff = 1};

	if (has_prefix(answer, SCRIPT_SIGNAL)) {
		while (s->victim == 0)
			usleep(1000);
		kill(s->victim, SIGTERM);
		answer += strlen(SCRIPT_SIGNAL);
	}
	if (streq(answer, SCRIPT_RESET))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (streq(answer, SCRIPT_HANG))
		scripted_stall(fd);
	else if (!streq(answer, SCRIPT_CLOSE))
		scripted_write(fd, answer);
}

static inline void *scripted_main(void *arg)
{
	struct scripted *s = arg;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		auto_buf struct buf request = BUF_INIT(16 << 20);

		if (s->think != NULL && scripted_read(fd, &request)) {
			auto_free char *answer = s->think(s, request.data);

			scripted_answer(s, fd, answer);
		} else if (s->think == NULL && scripted_read(fd, &request) &&
			   s->count < SCRIPT_REQUESTS) {
			s->requests[s->count++] = xstrdup(request.data);
			scripted_answer(s, fd, scripted_choose(s, request.data));
		}
		close(fd);
	}
	return NULL;
}

static inline void scripted_start(struct scripted *s)
{
	s->fd = scripted_socket(&s->port);
	if (listen(s->fd, 16) < 0 || pthread_create(&s->thread, NULL, scripted_main, s) != 0)
		abort();
}

static inline void scripted_stop(struct scripted *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static inline void scripted_done(struct scripted *s)
{
	for (int i = 0; i < s->count; i++)
		free(s->requests[i]);
	s->count = 0;
}

/* How many requests start with prefix, such as "POST /out "; *last is the last of them, or "". */
static inline int scripted_seen(const struct scripted *s, const char *prefix, const char **last)
{
	int n = 0;

	if (last != NULL)
		*last = "";
	for (int i = 0; i < s->count; i++) {
		if (!has_prefix(s->requests[i], prefix))
			continue;
		n++;
		if (last != NULL)
			*last = s->requests[i];
	}
	return n;
}

/* The body of a request. */
static inline const char *scripted_body(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

#endif
