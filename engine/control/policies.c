#include "control/policies.h"

#include "base/timefmt.h"
#include "control/names.h"
#include "kube/watch.h"

struct policies {
	struct client *client;
	struct policy_host *host;
	struct policies_spec spec;
	char *namespace, *name, *selector;
	struct store *store;
	struct watch *watch;
	struct json *object; /* the ConfigMap that is being loaded */
	char *data;          /* its data as text: what an edit changes */
	struct policy_call *load;
	bool again; /* it has changed meanwhile */
	bool settled;
	struct client_call *annotate;
};

static void settle(struct policies *p)
{
	if (p->settled)
		return;
	p->settled = true;
	p->spec.settled(p->spec.arg);
}

/* ---- telling the result ---- */

static void annotated(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct policies *p = arg;

	p->annotate = NULL;
	if (err != NULL && err->kind != ERR_NOT_FOUND)
		p->spec.trouble(p->spec.arg, err);
}

static struct json *policy_status(const struct policies *p, const struct err *err)
{
	struct json *status =
	    json_build("{'state': %s, 'active': %s}", err == NULL ? "active" : "refused",
		       policy_digest(p->host, ""));

	if (err != NULL)
		json_set_str(status, "error", err->msg);
	return status;
}

/* True if the annotation says this already, whenever it was written. */
static bool is_told(const struct policies *p, const struct json *status)
{
	const char *text =
	    json_str(json_at(p->object, "metadata", "annotations", ANNOTATION_POLICY_STATUS));
	struct err err = ERR_INIT;
	auto_json struct json *told = text != NULL ? json_parse(text, strlen(text), &err) : NULL;

	json_remove(told, "time");
	return told != NULL && json_equal(told, status);
}

static void tell(struct policies *p, const struct err *err)
{
	auto_json struct json *status = policy_status(p, err);
	auto_json struct json *patch = NULL;
	auto_free char *text = NULL, *path = NULL;
	char now[TIME_TEXT_MAX];

	if (is_told(p, status))
		return;
	time_format(time_now_ms(), false, now);
	json_set_str(status, "time", now);
	text = json_print(status);
	patch =
	    json_build("{'metadata': {'annotations': {'" ANNOTATION_POLICY_STATUS "': %s}}}", text);
	path = client_path(&KIND_CONFIGMAP, p->namespace, p->name, NULL);
	if (p->annotate != NULL)
		client_cancel(p->annotate);
	p->annotate = client_patch(p->client, path, PATCH_MERGE, patch, annotated, p);
}

/* ---- loading ---- */

static void load(struct policies *p);

static void loaded(void *arg, const struct json *reply UNUSED, const struct err *err)
{
	struct policies *p = arg;

	p->load = NULL;
	p->spec.loaded(p->spec.arg, p->object, err);
	tell(p, err);
	settle(p);
	if (p->again)
		load(p);
}

/* Put the stored ConfigMap in force, unless its data is what was tried last. */
static void load(struct policies *p)
{
	auto_free char *key = xasprintf("%s/%s", p->namespace, p->name);
	struct json *object = store_get(p->store, key);
	auto_json struct json *none = json_object();
	const struct json *files = json_get(object, "data");
	char *data;

	p->again = false;
	if (files == NULL)
		files = none;
	data = json_print(files);
	if (object == NULL || (p->data != NULL && streq(data, p->data))) {
		free(data);
		json_free(object);
		return;
	}
	free(p->data);
	json_free(p->object);
	p->data = data;
	p->object = object;
	p->load = policy_load(p->host, "", false, files, loaded, p);
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta UNUSED,
		     const struct json *object UNUSED)
{
	struct policies *p = arg;

	if (type == WATCH_DELETED) { /* one that is made anew is loaded and told again */
		free(steal(p->data));
		return;
	}
	if (p->load != NULL)
		p->again = true;
	else
		load(p);
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

struct policies *policies_new(struct loop *loop, struct client *client, struct policy_host *host,
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

	p->client = client;
	p->host = host;
	p->spec = *spec;
	p->name = xstrdup(spec->name);
	watch.namespace = p->namespace = xstrdup(spec->namespace);
	watch.field_selector = p->selector = xasprintf("metadata.name=%s", spec->name);
	p->store = watch.store = store_new(NULL);
	p->watch = watch_start(loop, client, &watch);
	return p;
}

void policies_free(struct policies *p)
{
	if (p == NULL)
		return;
	if (p->load != NULL)
		policy_cancel(p->load);
	if (p->annotate != NULL)
		client_cancel(p->annotate);
	watch_free(p->watch);
	store_free(p->store);
	json_free(p->object);
	free(p->data);
	free(p->namespace);
	free(p->name);
	free(p->selector);
	free(p);
}
