#include "control/status.h"

#include "base/timefmt.h"
#include "base/utf8.h"
#include "control/attempts.h"

/* ---- conditions ---- */

static struct json *find_condition(struct json *conditions, const char *type)
{
	struct json *c = json_mut_first(conditions);

	while (c != NULL && !streq(json_get_str(c, "type", ""), type))
		c = json_mut_next(c);
	return c;
}

static void set_message(struct json *object, const char *message)
{
	const char *text = message != NULL ? message : "";
	auto_free char *cut = xstrndup(text, utf8_prefix(text, strlen(text), STATUS_MESSAGE_MAX));

	json_set_str(object, "message", cut);
}

void status_condition(struct json *status, const char *type, const char *value, const char *reason,
		      const char *message, int64_t generation, int64_t now)
{
	struct json *list, *condition;
	char since[TIME_TEXT_MAX];

	if (json_type(json_get(status, "conditions")) != JSON_ARRAY)
		json_set(status, "conditions", json_array());
	list = json_mut(status, "conditions");
	condition = find_condition(list, type);
	if (condition == NULL) {
		condition = json_build("{'type': %s}", type);
		json_append(list, condition);
	}
	if (!streq(json_get_str(condition, "status", ""), value)) {
		time_format(now, false, since);
		json_set_str(condition, "lastTransitionTime", since);
	}
	json_set_str(condition, "status", value);
	json_set_str(condition, "reason", reason);
	set_message(condition, message);
	json_set(condition, "observedGeneration", json_int(generation));
}

void status_drop_condition(struct json *status, const char *type)
{
	const struct json *conditions = json_get(status, "conditions");
	struct json *kept = json_array();

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (!streq(json_get_str(c, "type", ""), type))
			json_append(kept, json_copy(c));
	json_set(status, "conditions", kept);
}

static void add_policy_conditions(struct json *status, const struct json *conditions,
				  int64_t generation, int64_t now)
{
	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		status_condition(status, json_get_str(c, "type", ""),
				 json_get_str(c, "status", "Unknown"),
				 json_get_str(c, "reason", "Policy"),
				 json_get_str(c, "message", ""), generation, now);
}

bool phase_is_final(const char *phase)
{
	return streq(phase, "Succeeded") || streq(phase, "Failed") || streq(phase, "Rejected");
}

struct json *status_apply(const struct json *run, const struct verdict *verdict, int64_t now)
{
	const struct json *current = json_get(run, "status");
	struct json *status = current != NULL ? json_copy(current) : json_object();
	int64_t generation = json_get_int(json_get(run, "metadata"), "generation", 0);
	const char *reason = verdict->reason != NULL ? verdict->reason : verdict->phase;
	bool ready = streq(verdict->phase, "Succeeded") || streq(verdict->phase, "Scheduled");

	json_set_str(status, "phase", verdict->phase);
	json_set_str(status, "reason", reason);
	set_message(status, verdict->message);
	json_set(status, "observedGeneration", json_int(generation));
	add_policy_conditions(status, verdict->conditions, generation, now);
	status_condition(status, "Ready", ready ? "True" : "False", reason, verdict->message,
			 generation, now);
	if (phase_is_final(verdict->phase) && !ready)
		status_condition(status, "Stalled", "True", reason, verdict->message, generation,
				 now);
	else
		status_drop_condition(status, "Stalled");
	if (verdict->failing)
		status_condition(status, "Synced", "False", reason, verdict->message, generation,
				 now);
	else
		status_condition(status, "Synced", "True", "ReconcileSuccess", "", generation, now);
	return status;
}

struct json *status_patch(const struct json *object, const struct json *wanted)
{
	const struct json *current = json_get(object, "status");
	struct json *patch, *changes;

	if (json_equal(current, wanted))
		return NULL;
	patch = json_build("{'metadata': {'resourceVersion': %s}, 'status': {}}",
			   json_get_str(json_get(object, "metadata"), "resourceVersion", ""));
	changes = json_mut(patch, "status");
	for (const struct json *w = json_first(wanted); w != NULL; w = json_next(w))
		if (!json_equal(w, json_get(current, json_key(w))))
			json_set(changes, json_key(w), json_copy(w));
	for (const struct json *c = json_first(current); c != NULL; c = json_next(c))
		if (json_get(wanted, json_key(c)) == NULL)
			json_set(changes, json_key(c), json_null());
	return patch;
}

/* ---- what Job, CronJob and Pods tell ---- */

const struct json *job_finished(const struct json *job)
{
	const struct json *conditions = json_at(job, "status", "conditions");

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c)) {
		const char *type = json_get_str(c, "type", "");

		if ((streq(type, "Complete") || streq(type, "Failed")) &&
		    streq(json_get_str(c, "status", ""), "True"))
			return c;
	}
	return NULL;
}

/* The pod whose runner ended last, and how it ended. */
static const struct json *last_terminated(const struct json *pods, const struct json **pod)
{
	const struct json *last = NULL;

	for (const struct json *p = json_first(pods); p != NULL; p = json_next(p)) {
		const struct json *ended = pod_terminated(p);

		if (ended == NULL ||
		    (last != NULL && strcmp(json_get_str(ended, "finishedAt", ""),
					    json_get_str(last, "finishedAt", "")) < 0))
			continue;
		last = ended;
		*pod = p;
	}
	return last;
}

/* The runner's report: the members of its termination message, or the message as text. */
static struct json *runner_report(const struct json *ended)
{
	const char *message = json_get_str(ended, "message", "");
	struct err err = ERR_INIT;
	struct json *report = json_parse(message, strlen(message), &err);

	if (json_type(report) == JSON_OBJECT)
		return report;
	json_free(report);
	report = json_object();
	if (*message != '\0')
		json_set_str(report, "message", message);
	return report;
}

/* before: what stands there; of a Job that has ended only the attempts of it are kept. */
static struct json *result_of(const struct json *before, const struct json *job,
			      const struct json *pods)
{
	const struct json *pod = NULL, *kept = json_get(before, "lastAttempts");
	const struct json *ended = last_terminated(pods, &pod);
	struct json *result = ended != NULL ? runner_report(ended) : json_object();

	json_remove(result, "lastAttempts");
	if (kept != NULL)
		json_set(result, "lastAttempts", json_copy(kept));
	attempts_record(result, job, pods);
	if (ended != NULL) {
		json_set(result, "exitCode", json_int(json_get_int(ended, "exitCode", 0)));
		json_set_str(result, "pod", json_get_str(json_get(pod, "metadata"), "name", ""));
	}
	return result;
}

static void count_attempts(struct json *status, const struct json *job, const struct json *pods)
{
	struct json *result = json_obj(status, "result");

	attempts_record(result, job, pods);
	if (json_first(result) == NULL)
		json_remove(status, "result");
}

static void set_duration(struct json *status)
{
	int64_t start, end, seconds;
	auto_free char *text = NULL;

	if (!time_parse(json_get_str(status, "startTime", ""), &start) ||
	    !time_parse(json_get_str(status, "completionTime", ""), &end) || end < start)
		return;
	seconds = (end - start) / 1000;
	if (seconds < 60)
		text = xasprintf("%ds", (int)seconds);
	else if (seconds < 3600)
		text = xasprintf("%dm%ds", (int)(seconds / 60), (int)(seconds % 60));
	else
		text =
		    xasprintf("%lldh%dm", (long long)(seconds / 3600), (int)(seconds % 3600 / 60));
	json_set_str(status, "duration", text);
}

void status_end(struct json *status, int64_t now)
{
	char text[TIME_TEXT_MAX];

	time_format(now, false, text);
	json_set_str(status, "completionTime", text);
	set_duration(status);
}

void status_from_job(struct json *status, const struct json *job, const struct json *pods)
{
	const struct json *finished = job_finished(job);
	const char *start = json_str(json_at(job, "status", "startTime"));
	const char *end = json_str(json_at(job, "status", "completionTime"));

	if (start != NULL)
		json_set_str(status, "startTime", start);
	if (finished == NULL) {
		count_attempts(status, job, pods);
		return;
	}
	json_set_str(status, "completionTime",
		     end != NULL ? end : json_get_str(finished, "lastTransitionTime", ""));
	json_set(status, "result", result_of(json_get(status, "result"), job, pods));
	set_duration(status);
}

static void copy_member(struct json *status, const struct json *from, const char *key)
{
	const struct json *value = json_get(from, key);

	if (value != NULL)
		json_set(status, key, json_copy(value));
	else
		json_remove(status, key);
}

void status_from_cronjob(struct json *status, const struct json *cronjob)
{
	const struct json *from = json_get(cronjob, "status");

	copy_member(status, from, "lastScheduleTime");
	copy_member(status, from, "lastSuccessfulTime");
	copy_member(status, from, "active");
}
