#include "spec/apisim/objects.h"

#include "base/map.h"

enum { OBSERVERS_MAX = 8 };

struct dependents {
	struct object **objects;
	size_t count, cap;
};

struct store {
	uint64_t version;
	uint64_t oldest; /* changes after this version are in the ring */
	struct change *ring;
	size_t ring_size;
	struct map *by_uid;
	struct map *by_owner; /* uid to struct dependents */
	struct {
		store_fn *fn;
		void *arg;
	} observers[OBSERVERS_MAX];
	size_t observer_count;
};

struct blob *blob_new(const struct json *tree)
{
	auto_free char *text = json_print(tree);
	size_t len = strlen(text);
	struct blob *blob = xmalloc(sizeof(*blob) + len + 1);

	blob->refs = 1;
	blob->len = len;
	memcpy(blob->text, text, len + 1);
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	blob->refs++;
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (blob != NULL && --blob->refs == 0)
		free(blob);
}

static void free_dependents(void *value)
{
	struct dependents *d = value;

	free(d->objects);
	free(d);
}

struct store *store_new(size_t history)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->ring_size = history;
	store->ring = xcalloc(history, sizeof(*store->ring));
	store->by_uid = map_new(NULL);
	store->by_owner = map_new(free_dependents);
	return store;
}

static void clear_change(struct change *change)
{
	free(change->key);
	blob_unref(change->before);
	blob_unref(change->after);
	*change = (struct change){.version = 0};
}

static void free_object(struct object *object)
{
	for (size_t i = 0; object->owners != NULL && object->owners[i] != NULL; i++)
		free(object->owners[i]);
	free(object->owners);
	free(object->key);
	free(object->uid);
	blob_unref(object->blob);
	free(object);
}

static void free_stored(const struct store *store)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(store->by_uid, &i, &key, &value);)
		free_object(value);
}

void store_free(struct store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->ring_size; i++)
		clear_change(&store->ring[i]);
	free(store->ring);
	free_stored(store);
	map_free(store->by_uid);
	map_free(store->by_owner);
	free(store);
}

void store_observe(struct store *store, store_fn *fn, void *arg)
{
	if (store->observer_count == OBSERVERS_MAX)
		abort();
	store->observers[store->observer_count].fn = fn;
	store->observers[store->observer_count++].arg = arg;
}

uint64_t store_version(const struct store *store)
{
	return store->version;
}

uint64_t store_oldest(const struct store *store)
{
	return store->oldest;
}

const struct change *store_change(const struct store *store, uint64_t version)
{
	return &store->ring[version % store->ring_size];
}

void store_forget(struct store *store)
{
	/* One version more, so that even the present one is too old. */
	store->oldest = ++store->version;
}

/* ---- finding ---- */

size_t store_lower_bound(const struct resource *resource, const char *prefix)
{
	size_t low = 0, high = resource->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(resource->objects[middle]->key, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct object *find_key(const struct resource *resource, const char *key)
{
	size_t at = store_lower_bound(resource, key);

	if (at < resource->count && streq(resource->objects[at]->key, key))
		return resource->objects[at];
	return NULL;
}

struct object *store_find(const struct resource *resource, const char *namespace, const char *name)
{
	auto_free char *key = xasprintf("%s/%s", namespace, name);

	return find_key(resource, key);
}

struct object *store_by_uid(const struct store *store, const char *uid)
{
	return map_get(store->by_uid, uid);
}

struct object *const *store_dependents(const struct store *store, const char *uid, size_t *count)
{
	const struct dependents *d = map_get(store->by_owner, uid);

	*count = d != NULL ? d->count : 0;
	return d != NULL ? d->objects : NULL;
}

struct json *object_tree(const struct object *object)
{
	struct err err = ERR_INIT;
	struct json *tree = json_parse(object->blob->text, object->blob->len, &err);

	if (tree == NULL)
		abort(); /* we printed it ourselves */
	return tree;
}

char *object_namespace(const struct object *object)
{
	return xstrndup(object->key, strcspn(object->key, "/"));
}

const char *object_name(const struct object *object)
{
	return strchr(object->key, '/') + 1;
}

/* ---- owners ---- */

static void unlink_owners(struct store *store, struct object *object)
{
	for (size_t i = 0; object->owners != NULL && object->owners[i] != NULL; i++) {
		struct dependents *d = map_get(store->by_owner, object->owners[i]);

		for (size_t k = 0; k < d->count; k++)
			if (d->objects[k] == object) {
				d->objects[k] = d->objects[--d->count];
				break;
			}
		if (d->count == 0)
			map_del(store->by_owner, object->owners[i]);
		free(object->owners[i]);
	}
	free(object->owners);
	object->owners = NULL;
}

static void link_owner(struct store *store, struct object *object, const char *uid)
{
	struct dependents *d = map_get(store->by_owner, uid);

	if (d == NULL) {
		d = xcalloc(1, sizeof(*d));
		map_put(store->by_owner, uid, d);
	}
	if (d->count == d->cap) {
		d->cap = d->cap * 2 + 2;
		d->objects = xrealloc(d->objects, d->cap * sizeof(struct object *));
	}
	d->objects[d->count++] = object;
}

static void link_owners(struct store *store, struct object *object, const struct json *tree)
{
	const struct json *references = json_at(tree, "metadata", "ownerReferences");
	size_t n = 0;

	if (json_len(references) == 0)
		return;
	object->owners = xcalloc(json_len(references) + 1, sizeof(char *));
	for (const struct json *r = json_first(references); r != NULL; r = json_next(r)) {
		object->owners[n] = xstrdup(json_get_str(r, "uid", ""));
		link_owner(store, object, object->owners[n++]);
	}
}

/* ---- changing ---- */

/* kind and apiVersion go last: see object_list_len. */
static void move_type_last(struct json *tree)
{
	static const char *const keys[] = {"kind", "apiVersion"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct json *value = json_take(tree, keys[i]);

		if (value != NULL)
			json_set(tree, keys[i], value);
	}
}

size_t object_list_len(const struct resource *resource, const struct blob *blob)
{
	const char *slash = resource->group[0] != '\0' ? "/" : "";
	char suffix[600];
	int len;

	if (resource->definition != NULL)
		return blob->len - 1;
	len = snprintf(suffix, sizeof(suffix), ",\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\"}",
		       resource->kind, resource->group, slash, resource->version);
	if ((size_t)len <= blob->len && streq(blob->text + blob->len - len, suffix))
		return blob->len - (size_t)len;
	return blob->len - 1;
}

static void stamp(struct store *store, struct json *tree)
{
	char text[24];

	move_type_last(tree);
	store->version++;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)store->version);
	json_set_str(json_obj(tree, "metadata"), "resourceVersion", text);
}

static void record(struct store *store, enum change_type type, const struct object *object,
		   struct blob *before_taken, struct blob *after, const struct json *tree,
		   const struct json *old)
{
	struct change *change = &store->ring[store->version % store->ring_size];

	if (change->version > store->oldest)
		store->oldest = change->version;
	clear_change(change);
	change->type = type;
	change->version = store->version;
	change->resource = object->resource;
	change->key = xstrdup(object->key);
	change->before = before_taken;
	change->after = blob_ref(after);
	for (size_t i = 0; i < store->observer_count; i++)
		store->observers[i].fn(store->observers[i].arg, change, tree, old);
}

static void insert(struct resource *resource, struct object *object)
{
	size_t at = store_lower_bound(resource, object->key);

	if (resource->count == resource->cap) {
		resource->cap = resource->cap * 2 + 16;
		resource->objects =
		    xrealloc(resource->objects, resource->cap * sizeof(struct object *));
	}
	memmove(&resource->objects[at + 1], &resource->objects[at],
		(resource->count - at) * sizeof(struct object *));
	resource->objects[at] = object;
	resource->count++;
}

struct object *store_put(struct store *store, struct resource *resource, struct json *tree,
			 const struct json *old)
{
	const struct json *metadata = json_get(tree, "metadata");
	auto_free char *key = xasprintf("%s/%s", json_get_str(metadata, "namespace", ""),
					json_get_str(metadata, "name", ""));
	struct object *object = old != NULL ? find_key(resource, key) : NULL;
	enum change_type type = object != NULL ? CHANGE_MODIFIED : CHANGE_ADDED;
	struct blob *before;

	if (object == NULL) {
		object = xcalloc(1, sizeof(*object));
		object->resource = resource;
		object->key = steal(key);
		object->uid = xstrdup(json_get_str(metadata, "uid", ""));
		map_put(store->by_uid, object->uid, object);
		insert(resource, object);
	}
	stamp(store, tree);
	before = object->blob;
	object->blob = blob_new(tree);
	object->version = store->version;
	unlink_owners(store, object);
	link_owners(store, object, tree);
	record(store, type, object, before, object->blob, tree, old);
	return object;
}

void store_remove(struct store *store, struct object *object, struct json *tree)
{
	struct resource *resource = object->resource;
	size_t at = store_lower_bound(resource, object->key);
	struct blob *before = steal(object->blob);

	memmove(&resource->objects[at], &resource->objects[at + 1],
		(resource->count - at - 1) * sizeof(struct object *));
	resource->count--;
	map_del(store->by_uid, object->uid);
	unlink_owners(store, object);
	stamp(store, tree);
	object->blob = blob_new(tree);
	record(store, CHANGE_DELETED, object, before, object->blob, tree, tree);
	free_object(object);
}
