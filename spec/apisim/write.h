/*
 * write.h - create, update, patch and delete, with the rules of kube-apiserver's generic store:
 * names, versions, generations, status as a subresource, finalizers, preconditions, dry runs.
 *
 * Each returns NULL and the stored object's text in *result (yours to blob_unref), or the Status
 * that refuses (yours). The controllers inside apisim write through here too.
 */
#ifndef APISIM_WRITE_H
#define APISIM_WRITE_H

#include "spec/apisim/schema.h"
#include "spec/apisim/server.h"

struct write_options {
	bool dry_run;
	enum schema_unknown unknown;
	struct json *warnings; /* an array of strings, or NULL */
};

/* What is written: subresource is "" or "status". */
struct target {
	struct resource *resource;
	const char *namespace, *name, *subresource;
};

struct json *write_create(struct server *server, const struct target *target,
			  struct json *object_taken, const struct write_options *options,
			  struct blob **result);

struct json *write_update(struct server *server, const struct target *target,
			  struct json *object_taken, const struct write_options *options,
			  struct blob **result);

/* type is the media type of the patch. */
struct json *write_patch(struct server *server, const struct target *target, const char *type,
			 const struct json *patch, const struct write_options *options,
			 struct blob **result);

/* delete_options is a DeleteOptions, or NULL. *result may stay NULL: then status_deleted() of
 * *uid is the answer. */
struct json *write_delete(struct server *server, const struct target *target,
			  const struct json *delete_options, bool dry_run, char uid[37],
			  struct blob **result);

/* ---- for the controllers inside ---- */

/* Put object, a changed tree of what is stored, into the store as it is. */
void write_tree(struct server *server, struct object *object, struct json *tree);

/* The same, of its status only, and not if nothing changed. */
void write_status(struct server *server, struct object *object, struct json *status_taken);

/* Delete in the background (dependents follow), whoever owns it; honours finalizers. */
void write_remove(struct server *server, struct object *object);

#endif
