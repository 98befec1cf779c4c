#include "spec/apisim/jobs_sync.h"

#include "base/timefmt.h"
#include "spec/apisim/failpolicy.h"
#include "spec/apisim/jobs.h"
#include "spec/apisim/owned.h"
#include "spec/apisim/write.h"

enum { BACKOFF_FACTOR_MAX = 60, RETRY_MS = 10000 };

static const char COMPONENT[] = "job-controller";

/* One pass: what is seen, and what the status becomes. */
struct pass {
	struct server *server;
	struct job *job;
	int64_t backoff_ms;
	struct object *object;
	struct json *tree;
	const struct json *spec;
	struct json *status; /* becomes the new one */
	int64_t active, ready;
	char *failure; /* the message of a FailJob rule */
	int64_t wait;
};

bool job_finished(const struct json *job, bool *failed)
{
	const struct json *status = json_get(job, "status");

	*failed = condition_true(status, "Failed");
	return *failed || condition_true(status, "Complete");
}

static void wait_at_most(struct pass *p, int64_t ms)
{
	ms = ms < 0 ? 0 : ms;
	if (p->wait < 0 || ms < p->wait)
		p->wait = ms;
}

static void add_to(struct json *status, const char *key, int64_t n)
{
	if (n != 0)
		json_set(status, key, json_int(json_get_int(status, key, 0) + n));
}

static void event(struct pass *p, const char *type, const char *reason, const char *message)
{
	emit_event(p->server, p->tree, COMPONENT, type, reason, message);
}

/* ---- counting Pods ---- */

void job_pod_gone(struct job *job, const struct json *pod)
{
	const char *uid = json_get_str(json_get(pod, "metadata"), "uid", "");
	const char *phase = json_get_str(json_get(pod, "status"), "phase", "");

	if (map_get(job->counted, uid) != NULL)
		return;
	map_put(job->counted, uid, job);
	if (streq(phase, "Succeeded"))
		job->won++;
	else
		job->lost++;
}

static void count_failed(struct pass *p, const struct json *pod)
{
	char *message = NULL;
	enum fail_action action = fail_policy(json_get(p->spec, "podFailurePolicy"), pod, &message);

	p->job->failures++;
	p->job->last_failure_ms = time_mono_ms();
	if (action != FAIL_IGNORE)
		add_to(p->status, "failed", 1);
	if (action == FAIL_JOB && p->failure == NULL)
		p->failure = steal(message);
	free(message);
}

static void count_pod(struct pass *p, const struct json *pod)
{
	const char *uid = json_get_str(json_get(pod, "metadata"), "uid", "");
	const struct json *status = json_get(pod, "status");
	const char *phase = json_get_str(status, "phase", "");
	bool succeeded = streq(phase, "Succeeded"), failed = streq(phase, "Failed");

	if (!succeeded && !failed) {
		p->active++;
		p->ready += condition_true(status, "Ready");
		return;
	}
	if (map_get(p->job->counted, uid) != NULL)
		return;
	map_put(p->job->counted, uid, p->job);
	if (failed) {
		count_failed(p, pod);
		return;
	}
	p->job->failures = 0;
	add_to(p->status, "succeeded", 1);
}

static bool is_pod(const struct object *object)
{
	return streq(object->resource->plural, "pods") && object->resource->group[0] == '\0';
}

static void count_pods(struct pass *p)
{
	size_t count;
	struct object *const *pods = store_dependents(p->server->store, p->job->uid, &count);

	for (size_t i = 0; i < count; i++) {
		auto_json struct json *pod = is_pod(pods[i]) ? object_tree(pods[i]) : NULL;

		if (pod != NULL)
			count_pod(p, pod);
	}
	add_to(p->status, "failed", p->job->lost);
	add_to(p->status, "succeeded", p->job->won);
	if (p->job->lost > 0) {
		p->job->failures++;
		p->job->last_failure_ms = time_mono_ms();
	}
	p->job->lost = p->job->won = 0;
}

/* ---- Pods ---- */

static void create_pod(struct pass *p)
{
	const struct json *metadata = json_get(p->tree, "metadata");
	const struct json *template = json_get(p->spec, "template");
	const struct write_options options = {.dry_run = false};
	struct target target = {.namespace = json_get_str(metadata, "namespace", "")};
	auto_free char *base = xasprintf("%s-", json_get_str(metadata, "name", ""));
	auto_json struct json *owner = controller_reference("batch/v1", "Job", p->tree);
	auto_json struct json *refused = NULL;
	struct json *pod = json_build("{'metadata':{'generateName':%s,'ownerReferences':%j},"
				      "'spec':%j}",
				      base, owner, json_get(template, "spec"));
	static const char *const kept[] = {"labels", "annotations"};
	struct blob *blob = NULL;
	auto_free char *message = NULL;
	auto_json struct json *made = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct json *value = json_at(template, "metadata", kept[i]);

		if (value != NULL)
			json_set(json_mut(pod, "metadata"), kept[i], json_copy(value));
	}
	target.resource = kinds_find(p->server->kinds, "", "v1", "pods");
	target.name = target.subresource = "";
	refused = write_create(p->server, &target, pod, &options, &blob);
	if (refused != NULL) {
		event(p, "Warning", "FailedCreate", json_get_str(refused, "message", ""));
		wait_at_most(p, RETRY_MS);
		return;
	}
	p->active++;
	made = json_parse(blob->text, blob->len, &err);
	blob_unref(blob);
	message =
	    xasprintf("Created pod: %s", json_get_str(json_get(made, "metadata"), "name", ""));
	event(p, "Normal", "SuccessfulCreate", message);
}

/* Delete up to most active Pods; they count as told, never twice. */
static void delete_pods(struct pass *p, int64_t most)
{
	size_t count, at = 0;
	struct object *const *pods;

	while (most > 0 &&
	       (pods = store_dependents(p->server->store, p->job->uid, &count), at < count)) {
		struct object *object = pods[at];
		auto_json struct json *pod = is_pod(object) ? object_tree(object) : NULL;
		const char *phase = json_get_str(json_get(pod, "status"), "phase", "");

		if (pod == NULL || streq(phase, "Succeeded") || streq(phase, "Failed") ||
		    json_at(pod, "metadata", "deletionTimestamp") != NULL) {
			at++;
			continue;
		}
		map_put(p->job->counted, object->uid, p->job);
		write_remove(p->server, object);
		p->active--;
		most--;
		at = 0;
	}
}

/* ---- decisions ---- */

static void finish(struct pass *p, bool failed, const char *reason, const char *message)
{
	int64_t stopped = p->active;
	char now[32];

	condition_set(p->status, failed ? "FailureTarget" : "SuccessCriteriaMet", true, reason,
		      message);
	delete_pods(p, p->active);
	if (failed)
		add_to(p->status, "failed", stopped);
	else
		json_set_str(p->status, "completionTime", server_now(now));
	p->ready = 0;
	condition_set(p->status, failed ? "Failed" : "Complete", true, reason, message);
	if (failed)
		event(p, "Warning", reason, message);
	else
		event(p, "Normal", "Completed", "Job completed");
}

static bool past_deadline(struct pass *p)
{
	int64_t limit = json_get_int(p->spec, "activeDeadlineSeconds", -1), start, left;

	if (limit < 0 || !time_parse(json_get_str(p->status, "startTime", ""), &start))
		return false;
	left = start + limit * 1000 - time_now_ms();
	if (left > 0)
		wait_at_most(p, left);
	return left <= 0;
}

static bool complete(const struct pass *p)
{
	int64_t succeeded = json_get_int(p->status, "succeeded", 0);
	int64_t wanted = json_get_int(p->spec, "completions", -1);

	return wanted >= 0 ? succeeded >= wanted : succeeded > 0 && p->active == 0;
}

static bool finish_if_due(struct pass *p)
{
	int64_t failed = json_get_int(p->status, "failed", 0);

	if (p->failure != NULL)
		finish(p, true, "PodFailurePolicy", p->failure);
	else if (failed > json_get_int(p->spec, "backoffLimit", 6))
		finish(p, true, "BackoffLimitExceeded",
		       "Job has reached the specified backoff limit");
	else if (past_deadline(p))
		finish(p, true, "DeadlineExceeded",
		       "Job was active longer than specified deadline");
	else if (complete(p))
		finish(p, false, "CompletionsReached", "Reached expected number of succeeded pods");
	else
		return false;
	p->wait = -1;
	return true;
}

static int64_t wanted_pods(const struct pass *p)
{
	int64_t parallelism = json_get_int(p->spec, "parallelism", 1);
	int64_t completions = json_get_int(p->spec, "completions", -1);
	int64_t succeeded = json_get_int(p->status, "succeeded", 0);

	if (completions < 0)
		return succeeded > 0 ? p->active : parallelism;
	return completions - succeeded < parallelism ? completions - succeeded : parallelism;
}

/* Milliseconds until a Pod may be created after failures. */
static int64_t backoff_left(const struct pass *p)
{
	int64_t factor = 1;

	if (p->job->failures == 0)
		return 0;
	for (int i = 1; i < p->job->failures && factor < BACKOFF_FACTOR_MAX; i++)
		factor *= 2;
	if (factor > BACKOFF_FACTOR_MAX)
		factor = BACKOFF_FACTOR_MAX;
	return p->job->last_failure_ms + factor * p->backoff_ms - time_mono_ms();
}

static void manage_pods(struct pass *p)
{
	int64_t missing = wanted_pods(p) - p->active;
	int64_t left = backoff_left(p);

	if (missing < 0)
		delete_pods(p, -missing);
	else if (missing > 0 && left > 0)
		wait_at_most(p, left);
	else
		while (missing-- > 0)
			create_pod(p);
}

static void suspend(struct pass *p)
{
	if (condition_true(p->status, "Suspended"))
		return;
	delete_pods(p, p->active);
	json_remove(p->status, "startTime");
	condition_set(p->status, "Suspended", true, "JobSuspended", "Job suspended");
	event(p, "Normal", "Suspended", "Job suspended");
}

static void start(struct pass *p)
{
	char now[32];

	if (condition_true(p->status, "Suspended")) {
		condition_set(p->status, "Suspended", false, "JobResumed", "Job resumed");
		event(p, "Normal", "Resumed", "Job resumed");
	}
	if (json_get(p->status, "startTime") == NULL)
		json_set_str(p->status, "startTime", server_now(now));
}

static void work(struct pass *p)
{
	bool suspended = json_is_true(json_get(p->spec, "suspend"));

	count_pods(p);
	if (suspended && p->failure == NULL && !complete(p)) {
		suspend(p);
	} else {
		start(p);
		if (!finish_if_due(p))
			manage_pods(p);
	}
	json_remove(p->status, "active");
	add_to(p->status, "active", p->active);
	json_set(p->status, "ready", json_int(p->ready));
	json_set(p->status, "terminating", json_int(0));
	json_set(p->status, "uncountedTerminatedPods", json_object());
}

/* A finished Job goes ttlSecondsAfterFinished after its end. */
static void expire(struct pass *p)
{
	int64_t ttl = json_get_int(p->spec, "ttlSecondsAfterFinished", -1), end = 0, left;
	const struct json *conditions = json_get(p->status, "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), "Complete") ||
		    streq(json_get_str(c, "type", ""), "Failed"))
			time_parse(json_get_str(c, "lastTransitionTime", ""), &end);
	left = end + ttl * 1000 - time_now_ms();
	if (ttl >= 0 && left > 0)
		wait_at_most(p, left);
	else if (ttl >= 0)
		write_remove(p->server, p->object);
}

int64_t job_sync(struct server *server, struct job *job, int64_t backoff_ms)
{
	struct pass p = {.server = server, .job = job, .backoff_ms = backoff_ms, .wait = -1};
	auto_json struct json *tree = NULL;
	auto_json struct json *status = NULL;
	bool failed;

	p.object = store_by_uid(server->store, job->uid);
	if (p.object == NULL)
		return -1;
	p.tree = tree = object_tree(p.object);
	p.spec = json_get(tree, "spec");
	if (json_at(tree, "metadata", "deletionTimestamp") != NULL)
		return -1;
	p.status = status =
	    json_get(tree, "status") != NULL ? json_copy(json_get(tree, "status")) : json_object();
	if (job_finished(tree, &failed)) {
		expire(&p);
		return p.wait;
	}
	work(&p);
	write_status(server, p.object, steal(status));
	free(p.failure);
	return p.wait;
}
