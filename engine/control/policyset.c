#include "control/policyset.h"

#include "base/map.h"
#include "control/names.h"
#include "kube/watch.h"

/* One ConfigMap. */
struct member {
	struct policyset *set;
	struct policymap *map;
	char *key;
	bool admitted; /* it has a bundle, or may get one */
	bool judged;
};

/* One namespace, or all. */
struct source {
	struct policyset *set;
	struct watch *watch;
	bool tried; /* to list, well or not */
};

struct policyset {
	const struct policymap_env *env;
	struct policyset_spec spec;
	char *selector;
	struct store *store;
	struct source *sources;
	size_t source_count;
	struct map *members; /* key -> struct member */
	size_t admitted;
	char *trouble; /* of a list that has not come about; NULL: none */
	bool ready;
};

static void member_free(void *value)
{
	struct member *m = value;

	policymap_free(m->map);
	free(m->key);
	free(m);
}

char *policyset_bundle(const struct policyset *set, const char *key)
{
	return xasprintf("%s/%s", set->spec.mode, key);
}

struct policymap *policyset_find(const struct policyset *set, const char *key)
{
	const struct member *m = map_get(set->members, key);

	return m != NULL ? m->map : NULL;
}

/* ---- is everything known that was there? ---- */

static void become_ready(struct policyset *set)
{
	if (set->ready)
		return;
	for (size_t i = 0; i < set->source_count; i++)
		if (!set->sources[i].tried)
			return;
	set->ready = true;
	set->spec.ready(set->spec.arg);
}

bool policyset_ready(const struct policyset *set)
{
	return set->ready;
}

bool policyset_checking(const struct policyset *set, const char *key)
{
	const struct member *m = map_get(set->members, key);

	return m != NULL && !m->judged;
}

const char *policyset_trouble(const struct policyset *set)
{
	return set->trouble;
}

/* ---- members ---- */

static const char *kept(const struct member *m)
{
	auto_free char *bundle = policyset_bundle(m->set, m->key);

	return policy_has(m->set->env->host, bundle) ? "edit" : "none";
}

static void loaded(void *arg, struct policymap *map, const struct err *err UNUSED)
{
	struct member *m = arg;

	m->judged = true;
	policymap_tell(map, kept(m));
	m->set->spec.changed(m->set->spec.arg, m->key, map);
}

static struct member *member_new(struct policyset *set, const char *key, const struct json *object)
{
	const struct json *meta = json_get(object, "metadata");
	auto_free char *bundle = policyset_bundle(set, key);
	struct member *m = xcalloc(1, sizeof(*m));

	m->set = set;
	m->key = xstrdup(key);
	m->map = policymap_new(
	    set->env, &(struct policymap_spec){.namespace = json_get_str(meta, "namespace", ""),
					       .name = json_get_str(meta, "name", ""),
					       .bundle = bundle,
					       .over = set->spec.over,
					       .taken = set->spec.taken,
					       .loaded = loaded,
					       .arg = m});
	map_put(set->members, key, m);
	return m;
}

static void offer(struct member *m, const struct json *object)
{
	struct policyset *set = m->set;
	struct err err = ERR_INIT;

	if (!m->admitted && set->admitted < set->spec.max) {
		m->admitted = true;
		set->admitted++;
	}
	if (m->admitted) {
		policymap_offer(m->map, object);
		return;
	}
	err_set(&err, ERR_LIMIT,
		"there are %zu ConfigMaps with the label " LABEL_POLICY_MODE
		"=%s already: remove one",
		set->spec.max, set->spec.mode);
	policymap_refuse(m->map, object, &err);
}

/* A place is free: for one that was refused. */
static void admit_another(struct policyset *set)
{
	const char *key;
	void *member;

	for (size_t i = 0; map_next(set->members, &i, &key, &member);) {
		auto_json struct json *object = store_get(set->store, key);

		if (((struct member *)member)->admitted || object == NULL)
			continue;
		offer(member, object);
		return;
	}
}

static void drop(struct policyset *set, const char *key)
{
	struct member *m = map_get(set->members, key);
	auto_free char *bundle = policyset_bundle(set, key);
	bool admitted = m != NULL && m->admitted;

	if (m == NULL)
		return;
	map_del(set->members, key);
	policy_forget(set->env->host, bundle);
	set->spec.changed(set->spec.arg, key, NULL);
	if (admitted) {
		set->admitted--;
		admit_another(set);
	}
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	struct source *source = arg;
	struct policyset *set = source->set;
	struct member *m = map_get(set->members, meta->key);
	auto_free char *key = xstrdup(meta->key);

	if (type == WATCH_DELETED) {
		drop(set, key);
		return;
	}
	offer(m != NULL ? m : member_new(set, key, object), object);
}

static void on_synced(void *arg)
{
	struct source *source = arg;

	source->tried = true;
	free(steal(source->set->trouble));
	become_ready(source->set);
}

static void on_trouble(void *arg, const struct err *err)
{
	struct source *source = arg;
	struct policyset *set = source->set;

	set->spec.trouble(set->spec.arg, err);
	if (watch_synced(source->watch))
		return;
	free(set->trouble);
	set->trouble = xstrdup(err->msg);
	source->tried = true;
	become_ready(set);
}

void policyset_tell(struct policyset *set)
{
	const char *key;
	void *member;

	for (size_t i = 0; map_next(set->members, &i, &key, &member);)
		if (((struct member *)member)->judged)
			policymap_tell(((struct member *)member)->map, kept(member));
}

/* ---- life ---- */

static void start_source(struct policyset *set, struct loop *loop, const char *namespace)
{
	struct source *source = &set->sources[set->source_count++];
	struct watch_spec spec = {
	    .kind = &KIND_CONFIGMAP,
	    .namespace = namespace,
	    .label_selector = set->selector,
	    .store = set->store,
	    .event = on_event,
	    .synced = on_synced,
	    .trouble = on_trouble,
	    .arg = source,
	};

	source->set = set;
	source->watch = watch_start(loop, set->env->client, &spec);
}

struct policyset *policyset_new(struct loop *loop, const struct policymap_env *env,
				const struct policyset_spec *spec)
{
	struct policyset *set = xcalloc(1, sizeof(*set));
	size_t namespaces = 0;

	set->env = env;
	set->spec = *spec;
	set->selector = xasprintf(LABEL_POLICY_MODE "=%s", spec->mode);
	set->store = store_new(NULL);
	set->members = map_new(member_free);
	while (spec->namespaces[namespaces] != NULL)
		namespaces++;
	set->sources = xcalloc(namespaces + 1, sizeof(*set->sources));
	if (namespaces == 0)
		start_source(set, loop, NULL);
	for (size_t i = 0; i < namespaces; i++)
		start_source(set, loop, spec->namespaces[i]);
	return set;
}

void policyset_free(struct policyset *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->source_count; i++)
		watch_free(set->sources[i].watch);
	map_free(set->members);
	store_free(set->store);
	free(set->sources);
	free(set->selector);
	free(set->trouble);
	free(set);
}
