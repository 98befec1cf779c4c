#include "tools/objects.h"

#include "tools/documents.h"

#define NO_UID "00000000-0000-0000-0000-000000000000"

struct objects {
	struct store *stores[VIEW_KINDS];
	struct json *runs;     /* keys */
	const char *namespace; /* while a file is read */
};

struct objects *objects_new(void)
{
	struct objects *objects = xcalloc(1, sizeof(*objects));

	/* Of a run that has finished too little is kept to begin it once more: none is cut. */
	for (enum view_kind which = VIEW_RUNS; which < VIEW_KINDS; which++)
		objects->stores[which] =
		    store_new(which != VIEW_RUNS ? view_sources[which].reduce : NULL);
	objects->runs = json_array();
	return objects;
}

void objects_free(struct objects *objects)
{
	if (objects == NULL)
		return;
	for (enum view_kind which = VIEW_RUNS; which < VIEW_KINDS; which++)
		store_free(objects->stores[which]);
	json_free(objects->runs);
	free(objects);
}

/* VIEW_KINDS: another kind. */
static enum view_kind which_of(const struct json *object)
{
	const char *api_version = json_get_str(object, "apiVersion", "");
	size_t group = strcspn(api_version, "/");
	enum view_kind which = VIEW_RUNS;

	if (api_version[group] == '\0')
		group = 0; /* the core group is not written */
	for (; which < VIEW_KINDS; which++)
		if (streq(view_sources[which].kind->name, json_get_str(object, "kind", "")) &&
		    strlen(view_sources[which].kind->group) == group &&
		    strncmp(view_sources[which].kind->group, api_version, group) == 0)
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

static void complete(struct json *object, enum view_kind which, const char *namespace)
{
	struct json *metadata = json_mut(object, "metadata");

	if (*json_get_str(metadata, "namespace", "") == '\0')
		json_set_str(metadata, "namespace", namespace);
	if (which == VIEW_RUNS && *json_get_str(metadata, "uid", "") == '\0')
		json_set_str(metadata, "uid", NO_UID);
}

static int take(void *arg, const struct json *given, struct err *err)
{
	struct objects *objects = arg;
	enum view_kind which = which_of(given);
	auto_json struct json *object = NULL;
	auto_free char *key = NULL;

	if (which == VIEW_KINDS) {
		pass_over(given);
		return 0;
	}
	if (json_type(json_get(given, "metadata")) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "%s: expected metadata with a name, found %s",
			       view_sources[which].kind->name,
			       json_type_name(json_type(json_get(given, "metadata"))));
	object = json_copy(given);
	complete(object, which, objects->namespace);
	key = store_key(object);
	if (key != NULL && store_find(objects->stores[which], key) != NULL)
		return err_set(err, ERR_INVALID, "%s %s is given twice",
			       view_sources[which].kind->name, key);
	if (store_put(objects->stores[which], object, err) < 0)
		return err_wrap(err, "%s", view_sources[which].kind->name);
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
