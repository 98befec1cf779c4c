#include "kube/store.h"

#include "kube/index.h"
#include "kube/store_entry.h"

struct store {
	struct index entries; /* by key; owned */
	struct index owners;  /* by owner uid: the first entry of its list */
	uint32_t lists;       /* counts them, so that each has a number */
	void (*reduce)(struct json *object);
};

struct store_list {
	struct store *store;
	char *prefix; /* "namespace/", or "" for all */
	uint32_t number;
	struct index staged; /* by key; owned until commit hands them over */
	enum { LIST_STAGING, LIST_COMMITTING, LIST_ABORTED } state;
};

struct store *store_new(void (*reduce)(struct json *object))
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->entries = (struct index)INDEX_INIT(struct entry, meta.key);
	store->owners = (struct index)INDEX_INIT(struct entry, meta.owner_uid);
	store->reduce = reduce;
	return store;
}

static void free_entries(struct index *index)
{
	void *entry;

	for (size_t i = 0; (entry = index_next(index, &i)) != NULL;)
		free(entry);
	index_done(index);
}

void store_free(struct store *store)
{
	if (store == NULL)
		return;
	index_done(&store->owners);
	free_entries(&store->entries);
	free(store);
}

/* ---- entries ---- */

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

static void link_owner(struct store *store, struct entry *entry)
{
	if (*entry->meta.owner_uid == '\0')
		return;
	entry->sibling_after = index_put(&store->owners, entry);
	if (entry->sibling_after != NULL)
		entry->sibling_after->sibling_before = entry;
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
		index_put(&store->owners, entry->sibling_after);
	else
		index_del(&store->owners, entry->meta.owner_uid);
}

static void discard(struct store *store, struct entry *entry)
{
	if (entry == NULL)
		return;
	unlink_owner(store, entry);
	free(entry);
}

static void install(struct store *store, struct entry *entry)
{
	discard(store, index_put(&store->entries, entry));
	link_owner(store, entry);
}

/* NULL with err set if the object has no usable name. */
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
	discard(store, index_del(&store->entries, key));
}

struct json *store_get(const struct store *store, const char *key)
{
	const struct entry *entry = index_get(&store->entries, key);

	return entry != NULL ? entry_object(entry) : NULL;
}

const struct store_meta *store_find(const struct store *store, const char *key)
{
	const struct entry *entry = index_get(&store->entries, key);

	return entry != NULL ? &entry->meta : NULL;
}

void store_each_owned(const struct store *store, const char *owner_uid, store_fn *fn, void *arg)
{
	const struct entry *entry = index_get(&store->owners, owner_uid);

	for (; entry != NULL; entry = entry->sibling_after)
		fn(arg, &entry->meta);
}

size_t store_len(const struct store *store)
{
	return store->entries.live;
}

/* ---- lists ---- */

struct store_list *store_begin(struct store *store, const char *namespace)
{
	struct store_list *list = xcalloc(1, sizeof(*list));
	bool all = namespace == NULL || *namespace == '\0';

	list->store = store;
	list->prefix = all ? xstrdup("") : xasprintf("%s/", namespace);
	list->number = ++store->lists;
	list->staged = (struct index)INDEX_INIT(struct entry, meta.key);
	return list;
}

int store_stage(struct store_list *list, struct json *object, struct err *err)
{
	const struct json *metadata = json_get(object, "metadata");
	auto_free char *key = store_key(object);
	struct entry *live = key != NULL ? index_get(&list->store->entries, key) : NULL;
	struct entry *entry;

	if (live != NULL && streq(live->meta.uid, json_get_str(metadata, "uid", "")) &&
	    streq(live->meta.resource_version, json_get_str(metadata, "resourceVersion", ""))) {
		live->seen = list->number;
		return 0;
	}
	entry = admit(list->store, object, err);
	if (entry == NULL)
		return -1;
	free(index_put(&list->staged, entry)); /* a server may show one object on two pages */
	return 0;
}

static void list_free(struct store_list *list)
{
	index_done(&list->staged);
	free(list->prefix);
	free(list);
}

void store_abort(struct store_list *list)
{
	if (list == NULL)
		return;
	if (list->state == LIST_COMMITTING) { /* called by a report: the commit frees the list */
		list->state = LIST_ABORTED;
		return;
	}
	free_entries(&list->staged);
	list_free(list);
}

static bool is_gone(const struct store_list *list, const struct entry *live)
{
	const struct entry *staged = index_get(&list->staged, live->meta.key);

	if (!has_prefix(live->meta.key, list->prefix) || live->seen == list->number)
		return false;
	return staged == NULL || !streq(staged->meta.uid, live->meta.uid);
}

/* False when a report has aborted the list. */
static bool delete_gone(struct store_list *list, const struct store_changes *report)
{
	const struct entry *entry;

	for (size_t i = 0; (entry = index_next(&list->store->entries, &i)) != NULL;) {
		if (!is_gone(list, entry))
			continue;
		report->gone(report->arg, &entry->meta);
		if (list->state == LIST_ABORTED)
			return false;
		store_delete(list->store, entry->meta.key);
	}
	return true;
}

static void install_staged(struct store_list *list)
{
	struct entry *entry;

	for (size_t i = 0; (entry = index_next(&list->staged, &i)) != NULL;) {
		entry->added = index_get(&list->store->entries, entry->meta.key) == NULL;
		entry->seen = list->number;
		install(list->store, entry);
	}
}

static void report_changed(struct store_list *list, const struct store_changes *report)
{
	const struct entry *entry;

	for (size_t i = 0;
	     list->state != LIST_ABORTED && (entry = index_next(&list->staged, &i)) != NULL;)
		(entry->added ? report->added : report->modified)(report->arg, &entry->meta);
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
