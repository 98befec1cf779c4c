/*
 * shelf.h - the bundles that are there, by name: the one in force for all, "", and named ones.
 *
 * Engine and worker keep one each; the engine's is the truth. A bundle that is laid over the one in
 * force follows it: when that changes, so does what the other gets from it.
 */
#ifndef POLICY_SHELF_H
#define POLICY_SHELF_H

#include "policy/bundle.h"

enum {
	SHELF_NAMED_MAX = 256,      /* bundles beside "" */
	SHELF_BYTES_MAX = 32 << 20, /* of all their files */
	SHELF_NAME_MAX = 512,       /* bytes */
	SHELF_DEFAULT = 1,          /* the version of the default bundle under "" */
	SHELF_NONE = -1,            /* the version of nothing */
};

struct shelf;

/* At first "" is the default bundle. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *shelf); /* NULL is fine */

/* A bundle of these files: over the one in force, or over the default one. */
struct bundle *shelf_make(const struct shelf *shelf, bool over, const struct json *files,
			  struct err *err);

/* Is there room for such a bundle under that name? -1 with kind LIMIT if not. */
int shelf_room(const struct shelf *shelf, const char *name, const struct bundle *bundle,
	       struct err *err);

/* Put it there in place of the one before. over: it was made so. */
void shelf_put(struct shelf *shelf, const char *name, bool over, struct bundle *bundle_taken);

/* Take a named one away; without one of that name nothing happens. */
void shelf_forget(struct shelf *shelf, const char *name);

/* What stands under a name, until the shelf changes; NULL if nothing does. */
struct shelf_item {
	struct bundle *bundle;
	bool over;
	int64_t version; /* never that of another item */
	char digest[BUNDLE_DIGEST_MAX];
};
const struct shelf_item *shelf_find(const struct shelf *shelf, const char *name);

#endif
