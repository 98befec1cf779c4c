#include "control/configs.h"

#include "base/map.h"
#include "base/timefmt.h"
#include "control/config.h"
#include "control/names.h"
#include "control/status.h"

/* What is known of a run. */
struct user {
	char *config_key;
	bool finished;
};

struct entry {
	char *content; /* what its runs look at, in short; NULL: there is no such config */
	struct config_runs runs;
	bool dirty; /* its status may have to be written in the next round */
	bool due;   /* in this one */
};

struct configs {
	struct client *client;
	struct configs_spec spec;
	struct map *users;   /* run key -> struct user */
	struct map *entries; /* config key -> struct entry: configs that exist or are referred to */
	struct timer *flush;
	struct client_call *write;
	char *writing; /* the key of the config that is being written */
	bool flush_set;
};

static void free_user(void *value)
{
	struct user *user = value;

	free(user->config_key);
	free(user);
}

static void free_entry(void *value)
{
	struct entry *entry = value;

	free(entry->content);
	free(entry);
}

static void flush_in(struct configs *c, int64_t ms)
{
	if (c->flush_set || c->write != NULL)
		return;
	c->flush_set = true;
	timer_set(c->flush, ms);
}

static void mark(struct configs *c, struct entry *entry)
{
	entry->dirty = true;
	flush_in(c, c->spec.flush_ms);
}

/* ---- writing ---- */

static void write_next(struct configs *c);

static void written(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct configs *c = arg;
	auto_free char *key = steal(c->writing);
	struct entry *entry = map_get(c->entries, key);

	c->write = NULL;
	if (err == NULL || err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND) {
		write_next(c); /* what is there instead will be shown by the watch */
		return;
	}
	c->spec.trouble(c->spec.arg, err);
	if (entry != NULL)
		entry->dirty = true;
	flush_in(c, c->spec.retry_ms);
}

/* True if a write is under way. */
static bool write_status(struct configs *c, const char *key, struct entry *entry)
{
	auto_json struct json *config = c->spec.look(c->spec.arg, key);
	auto_json struct json *wanted = NULL, *patch = NULL;
	const struct json *meta = json_get(config, "metadata");
	auto_free char *path = NULL;

	entry->due = false;
	if (config == NULL)
		return false;
	wanted = config_status(config, &entry->runs, time_now_ms());
	patch = status_patch(config, wanted);
	if (patch == NULL)
		return false;
	path = client_path(&KIND_CONFIG, json_get_str(meta, "namespace", ""),
			   json_get_str(meta, "name", ""), "status");
	c->writing = xstrdup(key);
	c->write = client_patch(c->client, path, PATCH_MERGE, patch, written, c);
	return true;
}

static void write_next(struct configs *c)
{
	bool again = false;
	const char *key;
	void *value;

	for (size_t i = 0; map_next(c->entries, &i, &key, &value);) {
		struct entry *entry = value;

		if (entry->due && c->spec.may_write(c->spec.arg) && write_status(c, key, entry))
			return;
		again = again || entry->due || entry->dirty;
	}
	if (again)
		flush_in(c, c->spec.flush_ms);
}

/* A round: what has changed since the last one. */
static void flush(void *arg)
{
	struct configs *c = arg;
	const char *key;
	void *value;

	c->flush_set = false;
	for (size_t i = 0; map_next(c->entries, &i, &key, &value);) {
		struct entry *entry = value;

		entry->due = entry->due || entry->dirty;
		entry->dirty = false;
	}
	write_next(c);
}

/* ---- what the watches show ---- */

static struct entry *entry_of(struct configs *c, const char *key)
{
	struct entry *entry = map_get(c->entries, key);

	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		map_put(c->entries, key, entry);
	}
	return entry;
}

static void drop_unused(struct configs *c, const char *key, const struct entry *entry)
{
	if (entry->content == NULL && entry->runs.total == 0)
		map_del(c->entries, key);
}

static void count(struct configs *c, const struct user *user, int64_t by)
{
	struct entry *entry = entry_of(c, user->config_key);

	entry->runs.total += by;
	entry->runs.active += user->finished ? 0 : by;
	mark(c, entry);
	drop_unused(c, user->config_key, entry);
}

void configs_run(struct configs *c, const char *run_key, const char *config_key, bool finished)
{
	struct user *user = map_get(c->users, run_key);

	if (user != NULL && config_key != NULL && streq(user->config_key, config_key) &&
	    user->finished == finished)
		return;
	if (user != NULL)
		count(c, user, -1);
	if (config_key == NULL) {
		map_del(c->users, run_key);
		return;
	}
	user = xcalloc(1, sizeof(*user));
	user->config_key = xstrdup(config_key);
	user->finished = finished;
	map_put(c->users, run_key, user);
	count(c, user, 1);
}

static char *content_of(const struct json *config)
{
	const struct json *meta = json_get(config, "metadata");

	if (config == NULL)
		return NULL;
	return xasprintf(
	    "%s %lld %s", json_get_str(meta, "uid", ""),
	    (long long)json_get_int(meta, "generation", 0),
	    json_get_str(json_get(meta, "annotations"), ANNOTATION_ALLOW_NAMESPACES, ""));
}

bool configs_config(struct configs *c, const char *config_key, const struct json *config)
{
	struct entry *entry = entry_of(c, config_key);
	char *content = content_of(config), *before = entry->content;
	bool same = content != NULL && before != NULL && streq(content, before);

	entry->content = content;
	free(before);
	mark(c, entry);
	drop_unused(c, config_key, entry);
	return !same;
}

/* ---- life ---- */

struct configs *configs_new(struct loop *loop, struct client *client,
			    const struct configs_spec *spec)
{
	struct configs *c = xcalloc(1, sizeof(*c));

	c->client = client;
	c->spec = *spec;
	if (c->spec.flush_ms == 0)
		c->spec.flush_ms = CONFIGS_FLUSH_MS;
	if (c->spec.retry_ms == 0)
		c->spec.retry_ms = CONFIGS_RETRY_MS;
	c->users = map_new(free_user);
	c->entries = map_new(free_entry);
	c->flush = timer_new(loop, flush, c);
	return c;
}

void configs_free(struct configs *c)
{
	if (c == NULL)
		return;
	client_cancel(c->write);
	timer_free(c->flush);
	map_free(c->users);
	map_free(c->entries);
	free(c->writing);
	free(c);
}
