#include "spec/apisim/http.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { HEADERS_MAX = 64 << 10, BODY_MAX = 8 << 20, CONGESTED = 64 << 20, IDLE_S = 3600 };

struct front {
	struct loop *loop;
	struct evhttp *http;
	SSL_CTX *ssl;
	call_fn *fn;
	void *arg;
	int port;
	TAILQ_HEAD(, call) calls;
};

struct call {
	TAILQ_ENTRY(call) link;
	struct front *front;
	struct evhttp_request *request;
	char *path;
	loop_fn *gone;
	void *gone_arg;
	bool held; /* nobody but the client will end it */
	bool lost; /* the connection has gone before the answer */
};

/* ---- the life of a call ---- */

static void call_done(struct call *call)
{
	loop_undefer(call->front->loop, call);
	TAILQ_REMOVE(&call->front->calls, call, link);
	free(call->path);
	free(call);
}

static void leave_connection(struct call *call)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(call->request);

	if (connection != NULL)
		evhttp_connection_set_closecb(connection, NULL, NULL);
}

/* evhttp frees a request with its connection, unless it has already cut the tie between the two:
 * then the request is ours. */
static void connection_closed(struct evhttp_connection *connection UNUSED, void *arg)
{
	struct call *call = arg;
	loop_fn *gone = call->gone;
	void *gone_arg = call->gone_arg;

	if (evhttp_request_get_connection(call->request) == NULL)
		evhttp_request_free(call->request);
	call->request = NULL;
	call->lost = true;
	if (gone == NULL && !call->held)
		return; /* the answer is still to come */
	call_done(call);
	if (gone != NULL)
		gone(gone_arg);
}

static void drop_connection(void *arg)
{
	struct call *call = arg;
	struct evhttp_connection *connection;

	if (call->request == NULL) {
		call_done(call);
		return;
	}
	connection = evhttp_request_get_connection(call->request);
	call->held = true;
	evhttp_connection_free(connection);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct front *front = arg;
	struct call *call = xcalloc(1, sizeof(*call));
	const char *uri = evhttp_request_get_uri(request);

	call->front = front;
	call->request = request;
	call->path = xstrndup(uri, strcspn(uri, "?#"));
	TAILQ_INSERT_TAIL(&front->calls, call, link);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), connection_closed,
				      call);
	front->fn(front->arg, call);
}

/* ---- the request ---- */

const char *call_method(const struct call *call)
{
	switch (evhttp_request_get_command(call->request)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_HEAD:
	case EVHTTP_REQ_OPTIONS:
	case EVHTTP_REQ_TRACE:
	case EVHTTP_REQ_CONNECT:
		break;
	}
	return "OTHER";
}

const char *call_path(const struct call *call)
{
	return call->path;
}

const char *call_query(const struct call *call)
{
	const char *query;

	if (call->request == NULL)
		return "";
	query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(call->request));
	return query != NULL ? query : "";
}

const char *call_header(const struct call *call, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(call->request), name);
}

const char *call_body(const struct call *call, size_t *len)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->request);

	*len = evbuffer_get_length(body);
	return *len > 0 ? (const char *)evbuffer_pullup(body, -1) : "";
}

bool call_has_client_cert(const struct call *call)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (call->front->ssl == NULL)
		return false;
	bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(call->request));
	ssl = bufferevent_openssl_get_ssl(bev);
	return ssl != NULL && SSL_get0_peer_certificate(ssl) != NULL &&
	       SSL_get_verify_result(ssl) == X509_V_OK;
}

bool call_lost(const struct call *call)
{
	return call->lost;
}

/* ---- the answer ---- */

void call_add_header(struct call *call, const char *name, const char *value)
{
	if (!call->lost)
		evhttp_add_header(evhttp_request_get_output_headers(call->request), name, value);
}

void call_reply(struct call *call, int status, const char *type, const char *body, size_t len)
{
	if (!call->lost) {
		struct evbuffer *out = evhttp_request_get_output_buffer(call->request);

		call_add_header(call, "Content-Type", type);
		evbuffer_add(out, body, len);
		leave_connection(call);
		evhttp_send_reply(call->request, status, NULL, NULL);
	}
	call_done(call);
}

static void half_sent(struct evhttp_connection *connection UNUSED, void *arg)
{
	struct call *call = arg;

	loop_defer(call->front->loop, drop_connection, call);
}

void call_truncate(struct call *call, int status, const char *type, const char *body, size_t len)
{
	struct evbuffer *half;
	char text[24];

	if (call->lost) {
		call_done(call);
		return;
	}
	snprintf(text, sizeof(text), "%zu", len);
	call_add_header(call, "Content-Type", type);
	call_add_header(call, "Content-Length", text);
	half = evbuffer_new();
	evbuffer_add(half, body, len / 2);
	call->held = true;
	evhttp_send_reply_start(call->request, status, NULL);
	evhttp_send_reply_chunk_with_cb(call->request, half, half_sent, call);
	evbuffer_free(half);
}

void call_reset(struct call *call)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	struct bufferevent *bev;

	if (!call->lost) {
		bev =
		    evhttp_connection_get_bufferevent(evhttp_request_get_connection(call->request));
		setsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		call->gone = NULL;
	}
	loop_defer(call->front->loop, drop_connection, call);
}

void call_hold(struct call *call)
{
	call->held = true;
	if (call->lost)
		call_done(call);
}

void call_stream(struct call *call, const char *type, loop_fn *gone, void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
	if (call->lost) {
		loop_defer(call->front->loop, drop_connection, call);
		loop_defer(call->front->loop, gone, arg);
		return;
	}
	call_add_header(call, "Content-Type", type);
	evhttp_send_reply_start(call->request, 200, NULL);
}

void call_chunk(struct call *call, const char *bytes, size_t len)
{
	struct evbuffer *chunk;

	if (call->lost || len == 0)
		return;
	chunk = evbuffer_new();
	evbuffer_add(chunk, bytes, len);
	evhttp_send_reply_chunk(call->request, chunk);
	evbuffer_free(chunk);
}

void call_end(struct call *call)
{
	if (!call->lost) {
		leave_connection(call);
		evhttp_send_reply_end(call->request);
	}
	call_done(call);
}

bool call_congested(const struct call *call)
{
	struct bufferevent *bev;

	if (call->lost)
		return false;
	bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(call->request));
	return evbuffer_get_length(bufferevent_get_output(bev)) > CONGESTED;
}

/* ---- the server ---- */

static int ssl_fail(struct err *err, const char *what, const char *path)
{
	char reason[256];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	return err_set(err, ERR_INVALID, "%s %s: %s", what, path, reason);
}

static int setup_tls(struct front *front, const struct front_options *options, struct err *err)
{
	front->ssl = SSL_CTX_new(TLS_server_method());
	if (front->ssl == NULL)
		abort();
	SSL_CTX_set_min_proto_version(front->ssl, TLS1_2_VERSION);
	if (SSL_CTX_use_certificate_chain_file(front->ssl, options->cert) != 1)
		return ssl_fail(err, "certificate", options->cert);
	if (SSL_CTX_use_PrivateKey_file(front->ssl, options->key, SSL_FILETYPE_PEM) != 1)
		return ssl_fail(err, "key", options->key);
	if (options->client_ca == NULL)
		return 0;
	if (SSL_CTX_load_verify_locations(front->ssl, options->client_ca, NULL) != 1)
		return ssl_fail(err, "client CA", options->client_ca);
	SSL_CTX_set_client_CA_list(front->ssl, SSL_load_client_CA_file(options->client_ca));
	SSL_CTX_set_verify(front->ssl, SSL_VERIFY_PEER, NULL);
	return 0;
}

static struct bufferevent *tls_connection(struct event_base *base, void *arg)
{
	const struct front *front = arg;
	struct bufferevent *bev = bufferevent_openssl_socket_new(
	    base, -1, SSL_new(front->ssl), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	if (bev != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static int bind_to(struct front *front, const char *address, struct err *err)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in bound = {0}; /* host is an IPv4 address */
	socklen_t len = sizeof(bound);
	int fd, now = 1;
	struct evhttp_bound_socket *socket;
	auto_free char *host = NULL;

	if (colon == NULL)
		return err_set(err, ERR_INVALID, "--listen: expected host:port, found \"%s\"",
			       address);
	host = colon == address ? xstrdup("0.0.0.0") : xstrndup(address, (size_t)(colon - address));
	socket = evhttp_bind_socket_with_handle(front->http, host,
						(uint16_t)strtoul(colon + 1, NULL, 10));
	if (socket == NULL)
		return err_set(err, ERR_RETRY, "cannot listen on %s", address);
	fd = evhttp_bound_socket_get_fd(socket);
	/* Inherited by each connection: replies over 16 KiB are sent in pieces, and the last would
	 * wait 40 ms for the client's delayed acknowledgement. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now));
	if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0)
		front->port = ntohs(bound.sin_port);
	return 0;
}

struct front *front_new(struct loop *loop, const struct front_options *options, call_fn *fn,
			void *arg, struct err *err)
{
	struct front *front = xcalloc(1, sizeof(*front));

	front->loop = loop;
	front->fn = fn;
	front->arg = arg;
	TAILQ_INIT(&front->calls);
	front->http = evhttp_new(loop_event_base(loop));
	evhttp_set_max_headers_size(front->http, HEADERS_MAX);
	evhttp_set_max_body_size(front->http, BODY_MAX);
	evhttp_set_timeout(front->http, IDLE_S);
	evhttp_set_allowed_methods(front->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
						    EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(front->http, on_request, front);
	if (options->cert != NULL && setup_tls(front, options, err) < 0)
		goto fail;
	if (front->ssl != NULL)
		evhttp_set_bevcb(front->http, tls_connection, front);
	if (bind_to(front, options->listen, err) < 0)
		goto fail;
	return front;
fail:
	front_free(front);
	return NULL;
}

void front_free(struct front *front)
{
	struct call *next;

	if (front == NULL)
		return;
	evhttp_free(front->http);
	for (struct call *call = TAILQ_FIRST(&front->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		call_done(call);
	}
	SSL_CTX_free(front->ssl);
	free(front);
}

int front_port(const struct front *front)
{
	return front->port;
}
