/*
 * store.h - the cached objects of one kind, as compact JSON bytes.
 *
 * A tree costs seven times its text, so objects are kept as text (without managedFields and the
 * last-applied annotation) behind a small header, and parsed on demand. Nothing is kept twice, so
 * that the whole, with its indexes, takes 1.25 times the text at 0.4 KB and 1.02 times at 4 KB. No
 * I/O here.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include "base/json.h"

struct store;
struct store_list;

/* What is known of an object without parsing it. Borrowed until the object changes. */
struct store_meta {
	const char *key; /* "namespace/name", or "name" when cluster-scoped */
	const char *uid;
	const char *resource_version; /* opaque: only equality means something */
	const char *owner_uid;        /* of the controller owner reference; "" if none */
};

/* reduce may cut fields off before an object is stored (NULL: none); not those of store_meta. */
struct store *store_new(void (*reduce)(struct json *object));
void store_free(struct store *store); /* NULL is fine; its lists must be ended before */

/* Add or replace. The object is cut down to what is stored, in place, but stays yours. -1: it has
 * no usable metadata.name (see store_key); it is then unchanged. */
int store_put(struct store *store, struct json *object, struct err *err);
void store_delete(struct store *store, const char *key);

/* NULL when absent. store_get parses: the tree is yours. */
struct json *store_get(const struct store *store, const char *key);
const struct store_meta *store_find(const struct store *store, const char *key);

/* Visit the objects whose controller owner has this uid, through an index. fn must not change the
 * store. */
typedef void store_fn(void *arg, const struct store_meta *meta);
void store_each_owned(const struct store *store, const char *owner_uid, store_fn *fn, void *arg);
size_t store_len(const struct store *store);

/* "namespace/name" of an object; yours; NULL if it has no name or there is a '/' in it. */
char *store_key(const struct json *object);

/*
 * A LIST of one namespace (NULL: of all) is staged page by page, then takes effect as one: begin,
 * stage each object, then commit or abort, which free the list. An object that has not changed
 * since (same uid and version) costs nothing. Staging changes the object and fails as store_put
 * does.
 *
 * Commit reports the objects that the list lacks, or has under another uid, as gone, each just
 * before it is deleted; then it puts the changed ones; then it reports those as added or modified.
 * A report may abort its list: commit then returns and touches neither list nor store again.
 */
struct store_changes {
	store_fn *gone, *added, *modified;
	void *arg;
};

struct store_list *store_begin(struct store *store, const char *namespace);
int store_stage(struct store_list *list, struct json *object, struct err *err);
void store_commit(struct store_list *list, const struct store_changes *report);
void store_abort(struct store_list *list); /* NULL is fine */

#endif
