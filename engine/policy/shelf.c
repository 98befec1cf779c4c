#include "policy/shelf.h"

#include "base/map.h"

struct shelf {
	struct map *items;
	int64_t version; /* the last one given */
	size_t bytes;    /* of the named ones */
};

static void item_free(void *value)
{
	struct shelf_item *item = value;

	bundle_free(item->bundle);
	free(item);
}

struct shelf *shelf_new(void)
{
	struct shelf *shelf = xcalloc(1, sizeof(*shelf));

	shelf->items = map_new(item_free);
	shelf_put(shelf, "", false, bundle_new_default());
	return shelf;
}

void shelf_free(struct shelf *shelf)
{
	if (shelf == NULL)
		return;
	map_free(shelf->items);
	free(shelf);
}

const struct shelf_item *shelf_find(const struct shelf *shelf, const char *name)
{
	return map_get(shelf->items, name);
}

struct bundle *shelf_make(const struct shelf *shelf, bool over, const struct json *files,
			  struct err *err)
{
	return over ? bundle_new_over(files, shelf_find(shelf, "")->bundle, err)
		    : bundle_new(files, err);
}

static size_t bytes_at(const struct shelf *shelf, const char *name)
{
	const struct shelf_item *item = shelf_find(shelf, name);

	return item != NULL ? bundle_bytes(item->bundle) : 0;
}

int shelf_room(const struct shelf *shelf, const char *name, const struct bundle *bundle,
	       struct err *err)
{
	size_t named = map_len(shelf->items) - 1;

	if (name[0] == '\0')
		return 0;
	if (strlen(name) > SHELF_NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "%.80s...: the name of a policy bundle has at most %d bytes, found "
			       "%zu",
			       name, SHELF_NAME_MAX, strlen(name));
	if (named >= SHELF_NAMED_MAX && shelf_find(shelf, name) == NULL)
		return err_set(err, ERR_LIMIT,
			       "no room for the policy bundle %s: %d named ones are loaded, which "
			       "is the limit",
			       name, SHELF_NAMED_MAX);
	if (shelf->bytes - bytes_at(shelf, name) + bundle_bytes(bundle) > SHELF_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
			       "no room for the policy bundle %s: all named ones together may hold "
			       "%d bytes",
			       name, SHELF_BYTES_MAX);
	return 0;
}

/* What is laid over the bundle in force gets its new files. */
static void lay_again(struct shelf *shelf)
{
	const struct bundle *base = shelf_find(shelf, "")->bundle;
	const char *name;
	void *value;

	for (size_t at = 0; map_next(shelf->items, &at, &name, &value);) {
		struct shelf_item *item = value;

		if (!item->over)
			continue;
		bundle_lay(item->bundle, base);
		bundle_digest(item->bundle, item->digest);
	}
}

void shelf_put(struct shelf *shelf, const char *name, bool over, struct bundle *bundle_taken)
{
	struct shelf_item *item = xcalloc(1, sizeof(*item));

	*item =
	    (struct shelf_item){.bundle = bundle_taken, .over = over, .version = ++shelf->version};
	if (over) /* the one in force may be another than when it was made */
		bundle_lay(bundle_taken, shelf_find(shelf, "")->bundle);
	bundle_digest(bundle_taken, item->digest);
	if (name[0] != '\0')
		shelf->bytes += bundle_bytes(bundle_taken) - bytes_at(shelf, name);
	map_put(shelf->items, name, item);
	if (name[0] == '\0')
		lay_again(shelf);
}

void shelf_forget(struct shelf *shelf, const char *name)
{
	if (name[0] == '\0')
		return;
	shelf->bytes -= bytes_at(shelf, name);
	map_del(shelf->items, name);
}
