#include "control/outcome.h"

#include <ctype.h>

#include "base/timefmt.h"
#include "control/firings.h"
#include "control/look.h"
#include "control/manifest.h"
#include "control/status.h"
#include "control/upkeep.h"
#include "control/waiting.h"

/* How long a finished Job's pods may still be on their way to us, and how long a change of words
 * within one phase is held back after what caused it: a run whose pod starts and ends without delay
 * then costs one write a phase. */
enum { PODS_LATE_MS = 5000, PODS_RETRY_MS = 200, WORDS_HELD_MS = 2000 };

static const char *phase_of(const struct observed *o)
{
	return json_get_str(json_get(o->run, "status"), "phase", "");
}

static void add_status(const struct observed *o, struct plan *plan, const struct json *wanted)
{
	struct json *patch = status_patch(o->run, wanted);

	if (patch != NULL)
		plan_add(plan, ACTION_STATUS, &KIND_RUN, patch);
}

/* ---- policy errors ---- */

/* The kinds of host.h, and those of bundles.h. */
static const char *failure_reason(const char *kind)
{
	static const char *const reasons[][2] = {{"limit", "PolicyLimit"},
						 {"unavailable", "PolicyUnavailable"},
						 {"not-allowed", "PolicyRefNotAllowed"}};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (streq(kind, reasons[i][0]))
			return reasons[i][1];
	return "PolicyError";
}

bool outcome_failure(const struct json *results, struct policy_failure *out)
{
	for (const struct json *r = json_first(results); r != NULL; r = json_next(r)) {
		const struct json *error = json_get(r, "error");

		if (error == NULL)
			continue;
		out->message =
		    json_get_str(error, "message", "the policy failed without a message");
		out->traceback = json_get_str(error, "traceback", "");
		out->rejected = streq(json_get_str(error, "kind", ""), "reject");
		out->reason = failure_reason(json_get_str(error, "kind", ""));
		return true;
	}
	return false;
}

void outcome_policy_error(const struct observed *o, const struct policy_failure *failure,
			  struct plan *plan)
{
	struct verdict verdict = {
	    .phase = *phase_of(o) != '\0' && !phase_is_final(phase_of(o)) ? phase_of(o) : "Pending",
	    .reason = failure->reason,
	    .message = failure->message,
	    .failing = true,
	};
	auto_json struct json *wanted = status_apply(o->run, &verdict, o->now);
	auto_free char *told =
	    xasprintf("%s%s%s", failure->message, *failure->traceback != '\0' ? "\n" : "",
		      failure->traceback);

	add_status(o, plan, wanted);
	if (plan->len > 0)
		plan_event(plan, "Warning", failure->reason, told);
	plan->backoff = true;
}

/* ---- the status policy's answer ---- */

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (streq(word, *words))
			return true;
	return false;
}

/* metav1.Condition's rule for a reason. */
static bool is_reason(const char *text)
{
	if (!isalpha((unsigned char)*text) || strlen(text) > 1024)
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && *text != '_' && *text != ',' && *text != ':')
			return false;
	return true;
}

/* The first of the policy's conditions that the API would refuse; NULL: none. */
static const struct json *bad_condition(const struct json *conditions)
{
	static const char *const values[] = {"True", "False", "Unknown", NULL};

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (!is_reason(json_get_str(c, "type", "")) ||
		    !is_one_of(json_get_str(c, "status", ""), values) ||
		    !is_reason(json_get_str(c, "reason", "")))
			return c;
	return NULL;
}

/* NULL if the answer agrees with the facts, else what is wrong with it; yours. */
static char *disagreement(const struct observed *o, const struct json *answer)
{
	static const char *const live[] = {"Pending", "Scheduled", "Suspended", "Running", NULL};
	static const char *const done[] = {"Succeeded", "Failed", NULL};
	bool finished = job_finished(o->job) != NULL;
	const char *phase = json_get_str(answer, "phase", "");
	const char *reason = json_get_str(answer, "reason", phase);

	if (!is_one_of(phase, finished ? done : live))
		return xasprintf(
		    "status.lua: status() must answer %s while the Job has %s, it answered "
		    "phase \"%s\"",
		    finished ? "Succeeded or Failed" : "Pending, Scheduled, Suspended or Running",
		    finished ? "finished" : "not finished", phase);
	if (!is_reason(reason))
		return xasprintf(
		    "status.lua: status() must answer a reason of one CamelCase word, it "
		    "answered \"%s\"",
		    reason);
	if (bad_condition(json_get(answer, "conditions")) != NULL)
		return xasprintf(
		    "status.lua: each of status()'s conditions must have a type and a reason of "
		    "one word, and a status of True, False or Unknown; one of type \"%s\" has not",
		    json_get_str(bad_condition(json_get(answer, "conditions")), "type", ""));
	return NULL;
}

/* A Pod's end may reach us after its Job's. */
static bool pods_are_late(const struct observed *o)
{
	const struct json *finished = job_finished(o->job);
	int64_t since;

	if (finished == NULL ||
	    !time_parse(json_get_str(finished, "lastTransitionTime", ""), &since) ||
	    o->now - since > PODS_LATE_MS || o->now < since)
		return false;
	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p)) {
		const char *phase = json_get_str(json_get(p, "status"), "phase", "");

		if (streq(phase, "Succeeded") || streq(phase, "Failed"))
			return false;
	}
	return json_get_int(json_get(o->job, "status"), "succeeded", 0) +
		   json_get_int(json_get(o->job, "status"), "failed", 0) >
	       0;
}

/* Take over a time if it is later than *newest and not to come (clocks differ). */
static void take_newer(const struct json *time, int64_t now, int64_t *newest)
{
	int64_t at;

	if (json_str(time) != NULL && time_parse(json_str(time), &at) && at > *newest && at <= now)
		*newest = at;
}

/* When something last happened to the run, its Job or its Pods. */
static int64_t last_happening(const struct observed *o)
{
	const struct json *lists[] = {json_at(o->run, "status", "conditions"),
				      json_at(o->job, "status", "conditions")};
	int64_t newest = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct json *c = json_first(lists[i]); c != NULL; c = json_next(c))
			take_newer(json_get(c, "lastTransitionTime"), o->now, &newest);
	take_newer(json_at(o->job, "metadata", "creationTimestamp"), o->now, &newest);
	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p)) {
		const struct json *container =
		    json_first(json_at(p, "status", "containerStatuses"));

		take_newer(json_at(p, "metadata", "creationTimestamp"), o->now, &newest);
		for (; container != NULL; container = json_next(container)) {
			take_newer(json_at(container, "state", "running", "startedAt"), o->now,
				   &newest);
			take_newer(json_at(container, "state", "terminated", "finishedAt"), o->now,
				   &newest);
		}
	}
	return newest;
}

/* The Job is about to end with the attempt that has failed just now, counted or not. */
static bool was_last_attempt(const struct observed *o, const struct json *attempts)
{
	int64_t failed = json_get_int(json_get(o->job, "status"), "failed", 0), pods = 0;
	const struct json *last = NULL;

	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p))
		pods += streq(json_get_str(json_get(p, "status"), "phase", ""), "Failed");
	for (const struct json *a = json_first(attempts); a != NULL; a = json_next(a))
		last = a;
	return (failed > pods ? failed : pods) >
		   json_get_int(json_get(o->job, "spec"), "backoffLimit", BACKOFF_LIMIT) ||
	       exit_code_is_final(json_get_int(last, "exitCode", 0));
}

/* Why an attempt failed is written down at once, for its Pod may go; that of the last one comes
 * with the outcome. */
static bool attempt_must_be_told(const struct observed *o, const struct json *wanted)
{
	const struct json *attempts = json_at(wanted, "result", "lastAttempts");

	return !json_equal(attempts, json_at(o->run, "status", "result", "lastAttempts")) &&
	       !was_last_attempt(o, attempts);
}

/* True while only the words differ, and what they tell of is so new that it may be over at once. */
static bool words_can_wait(const struct observed *o, const struct json *wanted)
{
	const struct json *status = json_get(o->run, "status");

	return streq(phase_of(o), json_get_str(wanted, "phase", "")) &&
	       !json_equal(json_get(status, "message"), json_get(wanted, "message")) &&
	       !attempt_must_be_told(o, wanted) && o->now - last_happening(o) < WORDS_HELD_MS;
}

static void tell_transition(const struct observed *o, const struct json *wanted, struct plan *plan)
{
	const char *phase = json_get_str(wanted, "phase", "");

	if (!streq(phase, phase_of(o)) && !streq(phase, "Pending"))
		plan_event(plan, streq(phase, "Failed") ? "Warning" : "Normal",
			   json_get_str(wanted, "reason", phase),
			   json_get_str(wanted, "message", ""));
}

static struct json *wanted_status(const struct observed *o, const struct json *answer)
{
	const struct json *meta = json_get(o->job, "metadata");
	struct verdict verdict = {
	    .phase = json_get_str(answer, "phase", ""),
	    .reason = json_get_str(answer, "reason", NULL),
	    .message = json_get_str(answer, "message", NULL),
	    .conditions = json_get(answer, "conditions"),
	};
	struct json *wanted = status_apply(o->run, &verdict, o->now);

	json_set(
	    wanted, "jobStatus",
	    json_build(
		"{'apiVersion': 'batch/v1', 'kind': %s, 'namespace': %s, 'name': %s, 'uid': %s}",
		run_is_scheduled(o->run) ? "CronJob" : "Job", json_get_str(meta, "namespace", ""),
		json_get_str(meta, "name", ""), json_get_str(meta, "uid", "")));
	if (run_is_scheduled(o->run))
		status_from_cronjob(wanted, o->job);
	else
		status_from_job(wanted, o->job, o->pods);
	upkeep_note(o, wanted);
	return wanted;
}

/* ---- recording ---- */

/* A finished run's Job must not run any more. Its time limit ends it, so that it stays to be read.
 */
static void end_job(const struct observed *o, struct plan *plan)
{
	auto_json struct json *spec = json_build("{'activeDeadlineSeconds': 1}");

	if (json_get_int(json_get(o->job, "spec"), "activeDeadlineSeconds", 0) != 1)
		plan_add(plan, ACTION_PATCH, &KIND_JOB, upkeep_patch(o, spec));
}

/* The outcome is recorded first: should we stop in between, outcome_cleanup ends the Job. */
static void give_up_waiting(const struct observed *o, const struct json *answer, struct plan *plan)
{
	const char *why = json_get_str(answer, "message",
				       json_get_str(json_get(o->run, "status"), "message", ""));
	auto_free char *message = xasprintf("The runner did not start within %lld seconds. %s",
					    (long long)waiting_limit(o) / 1000, why);
	auto_json struct json *verdict =
	    json_build("{'phase': 'Failed', 'reason': 'StartTimeout', 'message': %s}", message);
	auto_json struct json *wanted = wanted_status(o, verdict);

	status_end(wanted, o->now);
	add_status(o, plan, wanted);
	end_job(o, plan);
	plan_event(plan, "Warning", "StartTimeout", message);
}

/* The failure of a firing goes before what the CronJob tells: its Job may go. */
static void record_firing(const struct observed *o, const struct json *answer, struct plan *plan)
{
	const char *reason = json_get_str(answer, "reason", "Failed");
	const char *message = json_get_str(answer, "message", "");
	const char *name = json_get_str(json_get(o->firing, "metadata"), "name", "");
	auto_json struct json *wanted = json_copy(json_get(o->run, "status"));
	auto_free char *told = xasprintf("Job %s of the schedule has failed. %s", name, message);

	firings_record(wanted, o->firing, reason, message);
	add_status(o, plan, wanted);
	plan_event(plan, "Warning", reason, told);
}

/* Of two times to look again; -1 is never. */
static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

void outcome_record(const struct observed *o, const struct json *results, struct plan *plan)
{
	const struct json *answer = json_at(results, "status", "ok");
	struct observed asked = *o; /* what the policy was asked about */
	struct policy_failure failure;
	auto_free char *disagrees = NULL;
	auto_json struct json *wanted = NULL;
	struct json *changes = job_finished(o->job) == NULL ? upkeep_changes(o) : NULL;
	int64_t left = waiting_left(o);

	if (o->firing != NULL)
		asked.job = o->firing;
	if (changes != NULL)
		plan_add(plan, ACTION_PATCH, run_is_scheduled(o->run) ? &KIND_CRONJOB : &KIND_JOB,
			 changes);
	if (left == 0) {
		give_up_waiting(o, answer, plan);
		return;
	}
	plan->requeue_ms = sooner(left, look_due_ms(o));
	if (outcome_failure(results, &failure)) {
		outcome_policy_error(o, &failure, plan);
		return;
	}
	disagrees = disagreement(&asked, answer);
	if (disagrees != NULL) {
		outcome_policy_error(o,
				     &(struct policy_failure){.message = disagrees,
							      .traceback = "",
							      .reason = "PolicyError"},
				     plan);
		return;
	}
	if (pods_are_late(&asked)) {
		plan->requeue_ms = PODS_RETRY_MS;
		return;
	}
	if (o->firing != NULL) {
		record_firing(o, answer, plan);
		return;
	}
	wanted = wanted_status(o, answer);
	if (words_can_wait(o, wanted)) {
		plan->requeue_ms = sooner(plan->requeue_ms, WORDS_HELD_MS);
		return;
	}
	add_status(o, plan, wanted);
	tell_transition(o, wanted, plan);
}

void outcome_lost(const struct observed *o, struct plan *plan)
{
	static const char message[] =
	    "the Job was deleted before its outcome was known; a started run is "
	    "never run again: create a new InferenceRun";
	struct verdict verdict = {.phase = "Failed", .reason = "JobLost", .message = message};
	auto_json struct json *wanted = status_apply(o->run, &verdict, o->now);

	auto_free char *name = run_job_name(o->run);

	status_end(wanted, o->now);
	plan_add(plan, ACTION_ABSENT, &KIND_JOB, json_build("{'metadata': {'name': %s}}", name));
	add_status(o, plan, wanted);
	plan_event(plan, "Warning", "JobLost", message);
}

/* ---- clean-up ---- */

/* Only now that the outcome is recorded may the Job's own clean-up remove it. */
static void let_job_expire(const struct observed *o, int64_t ttl_ms, struct plan *plan)
{
	auto_json struct json *spec = json_build("{'ttlSecondsAfterFinished': %d}", ttl_ms / 1000);

	if (json_at(o->job, "spec", "ttlSecondsAfterFinished") == NULL)
		plan_add(plan, ACTION_PATCH, &KIND_JOB, upkeep_patch(o, spec));
}

void outcome_cleanup(const struct observed *o, struct plan *plan)
{
	const struct json *spec = json_get(o->config, "spec");
	const char *policy = json_get_str(spec, "autoDeletePolicy", "None");
	int64_t ttl_ms = json_get_int(spec, "ttlSecondsAfterFinished", TTL_AFTER_FINISHED_S) * 1000;
	bool succeeded = streq(phase_of(o), "Succeeded"), failed = streq(phase_of(o), "Failed");
	const char *ended = json_get_str(json_get(o->run, "status"), "completionTime", "");
	bool owned = o->job != NULL && decide_owns_job(o);
	int64_t since;

	if (run_is_scheduled(o->run))
		return;
	if (owned && job_finished(o->job) == NULL)
		end_job(o, plan);
	if (streq(policy, "None") || !time_parse(ended, &since))
		return;
	if (owned)
		let_job_expire(o, ttl_ms, plan);
	if (!(streq(policy, "DeleteOnCompletion") && (succeeded || failed)) &&
	    !(streq(policy, "DeleteOnSuccess") && succeeded))
		return;
	if (o->now - since < ttl_ms) {
		plan->requeue_ms = ttl_ms - (o->now - since);
		return;
	}
	plan_event(plan, "Normal", "AutoDeleted",
		   "the run has finished and its autoDeletePolicy asks for it");
	plan_add(plan, ACTION_DELETE, &KIND_RUN, NULL);
}
