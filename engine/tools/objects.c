#include "tools/objects.h"

#include "control/config.h"
#include "control/manifest.h"
#include "control/reduce.h"
#include "kube/store.h"
#include "tools/documents.h"

#define NO_UID "00000000-0000-0000-0000-000000000000"

enum which { RUNS, CONFIGS, JOBS, CRONJOBS, PODS, KINDS };

/* Of a run that has finished the cache keeps too little to begin it once more, so none is cut. */
static const struct known {
	const struct kind *kind;
	void (*reduce)(struct json *object);
} known[KINDS] = {
    [RUNS] = {&KIND_RUN, NULL},       [CONFIGS] = {&KIND_CONFIG, NULL},
    [JOBS] = {&KIND_JOB, reduce_job}, [CRONJOBS] = {&KIND_CRONJOB, reduce_cronjob},
    [PODS] = {&KIND_POD, reduce_pod},
};

struct objects {
	struct store *stores[KINDS];
	struct json *runs;     /* keys */
	const char *namespace; /* while a file is read */
};

struct objects *objects_new(void)
{
	struct objects *objects = xcalloc(1, sizeof(*objects));

	for (enum which which = RUNS; which < KINDS; which++)
		objects->stores[which] = store_new(known[which].reduce);
	objects->runs = json_array();
	return objects;
}

void objects_free(struct objects *objects)
{
	if (objects == NULL)
		return;
	for (enum which which = RUNS; which < KINDS; which++)
		store_free(objects->stores[which]);
	json_free(objects->runs);
	free(objects);
}

/* KINDS: another kind. */
static enum which which_of(const struct json *object)
{
	const char *api_version = json_get_str(object, "apiVersion", "");
	size_t group = strcspn(api_version, "/");
	enum which which = RUNS;

	if (api_version[group] == '\0')
		group = 0; /* the core group is not written */
	for (; which < KINDS; which++)
		if (streq(known[which].kind->name, json_get_str(object, "kind", "")) &&
		    strlen(known[which].kind->group) == group &&
		    strncmp(known[which].kind->group, api_version, group) == 0)
			break;
	return which;
}

static void pass_over(const struct json *object)
{
	const char *kind = json_get_str(object, "kind", "");

	if (!streq(kind, "ConfigMap"))
		fprintf(stderr, "note: passed over, policies do not see it: %s %s of %s\n", kind,
			json_get_str(json_get(object, "metadata"), "name", "without a name"),
			json_get_str(object, "apiVersion", "no apiVersion"));
}

static void complete(struct json *object, enum which which, const char *namespace)
{
	struct json *metadata = json_mut(object, "metadata");

	if (*json_get_str(metadata, "namespace", "") == '\0')
		json_set_str(metadata, "namespace", namespace);
	if (which == RUNS && *json_get_str(metadata, "uid", "") == '\0')
		json_set_str(metadata, "uid", NO_UID);
}

static int take(void *arg, const struct json *given, struct err *err)
{
	struct objects *objects = arg;
	enum which which = which_of(given);
	auto_json struct json *object = NULL;
	auto_free char *key = NULL;

	if (which == KINDS) {
		pass_over(given);
		return 0;
	}
	if (json_type(json_get(given, "metadata")) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "%s: expected metadata with a name, found %s",
			       known[which].kind->name,
			       json_type_name(json_type(json_get(given, "metadata"))));
	object = json_copy(given);
	complete(object, which, objects->namespace);
	key = store_key(object);
	if (key != NULL && store_find(objects->stores[which], key) != NULL)
		return err_set(err, ERR_INVALID, "%s %s is given twice", known[which].kind->name,
			       key);
	if (store_put(objects->stores[which], object, err) < 0)
		return err_wrap(err, "%s", known[which].kind->name);
	if (which == RUNS)
		json_append(objects->runs, json_string(key));
	return 0;
}

int objects_read(struct objects *objects, const char *path, const char *namespace, struct err *err)
{
	objects->namespace = namespace;
	return documents_read(path, take, objects, err);
}

const struct json *objects_runs(const struct objects *objects)
{
	return objects->runs;
}

struct pod_list {
	const struct store *store;
	struct json *pods;
};

static void add_pod(void *arg, const struct store_meta *meta)
{
	struct pod_list *list = arg;

	json_append(list->pods, store_get(list->store, meta->key));
}

void objects_look(const struct objects *objects, const char *run_key, struct cache_view *view)
{
	struct json *run = store_get(objects->stores[RUNS], run_key);
	enum which which = run_is_scheduled(run) ? CRONJOBS : JOBS;
	auto_free char *config_key = config_key_of(run), *job = run_job_name(run), *job_key = NULL;
	struct pod_list list = {objects->stores[PODS], json_array()};
	const char *job_uid;

	job_key = xasprintf("%s/%s", json_get_str(json_get(run, "metadata"), "namespace", ""), job);
	view->run = run;
	view->config = store_get(objects->stores[CONFIGS], config_key);
	view->job = store_get(objects->stores[which], job_key);
	view->pods = list.pods;
	job_uid = json_str(json_at(view->job, "metadata", "uid"));
	if (job_uid != NULL)
		store_each_owned(list.store, job_uid, add_pod, &list);
}
