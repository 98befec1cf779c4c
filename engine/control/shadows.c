#include "control/shadows.h"

#include <sys/queue.h>

#include "base/map.h"
#include "base/timefmt.h"
#include "control/names.h"
#include "control/policyset.h"

/* A shadow that can be asked, and its figures. */
struct shadow {
	char *key, *bundle;
	char *digest, *active; /* of the two that the figures compare */
	int64_t since;
	int64_t evaluated, differing, errors, skipped;
	struct json *differences;
	bool dirty; /* there is something new to write */
};

/* A question that waits for its shadow. */
struct inquiry {
	STAILQ_ENTRY(inquiry) link;
	char *key, *run, *digest; /* of the bundle that has answered */
	struct json *question, *results;
};

struct shadows {
	struct loop *loop;
	const struct policymap_env *env;
	struct shadows_spec spec;
	char *namespace;
	const char *namespaces[2];
	struct policyset *set;
	struct map *shadows; /* key -> struct shadow */
	STAILQ_HEAD(, inquiry) inquiries;
	size_t waiting, paused;
	struct inquiry *asked; /* its question is open */
	struct policy_call *call;
	struct timer *tell;
	bool telling; /* the timer runs */
};

static void shadow_free(void *value)
{
	struct shadow *shadow = value;

	json_free(shadow->differences);
	free(shadow->key);
	free(shadow->bundle);
	free(shadow->digest);
	free(shadow->active);
	free(shadow);
}

static void inquiry_free(struct inquiry *inquiry)
{
	if (inquiry == NULL)
		return;
	json_free(inquiry->question);
	json_free(inquiry->results);
	free(inquiry->key);
	free(inquiry->run);
	free(inquiry->digest);
	free(inquiry);
}

/* ---- figures ---- */

static void changed_figures(struct shadows *s, struct shadow *shadow)
{
	shadow->dirty = true;
	if (!s->telling)
		timer_set(s->tell, s->spec.tell_ms);
	s->telling = true;
}

static void begin_anew(struct shadows *s, struct shadow *shadow)
{
	free(shadow->digest);
	free(shadow->active);
	json_free(shadow->differences);
	shadow->digest = xstrdup(policy_digest(s->env->host, shadow->bundle));
	shadow->active = xstrdup(policy_digest(s->env->host, ""));
	shadow->differences = json_array();
	shadow->since = time_now_ms();
	shadow->evaluated = shadow->differing = shadow->errors = shadow->skipped = 0;
}

/* The shadow of that key as it can be asked now, its figures about the two bundles that are there;
 * NULL: it has none. */
static struct shadow *current(struct shadows *s, const char *key)
{
	struct shadow *shadow = map_get(s->shadows, key);

	if (shadow == NULL || !policy_has(s->env->host, shadow->bundle))
		return NULL;
	if (shadow->digest == NULL ||
	    !streq(shadow->digest, policy_digest(s->env->host, shadow->bundle)) ||
	    !streq(shadow->active, policy_digest(s->env->host, "")))
		begin_anew(s, shadow);
	return shadow;
}

static char *figures(const struct shadow *shadow)
{
	char since[TIME_TEXT_MAX];
	auto_json struct json *told = NULL;

	time_format(shadow->since, false, since);
	told = json_build("{'shadow': %s, 'active': %s, 'since': %s, 'evaluated': %d,"
			  " 'differing': %d, 'errors': %d, 'skipped': %d, 'differences': %j}",
			  shadow->digest, shadow->active, since, shadow->evaluated,
			  shadow->differing, shadow->errors, shadow->skipped, shadow->differences);
	return json_print(told);
}

static void tell(void *arg)
{
	struct shadows *s = arg;
	const char *key;
	void *value;

	s->telling = false;
	for (size_t i = 0; map_next(s->shadows, &i, &key, &value);) {
		struct shadow *shadow = value;
		struct policymap *map = policyset_find(s->set, key);
		auto_free char *text = NULL;

		if (!shadow->dirty || map == NULL)
			continue;
		shadow->dirty = false;
		text = figures(shadow);
		policymap_annotate(map, ANNOTATION_POLICY_SHADOW, text);
	}
}

/* ---- asking ---- */

static void ask_next(void *arg);

static void schedule(struct shadows *s)
{
	loop_undefer(s->loop, s);
	loop_defer(s->loop, ask_next, s);
}

static void count(struct shadows *s, struct shadow *shadow, const struct inquiry *inquiry,
		  const struct json *results)
{
	enum shadow_result result =
	    shadow_compare(inquiry->run, inquiry->results, results,
			   json_get(inquiry->question, "manifest"), shadow->differences);

	shadow->evaluated++;
	shadow->differing += result == SHADOW_DIFFERS;
	shadow->errors += result == SHADOW_FAILED;
	s->spec.compared(s->spec.arg, result);
	changed_figures(s, shadow);
}

static void answered(void *arg, const struct json *reply, const struct err *err)
{
	struct shadows *s = arg;
	struct inquiry *inquiry = steal(s->asked);
	struct shadow *shadow = current(s, inquiry->key);

	s->call = NULL;
	/* One side may have changed meanwhile: then this answer compares nothing. */
	if (err == NULL && shadow != NULL && streq(inquiry->digest, shadow->active) &&
	    streq(json_get_str(reply, "digest", ""), shadow->digest))
		count(s, shadow, inquiry, json_get(reply, "results"));
	inquiry_free(inquiry);
	schedule(s);
}

static void ask_next(void *arg)
{
	struct shadows *s = arg;
	struct inquiry *inquiry = STAILQ_FIRST(&s->inquiries);
	const struct shadow *shadow;

	if (s->paused > 0 || s->asked != NULL || inquiry == NULL)
		return;
	STAILQ_REMOVE_HEAD(&s->inquiries, link);
	s->waiting--;
	shadow = current(s, inquiry->key);
	if (shadow == NULL) {
		inquiry_free(inquiry);
		schedule(s);
		return;
	}
	s->asked = inquiry;
	s->call = policy_eval(s->env->host, shadow->bundle, inquiry->question, answered, s);
}

void shadows_pause(struct shadows *s)
{
	s->paused++;
}

void shadows_resume(struct shadows *s)
{
	if (--s->paused == 0)
		schedule(s);
}

static char *run_key(const struct json *run)
{
	const struct json *meta = json_get(run, "metadata");

	return xasprintf("%s/%s", json_get_str(meta, "namespace", ""),
			 json_get_str(meta, "name", ""));
}

static void inquire(struct shadows *s, struct shadow *shadow, const struct observed *o,
		    const struct json *results)
{
	struct observed as_seen = *o;
	struct inquiry *inquiry;

	if (s->waiting == SHADOW_QUEUE) {
		shadow->skipped++;
		changed_figures(s, shadow);
		return;
	}
	as_seen.shapes = o->shapes || policy_shapes(s->env->host, shadow->bundle);
	inquiry = xcalloc(1, sizeof(*inquiry));
	inquiry->key = xstrdup(shadow->key);
	inquiry->run = run_key(o->run);
	inquiry->digest = xstrdup(o->digest);
	inquiry->question = decide_question(&as_seen);
	inquiry->results = json_copy(results);
	STAILQ_INSERT_TAIL(&s->inquiries, inquiry, link);
	s->waiting++;
	schedule(s);
}

void shadows_consider(struct shadows *s, const struct observed *o, const struct json *results)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(s->shadows, &i, &key, &value);) {
		struct shadow *shadow = current(s, key);

		if (shadow != NULL)
			inquire(s, shadow, o, results);
	}
}

/* ---- the ConfigMaps ---- */

static void changed(void *arg, const char *key, struct policymap *map)
{
	struct shadows *s = arg;
	struct shadow *shadow = map_get(s->shadows, key);

	if (map == NULL) {
		map_del(s->shadows, key);
	} else if (shadow == NULL) {
		shadow = xcalloc(1, sizeof(*shadow));
		shadow->key = xstrdup(key);
		shadow->bundle = policyset_bundle(s->set, key);
		map_put(s->shadows, key, shadow);
	}
}

static void ready(void *arg UNUSED)
{
}

void shadows_tell(struct shadows *s)
{
	policyset_tell(s->set);
}

/* ---- life ---- */

struct shadows *shadows_new(struct loop *loop, const struct policymap_env *env,
			    const struct shadows_spec *spec)
{
	struct shadows *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->env = env;
	s->spec = *spec;
	if (s->spec.tell_ms == 0)
		s->spec.tell_ms = SHADOW_TELL_MS;
	s->namespaces[0] = s->namespace = xstrdup(spec->namespace);
	s->shadows = map_new(shadow_free);
	STAILQ_INIT(&s->inquiries);
	s->tell = timer_new(loop, tell, s);
	s->set = policyset_new(loop, env,
			       &(struct policyset_spec){.mode = "shadow",
							.namespaces = s->namespaces,
							.max = SHADOWS_MAX,
							.taken = "on trial",
							.changed = changed,
							.ready = ready,
							.trouble = spec->trouble,
							.arg = s});
	return s;
}

void shadows_free(struct shadows *s)
{
	struct inquiry *inquiry;

	if (s == NULL)
		return;
	if (s->call != NULL)
		policy_cancel(s->call);
	loop_undefer(s->loop, s);
	inquiry_free(s->asked);
	while ((inquiry = STAILQ_FIRST(&s->inquiries)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->inquiries, link);
		inquiry_free(inquiry);
	}
	policyset_free(s->set);
	timer_free(s->tell);
	map_free(s->shadows);
	free(s->namespace);
	free(s);
}
