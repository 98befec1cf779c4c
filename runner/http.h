/*
 * http.h - blocking HTTP calls with retries. http*.c are the runner's only users of libcurl: for a
 * reply of any length see http_stream.h, for calls beside each other http_multi.h.
 *
 * Rules: HTTP/1.1, http and https only, redirects are not followed, 10 s to connect, 120 s a call
 * (KSERVE_CALL_TIMEOUT), 256 MiB of reply, 64 KiB of its header. Messages name the method and the
 * URL without user information and query; header values never show.
 *
 * A call is tried up to HTTP_TRIES times, after the waits of retry.h (KSERVE_RETRY_DELAY is what
 * they begin with, 1 s): when the connection failed or broke, and on 429, 502, 503 and 504. A call
 * that must not be done twice sets `once`: then it is tried again only if no connection came about,
 * and a signal does not break it off once it is under way.
 */
#ifndef RUNNER_HTTP_H
#define RUNNER_HTTP_H

#include <signal.h>

#include "base/buf.h"
#include "base/err.h"

enum { HTTP_TRIES = 5, HTTP_REPLY_MAX = 256 << 20, HTTP_HEADER_MAX = 64 << 10 };

/* Set by a signal handler: waits and calls end within a second, see http_reply.interrupted. */
extern volatile sig_atomic_t http_stop;

/* ---- headers ---- */

struct http_headers {
	char **lines; /* "Name: value" */
	size_t count;
};

/* Add or replace; names are compared without case. */
void http_header_set(struct http_headers *headers, const char *name, const char *value);
bool http_header_has(const struct http_headers *headers, const char *name);
void http_headers_copy(const struct http_headers *from, struct http_headers *to);
void http_headers_done(struct http_headers *headers);

/* name is a token of RFC 9110, value has no control characters but tabs. */
bool http_header_valid(const char *name, const char *value);

/* ---- calls ---- */

struct sigv4_key;

/* How to reach a server; every member may be NULL. Certificates and keys are PEM texts. */
struct http_peer {
	char *proxy;
	char *ca; /* instead of the system's */
	char *cert, *key;
	struct sigv4_key *aws; /* sign each try (sigv4.h) that has no header Authorization */
	bool insecure;         /* do not verify the server */
	bool debug; /* log each call; values of headers that may be secret are left out */
};

struct http_request {
	const char *method, *url;
	const struct http_peer *peer;       /* NULL: a plain one */
	const struct http_headers *headers; /* NULL: none */
	const char *body;                   /* NULL: none */
	size_t body_len;
	int64_t timeout_ms; /* 0: KSERVE_CALL_TIMEOUT */
	bool once;
	bool single; /* one try: the caller sees to more */
};

struct http_reply {
	struct buf body;
	struct buf headers; /* lines that end with \r\n */
	int64_t retry_ms;   /* what Retry-After asks for, at most a day; -1: nothing */
	int status;         /* 0: no answer */
	bool sent;          /* the server may have got the request */
	bool timed_out;     /* sent, but the answer did not come in time */
	bool interrupted;   /* http_stop ended the call */
};

#define HTTP_REPLY_INIT                                                                            \
	{                                                                                          \
		.body = BUF_INIT(HTTP_REPLY_MAX), .headers = BUF_INIT(HTTP_HEADER_MAX)             \
	}

/* Once, before all else: reads the two variables of the environment. */
int http_setup(struct err *err);

/* 0 if an answer came, whatever its status. reply is set in both cases; it may be used again. */
int http_call(const struct http_request *request, struct http_reply *reply, struct err *err);
void http_reply_done(struct http_reply *reply);
#define auto_reply __attribute__((cleanup(http_reply_done)))

/* The value of a header of the reply, NULL if there is none; yours. */
char *http_reply_header(const struct http_reply *reply, const char *name);

/* Refuse what is no http or https URL. */
int http_url_check(const char *url, struct err *err);

/* The URL without user information, query and fragment; yours. */
char *http_url_safe(const char *url);

/* True if one more try may help: 429, 502, 503, 504. */
bool http_status_passing(int status);

#endif
