#include "control/cache.h"

#include "base/map.h"
#include "control/config.h"
#include "control/status.h"

/* One kind in one namespace, or in all. */
struct source {
	struct cache *cache;
	enum view_kind which;
	struct watch *watch;
	bool listed;
};

struct cache {
	struct cache_spec spec;
	struct store *stores[VIEW_KINDS];
	struct source *sources;
	size_t source_count;
	/* Of runs that have not finished: */
	struct map *key_by_uid;     /* uid -> run key */
	struct map *config_by_run;  /* run key -> config key */
	struct map *runs_by_config; /* config key -> struct map: a set of run keys */
	struct map *unreadable;     /* config key -> why */
};

static void free_set(void *set)
{
	map_free(set);
}

/* ---- which run an object belongs to ---- */

static void forget_run(struct cache *cache, const struct store_meta *meta)
{
	const char *config = map_get(cache->config_by_run, meta->key);
	struct map *users = config != NULL ? map_get(cache->runs_by_config, config) : NULL;

	if (users != NULL) {
		map_del(users, meta->key);
		if (map_len(users) == 0)
			map_del(cache->runs_by_config, config);
	}
	map_del(cache->config_by_run, meta->key);
	map_del(cache->key_by_uid, meta->uid);
}

static void remember_run(struct cache *cache, const struct store_meta *meta, const struct json *run)
{
	char *config = config_key_of(run);
	struct map *users = map_get(cache->runs_by_config, config);

	if (users == NULL) {
		users = map_new(NULL);
		map_put(cache->runs_by_config, config, users);
	}
	map_put(users, meta->key, cache);
	map_put(cache->config_by_run, meta->key, config);
	map_put(cache->key_by_uid, meta->uid, xstrdup(meta->key));
}

static void run_event(struct source *source, enum watch_event type, const struct store_meta *meta,
		      const struct json *run)
{
	struct cache *cache = source->cache;
	const char *phase = json_get_str(json_get(run, "status"), "phase", "");
	bool finished = streq(phase, "Succeeded") || streq(phase, "Failed");
	auto_free char *config = type != WATCH_DELETED ? config_key_of(run) : NULL;

	forget_run(cache, meta);
	if (type != WATCH_DELETED && !finished)
		remember_run(cache, meta, run);
	cache->spec.run(cache->spec.arg, meta->key, config, finished);
	cache->spec.seen(cache->spec.arg, meta->key,
			 type == WATCH_DELETED ? "" : meta->resource_version, NULL);
	cache->spec.changed(cache->spec.arg, meta->key, !source->listed);
}

static void wake_users(struct source *source, const char *config_key)
{
	struct cache *cache = source->cache;
	const struct map *users = map_get(cache->runs_by_config, config_key);
	const char *key;
	void *value;

	for (size_t i = 0; users != NULL && map_next(users, &i, &key, &value);)
		cache->spec.changed(cache->spec.arg, key, !source->listed);
}

static void on_passed_over(void *arg, const char *key, const struct err *err)
{
	struct source *source = arg;

	if (source->which != VIEW_CONFIGS)
		return;
	if (err != NULL)
		map_put(source->cache->unreadable, key, xstrdup(err->msg));
	else
		map_del(source->cache->unreadable, key);
	wake_users(source, key);
}

static void config_event(struct source *source, enum watch_event type,
			 const struct store_meta *meta, const struct json *config)
{
	struct cache *cache = source->cache;

	if (type != WATCH_DELETED)
		map_del(cache->unreadable, meta->key);
	if (!cache->spec.config(cache->spec.arg, meta->key, type != WATCH_DELETED ? config : NULL))
		return;
	wake_users(source, meta->key);
}

static void owned_event(struct source *source, const struct store_meta *meta,
			const struct json *object)
{
	struct cache *cache = source->cache;
	auto_json struct json *stored = NULL;
	const char *uid, *run_key;

	if (object == NULL) /* gone in a re-list: the store still has it */
		object = stored = store_get(cache->stores[source->which], meta->key);
	uid = json_str(json_at(object, "metadata", "labels", LABEL_RUN));
	run_key = uid != NULL ? map_get(cache->key_by_uid, uid) : NULL;
	if (run_key == NULL)
		return;
	if (source->which != VIEW_PODS)
		cache->spec.seen(cache->spec.arg, run_key, NULL, meta->uid);
	cache->spec.changed(cache->spec.arg, run_key, !source->listed);
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	struct source *source = arg;

	if (source->which == VIEW_RUNS)
		run_event(source, type, meta, object);
	else if (source->which == VIEW_CONFIGS)
		config_event(source, type, meta, object);
	else
		owned_event(source, meta, object);
}

static void on_synced(void *arg)
{
	struct source *source = arg;
	struct cache *cache = source->cache;
	bool first = !source->listed;

	source->listed = true;
	if (first && cache_synced(cache))
		cache->spec.synced(cache->spec.arg);
}

static void on_trouble(void *arg, const struct err *err)
{
	struct source *source = arg;

	source->cache->spec.trouble(source->cache->spec.arg, err);
}

/* ---- life ---- */

static void start_source(struct cache *cache, struct loop *loop, struct client *client,
			 enum view_kind which, const char *namespace)
{
	struct source *source = &cache->sources[cache->source_count++];
	struct watch_spec spec = {
	    .kind = view_sources[which].kind,
	    .namespace = namespace,
	    .label_selector = view_sources[which].selector,
	    .store = cache->stores[which],
	    .event = on_event,
	    .synced = on_synced,
	    .trouble = on_trouble,
	    .passed_over = on_passed_over,
	    .arg = source,
	};

	*source = (struct source){.cache = cache, .which = which};
	source->watch = watch_start(loop, client, &spec);
}

struct cache *cache_new(struct loop *loop, struct client *client, const struct cache_spec *spec)
{
	struct cache *cache = xcalloc(1, sizeof(*cache));
	size_t namespaces = 0;

	cache->spec = *spec;
	cache->key_by_uid = map_new(free);
	cache->config_by_run = map_new(free);
	cache->runs_by_config = map_new(free_set);
	cache->unreadable = map_new(free);
	while (spec->namespaces[namespaces] != NULL)
		namespaces++;
	cache->sources = xcalloc((namespaces + 1) * VIEW_KINDS, sizeof(*cache->sources));
	for (enum view_kind which = VIEW_RUNS; which < VIEW_KINDS; which++) {
		cache->stores[which] = store_new(view_sources[which].reduce);
		if (namespaces == 0)
			start_source(cache, loop, client, which, NULL);
		for (size_t i = 0; i < namespaces; i++)
			start_source(cache, loop, client, which, spec->namespaces[i]);
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->source_count; i++)
		watch_free(cache->sources[i].watch);
	for (enum view_kind which = VIEW_RUNS; which < VIEW_KINDS; which++)
		store_free(cache->stores[which]);
	map_free(cache->key_by_uid);
	map_free(cache->config_by_run);
	map_free(cache->runs_by_config);
	map_free(cache->unreadable);
	free(cache->sources);
	free(cache);
}

bool cache_synced(const struct cache *cache)
{
	for (size_t i = 0; i < cache->source_count; i++)
		if (!cache->sources[i].listed)
			return false;
	return true;
}

/* ---- looking ---- */

struct json *cache_config(const struct cache *cache, const char *config_key)
{
	return store_get(cache->stores[VIEW_CONFIGS], config_key);
}

bool cache_look(const struct cache *cache, const char *run_key, struct view *view)
{
	auto_free char *config_key = NULL;
	const char *trouble;

	if (!view_look(cache->stores, run_key, view))
		return false;
	config_key = config_key_of(view->run);
	trouble = map_get(cache->unreadable, config_key);
	if (trouble != NULL)
		view->config_trouble = xstrdup(trouble);
	return true;
}

void cache_each_live(const struct cache *cache, void (*fn)(void *arg, const char *run_key),
		     void *arg)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(cache->config_by_run, &i, &key, &value);)
		fn(arg, key);
}

void cache_each_judged_by(const struct cache *cache, const char *policy_key,
			  void (*fn)(void *arg, const char *run_key), void *arg)
{
	const char *config_key, *run_key;
	void *runs, *value;

	for (size_t i = 0; map_next(cache->runs_by_config, &i, &config_key, &runs);) {
		auto_json struct json *config = store_get(cache->stores[VIEW_CONFIGS], config_key);
		auto_free char *judge = config_policy_key(config);

		if (judge == NULL || !streq(judge, policy_key))
			continue;
		for (size_t k = 0; map_next(runs, &k, &run_key, &value);)
			fn(arg, run_key);
	}
}

void cache_count(const struct cache *cache, void (*fn)(void *arg, const char *kind, size_t n),
		 void *arg)
{
	for (enum view_kind which = VIEW_RUNS; which < VIEW_KINDS; which++)
		fn(arg, view_sources[which].kind->name, store_len(cache->stores[which]));
}
