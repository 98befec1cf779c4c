#include "kube/store.h"

#include "base/map.h"

/* One allocation an object: this header, then the strings of meta, then the compact text. Objects
 * of one controller owner form a ring-less doubly linked list whose head is in the owner index. */
struct entry {
	struct store_meta meta;
	struct entry *sibling_before, *sibling_after;
	uint64_t seen; /* the last list that had this very version */
	bool added;    /* of a staged entry: its key is new to the store */
	size_t text_len;
	char *text;
	char bytes[];
};

struct store {
	struct map *entries; /* key -> entry */
	struct map *owners;  /* owner uid -> first entry of its list; borrowed */
	uint64_t lists;      /* counts them, so that each has a number */
	size_t bytes;
	void (*reduce)(struct json *object);
};

struct store_list {
	struct store *store;
	char *prefix; /* "namespace/", or "" for all */
	uint64_t number;
	struct map *staged; /* key -> entry, owned by hand: commit hands them over */
	enum { LIST_STAGING, LIST_COMMITTING, LIST_ABORTED } state;
};

struct store *store_new(void (*reduce)(struct json *object))
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->entries = map_new(free);
	store->owners = map_new(NULL);
	store->reduce = reduce;
	return store;
}

void store_free(struct store *store)
{
	if (store == NULL)
		return;
	map_free(store->owners);
	map_free(store->entries);
	free(store);
}

/* ---- entries ---- */

char *store_key(const struct json *object)
{
	const struct json *metadata = json_get(object, "metadata");
	const char *namespace = json_get_str(metadata, "namespace", "");
	const char *name = json_get_str(metadata, "name", "");

	if (*name == '\0')
		return NULL;
	return *namespace != '\0' ? xasprintf("%s/%s", namespace, name) : xstrdup(name);
}

static const char *controller_uid(const struct json *metadata)
{
	const struct json *ref = json_first(json_get(metadata, "ownerReferences"));

	while (ref != NULL && !json_is_true(json_get(ref, "controller")))
		ref = json_next(ref);
	return json_get_str(ref, "uid", "");
}

static void cut_down(const struct store *store, struct json *object)
{
	struct json *metadata = json_mut(object, "metadata");
	struct json *annotations = json_mut(metadata, "annotations");

	json_remove(metadata, "managedFields");
	json_remove(annotations, "kubectl.kubernetes.io/last-applied-configuration");
	if (annotations != NULL && json_first(annotations) == NULL)
		json_remove(metadata, "annotations");
	if (store->reduce != NULL)
		store->reduce(object);
}

static char *append(char **at, const char *text, size_t len)
{
	char *copy = *at;

	memcpy(copy, text, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

static struct entry *entry_new(const char *key, const struct json *object)
{
	const struct json *metadata = json_get(object, "metadata");
	const char *uid = json_get_str(metadata, "uid", "");
	const char *version = json_get_str(metadata, "resourceVersion", "");
	const char *owner = controller_uid(metadata);
	auto_free char *text = json_print(object);
	size_t key_len = strlen(key), uid_len = strlen(uid), version_len = strlen(version);
	size_t owner_len = strlen(owner), text_len = strlen(text);
	struct entry *entry =
	    xmalloc(sizeof(*entry) + key_len + uid_len + version_len + owner_len + text_len + 5);
	char *at = entry->bytes;

	*entry = (struct entry){.text_len = text_len};
	entry->meta.key = append(&at, key, key_len);
	entry->meta.uid = append(&at, uid, uid_len);
	entry->meta.resource_version = append(&at, version, version_len);
	entry->meta.owner_uid = append(&at, owner, owner_len);
	entry->text = append(&at, text, text_len);
	return entry;
}

static size_t entry_size(const struct entry *entry)
{
	return (size_t)(entry->text - (const char *)entry) + entry->text_len + 1;
}

static void link_owner(struct store *store, struct entry *entry)
{
	if (*entry->meta.owner_uid == '\0')
		return;
	entry->sibling_after = map_get(store->owners, entry->meta.owner_uid);
	if (entry->sibling_after != NULL)
		entry->sibling_after->sibling_before = entry;
	map_put(store->owners, entry->meta.owner_uid, entry);
}

static void unlink_owner(struct store *store, struct entry *entry)
{
	if (*entry->meta.owner_uid == '\0')
		return;
	if (entry->sibling_after != NULL)
		entry->sibling_after->sibling_before = entry->sibling_before;
	if (entry->sibling_before != NULL)
		entry->sibling_before->sibling_after = entry->sibling_after;
	else if (entry->sibling_after != NULL)
		map_put(store->owners, entry->meta.owner_uid, entry->sibling_after);
	else
		map_del(store->owners, entry->meta.owner_uid);
}

static void install(struct store *store, struct entry *entry)
{
	struct entry *old = map_get(store->entries, entry->meta.key);

	if (old != NULL) {
		store->bytes -= entry_size(old);
		unlink_owner(store, old);
	}
	store->bytes += entry_size(entry);
	link_owner(store, entry);
	map_put(store->entries, entry->meta.key, entry);
}

/* NULL with err set if the object has no name. */
static struct entry *admit(const struct store *store, struct json *object, struct err *err)
{
	auto_free char *key = store_key(object);

	if (key == NULL) {
		err_set(err, ERR_INVALID, "expected an object with metadata.name, found %s%s",
			json_type_name(json_type(object)),
			json_type(object) == JSON_OBJECT ? " without one" : "");
		return NULL;
	}
	cut_down(store, object);
	return entry_new(key, object);
}

/* ---- one object ---- */

int store_put(struct store *store, struct json *object, struct err *err)
{
	struct entry *entry = admit(store, object, err);

	if (entry == NULL)
		return -1;
	install(store, entry);
	return 0;
}

void store_delete(struct store *store, const char *key)
{
	struct entry *entry = map_get(store->entries, key);

	if (entry == NULL)
		return;
	store->bytes -= entry_size(entry);
	unlink_owner(store, entry);
	map_del(store->entries, key);
}

struct json *store_get(const struct store *store, const char *key)
{
	const struct entry *entry = map_get(store->entries, key);
	struct err err = ERR_INIT;

	return entry != NULL ? json_parse(entry->text, entry->text_len, &err) : NULL;
}

const struct store_meta *store_find(const struct store *store, const char *key)
{
	const struct entry *entry = map_get(store->entries, key);

	return entry != NULL ? &entry->meta : NULL;
}

void store_each_owned(const struct store *store, const char *owner_uid, store_fn *fn, void *arg)
{
	const struct entry *entry = map_get(store->owners, owner_uid);

	for (; entry != NULL; entry = entry->sibling_after)
		fn(arg, &entry->meta);
}

void store_each(const struct store *store, store_fn *fn, void *arg)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(store->entries, &i, &key, &value);)
		fn(arg, &((const struct entry *)value)->meta);
}

size_t store_len(const struct store *store)
{
	return map_len(store->entries);
}

size_t store_bytes(const struct store *store)
{
	return store->bytes;
}

/* ---- lists ---- */

struct store_list *store_begin(struct store *store, const char *namespace)
{
	struct store_list *list = xcalloc(1, sizeof(*list));
	bool all = namespace == NULL || *namespace == '\0';

	list->store = store;
	list->prefix = all ? xstrdup("") : xasprintf("%s/", namespace);
	list->number = ++store->lists;
	list->staged = map_new(NULL);
	return list;
}

int store_stage(struct store_list *list, struct json *object, struct err *err)
{
	const struct json *metadata = json_get(object, "metadata");
	auto_free char *key = store_key(object);
	struct entry *live = key != NULL ? map_get(list->store->entries, key) : NULL;
	struct entry *entry;

	if (live != NULL && streq(live->meta.uid, json_get_str(metadata, "uid", "")) &&
	    streq(live->meta.resource_version, json_get_str(metadata, "resourceVersion", ""))) {
		live->seen = list->number;
		return 0;
	}
	entry = admit(list->store, object, err);
	if (entry == NULL)
		return -1;
	free(map_get(list->staged, key)); /* a server may show one object on two pages */
	map_put(list->staged, key, entry);
	return 0;
}

static void list_free(struct store_list *list)
{
	map_free(list->staged);
	free(list->prefix);
	free(list);
}

void store_abort(struct store_list *list)
{
	const char *key;
	void *entry;

	if (list == NULL)
		return;
	if (list->state == LIST_COMMITTING) { /* called by a report: the commit frees the list */
		list->state = LIST_ABORTED;
		return;
	}
	for (size_t i = 0; map_next(list->staged, &i, &key, &entry);)
		free(entry);
	list_free(list);
}

static bool is_gone(const struct store_list *list, const struct entry *live)
{
	const struct entry *staged = map_get(list->staged, live->meta.key);

	if (!has_prefix(live->meta.key, list->prefix) || live->seen == list->number)
		return false;
	return staged == NULL || !streq(staged->meta.uid, live->meta.uid);
}

/* False when a report has aborted the list. */
static bool delete_gone(struct store_list *list, const struct store_changes *report)
{
	const char *key;
	void *entry;

	for (size_t i = 0; map_next(list->store->entries, &i, &key, &entry);) {
		if (!is_gone(list, entry))
			continue;
		report->gone(report->arg, &((struct entry *)entry)->meta);
		if (list->state == LIST_ABORTED)
			return false;
		store_delete(list->store, key);
	}
	return true;
}

static void install_staged(struct store_list *list)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(list->staged, &i, &key, &value);) {
		struct entry *entry = value;

		entry->added = map_get(list->store->entries, key) == NULL;
		entry->seen = list->number;
		install(list->store, entry);
	}
}

static void report_changed(struct store_list *list, const struct store_changes *report)
{
	const char *key;
	void *value;

	for (size_t i = 0;
	     list->state != LIST_ABORTED && map_next(list->staged, &i, &key, &value);) {
		const struct entry *entry = value;

		(entry->added ? report->added : report->modified)(report->arg, &entry->meta);
	}
}

void store_commit(struct store_list *list, const struct store_changes *report)
{
	list->state = LIST_COMMITTING;
	if (delete_gone(list, report)) {
		install_staged(list);
		report_changed(list, report);
		list_free(list);
		return;
	}
	list->state = LIST_STAGING; /* nothing was handed over: free the staged entries too */
	store_abort(list);
}
