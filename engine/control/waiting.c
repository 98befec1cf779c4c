#include "control/waiting.h"

#include "base/timefmt.h"
#include "control/attempts.h"
#include "control/config.h"
#include "control/manifest.h"
#include "control/status.h"

static const char *phase_of(const struct json *object)
{
	return json_get_str(json_get(object, "status"), "phase", "");
}

/* The Pod that waits; the latest, should there be several. */
static const struct json *pending_pod(const struct observed *o)
{
	const struct json *found = NULL;

	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p))
		if (streq(phase_of(p), "Pending") &&
		    (found == NULL ||
		     strcmp(json_get_str(json_get(p, "metadata"), "creationTimestamp", ""),
			    json_get_str(json_get(found, "metadata"), "creationTimestamp", "")) >
			 0))
			found = p;
	return found;
}

static bool is_at_work(const struct observed *o)
{
	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p))
		if (streq(phase_of(p), "Running") || streq(phase_of(p), "Succeeded"))
			return true;
	return json_get_int(json_get(o->job, "status"), "ready", 0) > 0;
}

static bool is_suspended(const struct observed *o)
{
	const struct json *conditions = json_at(o->job, "status", "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), "Suspended") &&
		    streq(json_get_str(c, "status", ""), "True"))
			return true;
	return json_is_true(json_at(o->job, "spec", "suspend")) ||
	       json_is_true(json_at(o->run, "spec", "suspend"));
}

/* The kubelet's words (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime) for what only a person
 * can mend. */
static bool is_hopeless_reason(const char *reason)
{
	static const char *const reasons[] = {
	    "ErrImagePull",
	    "ImagePullBackOff",
	    "InvalidImageName",
	    "ErrImageNeverPull",
	    "ImageInspectError",
	    "RegistryUnavailable",
	    "CreateContainerConfigError",
	    "CreateContainerError",
	    "RunContainerError",
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (streq(reason, reasons[i]))
			return true;
	return false;
}

/* True if a container of the pod waits for a reason of this sort. */
static bool waits_for(const struct json *pod, bool (*sort)(const char *reason))
{
	static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		const struct json *s = json_first(json_at(pod, "status", lists[l]));

		for (; s != NULL; s = json_next(s))
			if (sort(json_get_str(json_at(s, "state", "waiting"), "reason", "")))
				return true;
	}
	return false;
}

/* Milliseconds of `limit` that are left since that time; -1 if it is none. */
static int64_t left_since(const char *time, int64_t limit, int64_t now)
{
	int64_t since;

	if (time == NULL || !time_parse(time, &since))
		return -1;
	return since + limit > now ? since + limit - now : 0;
}

/* When the Pod came to its node, or was made. */
static const char *pod_since(const struct json *pod)
{
	const char *made = json_get_str(json_get(pod, "metadata"), "creationTimestamp", "");

	return json_get_str(json_get(pod, "status"), "startTime", made);
}

/* When the wait for a first Pod began; NULL: attempts have been made already. */
static const char *job_start(const struct observed *o)
{
	if (json_first(o->pods) != NULL || streq(phase_of(o->run), "Running") ||
	    json_get_int(json_get(o->job, "status"), "failed", 0) > 0)
		return NULL;
	return json_str(json_at(o->job, "status", "startTime"));
}

int64_t waiting_limit(const struct observed *o)
{
	int64_t limit = config_seconds_ms(o->config, "pendingTimeoutSeconds", -1);

	if (limit >= 0)
		return limit;
	return waits_for(pending_pod(o), is_hopeless_reason) ? o->pending_ms : 0;
}

static bool waits_at_all(const struct observed *o)
{
	return !run_is_scheduled(o->run) && job_finished(o->job) == NULL && !is_suspended(o) &&
	       !is_at_work(o);
}

int64_t waiting_left(const struct observed *o)
{
	const struct json *pod = pending_pod(o);
	const char *made = json_str(json_at(pod, "metadata", "creationTimestamp"));
	int64_t limit = waiting_limit(o);

	if (!waits_at_all(o) || limit == 0)
		return -1;
	if (json_at(o->config, "spec", "pendingTimeoutSeconds") != NULL)
		return left_since(pod != NULL ? made : job_start(o), limit, o->now);
	return left_since(pod_since(pod), limit, o->now);
}

/* ---- what does not say why ---- */

static bool says_why(const char *reason)
{
	return *reason != '\0' && !streq(reason, "ContainerCreating") &&
	       !streq(reason, "PodInitializing");
}

/* The scheduler says why a Pod has no node. */
static bool has_no_node(const struct json *pod)
{
	const struct json *conditions = json_at(pod, "status", "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), "PodScheduled") &&
		    streq(json_get_str(c, "status", ""), "False"))
			return true;
	return false;
}

/* The end of the last attempt, or else the Job's start. */
static const char *next_attempt_since(const struct observed *o)
{
	const char *since = json_get_str(json_get(o->job, "status"), "startTime", "");

	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p)) {
		const char *end = json_get_str(pod_terminated(p), "finishedAt", "");

		if (strcmp(end, since) > 0)
			since = end;
	}
	return since;
}

const struct json *waiting_silently(const struct observed *o, int64_t *since)
{
	const struct json *pod = pending_pod(o);

	if (!waits_at_all(o) || has_no_node(pod) || waits_for(pod, says_why))
		return NULL;
	if (!time_parse(pod != NULL ? pod_since(pod) : next_attempt_since(o), since))
		return NULL;
	return pod != NULL ? pod : o->job;
}
