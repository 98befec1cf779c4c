/*
 * bench-model: a model that costs next to nothing, so that what is measured is its client.
 *
 *	bench-model [--port-file FILE] [--values N]
 *
 * Answers each POST with one INT64 tensor: for each row of the first input, whose number is the
 * first dimension of the first "shape" in the body, N zeros (1). A body without one answers 400.
 * GET tells that the model is ready. Serves on a free port of 127.0.0.1, a thread a connection,
 * until it is killed; a connection whose bytes are not HTTP/1.1 with a Content-Length is closed.
 */
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "spec/bench/parts/loopback.h"

enum { HEADER_MAX = 64 << 10, BODY_MAX = 256 << 20, ROWS_MAX = 1 << 24 };

static int values_per_row = 1;

/* ---- reading ---- */

/* One more read; false at the end. */
static bool receive(int fd, struct buf *in)
{
	char piece[64 << 10];
	ssize_t n = recv(fd, piece, sizeof(piece), 0);

	return n > 0 && buf_add(in, piece, (size_t)n) == 0;
}

/* The length of the header with its empty line; 0: the peer has gone or talks nonsense. */
static size_t receive_header(int fd, struct buf *in)
{
	for (;;) {
		const char *end = in->len > 0 ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;

		if (end != NULL)
			return (size_t)(end - in->data) + 4;
		if (in->len > HEADER_MAX || !receive(fd, in))
			return 0;
	}
}

static size_t content_length(const char *header, size_t len)
{
	auto_free char *text = xstrndup(header, len);
	const char *field = strcasestr(text, "\r\ncontent-length:");

	return field != NULL ? strtoul(strchr(field, ':') + 1, NULL, 10) : 0;
}

/* 0: not told. */
static long rows_of(const char *body, size_t len)
{
	const char *shape = memmem(body, len, "\"shape\"", 7);
	const char *list = shape != NULL ? memchr(shape, '[', len - (size_t)(shape - body)) : NULL;
	long rows = list != NULL ? strtol(list + 1, NULL, 10) : 0;

	return rows > 0 && rows <= ROWS_MAX ? rows : 0;
}

/* ---- answering ---- */

/* "0,0,...,0" of all answers: they differ in its length alone. */
static const char *zeros(size_t count)
{
	static char *text;
	static size_t made;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *found;

	pthread_mutex_lock(&lock);
	if (count > made) { /* what others still send stays */
		made = count * 2;
		text = xcalloc(made, 2);
		for (size_t i = 0; i < made; i++)
			text[2 * i] = '0', text[2 * i + 1] = ',';
	}
	found = text;
	pthread_mutex_unlock(&lock);
	return found;
}

static bool send_all(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t n = writev(fd, parts, count);

		if (n < 0)
			return false;
		for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
			n -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return true;
}

static bool answer_text(int fd, const char *status, const char *body)
{
	auto_free char *text = xasprintf(
	    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    status, strlen(body), body);
	struct iovec whole = {text, strlen(text)};

	return send_all(fd, &whole, 1);
}

static bool answer_rows(int fd, long rows)
{
	static const char tail[] = "]}]}";
	size_t values = (size_t)rows * (size_t)values_per_row, len = 2 * values - 1;
	auto_free char *head =
	    xasprintf("{\"model_name\":\"null\",\"id\":\"0\",\"outputs\":[{\"name\":\"output-0\","
		      "\"datatype\":\"INT64\",\"shape\":[%ld,%d],\"data\":[",
		      rows, values_per_row);
	auto_free char *header = xasprintf(
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    strlen(head) + len + strlen(tail));
	struct iovec parts[] = {{header, strlen(header)},
				{head, strlen(head)},
				{(char *)zeros(values), len},
				{(char *)tail, strlen(tail)}};

	return send_all(fd, parts, ARRAY_LEN(parts));
}

static bool answer(int fd, const char *header, const char *body, size_t len)
{
	long rows = rows_of(body, len);

	if (has_prefix(header, "GET "))
		return answer_text(fd, "200 OK", "{\"name\":\"null\",\"ready\":true}");
	if (rows == 0)
		return answer_text(fd, "400 Bad Request",
				   "{\"error\":\"expected inputs with a shape\"}");
	return answer_rows(fd, rows);
}

/* ---- connections ---- */

static bool serve_one(int fd, struct buf *in)
{
	size_t header = receive_header(fd, in), body;

	if (header == 0)
		return false;
	body = content_length(in->data, header);
	while (in->len < header + body)
		if (!receive(fd, in))
			return false;
	if (!answer(fd, in->data, in->data + header, body))
		return false;
	buf_consume(in, header + body);
	return true;
}

static void *serve(void *arg)
{
	auto_free int *fd = arg;
	auto_buf struct buf in = BUF_INIT(BODY_MAX);
	int on = 1;

	setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (serve_one(*fd, &in)) {
	}
	close(*fd);
	return NULL;
}

/* Renamed into place: whoever waits for it never reads half a number. */
static bool write_port(const char *path, int port)
{
	auto_free char *unfinished = xasprintf("%s.new", path);
	auto_file FILE *file = fopen(unfinished, "we");

	return file != NULL && fprintf(file, "%d\n", port) > 0 && fflush(file) == 0 &&
	       rename(unfinished, path) == 0;
}

static int accept_all(int listener)
{
	for (;;) {
		int *fd = xcalloc(1, sizeof(*fd)); /* the thread frees it */
		pthread_t thread;

		*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (*fd < 0 || pthread_create(&thread, NULL, serve, fd) != 0)
			return -1;
		pthread_detach(thread);
	}
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"port-file", required_argument, NULL, 'p'},
					      {"values", required_argument, NULL, 'v'},
					      {0}};
	const char *port_file = "/dev/stdout";
	int option, listener, port = 0;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'p')
			port_file = optarg;
		else if (option == 'v')
			values_per_row = atoi(optarg);
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	listener = loopback_listen(&port);
	if (listener < 0 || values_per_row < 1 || !write_port(port_file, port)) {
		fprintf(stderr, "bench-model: cannot serve on 127.0.0.1: %m\n");
		return 1;
	}
	accept_all(listener);
	fprintf(stderr, "bench-model: cannot take a connection: %m\n");
	return 1;
}
