/*
 * serve.h - a small HTTP server: health, metrics, and the stand-ins of the tests.
 *
 * Limits: 64 KiB of headers, max_body bytes of body (413 beyond), 60 s of silence.
 */
#ifndef NET_SERVE_H
#define NET_SERVE_H

#include "base/err.h"
#include "net/loop.h"

struct serve;
struct serve_request;

/* Answer with serve_reply or serve_drop, now or later, exactly once. */
typedef void serve_fn(void *arg, struct serve_request *request);

/* address is "host:port", ":port" (all addresses) or "host:0" (any free port). NULL on failure. */
struct serve *serve_new(struct loop *loop, const char *address, size_t max_body, serve_fn *fn,
			void *arg, struct err *err);
/* Closes every connection; requests without an answer are gone and must not be used any more. */
void serve_free(struct serve *serve);
int serve_port(const struct serve *serve);

/* Borrowed until the answer. */
const char *serve_method(const struct serve_request *request);
const char *serve_path(const struct serve_request *request);  /* decoded, without the query */
const char *serve_query(const struct serve_request *request); /* as sent; "" if none */
const char *serve_header(const struct serve_request *request, const char *name); /* or NULL */
const char *serve_body(const struct serve_request *request, size_t *len);

/* body may be NULL with len 0. headers as in http.h, or NULL. */
void serve_reply(struct serve_request *request, int status, const char *content_type,
		 const char *const *headers, const char *body, size_t len);

/* Close the connection without an answer. */
void serve_drop(struct serve_request *request);

#endif
