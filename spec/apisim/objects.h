/*
 * objects.h - the memory of apisim: objects by kind and name, one counter of versions, and the
 * history that watches and paged lists read.
 *
 * An object is kept as compact JSON text (a Pod of 3 KB is 25 KB as a tree) and parsed when
 * somebody changes it. Text is shared by reference count between the object, the history and
 * whoever sends it. Every change has a version of its own, without gaps, so that the history is a
 * ring that the version indexes.
 *
 * Nothing here knows rules: see write.h for what a request may do.
 */
#ifndef APISIM_OBJECTS_H
#define APISIM_OBJECTS_H

#include "base/json.h"

/* Text that several owners share. */
struct blob {
	int refs;
	size_t len;
	char text[];
};

struct blob *blob_new(const struct json *tree);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is fine */

struct store;
struct schema;
struct resource;

/* Plain data; changed by this module alone. */
struct object {
	struct resource *resource;
	char *key; /* "namespace/name", "/name" where there is no namespace */
	char *uid;
	char **owners; /* the uids of metadata.ownerReferences, NULL at the end; NULL: none */
	uint64_t version;
	struct blob *blob;
};

/* A kind of object; made by kinds.h, kept until the end also when its CRD is deleted. */
struct resource {
	const char *group, *version, *plural, *singular, *kind;
	char *qualified;          /* "jobs.batch", "pods": how messages name it */
	struct json *short_names; /* or NULL, as all below */
	struct json *categories;
	struct json *definition; /* the CRD, and the element of its spec.versions */
	const struct json *crd_version;
	struct schema *schema;
	bool namespaced, status, generation, served;

	struct object **objects; /* sorted by key */
	size_t count, cap;
};

enum change_type { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };

/* One entry of the history. */
struct change {
	enum change_type type;
	uint64_t version;
	struct resource *resource;
	char *key;
	struct blob *before; /* NULL when added */
	struct blob *after;  /* when deleted: the last state, with the version of the deletion */
};

/* Called after each change, with its trees; it must not write to the store: loop_defer that. */
typedef void store_fn(void *arg, const struct change *change, const struct json *object,
		      const struct json *old);

struct store *store_new(size_t history);
void store_free(struct store *store);
void store_observe(struct store *store, store_fn *fn, void *arg);

/* The version of the last change, and the oldest version after which the history is whole. */
uint64_t store_version(const struct store *store);
uint64_t store_oldest(const struct store *store);
const struct change *store_change(const struct store *store, uint64_t version);

/* Forget the history: who asks for an older version than now gets 410. */
void store_forget(struct store *store);

/* NULL when absent; namespace is "" for kinds without one. */
struct object *store_find(const struct resource *resource, const char *namespace, const char *name);
struct object *store_by_uid(const struct store *store, const char *uid);

/* The objects that name uid as an owner; NULL with *count 0 when there are none. Borrowed until
 * the next change. */
struct object *const *store_dependents(const struct store *store, const char *uid, size_t *count);

/* The index of the first object whose key is not below prefix. */
size_t store_lower_bound(const struct resource *resource, const char *prefix);

/* The object as a tree, yours; its namespace ("" if none, yours) and name (borrowed). */
struct json *object_tree(const struct object *object);
char *object_namespace(const struct object *object);
const char *object_name(const struct object *object);

/* How much of the text a list holds, to be followed by "}": as on the server the items of a
 * built-in kind have neither kind nor apiVersion, those of a custom one have. */
size_t object_list_len(const struct resource *resource, const struct blob *blob);

/* Create the object, or replace it when old (its present tree) is given. Sets
 * metadata.resourceVersion in tree; the result is borrowed. */
struct object *store_put(struct store *store, struct resource *resource, struct json *tree,
			 const struct json *old);

/* Remove the object; tree is its last state and gets the version of the deletion. */
void store_remove(struct store *store, struct object *object, struct json *tree);

#endif
