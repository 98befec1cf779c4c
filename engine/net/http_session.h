/*
 * http_session.h - TLS settings, and the connections that were made with them, for http.c alone.
 */
#ifndef NET_HTTP_SESSION_H
#define NET_HTTP_SESSION_H

#include "net/http.h"
#include "net/http_mux.h"

#include <sys/queue.h>

struct session {
	LIST_ENTRY(session) link; /* the client's: while it is retired */
	struct mux *mux;
	struct http_tls tls; /* owned */
	size_t calls;        /* the client's: those that use it */
};

/* tls is copied; for ended see http_mux.h. */
struct session *session_new(struct loop *loop, mux_ended_fn *ended, const struct http_tls *tls);

/* Its transfers have ended, and not from within libcurl. */
void session_free(struct session *s);

#endif
