/*
 * watch.h - keep a store equal to the API server: LIST in pages, then WATCH, for ever.
 *
 * States: LIST -> WATCH -> (clean end: WATCH again at once | 410: LIST | trouble: BACKOFF, then
 * WATCH from the last version, or LIST if there is none). Bookmarks only move the version. It is
 * forgotten when going on from it cannot help: a line that is no event or is too long, a request
 * that the server calls invalid, 504 (it is said to lie in the future). A second 410 in a row and
 * a watch that ends at once without a line count as trouble too, so that no server makes us spin.
 *
 * Each object is parsed by itself. One that cannot be (nested too deep, \u0000 in a string: an API
 * server takes both) or has no name is reported through trouble as INVALID and passed over; an
 * older version in the store is deleted, so that nothing is decided from it. Everything else goes
 * on.
 *
 * A watch ends by itself after 240 to 300 s (timeoutSeconds, jittered), and by us 30 s later: a
 * half-open connection is found then at the latest. Back-off: 0.8 s doubling to 30 s with full
 * jitter, reset after 2 healthy minutes; Retry-After wins, up to WATCH_PATIENCE_MS. The same rules
 * as client-go's reflector
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/client.h"
#include "kube/store.h"

struct watch;

/* A page has this many objects, or half as many each time that it passes CLIENT_REPLY_MAX. */
enum { WATCH_PAGE = 500, WATCH_PATIENCE_MS = 300000 };

enum watch_event { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED };

/* The times of the rules above, for tests. */
struct watch_timing {
	int64_t backoff_ms, backoff_max_ms; /* 800, 30000 */
	int64_t healthy_ms;                 /* 120000 */
	int64_t session_s;                  /* 240; a quarter is added at most */
	int64_t slack_ms;                   /* 30000 */
	int64_t short_ms;                   /* 1000: "at once" */
};

/* Everything that is pointed to must outlive the watch. */
struct watch_spec {
	const struct kind *kind;
	const char *namespace;      /* NULL: all namespaces */
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none */
	struct store *store;        /* written by the watch alone; several may share one store
				     * if they have different namespaces */
	/* After the store has changed (for WATCH_DELETED: just before it does). The object is as
	 * reduced by the store; it is NULL for one that was found gone, is passed over
	 * from now on, or was replaced by a namesake with another uid. Also called for each object
	 * of a list that is new or has another version; never for a version that the store has
	 * already. */
	void (*event)(void *arg, enum watch_event type, const struct store_meta *meta,
		      const struct json *object);
	void (*synced)(void *arg); /* after every complete LIST; or NULL */
	/* A LIST or WATCH failed, or an object was passed over; or NULL. */
	void (*trouble)(void *arg, const struct err *err);
	/* The object of this key was passed over; err NULL: and has been deleted since (not told if
	 * that happened between two watches). Or NULL. */
	void (*passed_over)(void *arg, const char *key, const struct err *err);
	void *arg;
	const struct watch_timing *timing; /* NULL: as above */
};

struct watch *watch_start(struct loop *loop, struct client *client, const struct watch_spec *spec);
void watch_free(struct watch *watch);
bool watch_synced(const struct watch *watch); /* one LIST has been completed */

#endif
