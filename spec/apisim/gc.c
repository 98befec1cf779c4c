#include "spec/apisim/gc.h"

#include "base/map.h"
#include "spec/apisim/write.h"

static const char FOREGROUND[] = "foregroundDeletion";

struct gc {
	struct server *server;
	struct resource *namespaces;
	struct map *dirty;       /* uids of objects to look at */
	struct map *terminating; /* names of namespaces to their uids */
	bool running;
};

static void run(void *arg);

static void mark(struct gc *gc, const char *uid)
{
	map_put(gc->dirty, uid, gc);
	if (gc->running)
		return;
	gc->running = true;
	loop_defer(gc->server->loop, run, gc);
}

static void mark_dependents(struct gc *gc, const char *uid)
{
	size_t count;
	struct object *const *dependents = store_dependents(gc->server->store, uid, &count);

	for (size_t i = 0; i < count; i++)
		mark(gc, dependents[i]->uid);
}

static bool has_finalizer(const struct json *object, const char *name)
{
	const struct json *finalizers = json_at(object, "metadata", "finalizers");

	for (const struct json *f = json_first(finalizers); f != NULL; f = json_next(f))
		if (streq(json_str(f) != NULL ? json_str(f) : "", name))
			return true;
	return false;
}

static bool waits_for_dependents(const struct json *object)
{
	return json_at(object, "metadata", "deletionTimestamp") != NULL &&
	       has_finalizer(object, FOREGROUND);
}

/* ---- dependents ---- */

/* What an owner means to its dependent. */
static bool owner_holds(const struct gc *gc, const char *uid)
{
	struct object *owner = store_by_uid(gc->server->store, uid);
	auto_json struct json *tree = NULL;

	if (owner == NULL)
		return false;
	if (strstr(owner->blob->text, FOREGROUND) == NULL)
		return true; /* spares the parsing of nearly all */
	tree = object_tree(owner);
	return !waits_for_dependents(tree);
}

static void drop_dangling(struct gc *gc, struct object *object)
{
	auto_json struct json *tree = object_tree(object);
	struct json *left = json_array();
	const struct json *references = json_at(tree, "metadata", "ownerReferences");

	for (const struct json *r = json_first(references); r != NULL; r = json_next(r))
		if (owner_holds(gc, json_get_str(r, "uid", "")))
			json_append(left, json_copy(r));
	json_set(json_mut(tree, "metadata"), "ownerReferences", left);
	write_tree(gc->server, object, tree);
}

/* True if the object was removed. */
static bool check_owners(struct gc *gc, struct object *object)
{
	size_t holding = 0, count = 0;

	if (object->owners == NULL)
		return false;
	for (; object->owners[count] != NULL; count++)
		holding += owner_holds(gc, object->owners[count]);
	if (holding == count)
		return false;
	if (holding > 0) {
		drop_dangling(gc, object);
		return false;
	}
	write_remove(gc->server, object);
	return true;
}

/* An owner that is deleted in the foreground: its dependents first, then itself. */
static void check_foreground(struct gc *gc, struct object *object)
{
	auto_json struct json *tree = NULL;
	struct json *left;
	size_t dependents;

	if (strstr(object->blob->text, FOREGROUND) == NULL)
		return;
	tree = object_tree(object);
	if (!waits_for_dependents(tree))
		return;
	store_dependents(gc->server->store, object->uid, &dependents);
	if (dependents > 0) {
		mark_dependents(gc, object->uid);
		return;
	}
	left = json_array();
	for (const struct json *f = json_first(json_at(tree, "metadata", "finalizers")); f != NULL;
	     f = json_next(f))
		if (!streq(json_str(f), FOREGROUND))
			json_append(left, json_copy(f));
	json_set(json_mut(tree, "metadata"), "finalizers", left);
	if (json_len(left) > 0)
		write_tree(gc->server, object, tree);
	else
		store_remove(gc->server->store, object, tree);
}

/* ---- namespaces ---- */

static size_t empty_kind(struct gc *gc, struct resource *resource, const char *prefix)
{
	size_t at = store_lower_bound(resource, prefix), left = 0;

	while (at < resource->count && has_prefix(resource->objects[at]->key, prefix)) {
		size_t before = resource->count;

		write_remove(gc->server, resource->objects[at]);
		if (resource->count == before) { /* its finalizers hold it */
			left++;
			at++;
		}
	}
	return left;
}

static void check_namespace(struct gc *gc, struct object *namespace)
{
	auto_json struct json *tree = object_tree(namespace);
	auto_free char *prefix = xasprintf("%s/", object_name(namespace));
	struct resource *resource;
	size_t left = 0;

	if (json_at(tree, "metadata", "deletionTimestamp") == NULL)
		return;
	for (size_t at = 0; (resource = kinds_next(gc->server->kinds, &at)) != NULL;)
		if (resource->namespaced)
			left += empty_kind(gc, resource, prefix);
	if (left > 0)
		return;
	map_del(gc->terminating, object_name(namespace));
	store_remove(gc->server->store, namespace, tree);
}

/* ---- the queue ---- */

static void check(struct gc *gc, const char *uid)
{
	struct object *object = store_by_uid(gc->server->store, uid);

	if (object == NULL)
		return;
	if (object->resource == gc->namespaces)
		check_namespace(gc, object);
	else if (!check_owners(gc, object))
		check_foreground(gc, object);
}

static void run(void *arg)
{
	struct gc *gc = arg;
	struct map *dirty = gc->dirty;
	const char *uid;
	void *value;

	gc->running = false;
	gc->dirty = map_new(NULL);
	for (size_t i = 0; map_next(dirty, &i, &uid, &value);)
		check(gc, uid);
	map_free(dirty);
}

static void on_change(void *arg, const struct change *change, const struct json *object,
		      const struct json *old UNUSED)
{
	struct gc *gc = arg;
	const struct json *metadata = json_get(object, "metadata");
	const char *uid = json_get_str(metadata, "uid", "");
	const struct json *references = json_get(metadata, "ownerReferences");
	bool deleted = change->type == CHANGE_DELETED;
	auto_free char *namespace = NULL;
	const char *terminating;

	if (deleted)
		mark_dependents(gc, uid);
	for (const struct json *r = json_first(references); r != NULL; r = json_next(r)) {
		const char *owner = json_get_str(r, "uid", "");

		if (deleted || !owner_holds(gc, owner))
			mark(gc, deleted ? owner : uid);
	}
	if (json_get(metadata, "deletionTimestamp") != NULL && !deleted) {
		if (change->resource == gc->namespaces)
			map_put(gc->terminating, json_get_str(metadata, "name", ""), xstrdup(uid));
		mark(gc, uid);
	}
	if (!deleted || map_len(gc->terminating) == 0)
		return;
	namespace = xstrndup(change->key, strcspn(change->key, "/"));
	terminating = map_get(gc->terminating, namespace);
	if (terminating != NULL)
		mark(gc, terminating);
}

struct gc *gc_new(struct server *server)
{
	struct gc *gc = xcalloc(1, sizeof(*gc));

	gc->server = server;
	gc->namespaces = kinds_find(server->kinds, "", "v1", "namespaces");
	gc->dirty = map_new(NULL);
	gc->terminating = map_new(free);
	store_observe(server->store, on_change, gc);
	return gc;
}

void gc_free(struct gc *gc)
{
	if (gc == NULL)
		return;
	loop_undefer(gc->server->loop, gc);
	map_free(gc->dirty);
	map_free(gc->terminating);
	free(gc);
}
