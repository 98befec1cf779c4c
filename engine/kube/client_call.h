/*
 * client_call.h - a call of any verb, for client.c and client_verbs.c alone.
 */
#ifndef KUBE_CLIENT_CALL_H
#define KUBE_CLIENT_CALL_H

#include "kube/client.h"

struct client_verb {
	const char *name; /* as in RBAC */
	const char *method;
	const char *content_type; /* the header of its body; NULL: no body */
};

struct client_request {
	const struct client_verb *verb; /* must outlive the call */
	const char *path;               /* copied; may carry a query */
	const struct json *body;        /* printed at once; NULL: none */
	int64_t timeout_ms;             /* for the whole call; 0: none */
	line_fn *line;                  /* where a stream goes; NULL: no stream */
	client_done_fn *done;
	client_text_fn *text_done; /* in place of done; or NULL */
	void *arg;
};

struct client_call *client_start(struct client *c, const struct client_request *request);

#endif
