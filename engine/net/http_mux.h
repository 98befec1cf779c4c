/*
 * http_mux.h - libcurl's multi interface on the loop, for http.c alone.
 *
 * libcurl must not be called from within its own callbacks. mux_busy() says that we are inside of
 * one: then record what is wanted and do it in the next turn.
 *
 * An easy handle is a CURL *, which libcurl defines as void *.
 */
#ifndef NET_HTTP_MUX_H
#define NET_HTTP_MUX_H

#include "net/loop.h"

struct mux;

/* A transfer has ended; arg is its CURLOPT_PRIVATE, result a CURLcode. Called outside of libcurl;
 * the callee removes the transfer, and must not free the mux. */
typedef void mux_ended_fn(void *arg, int result);

struct mux *mux_new(struct loop *loop, mux_ended_fn *ended);
void mux_free(struct mux *mux); /* every transfer has been removed, and not while busy */

bool mux_busy(const struct mux *mux);

/* A transfer handle without any option set; a few are kept, as making one is expensive. */
void *mux_take(struct mux *mux);
void mux_give(struct mux *mux, void *easy_taken);

/* Not while busy. */
void mux_add(struct mux *mux, void *easy);
void mux_remove(struct mux *mux, void *easy);

#endif
