#include "control/outcome.h"

#include "base/timefmt.h"
#include "control/answer.h"
#include "control/config.h"
#include "control/firings.h"
#include "control/look.h"
#include "control/manifest.h"
#include "control/settle.h"
#include "control/status.h"
#include "control/upkeep.h"
#include "control/waiting.h"

static const char *phase_of(const struct observed *o)
{
	return json_get_str(json_get(o->run, "status"), "phase", "");
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

	plan_status(plan, o->run, wanted);
	if (plan->len > 0)
		plan_event(plan, "Warning", failure->reason, told);
	plan->backoff = true;
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
	plan_status(plan, o->run, wanted);
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
	plan_status(plan, o->run, wanted);
	plan_event(plan, "Warning", reason, told);
}

/* Of two times to look again; -1 is never. */
static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* True if the policy has failed or its answer cannot be; then the plan says so. asked is what it
 * was asked about. */
static bool answer_refused(const struct observed *o, const struct observed *asked,
			   const struct json *results, struct plan *plan)
{
	struct policy_failure failure = {.traceback = "", .reason = "PolicyError"};
	auto_free char *fault = NULL;

	if (!outcome_failure(results, &failure)) {
		fault = answer_fault(asked, json_at(results, "status", "ok"));
		failure.message = fault;
	}
	if (failure.message == NULL)
		return false;
	outcome_policy_error(o, &failure, plan);
	return true;
}

void outcome_record(const struct observed *o, const struct json *results, struct plan *plan)
{
	const struct json *answer = json_at(results, "status", "ok");
	struct observed asked = *o;
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
	if (answer_refused(o, &asked, results, plan))
		return;
	if (settle_pods_are_late(&asked)) {
		plan->requeue_ms = SETTLE_PODS_MS;
		return;
	}
	if (o->firing != NULL) {
		record_firing(o, answer, plan);
		return;
	}
	wanted = wanted_status(o, answer);
	if (settle_words_can_wait(o, wanted)) {
		plan->requeue_ms = sooner(plan->requeue_ms, SETTLE_WORDS_MS);
		return;
	}
	plan_status(plan, o->run, wanted);
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
	plan_status(plan, o->run, wanted);
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
	int64_t ttl_ms =
	    config_seconds_ms(o->config, "ttlSecondsAfterFinished", TTL_AFTER_FINISHED_S);
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
