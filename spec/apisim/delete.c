#include "base/timefmt.h"
#include "spec/apisim/status.h"
#include "spec/apisim/write.h"

static const char FOREGROUND[] = "foregroundDeletion";

static bool is(const struct resource *resource, const char *plural)
{
	return streq(resource->plural, plural) && !kinds_custom(resource);
}

/* ---- for the controllers ---- */

void write_tree(struct server *server, struct object *object, struct json *tree)
{
	auto_json struct json *old = object_tree(object);

	store_put(server->store, object->resource, tree, old);
}

void write_status(struct server *server, struct object *object, struct json *status_taken)
{
	auto_json struct json *old = object_tree(object);
	auto_json struct json *tree = NULL;

	if (json_equal(json_get(old, "status"), status_taken)) {
		json_free(status_taken);
		return;
	}
	tree = json_copy(old);
	json_set(tree, "status", status_taken);
	store_put(server->store, object->resource, tree, old);
}

/* All objects of a kind, whose CRD goes away: finalizers cannot hold them, nobody serves them. */
static void remove_all(struct server *server, struct resource *resource)
{
	while (resource->count > 0) {
		struct object *last = resource->objects[resource->count - 1];
		auto_json struct json *tree = object_tree(last);

		store_remove(server->store, last, tree);
	}
}

static void mark_deleted(struct server *server, struct object *object, struct json *tree)
{
	struct json *metadata = json_obj(tree, "metadata");
	char now[32];

	json_set_str(metadata, "deletionTimestamp", server_now(now));
	json_set(metadata, "deletionGracePeriodSeconds", json_int(0));
	if (object->resource->generation)
		json_set(metadata, "generation",
			 json_int(json_get_int(metadata, "generation", 0) + 1));
	if (is(object->resource, "namespaces"))
		json_set_str(json_obj(tree, "status"), "phase", "Terminating");
	write_tree(server, object, tree);
}

/* Returns the object where it stays for its finalizers, else NULL. */
static struct object *remove_or_mark(struct server *server, struct object *object,
				     struct json *tree)
{
	const struct json *metadata = json_get(tree, "metadata");
	struct resource *gone;

	if (json_len(json_get(metadata, "finalizers")) > 0 || is(object->resource, "namespaces")) {
		if (json_get(metadata, "deletionTimestamp") == NULL)
			mark_deleted(server, object, tree);
		return object;
	}
	if (is(object->resource, "customresourcedefinitions")) {
		gone = kinds_undefine(server->kinds, tree);
		if (gone != NULL)
			remove_all(server, gone);
	}
	store_remove(server->store, object, tree);
	return NULL;
}

void write_remove(struct server *server, struct object *object)
{
	auto_json struct json *tree = object_tree(object);

	remove_or_mark(server, object, tree);
}

/* ---- the request ---- */

static struct json *check_preconditions(const struct target *target, const struct json *tree,
					const struct json *preconditions)
{
	static const struct {
		const char *key, *words;
	} checks[] = {{"uid", "UID"}, {"resourceVersion", "ResourceVersion"}};
	const struct json *metadata = json_get(tree, "metadata");

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		const char *wanted = json_get_str(preconditions, checks[i].key, NULL);
		const char *found = json_get_str(metadata, checks[i].key, "");
		auto_free char *why = NULL;

		if (wanted == NULL || streq(wanted, found))
			continue;
		why =
		    xasprintf("Precondition failed: %s in precondition: %s, %s in object meta: %s",
			      checks[i].words, wanted, checks[i].words, found);
		return status_conflict(target->resource, target->name, why);
	}
	return NULL;
}

/* Take the reference to uid out of every dependent. */
static void orphan(struct server *server, const char *uid)
{
	struct object *const *dependents;
	size_t count;

	while ((dependents = store_dependents(server->store, uid, &count)) != NULL) {
		auto_json struct json *tree = object_tree(dependents[0]);
		struct json *left = json_array();
		const struct json *references = json_at(tree, "metadata", "ownerReferences");

		for (const struct json *r = json_first(references); r != NULL; r = json_next(r))
			if (!streq(json_get_str(r, "uid", ""), uid))
				json_append(left, json_copy(r));
		json_set(json_mut(tree, "metadata"), "ownerReferences", left);
		write_tree(server, dependents[0], tree);
	}
}

static const char *propagation(const struct resource *resource, const struct json *options)
{
	const char *policy = json_get_str(options, "propagationPolicy", NULL);

	if (policy != NULL)
		return policy;
	if (json_get(options, "orphanDependents") != NULL)
		return json_is_true(json_get(options, "orphanDependents")) ? "Orphan"
									   : "Background";
	/* For the sake of old clients a Job leaves its Pods behind (batch/v1 strategy.go). */
	return is(resource, "jobs") ? "Orphan" : "Background";
}

static void propagate(struct server *server, const struct object *object, struct json *tree,
		      const char *policy)
{
	struct json *metadata = json_mut(tree, "metadata");
	size_t dependents;

	store_dependents(server->store, object->uid, &dependents);
	if (dependents == 0 || json_get(metadata, "deletionTimestamp") != NULL)
		return;
	if (streq(policy, "Orphan"))
		orphan(server, object->uid);
	if (!streq(policy, "Foreground"))
		return;
	if (json_type(json_get(metadata, "finalizers")) != JSON_ARRAY)
		json_set(metadata, "finalizers", json_array());
	json_append(json_mut(metadata, "finalizers"), json_string(FOREGROUND));
}

struct json *write_delete(struct server *server, const struct target *target,
			  const struct json *delete_options, bool dry_run, char uid[37],
			  struct blob **result)
{
	const struct resource *resource = target->resource;
	struct object *object =
	    store_find(resource, resource->namespaced ? target->namespace : "", target->name);
	auto_json struct json *tree = NULL;
	struct json *refused;

	if (object == NULL)
		return status_not_found(resource, target->name);
	tree = object_tree(object);
	refused = check_preconditions(target, tree, json_get(delete_options, "preconditions"));
	if (refused != NULL)
		return refused;
	if (is(resource, "namespaces") &&
	    (streq(target->name, "default") || streq(target->name, "kube-system")))
		return status_forbidden(resource, target->name,
					"this namespace may not be deleted");
	snprintf(uid, 37, "%s", object->uid);
	if (dry_run)
		return NULL;
	propagate(server, object, tree, propagation(resource, delete_options));
	object = remove_or_mark(server, object, tree);
	if (object != NULL)
		*result = blob_ref(object->blob);
	return NULL;
}
