/*
 * http.h - an HTTP client on the loop. The only user of libcurl in the engine.
 *
 * HTTP/1.1, connections are kept and shared by all calls of one client; redirects are not
 * followed; only http and https. A reply of any status is a success of the transport: err is set
 * only when there is no complete reply (refused, reset, timed out, truncated, over a limit).
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/err.h"
#include "net/loop.h"

struct http;
struct http_call;

/* PEM texts, copied by http_set_tls; NULL or "" where there is none. */
struct http_tls {
	const char *ca;          /* certificates to trust instead of the system's */
	const char *cert, *key;  /* the client's */
	const char *server_name; /* expected in the certificate instead of the URL's host */
	bool insecure;           /* do not verify the server: warn the user */
};

struct http *http_new(struct loop *loop);
void http_free(struct http *http); /* cancels every call */

/* For calls from now on; connections made with other settings are not reused. */
void http_set_tls(struct http *http, const struct http_tls *tls);

/* Use this proxy (http, https or socks5 URL) instead of the environment's; NULL: the latter. */
void http_set_proxy(struct http *http, const char *url);

/* A piece of a streamed body. Return 0 to go on, or -1 with err set to end the call with it. */
typedef int http_chunk_fn(void *arg, const char *bytes, size_t len, struct err *err);

struct http_request {
	const char *method; /* copied, as are url, headers and body */
	const char *url;
	const char *const *headers; /* "Name: value", NULL at the end; or NULL */
	const char *body;           /* NULL: none */
	size_t body_len;
	size_t max_reply;     /* bytes of the decoded body kept at most; more is ERR_LIMIT */
	int64_t timeout_ms;   /* for the whole call; 0: none */
	int64_t begin_ms;     /* the reply must have begun by then, else ERR_RETRY; 0: off */
	bool compressed;      /* offer gzip */
	http_chunk_fn *chunk; /* where a 2xx body goes instead of the reply; NULL: into the reply */
};

struct http_reply {
	int status;
	const char *body; /* NUL-terminated; "" when streamed */
	size_t len;
	int64_t retry_after_ms;   /* from Retry-After (seconds or date, RFC 9110 10.2.3); 0: none */
	const char *content_type; /* "" when absent */
};

/* Exactly one of reply and err is not NULL; both are valid during the call only. */
typedef void http_done_fn(void *arg, const struct http_reply *reply, const struct err *err);

/* The handle is valid until done has been called. */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn *done, void *arg);
void http_cancel(struct http_call *call);

#endif
