#include "tools/objects.h"

#include "base/timefmt.h"
#include "tools/documents.h"

#define NO_UID "00000000-0000-0000-0000-000000000000"
#define LABEL_JOB_NAME "batch.kubernetes.io/job-name"

/* Beside what a view needs: the policies that configs have of their own. */
enum { POLICIES = VIEW_KINDS, KEPT, OTHERS = KEPT };

struct objects {
	struct store *stores[KEPT];
	struct json *runs;     /* keys */
	const char *namespace; /* while a file is read */
};

struct objects *objects_new(void)
{
	struct objects *objects = xcalloc(1, sizeof(*objects));

	/* Of a run that has finished too little is kept to begin it once more: none is cut. */
	for (int which = 0; which < KEPT; which++)
		objects->stores[which] = store_new(
		    which == VIEW_RUNS || which == POLICIES ? NULL : view_sources[which].reduce);
	objects->runs = json_array();
	return objects;
}

void objects_free(struct objects *objects)
{
	if (objects == NULL)
		return;
	for (int which = 0; which < KEPT; which++)
		store_free(objects->stores[which]);
	json_free(objects->runs);
	free(objects);
}

static const struct kind *kind_of(int which)
{
	return which == POLICIES ? &KIND_CONFIGMAP : view_sources[which].kind;
}

static bool is_of(const struct json *object, const struct kind *kind)
{
	const char *api_version = json_get_str(object, "apiVersion", "");
	size_t group = strcspn(api_version, "/");

	if (api_version[group] == '\0')
		group = 0; /* the core group is not written */
	return streq(kind->name, json_get_str(object, "kind", "")) &&
	       strlen(kind->group) == group && strncmp(kind->group, api_version, group) == 0;
}

static int which_of(const struct json *object)
{
	const char *mode = json_str(json_at(object, "metadata", "labels", LABEL_POLICY_MODE));
	int which = 0;

	while (which < KEPT && !is_of(object, kind_of(which)))
		which++;
	if (which == POLICIES && (mode == NULL || !streq(mode, "config")))
		return OTHERS;
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

/* Of a Job that somebody has written: what no other Job has. */
static char *uid_of_job(const struct json *metadata, const char *name)
{
	return xasprintf("%s/%s", json_get_str(metadata, "namespace", ""), name);
}

static void give_uid(struct json *metadata, int which)
{
	auto_free char *job = uid_of_job(metadata, json_get_str(metadata, "name", ""));

	if (*json_get_str(metadata, "uid", "") != '\0')
		return;
	if (which == VIEW_RUNS)
		json_set_str(metadata, "uid", NO_UID);
	else if (which == VIEW_JOBS || which == VIEW_CRONJOBS)
		json_set_str(metadata, "uid", job);
}

static void give_time(struct json *metadata)
{
	char now[TIME_TEXT_MAX];

	if (*json_get_str(metadata, "creationTimestamp", "") != '\0')
		return;
	time_format(time_now_ms(), false, now);
	json_set_str(metadata, "creationTimestamp", now);
}

static void give_owner(struct json *metadata)
{
	const char *name = json_str(json_at(metadata, "labels", LABEL_JOB_NAME));
	auto_free char *uid = name != NULL ? uid_of_job(metadata, name) : NULL;

	if (json_first(json_get(metadata, "ownerReferences")) != NULL)
		return;
	if (name != NULL)
		json_set(metadata, "ownerReferences",
			 json_build("[{'apiVersion': 'batch/v1', 'kind': 'Job', 'name': %s, "
				    "'uid': %s, 'controller': true}]",
				    name, uid));
	else
		fprintf(
		    stderr,
		    "note: passed over: Pod %s/%s names no Job; expected the label " LABEL_JOB_NAME
		    " or ownerReferences\n",
		    json_get_str(metadata, "namespace", ""), json_get_str(metadata, "name", ""));
}

static void complete(struct json *object, int which, const char *namespace)
{
	struct json *metadata = json_mut(object, "metadata");

	if (*json_get_str(metadata, "namespace", "") == '\0')
		json_set_str(metadata, "namespace", namespace);
	give_uid(metadata, which);
	if (which == VIEW_RUNS)
		give_time(metadata);
	if (which == VIEW_PODS)
		give_owner(metadata);
}

static int take(void *arg, const struct json *given, struct err *err)
{
	struct objects *objects = arg;
	int which = which_of(given);
	auto_json struct json *object = NULL;
	auto_free char *key = NULL;

	if (which == OTHERS) {
		pass_over(given);
		return 0;
	}
	if (json_type(json_get(given, "metadata")) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "%s: expected metadata with a name, found %s",
			       kind_of(which)->name,
			       json_type_name(json_type(json_get(given, "metadata"))));
	object = json_copy(given);
	complete(object, which, objects->namespace);
	key = store_key(object);
	if (key != NULL && store_find(objects->stores[which], key) != NULL)
		return err_set(err, ERR_INVALID, "%s %s is given twice", kind_of(which)->name, key);
	if (store_put(objects->stores[which], object, err) < 0)
		return err_wrap(err, "%s", kind_of(which)->name);
	if (which == VIEW_RUNS)
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

void objects_look(const struct objects *objects, const char *run_key, struct view *view)
{
	view_look(objects->stores, run_key, view);
}

struct json *objects_policies(const struct objects *objects, const char *key)
{
	return store_get(objects->stores[POLICIES], key);
}
