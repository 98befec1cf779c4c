#include "spec/apisim/list.h"

#include "base/map.h"
#include "base/timefmt.h"
#include "spec/apisim/status.h"

struct entry {
	const char *key;
	struct blob *blob;
};

struct entries {
	struct entry *list;
	size_t count, cap;
};

static void add(struct entries *entries, const char *key, struct blob *blob)
{
	if (entries->count == entries->cap) {
		entries->cap = entries->cap * 2 + 64;
		entries->list = xrealloc(entries->list, entries->cap * sizeof(struct entry));
	}
	entries->list[entries->count++] = (struct entry){key, blob};
}

/* ---- the state of an older version ---- */

static struct blob absent; /* stands for "was not there" in the map of older states */

/* What each key that changed after version was then; yours. */
static struct map *older_states(const struct store *store, const struct resource *resource,
				uint64_t version)
{
	struct map *map = map_new(NULL);

	for (uint64_t v = store_version(store); v > version; v--) {
		const struct change *change = store_change(store, v);

		if (change->version == v && change->resource == resource)
			map_put(map, change->key,
				change->before != NULL ? change->before : &absent);
	}
	return map;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void collect(const struct resource *resource, const char *prefix, const char *start,
		    const struct map *older, struct entries *out)
{
	const char *key;
	void *value;

	for (size_t i = store_lower_bound(resource, start); i < resource->count; i++) {
		const struct object *object = resource->objects[i];

		if (!has_prefix(object->key, prefix))
			break;
		if (map_get(older, object->key) == NULL)
			add(out, object->key, object->blob);
	}
	if (map_len(older) == 0)
		return;
	for (size_t i = 0; map_next(older, &i, &key, &value);)
		if (value != &absent && has_prefix(key, prefix) && strcmp(key, start) >= 0)
			add(out, key, value);
	if (out->count > 0)
		qsort(out->list, out->count, sizeof(struct entry), by_key);
}

/* ---- continue tokens: the hexadecimal form of "version key" ---- */

static char *make_token(uint64_t version, const char *key)
{
	auto_buf struct buf out = BUF_INIT(4096);
	auto_free char *plain = xasprintf("%llu %s", (unsigned long long)version, key);

	for (const char *p = plain; *p != '\0'; p++)
		buf_addf(&out, "%02x", (unsigned char)*p);
	return buf_steal(&out);
}

static bool read_token(const char *token, uint64_t *version, char *key, size_t size)
{
	char plain[1024], *end;
	size_t len = strlen(token) / 2;
	unsigned int byte;

	if (strlen(token) % 2 != 0 || len >= sizeof(plain))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (sscanf(token + 2 * i, "%2x", &byte) != 1 || byte == 0)
			return false;
		plain[i] = (char)byte;
	}
	plain[len] = '\0';
	*version = strtoull(plain, &end, 10);
	if (*end != ' ' || end == plain)
		return false;
	snprintf(key, size, "%s", end + 1);
	return true;
}

/* ---- the reply ---- */

struct page {
	const struct list_query *query;
	uint64_t version;
	const char *next; /* the key that the next page starts with, or NULL */
	int64_t remaining;
	struct json **trees; /* for a Table */
	size_t count;
};

static bool selected(const struct list_query *query, const struct blob *blob, struct json **tree)
{
	struct err err = ERR_INIT;

	*tree = NULL;
	if (!query->table && selector_all(query->labels) && selector_all(query->fields))
		return true;
	*tree = json_parse(blob->text, blob->len, &err);
	if (selector_match(query->labels, *tree) && selector_match(query->fields, *tree))
		return true;
	json_free(*tree);
	*tree = NULL;
	return false;
}

static void add_item(struct page *page, const struct blob *blob, struct json *tree_taken,
		     struct buf *items)
{
	if (page->query->table) {
		page->trees[page->count++] = tree_taken;
		return;
	}
	if (page->count++ > 0)
		buf_addc(items, ',');
	buf_add(items, blob->text, object_list_len(page->query->resource, blob));
	buf_addc(items, '}');
	json_free(tree_taken);
}

static void fill_page(struct page *page, const struct entries *entries, struct buf *items)
{
	const struct list_query *query = page->query;
	struct json *tree;

	page->trees = query->table ? xcalloc(entries->count + 1, sizeof(struct json *)) : NULL;
	for (size_t i = 0; i < entries->count; i++) {
		if (query->limit > 0 && (int64_t)page->count == query->limit) {
			page->next = entries->list[i].key;
			page->remaining = (int64_t)(entries->count - i);
			return;
		}
		if (selected(query, entries->list[i].blob, &tree))
			add_item(page, entries->list[i].blob, tree, items);
	}
}

static struct json *list_metadata(const struct page *page)
{
	auto_free char *version = xasprintf("%llu", (unsigned long long)page->version);
	auto_free char *token = NULL;
	struct json *metadata = json_build("{'resourceVersion':%s}", version);

	if (page->next == NULL)
		return metadata;
	token = make_token(page->version, page->next);
	json_set_str(metadata, "continue", token);
	if (selector_all(page->query->labels) && selector_all(page->query->fields))
		json_set(metadata, "remainingItemCount", json_int(page->remaining));
	return metadata;
}

static struct table_request table_request(const struct resource *resource,
					  enum table_include include)
{
	return (struct table_request){
	    .group = resource->group,
	    .resource = resource->plural,
	    .columns = json_get(resource->crd_version, "additionalPrinterColumns"),
	    .custom = kinds_custom(resource),
	    .include = include,
	    .now_ms = time_now_ms(),
	};
}

static void write_table(const struct page *page, const struct json *metadata, struct buf *out)
{
	struct table_request request = table_request(page->query->resource, page->query->include);
	auto_json struct json *table =
	    table_make(&request, (const struct json *const *)page->trees, page->count, metadata);
	auto_free char *text = json_print(table);

	buf_adds(out, text);
}

static void write_list(const struct page *page, const struct json *metadata,
		       const struct buf *items, struct buf *out)
{
	const struct resource *resource = page->query->resource;
	auto_free char *text = json_print(metadata);

	buf_addf(out, "{\"kind\":\"%sList\",\"apiVersion\":\"%s%s%s\",\"metadata\":%s,\"items\":[",
		 resource->kind, resource->group, resource->group[0] != '\0' ? "/" : "",
		 resource->version, text);
	buf_add(out, items->data, items->len);
	buf_adds(out, "]}");
}

struct json *table_of(const struct resource *resource, const struct json *object,
		      enum table_include include)
{
	struct table_request request = table_request(resource, include);
	const char *version = json_get_str(json_get(object, "metadata"), "resourceVersion", "");
	auto_json struct json *metadata = json_build("{'resourceVersion':%s}", version);

	return table_make(&request, &object, 1, metadata);
}

struct json *list_objects(const struct server *server, const struct list_query *query,
			  struct buf *out)
{
	struct page page = {.query = query, .version = store_version(server->store)};
	auto_free char *prefix =
	    query->namespace[0] != '\0' ? xasprintf("%s/", query->namespace) : xstrdup("");
	auto_buf struct buf items = BUF_INIT(LIST_BYTES_MAX);
	auto_json struct json *metadata = NULL;
	struct entries entries = {.count = 0};
	char start[600];
	struct map *older;

	snprintf(start, sizeof(start), "%s", prefix);
	if (query->token != NULL && !read_token(query->token, &page.version, start, sizeof(start)))
		return status_bad_request(
		    "continue key is not valid: it is no token of this server");
	if (page.version < store_oldest(server->store) ||
	    page.version > store_version(server->store))
		return status_expired();
	older = older_states(server->store, query->resource, page.version);
	collect(query->resource, prefix, start, older, &entries);
	fill_page(&page, &entries, &items);
	metadata = list_metadata(&page);
	if (query->table)
		write_table(&page, metadata, out);
	else
		write_list(&page, metadata, &items, out);
	for (size_t i = 0; query->table && i < page.count; i++)
		json_free(page.trees[i]);
	free(page.trees);
	free(entries.list);
	map_free(older);
	return NULL;
}

struct json *selector_refusal(const struct resource *resource, const char *labels,
			      const char *fields, const struct err *err)
{
	const char *slash = resource->group[0] != '\0' ? "/" : "";

	return status_bad_request(
	    "Unable to find \"%s%s%s, Resource=%s\" that match label selector "
	    "\"%s\", field selector \"%s\": %s",
	    resource->group, slash, resource->version, resource->plural,
	    labels != NULL ? labels : "", fields != NULL ? fields : "", err->msg);
}
