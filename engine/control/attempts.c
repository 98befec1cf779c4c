#include "control/attempts.h"

#include "base/utf8.h"
#include "control/manifest.h"
#include "control/status.h"

static const char *phase_of(const struct json *pod)
{
	return json_get_str(json_get(pod, "status"), "phase", "");
}

const struct json *pod_terminated(const struct json *pod)
{
	const struct json *statuses = json_at(pod, "status", "containerStatuses"), *found = NULL;

	for (const struct json *s = json_first(statuses); s != NULL; s = json_next(s)) {
		const struct json *ended = json_at(s, "state", "terminated");

		if (ended != NULL &&
		    (found == NULL || streq(json_get_str(s, "name", ""), RUNNER_CONTAINER)))
			found = ended;
	}
	return found;
}

/* ---- one failed attempt ---- */

static const struct json *disruption_of(const struct json *pod)
{
	const struct json *conditions = json_at(pod, "status", "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), "DisruptionTarget") &&
		    streq(json_get_str(c, "status", ""), "True"))
			return c;
	return NULL;
}

static void set_cause(struct json *attempt, const struct json *pod, const struct json *ended)
{
	const struct json *status = json_get(pod, "status"), *disruption = disruption_of(pod);
	const char *own = json_get_str(ended, "reason", "PodFailed");
	const char *outside =
	    json_get_str(status, "reason", json_get_str(disruption, "reason", NULL));
	const char *message = json_get_str(ended, "message", json_get_str(status, "message", ""));

	if (outside != NULL && !streq(own, "OOMKilled")) {
		own = outside;
		message = json_get_str(status, "message", json_get_str(disruption, "message", ""));
	}
	json_set_str(attempt, "reason", own);
	if (*message != '\0') {
		auto_free char *cut =
		    xstrndup(message, utf8_prefix(message, strlen(message), ATTEMPT_MESSAGE_MAX));

		json_set_str(attempt, "message", cut);
	}
}

/* When the attempt ended; a Pod that never ran tells only when it was disrupted, or made. */
static const char *end_of(const struct json *pod, const struct json *ended)
{
	const char *made = json_get_str(json_get(pod, "metadata"), "creationTimestamp", "");
	const char *disrupted = json_get_str(disruption_of(pod), "lastTransitionTime", made);

	return json_get_str(ended, "finishedAt", disrupted);
}

static struct json *attempt_of(const struct json *pod)
{
	const struct json *ended = pod_terminated(pod);
	const char *node = json_get_str(json_get(pod, "spec"), "nodeName", "");
	int64_t code = json_get_int(ended, "exitCode", -1);
	int64_t signo = json_get_int(ended, "signal", code > 128 && code <= 192 ? code - 128 : 0);
	struct json *attempt =
	    json_build("{'pod': %s}", json_get_str(json_get(pod, "metadata"), "name", ""));

	if (*node != '\0')
		json_set_str(attempt, "node", node);
	set_cause(attempt, pod, ended);
	if (code >= 0)
		json_set(attempt, "exitCode", json_int(code));
	if (signo > 0)
		json_set(attempt, "signal", json_int(signo));
	json_set_str(attempt, "finishedAt", end_of(pod, ended));
	return attempt;
}

/* ---- the list ---- */

static bool is_of(const struct json *attempt, const struct json *other)
{
	return streq(json_get_str(attempt, "pod", ""), json_get_str(other, "pod", ""));
}

static bool is_later(const struct json *attempt, const struct json *other)
{
	return strcmp(json_get_str(attempt, "finishedAt", ""),
		      json_get_str(other, "finishedAt", "")) > 0;
}

/* list with attempt at its place in time, in place of what was known of the same Pod. */
static struct json *with_attempt(struct json *list_taken, struct json *attempt_taken)
{
	struct json *list = json_array();
	bool placed = false;

	for (const struct json *a = json_first(list_taken); a != NULL; a = json_next(a)) {
		if (is_of(a, attempt_taken))
			continue;
		if (!placed && is_later(a, attempt_taken)) {
			json_append(list, json_copy(attempt_taken));
			placed = true;
		}
		json_append(list, json_copy(a));
	}
	if (!placed)
		json_append(list, json_copy(attempt_taken));
	json_free(attempt_taken);
	json_free(list_taken);
	return list;
}

static struct json *last_of(struct json *list_taken)
{
	size_t too_many =
	    json_len(list_taken) > ATTEMPTS_KEPT ? json_len(list_taken) - ATTEMPTS_KEPT : 0;
	struct json *list = json_array();

	for (const struct json *a = json_first(list_taken); a != NULL; a = json_next(a))
		if (too_many > 0)
			too_many--;
		else
			json_append(list, json_copy(a));
	json_free(list_taken);
	return list;
}

/* ---- how many ---- */

static int64_t counted(const struct json *job)
{
	const struct json *status = json_get(job, "status");

	return json_get_int(status, "failed", 0) + json_get_int(status, "succeeded", 0);
}

/* A running Pod counts beside what the Job has counted, unless the Job knows already that it does
 * not run. */
static int64_t begun(const struct json *job, const struct json *pods)
{
	const struct json *status = json_get(job, "status");
	bool running = json_get_int(status, "ready", 0) > 0;

	for (const struct json *p = json_first(pods); p != NULL; p = json_next(p))
		running = running || streq(phase_of(p), "Running");
	return counted(job) +
	       (running && (counted(job) == 0 || json_get_int(status, "active", 0) > 0));
}

/* It never goes back, though Job and Pods may tell their parts in any order. */
static void record_count(struct json *result, const struct json *job, const struct json *pods)
{
	int64_t before = json_get_int(result, "attempts", 0), now = begun(job, pods);

	if (job_finished(job) != NULL)
		json_set(result, "attempts", json_int(counted(job)));
	else if (now > before)
		json_set(result, "attempts", json_int(now));
}

void attempts_record(struct json *result, const struct json *job, const struct json *pods)
{
	struct json *list = json_take(result, "lastAttempts");

	record_count(result, job, pods);
	if (json_type(list) != JSON_ARRAY) {
		json_free(list);
		list = json_array();
	}
	for (const struct json *p = json_first(pods); p != NULL; p = json_next(p))
		if (streq(phase_of(p), "Failed"))
			list = with_attempt(list, attempt_of(p));
	list = last_of(list);
	if (json_len(list) > 0)
		json_set(result, "lastAttempts", list);
	else
		json_free(list);
}
