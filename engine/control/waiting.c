#include "control/waiting.h"

#include "base/timefmt.h"
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
static bool is_hopeless(const struct json *pod)
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
	static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		const struct json *s = json_first(json_at(pod, "status", lists[l]));

		for (; s != NULL; s = json_next(s)) {
			const char *reason =
			    json_get_str(json_at(s, "state", "waiting"), "reason", "");

			for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
				if (streq(reason, reasons[i]))
					return true;
		}
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
	int64_t seconds = json_get_int(json_get(o->config, "spec"), "pendingTimeoutSeconds", -1);

	if (seconds >= 0)
		return seconds * 1000;
	return is_hopeless(pending_pod(o)) ? o->pending_ms : 0;
}

int64_t waiting_left(const struct observed *o)
{
	const struct json *pod = pending_pod(o);
	const char *made = json_str(json_at(pod, "metadata", "creationTimestamp"));
	const char *on_node = json_get_str(json_get(pod, "status"), "startTime", made);
	int64_t limit = waiting_limit(o);

	if (run_is_scheduled(o->run) || job_finished(o->job) != NULL || is_suspended(o) ||
	    is_at_work(o) || limit == 0)
		return -1;
	if (json_at(o->config, "spec", "pendingTimeoutSeconds") != NULL)
		return left_since(pod != NULL ? made : job_start(o), limit, o->now);
	return left_since(on_node, limit, o->now);
}
