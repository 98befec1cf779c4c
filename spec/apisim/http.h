/*
 * http.h - the HTTP(S) front of apisim: requests in, replies and streams out, and the ways to
 * break them on purpose. The only user of evhttp and OpenSSL here.
 *
 * HTTP/1.1 with persistent connections. Limits: 64 KiB of headers, 8 MiB of body, 64 MiB waiting
 * for a stream's slow reader (who is cut off then).
 */
#ifndef APISIM_HTTP_H
#define APISIM_HTTP_H

#include "base/err.h"
#include "net/loop.h"

struct front;
struct call;

struct front_options {
	const char *listen;     /* "host:port"; port 0: any */
	const char *cert, *key; /* PEM files; NULL: plain HTTP */
	const char *client_ca;  /* PEM file: ask clients for a certificate; or NULL */
};

typedef void call_fn(void *arg, struct call *call);

struct front *front_new(struct loop *loop, const struct front_options *options, call_fn *fn,
			void *arg, struct err *err);
void front_free(struct front *front);
int front_port(const struct front *front);

/* ---- the request; borrowed until the answer ---- */

const char *call_method(const struct call *call);
const char *call_path(const struct call *call);                     /* as sent, without the query */
const char *call_query(const struct call *call);                    /* as sent; "" if none */
const char *call_header(const struct call *call, const char *name); /* NULL when absent */
const char *call_body(const struct call *call, size_t *len);
bool call_has_client_cert(const struct call *call); /* a verified one */

/* The connection has gone: only an answer (which nobody reads) may follow. */
bool call_lost(const struct call *call);

/* ---- the answer: exactly one of these, now or later; the call is gone then ---- */

/* A header of the answer; before it. */
void call_add_header(struct call *call, const char *name, const char *value);

void call_reply(struct call *call, int status, const char *type, const char *body, size_t len);
void call_truncate(struct call *call, int status, const char *type, const char *body, size_t len);
void call_reset(struct call *call); /* TCP RST */
void call_hold(struct call *call);  /* nothing, until the client gives up */

/* ---- or a stream: chunks until call_end, or until gone(arg), after which the call is gone ---- */

void call_stream(struct call *call, const char *type, loop_fn *gone, void *arg);
void call_chunk(struct call *call, const char *bytes, size_t len);
void call_end(struct call *call);

/* The reader is so slow that more chunks would take too much memory: call_reset it. */
bool call_congested(const struct call *call);

#endif
