/*
 * api.h - from an HTTP request to its answer: who may ask, what goes wrong on purpose, which verb
 * of which kind it is.
 */
#ifndef APISIM_API_H
#define APISIM_API_H

#include "spec/apisim/faults.h"
#include "spec/apisim/http.h"
#include "spec/apisim/server.h"
#include "spec/apisim/watch.h"

struct api;

struct api_options {
	const char *token;  /* the bearer token that clients need, or NULL */
	bool client_certs;  /* a verified client certificate will do, too */
	int64_t latency_ms; /* before every answer */
};

struct api *api_new(struct server *server, struct hub *hub, const struct api_options *options);
void api_free(struct api *api); /* after front_free() */

/* A call_fn: arg is the api. */
void api_handle(void *arg, struct call *call);

#endif
