/*
 * watch.h - watches: changes of the past from the history, then each change as it happens.
 *
 * A watch ends after its timeoutSeconds with a bookmark (if bookmarks are wanted, which also come
 * every minute); with an ERROR event of code 410 if it asks for what the history has lost.
 * The source:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
#ifndef APISIM_WATCH_H
#define APISIM_WATCH_H

#include "spec/apisim/http.h"
#include "spec/apisim/select.h"
#include "spec/apisim/server.h"
#include "spec/apisim/table.h"

struct hub;

struct hub *hub_new(struct server *server);
void hub_free(struct hub *hub); /* after front_free(), which ends every watch */

struct watch_query {
	struct resource *resource;
	const char *namespace; /* "": all */
	const char *name;      /* "": all */
	struct selector *labels_taken, *fields_taken;
	const char *version; /* resourceVersion; NULL, "" or "0": what is there now, first */
	bool initial;        /* sendInitialEvents */
	bool bookmarks;
	int64_t timeout_s; /* 0: the server chooses */
	bool table;
	enum table_include include;
};

/* Answers the call with a stream; or returns a Status, and the call is still to be answered. */
struct json *hub_watch(struct hub *hub, struct call *call, const struct watch_query *query);

/* End every watch now. */
void hub_close(struct hub *hub);

size_t hub_count(const struct hub *hub);

#endif
