/*
 * verbs.h - a request for objects, read; and carried out.
 */
#ifndef APISIM_VERBS_H
#define APISIM_VERBS_H

#include "base/buf.h"
#include "spec/apisim/http.h"
#include "spec/apisim/list.h"
#include "spec/apisim/route.h"
#include "spec/apisim/schema.h"
#include "spec/apisim/server.h"
#include "spec/apisim/watch.h"

/* A copy of all that a call says, so that it may wait. */
struct request {
	struct route route;
	struct resource *resource; /* NULL: not served */
	char *method, *query, *accept, *content_type, *client;
	const char *verb;    /* as in RBAC: get, list, watch, create, update, patch, delete, ... */
	char *resource_name; /* "jobs", "jobs/status" */
	char *target_name;   /* from the path, or the body of a create */
	struct json *body;   /* NULL when empty */
	struct json *warnings;
};

/* NULL, or a Status: the body is not readable. Fills in what it can also then. */
struct json *request_read(struct request *request, const struct server *server,
			  const struct call *call);
void request_done(struct request *request);

struct reply {
	int status;
	struct buf text;
};

struct json *verbs_do(struct server *server, struct request *request, struct reply *reply);

/* As hub_watch. */
struct json *verbs_watch(struct hub *hub, struct call *call, const struct request *request);

#endif
