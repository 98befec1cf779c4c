#include "net/serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum { HEADERS_MAX = 64 << 10, SILENCE_S = 60, BACKLOG = 128, ACCEPT_PAUSE_MS = 500 };

static const struct {
	enum evhttp_cmd_type type;
	const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},         {EVHTTP_REQ_POST, "POST"},     {EVHTTP_REQ_HEAD, "HEAD"},
    {EVHTTP_REQ_PUT, "PUT"},         {EVHTTP_REQ_DELETE, "DELETE"}, {EVHTTP_REQ_PATCH, "PATCH"},
    {EVHTTP_REQ_OPTIONS, "OPTIONS"},
};

struct serve {
	LIST_ENTRY(serve) link;
	struct loop *loop;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct timer *pause; /* until the next accept, after one failed */
	serve_fn *fn;
	void *arg;
	int port;
	LIST_HEAD(, serve_request) waiting; /* for their answer */
};

/* evhttp keeps the listener's argument for itself, so accept_failed() has to search. */
static LIST_HEAD(, serve) all = LIST_HEAD_INITIALIZER(all);

struct serve_request {
	LIST_ENTRY(serve_request) link;
	struct serve *serve;
	struct evhttp_request *http;
	char *path;
	const char *query, *body;
	size_t body_len;
};

/* ---- requests ---- */

static void request_free(struct serve_request *request)
{
	loop_undefer(request->serve->loop, request);
	LIST_REMOVE(request, link);
	free(request->path);
	free(request);
}

static void hand_over(void *arg)
{
	struct serve_request *request = arg;

	request->serve->fn(request->serve->arg, request);
}

/* The decoded path; NULL if it holds a NUL, which no C string can carry. */
static char *decoded_path(const struct evhttp_uri *uri)
{
	const char *path = evhttp_uri_get_path(uri);
	size_t len;
	char *text;

	if (path == NULL || *path == '\0')
		return xstrdup("/");
	text = evhttp_uridecode(path, 0, &len);
	if (text == NULL)
		abort();
	if (strlen(text) == len)
		return text;
	free(text);
	return NULL;
}

/* A new request, called by evhttp. The handler is called in the next turn, where it may free the
 * server or drop the connection without pulling the ground from under evhttp. */
static void receive(struct evhttp_request *http, void *arg)
{
	struct serve *serve = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	struct evbuffer *input = evhttp_request_get_input_buffer(http);
	struct serve_request *request;
	char *path = decoded_path(uri);

	if (path == NULL) {
		evhttp_send_error(http, 400, NULL);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->serve = serve;
	request->http = http;
	request->path = path;
	request->query = evhttp_uri_get_query(uri);
	request->body_len = evbuffer_get_length(input);
	evbuffer_add(input, "", 1); /* so that text needs no extra step */
	request->body = (const char *)evbuffer_pullup(input, -1);
	LIST_INSERT_HEAD(&serve->waiting, request, link);
	loop_defer(serve->loop, hand_over, request);
}

const char *serve_method(const struct serve_request *request)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (methods[i].type == evhttp_request_get_command(request->http))
			return methods[i].name;
	}
	return ""; /* cannot happen: evhttp refuses the others */
}

const char *serve_path(const struct serve_request *request)
{
	return request->path;
}

const char *serve_query(const struct serve_request *request)
{
	return request->query == NULL ? "" : request->query;
}

const char *serve_header(const struct serve_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->http), name);
}

const char *serve_body(const struct serve_request *request, size_t *len)
{
	*len = request->body_len;
	return request->body;
}

static void add_header(struct evkeyvalq *headers, const char *line)
{
	const char *colon = strchr(line, ':');
	auto_free char *name = NULL;

	if (colon == NULL)
		return;
	name = xstrndup(line, (size_t)(colon - line));
	evhttp_add_header(headers, name, colon + 1 + strspn(colon + 1, " "));
}

void serve_reply(struct serve_request *request, int status, const char *content_type,
		 const char *const *headers, const char *body, size_t len)
{
	struct evhttp_request *http = request->http;
	struct evkeyvalq *out = evhttp_request_get_output_headers(http);

	if (content_type != NULL)
		evhttp_add_header(out, "Content-Type", content_type);
	for (; headers != NULL && *headers != NULL; headers++)
		add_header(out, *headers);
	if (evhttp_request_get_command(http) != EVHTTP_REQ_HEAD) {
		evbuffer_add(evhttp_request_get_output_buffer(http), body, len);
	} else { /* evhttp would send the body, and no length */
		char digits[24];

		snprintf(digits, sizeof(digits), "%zu", len);
		evhttp_add_header(out, "Content-Length", digits);
	}
	request_free(request);
	evhttp_send_reply(http, status, NULL, NULL);
}

void serve_drop(struct serve_request *request)
{
	struct evhttp_request *http = request->http;
	struct evhttp_connection *connection = evhttp_request_get_connection(http);

	request_free(request);
	if (connection != NULL)
		evhttp_connection_free(connection); /* with its request */
	else
		evhttp_request_free(http); /* the client has gone already */
}

/* ---- the server ---- */

static void accept_again(void *arg)
{
	struct serve *serve = arg;

	evconnlistener_enable(serve->listener);
}

/* Out of file descriptors, most likely. The listener stays readable: without a pause we would
 * spin until a descriptor is free. */
static void accept_failed(struct evconnlistener *listener, void *arg UNUSED)
{
	struct serve *serve;

	LIST_FOREACH(serve, &all, link)
	{
		if (serve->listener != listener)
			continue;
		evconnlistener_disable(listener);
		timer_set(serve->pause, ACCEPT_PAUSE_MS);
	}
}

static int listen_on(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6) /* [::] is for IPv4, too */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

/* The port of "host:port", "[v6]:port" or ":port" (host is "" then); NULL on failure. */
static const char *split_address(const char *address, char **host, struct err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - address);
	char *end;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9' ||
	    strtol(colon + 1, &end, 10) > 65535 || *end != '\0') {
		err_set(err, ERR_INVALID,
			"expected an address such as 127.0.0.1:8080 or :8080, found \"%s\"",
			address);
		return NULL;
	}
	if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	}
	*host = xstrndup(address, len);
	return colon + 1;
}

/* The first address of host (NULL: all addresses) that can be listened on; *why on failure. */
static int listen_host(const char *host, const char *port, int family, const char **why)
{
	struct addrinfo hints = {.ai_family = family,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int fd = -1, code = getaddrinfo(host, port, &hints, &found);

	if (code != 0) {
		*why = gai_strerror(code);
		return -1;
	}
	for (struct addrinfo *ai = found; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = listen_on(ai);
	*why = strerror(errno);
	freeaddrinfo(found);
	return fd;
}

static int bind_address(const char *address, struct err *err)
{
	auto_free char *host = NULL;
	const char *port = split_address(address, &host, err), *why;
	int fd;

	if (port == NULL)
		return -1;
	if (*host != '\0') {
		fd = listen_host(host, port, AF_UNSPEC, &why);
	} else {
		fd = listen_host(NULL, port, AF_INET6, &why);
		if (fd < 0) /* a kernel without IPv6 */
			fd = listen_host(NULL, port, AF_INET, &why);
	}
	if (fd < 0)
		return err_set(err, ERR_RETRY, "listen on %s: %s", address, why);
	return fd;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = {0};
	socklen_t len = sizeof(name);

	if (getsockname(fd, &name.any, &len) < 0)
		abort(); /* it is our own bound socket */
	return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

static struct evhttp *evhttp_with_limits(struct event_base *base, size_t max_body)
{
	struct evhttp *http = evhttp_new(base);
	unsigned allowed = 0;

	if (http == NULL)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		allowed |= methods[i].type;
	evhttp_set_allowed_methods(http, (ev_uint16_t)allowed);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, (ev_ssize_t)max_body);
	evhttp_set_timeout(http, SILENCE_S);
	/* Read on after a 413, else the client sees a reset instead of it. */
	evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE);
	return http;
}

struct serve *serve_new(struct loop *loop, const char *address, size_t max_body, serve_fn *fn,
			void *arg, struct err *err)
{
	struct evhttp_bound_socket *bound;
	struct serve *serve;
	int fd = bind_address(address, err);

	if (fd < 0)
		return NULL;
	serve = xcalloc(1, sizeof(*serve));
	serve->loop = loop;
	serve->fn = fn;
	serve->arg = arg;
	serve->port = port_of(fd);
	serve->pause = timer_new(loop, accept_again, serve);
	serve->http = evhttp_with_limits(loop_event_base(loop), max_body);
	evhttp_set_gencb(serve->http, receive, serve);
	bound = evhttp_accept_socket_with_handle(serve->http, fd);
	if (bound == NULL)
		abort();
	serve->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_set_error_cb(serve->listener, accept_failed);
	LIST_INSERT_HEAD(&all, serve, link);
	return serve;
}

void serve_free(struct serve *serve)
{
	struct serve_request *next;

	if (serve == NULL)
		return;
	for (struct serve_request *r = LIST_FIRST(&serve->waiting); r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		serve_drop(r);
	}
	LIST_REMOVE(serve, link);
	timer_free(serve->pause);
	evhttp_free(serve->http);
	free(serve);
}

int serve_port(const struct serve *serve)
{
	return serve->port;
}
