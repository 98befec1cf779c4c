/*
 * store.h - the cached objects of one kind, as compact JSON bytes.
 *
 * A tree costs seven times its text, so objects are kept as text (without managedFields and the
 * last-applied annotation) with a small header, and parsed on demand. No I/O here.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include "base/json.h"

struct store;

/* What is known of an object without parsing it. Borrowed until the object changes. */
struct store_meta {
	const char *key; /* "namespace/name", or "name" when cluster-scoped */
	const char *uid;
	const char *resource_version; /* opaque: only equality means something */
	const char *owner_uid;        /* of the controller owner reference; "" if none */
};

/* reduce may cut fields off before an object is stored (NULL: none). */
struct store *store_new(void (*reduce)(struct json *object));
void store_free(struct store *store);

/* Add or replace (reads metadata; an object without a name is refused: -1). */
int store_put(struct store *store, const struct json *object, struct err *err);
void store_delete(struct store *store, const char *key);

/* NULL when absent. store_get parses: the tree is yours. */
struct json *store_get(const struct store *store, const char *key);
const struct store_meta *store_find(const struct store *store, const char *key);

/* Keys of the objects whose controller owner has this uid, through an index. */
typedef void store_fn(void *arg, const struct store_meta *meta);
void store_each_owned(const struct store *store, const char *owner_uid, store_fn *fn, void *arg);
void store_each(const struct store *store, store_fn *fn, void *arg);
size_t store_len(const struct store *store);

/* "namespace/name" of an object; yours. */
char *store_key(const struct json *object);

/* A LIST is staged, then takes effect as one: begin, put each, commit. Objects that the list lacks
 * are deleted at commit and reported to gone first. */
void store_begin(struct store *store);
void store_stage(struct store *store, const struct json *object);
void store_commit(struct store *store, store_fn *gone, void *arg);
void store_abort(struct store *store);

#endif
