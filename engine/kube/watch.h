/*
 * watch.h - keep a store equal to the API server: LIST in pages, then WATCH, for ever.
 *
 * States: LIST -> WATCH -> (clean end: WATCH again at once | 410: LIST | trouble: BACKOFF, then
 * WATCH from the last version, or LIST if there was none). Bookmarks only move the version. A
 * watch ends by itself after 240 to 300 s (timeoutSeconds, jittered), and by us 30 s later: a
 * half-open connection is found then at the latest. Back-off: 0.8 s doubling to 30 s with full jitter, reset after 2
 * healthy minutes; Retry-After wins. The same rules as client-go's reflector
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/client.h"
#include "kube/store.h"

struct watch;

enum watch_event { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED };

struct watch_spec {
	const struct kind *kind;
	const char *namespace;      /* NULL: all namespaces */
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none */
	struct store *store;        /* written by the watch alone; several may share one store
				     * if their objects are disjoint (namespaces) */
	/* After the store has changed (for WATCH_DELETED: just before it does). object is NULL for
	 * objects that a re-list found gone. Also called for each object of a list that is new or
	 * has another version. */
	void (*event)(void *arg, enum watch_event type, const struct store_meta *meta,
		      const struct json *object);
	void (*synced)(void *arg);                        /* after every complete LIST; or NULL */
	void (*trouble)(void *arg, const struct err *err); /* a LIST or WATCH failed; or NULL */
	void *arg;
};

struct watch *watch_start(struct loop *loop, struct client *client, const struct watch_spec *spec);
void watch_free(struct watch *watch);
bool watch_synced(const struct watch *watch); /* one LIST has been completed */

#endif
