#include "control/view.h"

#include "control/config.h"
#include "control/firings.h"
#include "control/manifest.h"
#include "control/reduce.h"

const struct view_source view_sources[VIEW_KINDS] = {
    [VIEW_RUNS] = {&KIND_RUN, NULL, reduce_run},
    [VIEW_CONFIGS] = {&KIND_CONFIG, NULL, NULL},
    [VIEW_JOBS] = {&KIND_JOB, LABEL_RUN, reduce_job},
    [VIEW_CRONJOBS] = {&KIND_CRONJOB, LABEL_RUN, reduce_cronjob},
    [VIEW_PODS] = {&KIND_POD, LABEL_RUN, reduce_pod},
};

struct owned_list {
	const struct store *store;
	struct json *objects;
};

static void add_object(void *arg, const struct store_meta *meta)
{
	struct owned_list *list = arg;

	json_append(list->objects, store_get(list->store, meta->key));
}

static struct json *owned_by(const struct store *store, const struct json *owner)
{
	struct owned_list list = {.store = store, .objects = json_array()};
	const char *uid = json_str(json_at(owner, "metadata", "uid"));

	if (uid != NULL)
		store_each_owned(list.store, uid, add_object, &list);
	return list.objects;
}

static struct json *untold_firing(const struct store *store, const struct view *view)
{
	auto_json struct json *jobs = owned_by(store, view->job);
	const struct json *firing = firings_untold(view->run, jobs);

	return firing != NULL ? json_copy(firing) : NULL;
}

bool view_look(struct store *const stores[VIEW_KINDS], const char *run_key, struct view *view)
{
	struct json *run = store_get(stores[VIEW_RUNS], run_key);
	auto_free char *config_key = NULL, *job = NULL, *job_key = NULL;
	bool scheduled;

	if (run == NULL)
		return false;
	scheduled = run_is_scheduled(run);
	config_key = config_key_of(run);
	job = run_job_name(run);
	job_key = xasprintf("%s/%s", json_get_str(json_get(run, "metadata"), "namespace", ""), job);
	*view = (struct view){.run = run, .config = store_get(stores[VIEW_CONFIGS], config_key)};
	json_remove(view->config, "status");
	view->job = store_get(stores[scheduled ? VIEW_CRONJOBS : VIEW_JOBS], job_key);
	view->firing = scheduled ? untold_firing(stores[VIEW_JOBS], view) : NULL;
	view->pods = owned_by(stores[VIEW_PODS], view->firing != NULL ? view->firing : view->job);
	return true;
}

void view_done(struct view *view)
{
	json_free(view->run);
	json_free(view->config);
	free(view->config_trouble);
	json_free(view->job);
	json_free(view->firing);
	json_free(view->pods);
	*view = (struct view){0};
}
