#include "control/reduce.h"

/* Remove every member that is not named. */
static void keep(struct json *object, const char *const *names)
{
	struct json *member = json_mut_first(object);

	while (member != NULL) {
		struct json *next = json_mut_next(member);
		const char *const *name = names;

		while (*name != NULL && !streq(*name, json_key(member)))
			name++;
		if (*name == NULL)
			json_remove(object, json_key(member));
		member = next;
	}
}

/* Remove the members whose names start so. */
static void drop(struct json *object, const char *prefix)
{
	struct json *member = json_mut_first(object);

	while (member != NULL) {
		struct json *next = json_mut_next(member);

		if (has_prefix(json_key(member), prefix))
			json_remove(object, json_key(member));
		member = next;
	}
}

/* Labels that the Job controller adds say again what names and owners say. */
static void keep_identity(struct json *object)
{
	static const char *const names[] = {"name",       "namespace",         "uid",
					    "generation", "resourceVersion",   "ownerReferences",
					    "labels",     "deletionTimestamp", "creationTimestamp",
					    NULL};
	struct json *labels = json_mut(json_mut(object, "metadata"), "labels");

	keep(json_mut(object, "metadata"), names);
	drop(labels, "batch.kubernetes.io/");
	drop(labels, "app.kubernetes.io/");
	json_remove(labels, "controller-uid");
	json_remove(labels, "job-name");
}

void reduce_run(struct json *run)
{
	static const char *const meta[] = {
	    "name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp", NULL};
	static const char *const spec[] = {"configRef", "schedule", NULL};
	static const char *const status[] = {"phase", "completionTime", NULL};
	const char *phase = json_get_str(json_get(run, "status"), "phase", "");

	if (!streq(phase, "Succeeded") && !streq(phase, "Failed"))
		return;
	keep(json_mut(run, "metadata"), meta);
	keep(json_mut(run, "spec"), spec);
	keep(json_mut(run, "status"), status);
}

void reduce_job(struct json *job)
{
	static const char *const spec[] = {"suspend", "backoffLimit", "activeDeadlineSeconds",
					   "ttlSecondsAfterFinished", NULL};

	keep_identity(job);
	keep(json_mut(job, "spec"), spec);
	json_remove(json_mut(job, "status"), "uncountedTerminatedPods");
}

void reduce_cronjob(struct json *cronjob)
{
	keep_identity(cronjob);
	json_remove(json_mut(cronjob, "spec"), "jobTemplate");
}

/* Of a container that has ended, the ids of container and image are long and tell nothing. */
static void reduce_containers(struct json *list)
{
	static const char *const names[] = {"name", "state", "lastState", "restartCount", NULL};

	for (struct json *one = json_mut_first(list); one != NULL; one = json_mut_next(one)) {
		keep(one, names);
		json_remove(json_mut(json_mut(one, "state"), "terminated"), "containerID");
	}
}

/* What holds is no news, but for a disruption. */
static void reduce_conditions(struct json *status)
{
	struct json *kept = json_array();

	for (const struct json *c = json_first(json_get(status, "conditions")); c != NULL;
	     c = json_next(c))
		if (!streq(json_get_str(c, "status", ""), "True") ||
		    streq(json_get_str(c, "type", ""), "DisruptionTarget"))
			json_append(kept, json_copy(c));
	json_set(status, "conditions", kept);
}

void reduce_pod(struct json *pod)
{
	static const char *const spec[] = {"nodeName", NULL};
	static const char *const names[] = {"phase",
					    "reason",
					    "message",
					    "conditions",
					    "startTime",
					    "containerStatuses",
					    "initContainerStatuses",
					    NULL};
	struct json *status = json_mut(pod, "status");

	keep_identity(pod);
	keep(json_mut(pod, "spec"), spec);
	keep(status, names);
	reduce_containers(json_mut(status, "containerStatuses"));
	reduce_containers(json_mut(status, "initContainerStatuses"));
	if (json_get(status, "conditions") != NULL)
		reduce_conditions(status);
}
