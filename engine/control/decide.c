#include "control/decide.h"

#include "base/timefmt.h"
#include "control/config.h"
#include "control/look.h"
#include "control/manifest.h"
#include "control/outcome.h"
#include "control/start.h"
#include "control/status.h"

/* ---- reading what is observed ---- */

static const struct json *status_of(const struct observed *o)
{
	return json_get(o->run, "status");
}

static const char *phase_of(const struct observed *o)
{
	return json_get_str(status_of(o), "phase", "");
}

bool decide_owns_job(const struct observed *o)
{
	const struct json *owner = json_first(json_at(o->job, "metadata", "ownerReferences"));
	const char *uid = json_get_str(json_get(o->run, "metadata"), "uid", "");

	for (; owner != NULL; owner = json_next(owner))
		if (streq(json_get_str(owner, "uid", ""), uid))
			return true;
	return false;
}

static const char *namespace_of(const struct observed *o)
{
	return json_get_str(json_get(o->run, "metadata"), "namespace", "");
}

static int64_t generation_of(const struct observed *o)
{
	return json_get_int(json_get(o->run, "metadata"), "generation", 0);
}

/* A rejected run made nothing; once its spec has been edited it is a new one. */
static bool is_edited_after_rejection(const struct observed *o)
{
	return streq(phase_of(o), "Rejected") &&
	       generation_of(o) > json_get_int(status_of(o), "observedGeneration", 0);
}

enum stage decide_stage(const struct observed *o)
{
	const struct json *named = json_get(status_of(o), "jobStatus");

	if (json_at(o->run, "metadata", "deletionTimestamp") != NULL)
		return STAGE_DELETING;
	if (phase_is_final(phase_of(o)) && !is_edited_after_rejection(o))
		return STAGE_FINISHED;
	if (o->job != NULL)
		return decide_owns_job(o) ? STAGE_STARTED : STAGE_FOREIGN;
	if ((json_get(named, "uid") != NULL || look_job_ran(o->events)) &&
	    !run_is_scheduled(o->run))
		return STAGE_LOST;
	if (o->config == NULL || !config_allows(o->config, namespace_of(o)))
		return STAGE_NO_CONFIG;
	return named != NULL ? STAGE_STARTING : STAGE_NEW;
}

/* ---- the question ---- */

/* hooks: a JSON list of those that are asked in any case. */
static struct json *question_before_start(const struct observed *o, const char *hooks)
{
	char now[TIME_TEXT_MAX];
	auto_free char *name = run_job_name(o->run);
	struct json *asked = json_build(hooks), *question;

	if (o->shapes)
		json_append(asked, json_string("shape"));
	time_format(o->now, false, now);
	question = json_build("{'run': %j, 'config': %j, 'job': {'id': %s, 'name': %s}, 'now': %s}",
			      o->run, o->config,
			      json_get_str(json_get(o->run, "metadata"), "uid", ""), name, now);
	json_set(question, "hooks", asked);
	if (o->shapes)
		json_set(question, "manifest",
			 manifest_job(o->run, o->config, o->service_account, o->digest));
	return question;
}

static struct json *question_of_job(const struct observed *o)
{
	char now[TIME_TEXT_MAX];
	struct json *question;

	time_format(o->now, false, now);
	question = json_build("{'hooks': ['status'], 'run': %j, 'job': %j, 'pods': %j, 'now': %s}",
			      o->run, o->firing != NULL ? o->firing : o->job, o->pods, now);
	look_add_warning(o, question);
	return question;
}

struct json *decide_question(const struct observed *o)
{
	switch (decide_stage(o)) {
	case STAGE_NEW:
		return question_before_start(o, "['validate', 'contract']");
	case STAGE_STARTING:
		return question_before_start(o, "['contract']");
	case STAGE_STARTED:
		return question_of_job(o);
	case STAGE_LOST:
	case STAGE_FINISHED:
	case STAGE_NO_CONFIG:
	case STAGE_FOREIGN:
	case STAGE_DELETING:
		break;
	}
	return NULL;
}

static void say(const struct observed *o, struct plan *plan, const struct verdict *verdict)
{
	auto_json struct json *wanted = status_apply(o->run, verdict, o->now);

	plan_status(plan, o->run, wanted);
}

/* A config of another namespace that may not be used is not told from one that does not exist. */
static void wait_for_config(const struct observed *o, struct plan *plan)
{
	const char *own = namespace_of(o), *theirs = config_namespace_of(o->run);
	const char *name = json_get_str(json_at(o->run, "spec", "configRef"), "name", "");
	bool foreign = !streq(own, theirs), trouble = o->config_trouble != NULL;
	auto_free char *message =
	    foreign ? xasprintf(
			  "InferenceConfig \"%s\" of namespace \"%s\" cannot be used in namespace "
			  "\"%s\": it must exist where this controller watches, and have the "
			  "annotation " ANNOTATION_ALLOW_NAMESPACES
			  " with \"%s\" in its list, or \"*\"; the run goes on once it has",
			  name, theirs, own, own)
	    : trouble
		? xasprintf("InferenceConfig \"%s\" of namespace \"%s\" exists and cannot be "
			    "read: %s; the run goes on once it can",
			    name, theirs, o->config_trouble)
		: xasprintf(
		      "InferenceConfig \"%s\" does not exist in namespace \"%s\"; the run goes "
		      "on once it does",
		      name, theirs);

	say(o, plan,
	    &(struct verdict){.phase = "Pending",
			      .reason = foreign   ? "ConfigNotAllowed"
					: trouble ? "ConfigUnreadable"
						  : "ConfigNotFound",
			      .message = message,
			      .failing = true});
}

static void report_foreign(const struct observed *o, struct plan *plan)
{
	auto_free char *name = run_job_name(o->run);
	auto_free char *message = xasprintf(
	    "an object named %s exists and does not belong to this run; it is left alone: "
	    "delete or rename it",
	    name);

	say(o, plan,
	    &(struct verdict){
		.phase = "Pending", .reason = "JobNameTaken", .message = message, .failing = true});
	plan->backoff = true;
}

void decide(const struct observed *o, const struct json *results, struct plan *plan)
{
	switch (decide_stage(o)) {
	case STAGE_NEW:
		start_new(o, results, plan);
		return;
	case STAGE_STARTING:
		start_resume(o, results, plan);
		return;
	case STAGE_STARTED:
		outcome_record(o, results, plan);
		return;
	case STAGE_LOST:
		outcome_lost(o, plan);
		return;
	case STAGE_FINISHED:
		outcome_cleanup(o, plan);
		return;
	case STAGE_NO_CONFIG:
		wait_for_config(o, plan);
		return;
	case STAGE_FOREIGN:
		report_foreign(o, plan);
		return;
	case STAGE_DELETING:
		return;
	}
}

/* ---- when the API refuses ---- */

static const char *refusal_reason(const struct action *action, const struct err *err)
{
	if (err->kind == ERR_CONFLICT)
		return action->type == ACTION_CREATE ? "NameTaken" : NULL;
	if (err->kind == ERR_DENIED)
		return strstr(err->msg, "exceeded quota") != NULL ? "QuotaExceeded" : "Forbidden";
	return err->kind == ERR_INVALID || err->kind == ERR_LIMIT ? "Refused" : NULL;
}

/* The outcome stands: the cache has cut the rest of it away (reduce.h), so a status made from that
 * would lose it. */
static void say_unless_finished(const struct observed *o, const struct verdict *verdict,
				struct plan *plan)
{
	bool finished = decide_stage(o) == STAGE_FINISHED;

	if (!finished)
		say(o, plan, verdict);
	if (finished || plan->len > 0)
		plan_event(plan, "Warning", verdict->reason, verdict->message);
}

void decide_failure(const struct observed *o, const struct action *action, const struct err *err,
		    struct plan *plan)
{
	bool told = action->type == ACTION_CREATE || action->type == ACTION_PATCH;
	const char *reason = told ? refusal_reason(action, err) : NULL;
	auto_free char *message = NULL;

	plan->backoff = true;
	if (reason == NULL)
		return;
	message = xasprintf("%s: %s", action->kind->name, err->msg);
	say_unless_finished(
	    o,
	    &(struct verdict){.phase = *phase_of(o) != '\0' ? phase_of(o) : "Pending",
			      .reason = reason,
			      .message = message,
			      .failing = true},
	    plan);
}
