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

static void keep_identity(struct json *object)
{
	static const char *const names[] = {"name",       "namespace",         "uid",
					    "generation", "resourceVersion",   "ownerReferences",
					    "labels",     "deletionTimestamp", "creationTimestamp",
					    NULL};

	keep(json_mut(object, "metadata"), names);
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
	keep_identity(job);
	json_remove(json_mut(job, "spec"), "template");
	json_remove(json_mut(job, "spec"), "selector");
	json_remove(json_mut(job, "spec"), "podFailurePolicy");
}

void reduce_cronjob(struct json *cronjob)
{
	keep_identity(cronjob);
	json_remove(json_mut(cronjob, "spec"), "jobTemplate");
}

void reduce_pod(struct json *pod)
{
	static const char *const spec[] = {"nodeName", NULL};
	static const char *const status[] = {"phase",
					     "reason",
					     "message",
					     "conditions",
					     "startTime",
					     "containerStatuses",
					     "initContainerStatuses",
					     NULL};
	static const char *const container[] = {"name",  "state", "lastState", "restartCount",
						"ready", "image", NULL};
	struct json *own;

	keep_identity(pod);
	keep(json_mut(pod, "spec"), spec);
	own = json_mut(pod, "status");
	keep(own, status);
	for (own = json_mut_first(json_mut(own, "containerStatuses")); own != NULL;
	     own = json_mut_next(own))
		keep(own, container);
}
