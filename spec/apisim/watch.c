#include "spec/apisim/watch.h"

#include <errno.h>
#include <sys/queue.h>

#include "spec/apisim/list.h"
#include "spec/apisim/status.h"

enum { BOOKMARK_MS = 60000, DEFAULT_TIMEOUT_S = 1800 };

struct watcher {
	TAILQ_ENTRY(watcher) link;
	struct hub *hub;
	struct call *call;
	struct resource *resource;
	char *prefix; /* of the keys that it sees */
	char *name;   /* or "" */
	struct selector *labels, *fields;
	struct timer *bookmark, *deadline;
	bool bookmarks, table;
	enum table_include include;
};

struct hub {
	struct server *server;
	TAILQ_HEAD(, watcher) watchers;
	size_t count;
};

static const char *const type_names[] = {
    [CHANGE_ADDED] = "ADDED",
    [CHANGE_MODIFIED] = "MODIFIED",
    [CHANGE_DELETED] = "DELETED",
};

/* ---- the life of a watcher ---- */

static void watcher_free(struct watcher *watcher)
{
	TAILQ_REMOVE(&watcher->hub->watchers, watcher, link);
	watcher->hub->count--;
	loop_undefer(watcher->hub->server->loop, watcher);
	timer_free(watcher->bookmark);
	timer_free(watcher->deadline);
	selector_free(watcher->labels);
	selector_free(watcher->fields);
	free(watcher->prefix);
	free(watcher->name);
	free(watcher);
}

static void client_gone(void *arg)
{
	watcher_free(arg);
}

static void cut_off(void *arg)
{
	struct watcher *watcher = arg;

	call_reset(watcher->call);
	watcher_free(watcher);
}

static void end(struct watcher *watcher)
{
	call_end(watcher->call);
	watcher_free(watcher);
}

/* ---- events ---- */

static void send_text(struct watcher *watcher, const char *type, const char *object, size_t len)
{
	auto_buf struct buf line = BUF_INIT(LIST_BYTES_MAX);

	buf_addf(&line, "{\"type\":\"%s\",\"object\":", type);
	buf_add(&line, object, len);
	buf_adds(&line, "}\n");
	call_chunk(watcher->call, line.data, line.len);
	if (call_congested(watcher->call))
		loop_defer(watcher->hub->server->loop, cut_off, watcher);
}

static void send_tree(struct watcher *watcher, const char *type, const struct json *tree)
{
	auto_free char *text = json_print(tree);

	send_text(watcher, type, text, strlen(text));
}

/* The state in blob, which tree (may be NULL) holds parsed. */
static void send_state(struct watcher *watcher, const char *type, const struct blob *blob,
		       const struct json *tree)
{
	auto_json struct json *parsed = NULL;
	auto_json struct json *table = NULL;
	struct err err = ERR_INIT;

	if (!watcher->table) {
		send_text(watcher, type, blob->text, blob->len);
		return;
	}
	if (tree == NULL)
		tree = parsed = json_parse(blob->text, blob->len, &err);
	table = table_of(watcher->resource, tree, watcher->include);
	send_tree(watcher, type, table);
}

static bool sees_key(const struct watcher *watcher, const char *key)
{
	return has_prefix(key, watcher->prefix) &&
	       (watcher->name[0] == '\0' || streq(strchr(key, '/') + 1, watcher->name));
}

static bool selects_all(const struct watcher *watcher)
{
	return selector_all(watcher->labels) && selector_all(watcher->fields);
}

static bool selects(const struct watcher *watcher, const struct json *tree)
{
	return tree != NULL && selector_match(watcher->labels, tree) &&
	       selector_match(watcher->fields, tree);
}

/* For a selector an object comes and goes also by changing (the real watch cache does this too). */
static void deliver(struct watcher *watcher, const struct change *change, const struct json *tree,
		    const struct json *old)
{
	enum change_type type = change->type;

	if (!selects_all(watcher)) {
		bool now = type != CHANGE_DELETED && selects(watcher, tree);
		bool before = type != CHANGE_ADDED && selects(watcher, old);

		if (!now && !before)
			return;
		type = !before ? CHANGE_ADDED : !now ? CHANGE_DELETED : CHANGE_MODIFIED;
	}
	send_state(watcher, type_names[type], change->after, tree);
}

static void on_change(void *arg, const struct change *change, const struct json *tree,
		      const struct json *old)
{
	struct hub *hub = arg;
	struct watcher *watcher;

	TAILQ_FOREACH(watcher, &hub->watchers, link)
	if (watcher->resource == change->resource && sees_key(watcher, change->key))
		deliver(watcher, change, tree, old);
}

static void replay_change(struct watcher *watcher, const struct change *change)
{
	auto_json struct json *tree = NULL;
	auto_json struct json *old = NULL;
	struct err err = ERR_INIT;

	if (!selects_all(watcher)) {
		tree = json_parse(change->after->text, change->after->len, &err);
		if (change->before != NULL)
			old = json_parse(change->before->text, change->before->len, &err);
	}
	deliver(watcher, change, tree, old);
}

static void replay(struct watcher *watcher, uint64_t version)
{
	const struct store *store = watcher->hub->server->store;

	while (version++ < store_version(store)) {
		const struct change *change = store_change(store, version);

		if (change->version == version && change->resource == watcher->resource &&
		    sees_key(watcher, change->key))
			replay_change(watcher, change);
	}
}

static void send_present(struct watcher *watcher)
{
	const struct resource *resource = watcher->resource;

	for (size_t i = store_lower_bound(resource, watcher->prefix); i < resource->count; i++) {
		const struct object *object = resource->objects[i];
		auto_json struct json *tree = NULL;

		if (!has_prefix(object->key, watcher->prefix))
			break;
		if (!sees_key(watcher, object->key))
			continue;
		if (!selects_all(watcher)) {
			tree = object_tree(object);
			if (!selects(watcher, tree))
				continue;
		}
		send_state(watcher, "ADDED", object->blob, tree);
	}
}

static void send_bookmark(struct watcher *watcher, bool initial)
{
	const struct resource *r = watcher->resource;
	auto_free char *version =
	    xasprintf("%llu", (unsigned long long)store_version(watcher->hub->server->store));
	auto_free char *api =
	    xasprintf("%s%s%s", r->group, r->group[0] != '\0' ? "/" : "", r->version);
	auto_json struct json *object =
	    json_build("{'kind':%s,'apiVersion':%s,'metadata':{'resourceVersion':%s,"
		       "'creationTimestamp':null}}",
		       r->kind, api, version);

	if (initial)
		json_set(json_mut(object, "metadata"), "annotations",
			 json_build("{'k8s.io/initial-events-end':'true'}"));
	if (watcher->table) {
		auto_json struct json *table = table_of(r, object, watcher->include);

		send_tree(watcher, "BOOKMARK", table);
		return;
	}
	send_tree(watcher, "BOOKMARK", object);
}

static void bookmark_due(void *arg)
{
	struct watcher *watcher = arg;

	send_bookmark(watcher, false);
	timer_set(watcher->bookmark, BOOKMARK_MS);
}

static void deadline_due(void *arg)
{
	struct watcher *watcher = arg;

	if (watcher->bookmarks)
		send_bookmark(watcher, false);
	end(watcher);
}

/* ---- starting ---- */

static struct watcher *watcher_new(struct hub *hub, struct call *call,
				   const struct watch_query *query)
{
	struct watcher *watcher = xcalloc(1, sizeof(*watcher));
	struct loop *loop = hub->server->loop;
	int64_t timeout = query->timeout_s > 0 ? query->timeout_s : DEFAULT_TIMEOUT_S;

	watcher->hub = hub;
	watcher->call = call;
	watcher->resource = query->resource;
	watcher->prefix =
	    query->namespace[0] != '\0' ? xasprintf("%s/", query->namespace) : xstrdup("");
	watcher->name = xstrdup(query->name);
	watcher->labels = query->labels_taken;
	watcher->fields = query->fields_taken;
	watcher->bookmarks = query->bookmarks;
	watcher->table = query->table;
	watcher->include = query->include;
	watcher->bookmark = timer_new(loop, bookmark_due, watcher);
	watcher->deadline = timer_new(loop, deadline_due, watcher);
	if (watcher->bookmarks)
		timer_set(watcher->bookmark, BOOKMARK_MS);
	timer_set(watcher->deadline, timeout * 1000);
	TAILQ_INSERT_TAIL(&hub->watchers, watcher, link);
	hub->count++;
	return watcher;
}

static struct json *too_large(uint64_t wanted, uint64_t present)
{
	struct json *status =
	    status_new(504, "Timeout", "Too large resource version: %llu, current: %llu",
		       (unsigned long long)wanted, (unsigned long long)present);

	json_set(status, "details",
		 json_build("{'causes':[{'reason':'ResourceVersionTooLarge',"
			    "'message':'Too large resource version'}],'retryAfterSeconds':1}"));
	return status;
}

static struct json *refuse(const struct watch_query *query, struct json *status)
{
	selector_free(query->labels_taken);
	selector_free(query->fields_taken);
	return status;
}

struct json *hub_watch(struct hub *hub, struct call *call, const struct watch_query *query)
{
	const struct store *store = hub->server->store;
	bool present = query->version == NULL || query->version[0] == '\0' ||
		       streq(query->version, "0") || query->initial;
	uint64_t version = 0;
	struct watcher *watcher;
	char *end_of_number;

	if (!present) {
		errno = 0;
		version = strtoull(query->version, &end_of_number, 10);
		if (errno != 0 || *end_of_number != '\0')
			return refuse(query,
				      status_bad_request("resourceVersion: Invalid value: \"%s\"",
							 query->version));
		if (version > store_version(store))
			return refuse(query, too_large(version, store_version(store)));
	}
	watcher = watcher_new(hub, call, query);
	call_stream(call, "application/json", client_gone, watcher);
	if (present) {
		send_present(watcher);
		if (query->initial)
			send_bookmark(watcher, true);
	} else if (version < store_oldest(store)) {
		auto_json struct json *status = status_new(
		    410, "Expired", "too old resource version: %llu (%llu)",
		    (unsigned long long)version, (unsigned long long)store_oldest(store));

		send_tree(watcher, "ERROR", status);
		end(watcher);
	} else {
		replay(watcher, version);
	}
	return NULL;
}

void hub_close(struct hub *hub)
{
	struct watcher *next;

	for (struct watcher *watcher = TAILQ_FIRST(&hub->watchers); watcher != NULL;
	     watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		end(watcher);
	}
}

size_t hub_count(const struct hub *hub)
{
	return hub->count;
}

struct hub *hub_new(struct server *server)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->server = server;
	TAILQ_INIT(&hub->watchers);
	store_observe(server->store, on_change, hub);
	return hub;
}

void hub_free(struct hub *hub)
{
	free(hub);
}
