#include "control/upkeep.h"

#include "control/manifest.h"
#include "control/status.h"

struct json *upkeep_patch(const struct observed *o, const struct json *spec)
{
	const struct json *meta = json_get(o->job, "metadata");

	return json_build("{'metadata': {'name': %s, 'uid': %s}, 'spec': %j}",
			  json_get_str(meta, "name", ""), json_get_str(meta, "uid", ""), spec);
}

static const struct json *label(const struct observed *o, const char *name)
{
	return json_at(o->job, "metadata", "labels", name);
}

static bool is_queued(const struct observed *o)
{
	return !run_is_scheduled(o->run) && label(o, LABEL_QUEUE) != NULL;
}

static bool is_suspended(const struct json *object)
{
	return json_is_true(json_at(object, "spec", "suspend"));
}

/* True if suspend is to be changed to what the run has. */
static bool suspend_differs(const struct observed *o)
{
	bool told = json_at(o->run, "spec", "suspend") != NULL;

	return !is_queued(o) && (told || label(o, LABEL_SUSPENDED) != NULL) &&
	       is_suspended(o->run) != is_suspended(o->job);
}

static void add_schedule(const struct observed *o, struct json *changes)
{
	static const char *const members[] = {
	    "schedule",
	    "timeZone",
	    "concurrencyPolicy",
	    "startingDeadlineSeconds",
	    "successfulJobsHistoryLimit",
	    "failedJobsHistoryLimit",
	};
	const struct json *spec = json_get(o->run, "spec"), *has = json_get(o->job, "spec");

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *wants = json_get(spec, members[i]);

		if (wants != NULL && !json_equal(wants, json_get(has, members[i])))
			json_set(changes, members[i], json_copy(wants));
	}
}

struct json *upkeep_changes(const struct observed *o)
{
	auto_json struct json *changes = json_object();
	bool suspend = is_suspended(o->run);
	struct json *patch;

	if (suspend_differs(o))
		json_set(changes, "suspend", json_bool(suspend));
	if (run_is_scheduled(o->run))
		add_schedule(o, changes);
	if (json_first(changes) == NULL)
		return NULL;
	patch = upkeep_patch(o, changes);
	if (json_get(changes, "suspend") != NULL)
		json_set(json_obj(json_mut(patch, "metadata"), "labels"), LABEL_SUSPENDED,
			 suspend ? json_string("true") : json_null());
	return patch;
}

/* ---- settings without effect ---- */

static void note(const struct observed *o, struct json *status, bool holds, const char *type,
		 const char *reason, const char *message)
{
	int64_t generation = json_get_int(json_get(o->run, "metadata"), "generation", 0);

	if (holds)
		status_condition(status, type, "False", reason, message, generation, o->now);
	else
		status_drop_condition(status, type);
}

void upkeep_note(const struct observed *o, struct json *status)
{
	const char *policy = json_get_str(json_get(o->config, "spec"), "autoDeletePolicy", "None");

	if (o->config != NULL)
		note(o, status, run_is_scheduled(o->run) && !streq(policy, "None"), "AutoDelete",
		     "Scheduled",
		     "the config's autoDeletePolicy has no effect on a run with a schedule: it "
		     "does not end");
	note(o, status, is_queued(o) && is_suspended(o->run), "Suspend", "Queued",
	     "spec.suspend has no effect on a Job in a queue: Kueue decides when it runs; to hold "
	     "it, "
	     "set spec.active of its Workload to false");
}
