#include "spec/apisim/cronjobs.h"

#include "base/map.h"
#include "base/timefmt.h"
#include "spec/apisim/cron.h"
#include "spec/apisim/jobs.h"
#include "spec/apisim/owned.h"
#include "spec/apisim/write.h"

enum { MISSED_MAX = 100000 };

static const char COMPONENT[] = "cronjob-controller";

struct cronjobs {
	struct server *server;
	struct resource *resource, *jobs;
	struct map *crons; /* uid to struct entry */
};

struct entry {
	struct cronjobs *cronjobs;
	char *uid;
	struct timer *timer; /* set to 0: look at it now */
};

/* One Job of a CronJob. */
struct child {
	struct object *object;
	struct json *tree;
	bool finished, failed;
};

struct pass {
	struct server *server;
	struct json *tree; /* the CronJob */
	const struct json *spec;
	struct json *status;
	struct child *children;
	size_t count;
	int64_t now, wait;
};

static void entry_free(void *value)
{
	struct entry *entry = value;

	timer_free(entry->timer);
	free(entry->uid);
	free(entry);
}

/* ---- children ---- */

static void read_children(struct pass *p, const char *uid)
{
	size_t count;
	struct object *const *dependents = store_dependents(p->server->store, uid, &count);

	p->children = xcalloc(count + 1, sizeof(struct child));
	for (size_t i = 0; i < count; i++) {
		struct child *child = &p->children[p->count];

		if (!streq(dependents[i]->resource->plural, "jobs"))
			continue;
		child->object = dependents[i];
		child->tree = object_tree(dependents[i]);
		child->finished = job_finished(child->tree, &child->failed);
		p->count++;
	}
}

static int64_t created(const struct child *child)
{
	int64_t ms = 0;

	time_parse(json_get_str(json_get(child->tree, "metadata"), "creationTimestamp", ""), &ms);
	return ms;
}

static int by_age(const void *a, const void *b)
{
	const struct child *x = a, *y = b;
	int64_t order = created(x) - created(y);

	if (order == 0)
		return strcmp(x->object->key, y->object->key);
	return order < 0 ? -1 : 1;
}

static void report_children(struct pass *p)
{
	struct json *active = json_array();
	const char *latest = json_get_str(p->status, "lastSuccessfulTime", "");
	auto_free char *kept = NULL;

	for (size_t i = 0; i < p->count; i++) {
		const struct child *child = &p->children[i];
		const struct json *metadata = json_get(child->tree, "metadata");
		const char *end =
		    json_get_str(json_get(child->tree, "status"), "completionTime", "");

		if (!child->finished)
			json_append(active,
				    json_build("{'apiVersion':'batch/v1','kind':'Job',"
					       "'namespace':%s,'name':%s,'uid':%s,"
					       "'resourceVersion':%s}",
					       json_get_str(metadata, "namespace", ""),
					       json_get_str(metadata, "name", ""),
					       json_get_str(metadata, "uid", ""),
					       json_get_str(metadata, "resourceVersion", "")));
		else if (!child->failed && strcmp(end, latest) > 0)
			latest = end;
	}
	kept = xstrdup(latest);
	if (json_len(active) > 0) {
		json_set(p->status, "active", active);
	} else {
		json_free(active);
		json_remove(p->status, "active");
	}
	if (kept[0] != '\0')
		json_set_str(p->status, "lastSuccessfulTime", kept);
}

/* Keep the newest limit finished Jobs of that outcome. */
static void trim(struct pass *p, bool failed, int64_t limit)
{
	int64_t seen = 0;

	for (size_t i = p->count; i-- > 0;)
		if (p->children[i].finished && p->children[i].failed == failed && ++seen > limit)
			write_remove(p->server, p->children[i].object);
}

/* ---- the next Job ---- */

static struct json *make_job(const struct pass *p, int64_t when, const char *name)
{
	auto_json struct json *owner = controller_reference("batch/v1", "CronJob", p->tree);
	const struct json *template = json_get(p->spec, "jobTemplate");
	struct json *job = json_build("{'metadata':{'name':%s,'ownerReferences':%j},'spec':%j}",
				      name, owner, json_get(template, "spec"));
	static const char *const kept[] = {"labels", "annotations"};
	struct json *metadata = json_mut(job, "metadata");
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct json *value = json_at(template, "metadata", kept[i]);

		if (value != NULL)
			json_set(metadata, kept[i], json_copy(value));
	}
	time_format(when, false, text);
	json_set_str(json_obj(metadata, "annotations"),
		     "batch.kubernetes.io/cronjob-scheduled-timestamp", text);
	return job;
}

static void start_job(struct pass *p, int64_t when)
{
	const struct json *metadata = json_get(p->tree, "metadata");
	const struct write_options options = {.dry_run = false};
	struct target target = {
	    .namespace = json_get_str(metadata, "namespace", ""), .name = "", .subresource = ""};
	auto_free char *name =
	    xasprintf("%s-%lld", json_get_str(metadata, "name", ""), (long long)(when / 60000));
	auto_free char *message = xasprintf("Created job %s", name);
	auto_json struct json *refused = NULL;
	struct blob *blob = NULL;
	char text[32];

	target.resource = kinds_find(p->server->kinds, "batch", "v1", "jobs");
	refused = write_create(p->server, &target, make_job(p, when, name), &options, &blob);
	blob_unref(blob);
	if (refused != NULL && json_get_int(refused, "code", 0) != 409) {
		emit_event(p->server, p->tree, COMPONENT, "Warning", "FailedCreate",
			   json_get_str(refused, "message", ""));
		return;
	}
	if (refused == NULL)
		emit_event(p->server, p->tree, COMPONENT, "Normal", "SuccessfulCreate", message);
	time_format(when, false, text);
	json_set_str(p->status, "lastScheduleTime", text);
}

static bool may_start(struct pass *p)
{
	const char *policy = json_get_str(p->spec, "concurrencyPolicy", "Allow");
	size_t active = json_len(json_get(p->status, "active"));

	if (active == 0 || streq(policy, "Allow"))
		return true;
	if (streq(policy, "Forbid")) {
		emit_event(p->server, p->tree, COMPONENT, "Normal", "JobAlreadyActive",
			   "Not starting job because prior execution is running and concurrency "
			   "policy is Forbid");
		return false;
	}
	for (size_t i = 0; i < p->count; i++)
		if (!p->children[i].finished)
			write_remove(p->server, p->children[i].object);
	return true;
}

/* The last time that should have started a Job and has not; -1: none. */
static int64_t last_missed(struct pass *p, const struct cron *cron, const char *zone)
{
	const struct json *metadata = json_get(p->tree, "metadata");
	int64_t since = p->now, missed = -1, deadline;

	time_parse(json_get_str(metadata, "creationTimestamp", ""), &since);
	time_parse(json_get_str(p->status, "lastScheduleTime", ""), &since);
	deadline = json_get_int(p->spec, "startingDeadlineSeconds", -1);
	if (deadline >= 0 && since < p->now - deadline * 1000)
		since = p->now - deadline * 1000;
	for (int i = 0; i < MISSED_MAX; i++) {
		since = cron_next(cron, since, zone);
		if (since < 0 || since > p->now)
			break;
		missed = since;
	}
	return missed;
}

static void schedule(struct pass *p)
{
	const char *zone = json_get_str(p->spec, "timeZone", NULL);
	struct err err = ERR_INIT;
	int64_t missed, next;
	struct cron cron;

	if (json_is_true(json_get(p->spec, "suspend")) ||
	    cron_parse(json_get_str(p->spec, "schedule", ""), &cron, &err) < 0)
		return;
	missed = last_missed(p, &cron, zone);
	if (missed >= 0 && may_start(p))
		start_job(p, missed);
	next = cron_next(&cron, p->now, zone);
	if (next >= 0)
		p->wait = next - p->now;
}

static void look(void *arg)
{
	struct entry *entry = arg;
	struct server *server = entry->cronjobs->server;
	struct object *object = store_by_uid(server->store, entry->uid);
	auto_json struct json *tree = object_tree(object);
	struct pass p = {.server = server, .tree = tree, .now = time_now_ms(), .wait = -1};

	if (json_at(tree, "metadata", "deletionTimestamp") != NULL)
		return;
	p.spec = json_get(tree, "spec");
	p.status =
	    json_get(tree, "status") != NULL ? json_copy(json_get(tree, "status")) : json_object();
	read_children(&p, entry->uid);
	qsort(p.children, p.count, sizeof(struct child), by_age);
	report_children(&p);
	trim(&p, false, json_get_int(p.spec, "successfulJobsHistoryLimit", 3));
	trim(&p, true, json_get_int(p.spec, "failedJobsHistoryLimit", 1));
	schedule(&p);
	write_status(server, object, p.status);
	if (p.wait >= 0)
		timer_set(entry->timer, p.wait);
	for (size_t i = 0; i < p.count; i++)
		json_free(p.children[i].tree);
	free(p.children);
}

static void on_change(void *arg, const struct change *change, const struct json *object,
		      const struct json *old UNUSED)
{
	struct cronjobs *cronjobs = arg;
	const char *uid = NULL;
	struct entry *entry;

	if (change->resource == cronjobs->jobs)
		uid = controller_uid(object, "CronJob");
	else if (change->resource == cronjobs->resource)
		uid = json_get_str(json_get(object, "metadata"), "uid", "");
	if (uid == NULL)
		return;
	if (change->resource == cronjobs->resource && change->type == CHANGE_DELETED) {
		map_del(cronjobs->crons, uid);
		return;
	}
	entry = map_get(cronjobs->crons, uid);
	if (entry == NULL && change->resource == cronjobs->resource) {
		entry = xcalloc(1, sizeof(*entry));
		entry->cronjobs = cronjobs;
		entry->uid = xstrdup(uid);
		entry->timer = timer_new(cronjobs->server->loop, look, entry);
		map_put(cronjobs->crons, uid, entry);
	}
	if (entry != NULL)
		timer_set(entry->timer, 0);
}

struct cronjobs *cronjobs_new(struct server *server)
{
	struct cronjobs *cronjobs = xcalloc(1, sizeof(*cronjobs));

	cronjobs->server = server;
	cronjobs->resource = kinds_find(server->kinds, "batch", "v1", "cronjobs");
	cronjobs->jobs = kinds_find(server->kinds, "batch", "v1", "jobs");
	cronjobs->crons = map_new(entry_free);
	store_observe(server->store, on_change, cronjobs);
	return cronjobs;
}

void cronjobs_free(struct cronjobs *cronjobs)
{
	if (cronjobs == NULL)
		return;
	map_free(cronjobs->crons);
	free(cronjobs);
}
