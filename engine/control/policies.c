#include "control/policies.h"

#include "control/lastgood.h"
#include "control/names.h"
#include "kube/watch.h"

struct policies {
	const struct policymap_env *env;
	struct policies_spec spec;
	char *namespace, *name, *selector;
	struct store *store;
	struct watch *watch;
	struct policymap *map;
	struct lastgood *lastgood;
	struct policy_call *load; /* of the last good bundle */
	const char *kept;         /* where what is in force is from: see policymap.h */
	bool begun;               /* so that a refused edit leaves the bundle before in force */
	bool settled;
};

static void settle(struct policies *p)
{
	p->begun = true;
	if (p->settled)
		return;
	p->settled = true;
	p->spec.settled(p->spec.arg);
}

/* ---- the last good bundle ---- */

static void keep(struct policies *p)
{
	const struct json *files = policymap_files(p->map);

	if (files != NULL && store_len(p->store) > 0 && p->env->may_write(p->env->arg))
		lastgood_save(p->lastgood, policymap_object(p->map), files,
			      policy_digest(p->env->host, ""));
}

static void fell_back(struct policies *p, const char *to)
{
	p->kept = to;
	policymap_tell(p->map, p->kept);
	settle(p);
}

static void last_good_loaded(void *arg, const struct json *reply UNUSED, const struct err *err)
{
	struct policies *p = arg;
	struct err told;

	p->load = NULL;
	if (err == NULL) {
		p->spec.changed(p->spec.arg);
		fell_back(p, "last-good");
		return;
	}
	told = *err;
	err_wrap(&told, "the last good policies are refused too");
	p->spec.trouble(p->spec.arg, &told);
	fell_back(p, "built-in");
}

static void last_good_read(void *arg, const struct json *files)
{
	struct policies *p = arg;

	if (files == NULL)
		fell_back(p, "built-in");
	else
		p->load = policy_load(p->env->host, "", false, files, last_good_loaded, p);
}

static void forget_fallback(struct policies *p)
{
	lastgood_unread(p->lastgood);
	if (p->load != NULL)
		policy_cancel(steal(p->load));
}

/* ---- edits ---- */

static void loaded(void *arg, struct policymap *map, const struct err *err)
{
	struct policies *p = arg;

	forget_fallback(p);
	if (err != NULL && !p->begun) {
		lastgood_read(p->lastgood, policymap_object(map), last_good_read, p);
		return;
	}
	if (err == NULL) {
		p->kept = store_len(p->store) > 0 ? "edit" : "built-in";
		keep(p);
		p->spec.changed(p->spec.arg);
	}
	policymap_tell(map, p->kept);
	settle(p);
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	struct policies *p = arg;
	auto_json struct json *stored = NULL;

	if (type == WATCH_DELETED) {
		policymap_gone(p->map);
		return;
	}
	if (object == NULL) /* as stored */
		object = stored = store_get(p->store, meta->key);
	policymap_offer(p->map, object);
}

static void on_synced(void *arg)
{
	struct policies *p = arg;

	if (store_len(p->store) == 0)
		settle(p);
}

static void on_trouble(void *arg, const struct err *err)
{
	struct policies *p = arg;

	p->spec.trouble(p->spec.arg, err);
}

void policies_lead(struct policies *p)
{
	policymap_tell(p->map, p->kept);
	keep(p);
}

/* ---- life ---- */

struct policies *policies_new(struct loop *loop, const struct policymap_env *env,
			      const struct policies_spec *spec)
{
	struct policies *p = xcalloc(1, sizeof(*p));
	struct watch_spec watch = {
	    .kind = &KIND_CONFIGMAP,
	    .event = on_event,
	    .synced = on_synced,
	    .trouble = on_trouble,
	    .arg = p,
	};

	p->env = env;
	p->spec = *spec;
	p->kept = "built-in";
	p->name = xstrdup(spec->name);
	watch.namespace = p->namespace = xstrdup(spec->namespace);
	watch.field_selector = p->selector = xasprintf("metadata.name=%s", spec->name);
	p->map = policymap_new(env, &(struct policymap_spec){.namespace = p->namespace,
							     .name = p->name,
							     .bundle = "",
							     .taken = "in force",
							     .loaded = loaded,
							     .arg = p});
	p->lastgood = lastgood_new(
	    loop, env->client,
	    &(struct lastgood_spec){
		.namespace = p->namespace, .name = p->name, .trouble = on_trouble, .arg = p});
	p->store = watch.store = store_new(NULL);
	p->watch = watch_start(loop, env->client, &watch);
	return p;
}

void policies_free(struct policies *p)
{
	if (p == NULL)
		return;
	forget_fallback(p);
	policymap_free(p->map);
	lastgood_free(p->lastgood);
	watch_free(p->watch);
	store_free(p->store);
	free(p->namespace);
	free(p->name);
	free(p->selector);
	free(p);
}
