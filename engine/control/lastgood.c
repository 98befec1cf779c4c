#include "control/lastgood.h"

#include "control/names.h"

enum { AGAIN_MS = 2000 };

struct lastgood {
	struct client *client;
	struct lastgood_spec spec;
	char *namespace, *name;

	struct client_call *reading;
	struct timer *read_again;
	char *owner; /* uid of the policy ConfigMap that is asked for */
	lastgood_fn *done;
	void *done_arg;

	struct client_call *writing;
	struct timer *write_again;
	struct json *wanted; /* the object to be written; NULL: nothing is */
};

static void tell(const struct lastgood *l, const struct err *err)
{
	struct err told = *err;

	err_wrap(&told, "%s", l->name);
	l->spec.trouble(l->spec.arg, &told);
}

static char *path_of(const struct lastgood *l)
{
	return client_path(&KIND_CONFIGMAP, l->namespace, l->name, NULL);
}

static const char *owner_of(const struct json *object)
{
	return json_get_str(json_first(json_at(object, "metadata", "ownerReferences")), "uid", "");
}

static bool is_ours(const struct json *object)
{
	return streq(json_get_str(json_at(object, "metadata", "labels"), LABEL_MANAGED_BY, ""),
		     MANAGER);
}

/* ---- reading ---- */

static void answer(struct lastgood *l, const struct json *files)
{
	lastgood_fn *done = l->done;

	l->done = NULL;
	done(l->done_arg, files);
}

static void read_done(void *arg, const struct json *object, const struct err *err)
{
	struct lastgood *l = arg;
	struct err foreign = ERR_INIT;

	l->reading = NULL;
	if (err == NULL && is_ours(object) && streq(owner_of(object), l->owner)) {
		answer(l, json_get(object, "data"));
		return;
	}
	if (err == NULL) {
		err_set(&foreign, ERR_INVALID,
			"expected an object of this controller that belongs to the policy "
			"ConfigMap, found another: it is not used");
		err = &foreign;
	}
	if (err->kind != ERR_NOT_FOUND)
		tell(l, err);
	if (err->kind == ERR_RETRY)
		timer_set(l->read_again, l->spec.again_ms);
	else
		answer(l, NULL);
}

static void start_read(void *arg)
{
	struct lastgood *l = arg;
	auto_free char *path = path_of(l);

	l->reading = client_get(l->client, path, read_done, l);
}

void lastgood_read(struct lastgood *l, const struct json *configmap, lastgood_fn *done, void *arg)
{
	lastgood_unread(l);
	l->owner = xstrdup(json_get_str(json_get(configmap, "metadata"), "uid", ""));
	l->done = done;
	l->done_arg = arg;
	start_read(l);
}

void lastgood_unread(struct lastgood *l)
{
	client_cancel(steal(l->reading));
	timer_clear(l->read_again);
	free(steal(l->owner));
	l->done = NULL;
}

/* ---- writing ---- */

static void written(void *arg, const struct json *object, const struct err *err);

static bool is_kept(const struct json *object, const struct json *wanted)
{
	return json_equal(json_get(object, "data"), json_get(wanted, "data")) &&
	       streq(owner_of(object), owner_of(wanted));
}

static void replace(struct lastgood *l, const struct json *object)
{
	auto_free char *path = path_of(l);

	json_set_str(json_mut(l->wanted, "metadata"), "resourceVersion",
		     json_get_str(json_get(object, "metadata"), "resourceVersion", ""));
	l->writing = client_replace(l->client, path, l->wanted, written, l);
}

static void create(struct lastgood *l)
{
	auto_free char *path = client_path(&KIND_CONFIGMAP, l->namespace, NULL, NULL);

	json_remove(json_mut(l->wanted, "metadata"), "resourceVersion");
	l->writing = client_create(l->client, path, l->wanted, written, l);
}

static void looked(void *arg, const struct json *object, const struct err *err)
{
	struct lastgood *l = arg;
	struct err foreign = ERR_INIT;

	l->writing = NULL;
	if (err == NULL && !is_ours(object)) {
		err_set(&foreign, ERR_CONFLICT,
			"exists and is not this controller's: the last good policies are not kept; "
			"delete or rename it");
		err = &foreign;
	}
	if (err == NULL && is_kept(object, l->wanted))
		json_free(steal(l->wanted));
	else if (err == NULL)
		replace(l, object);
	else if (err->kind == ERR_NOT_FOUND)
		create(l);
	else {
		tell(l, err);
		timer_set(l->write_again, l->spec.again_ms);
	}
}

/* What was written may not be what is wanted by now. */
static void written(void *arg, const struct json *object, const struct err *err)
{
	struct lastgood *l = arg;

	if (err == NULL) {
		looked(l, object, NULL);
		return;
	}
	l->writing = NULL;
	if (err->kind != ERR_CONFLICT)
		tell(l, err);
	timer_set(l->write_again, l->spec.again_ms);
}

static void start_write(void *arg)
{
	struct lastgood *l = arg;
	auto_free char *path = path_of(l);

	l->writing = client_get(l->client, path, looked, l);
}

void lastgood_save(struct lastgood *l, const struct json *configmap, const struct json *files,
		   const char *digest)
{
	const struct json *owner = json_get(configmap, "metadata");

	json_free(l->wanted);
	l->wanted = json_build(
	    "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': %s, 'namespace': %s,"
	    " 'labels': {'" LABEL_MANAGED_BY "': %s},"
	    " 'annotations': {'" ANNOTATION_DIGEST "': %s},"
	    " 'ownerReferences': [{'apiVersion': 'v1', 'kind': 'ConfigMap', 'name': %s,"
	    " 'uid': %s}]}, 'data': %j}",
	    l->name, l->namespace, MANAGER, digest, json_get_str(owner, "name", ""),
	    json_get_str(owner, "uid", ""), files);
	timer_clear(l->write_again);
	if (l->writing == NULL)
		start_write(l);
}

/* ---- life ---- */

struct lastgood *lastgood_new(struct loop *loop, struct client *client,
			      const struct lastgood_spec *spec)
{
	struct lastgood *l = xcalloc(1, sizeof(*l));

	l->client = client;
	l->spec = *spec;
	if (l->spec.again_ms == 0)
		l->spec.again_ms = AGAIN_MS;
	l->namespace = xstrdup(spec->namespace);
	l->name = xasprintf("%s-last-good", spec->name);
	l->read_again = timer_new(loop, start_read, l);
	l->write_again = timer_new(loop, start_write, l);
	return l;
}

void lastgood_free(struct lastgood *l)
{
	if (l == NULL)
		return;
	lastgood_unread(l);
	client_cancel(l->writing);
	timer_free(l->read_again);
	timer_free(l->write_again);
	json_free(l->wanted);
	free(l->namespace);
	free(l->name);
	free(l);
}
