#include "control/start.h"

#include "base/base64.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "control/manifest.h"
#include "control/outcome.h"
#include "control/status.h"

enum {
	VIOLATIONS_MAX = 16 << 10, /* bytes of them in a message */
	VIOLATION_MAX = 1 << 10,   /* of one */
	MODEL_MAX = 1024,          /* of status.model, as in the CRD */
};

static const struct json *status_of(const struct observed *o)
{
	return json_get(o->run, "status");
}

static int64_t generation_of(const struct observed *o)
{
	return json_get_int(json_get(o->run, "metadata"), "generation", 0);
}

/* The run's spec is wrong: final until it is edited. */
static void reject(const struct observed *o, struct plan *plan, const char *reason,
		   const char *message)
{
	struct verdict verdict = {.phase = "Rejected", .reason = reason, .message = message};
	auto_json struct json *wanted = status_apply(o->run, &verdict, o->now);
	char now[TIME_TEXT_MAX];

	time_format(o->now, false, now);
	json_set_str(wanted, "completionTime", now);
	json_set(wanted, "policy", json_build("{'digest': %s}", o->digest));
	plan_status(plan, o->run, wanted);
	plan_event(plan, "Warning", reason, message);
}

/* True if a hook failed; then the plan says so. */
static bool policies_failed(const struct observed *o, const struct json *results, struct plan *plan)
{
	struct policy_failure failure;

	if (!outcome_failure(results, &failure))
		return false;
	if (failure.rejected)
		reject(o, plan, "Rejected", failure.message);
	else
		outcome_policy_error(o, &failure, plan);
	return true;
}

/* The API's own form: spec.a: text; spec.b: text. */
static char *violations_text(const struct json *violations)
{
	struct buf text = BUF_INIT(VIOLATIONS_MAX);

	for (const struct json *v = json_first(violations); v != NULL; v = json_next(v)) {
		auto_free char *one = xasprintf("%s%s: %s", text.len > 0 ? "; " : "",
						json_get_str(v, "field", "spec"),
						json_get_str(v, "message", "invalid"));

		buf_add(&text, one, utf8_prefix(one, strlen(one), VIOLATION_MAX));
	}
	if (text.full) {
		text = (struct buf){text.data, text.len, text.cap, VIOLATIONS_MAX + 64, false};
		buf_adds(&text, "; and more, too many to list");
	}
	return buf_steal(&text);
}

static bool parameters_refused(const struct observed *o, const struct json *results,
			       struct plan *plan)
{
	const struct json *violations = json_at(results, "validate", "ok");
	auto_free char *text = NULL;

	if (json_first(violations) == NULL)
		return false;
	text = violations_text(violations);
	reject(o, plan, "ParametersRejected", text);
	return true;
}

/* The contract's text: a run that has begun keeps the one that it has. Yours. */
static char *contract_text(const struct observed *o, const struct json *results)
{
	const char *kept = json_get_str(status_of(o), "contract", NULL);
	auto_buf struct buf decoded = BUF_INIT(STATUS_CONTRACT_MAX);
	struct err err = ERR_INIT;

	if (kept != NULL && base64_decode(kept, strlen(kept), &decoded, &err) == 0)
		return buf_steal(&decoded);
	return json_print(json_at(results, "contract", "ok"));
}

static void name_job(const struct observed *o, struct json *status)
{
	auto_free char *name = run_job_name(o->run);
	const char *kind = run_is_scheduled(o->run) ? "CronJob" : "Job";
	struct json *ref =
	    json_build("{'apiVersion': 'batch/v1', 'kind': %s, 'namespace': %s, 'name': %s}", kind,
		       json_get_str(json_get(o->run, "metadata"), "namespace", ""), name);
	const char *uid = json_str(json_at(o->job, "metadata", "uid"));

	if (uid != NULL)
		json_set_str(ref, "uid", uid);
	json_set(status, "jobStatus", ref);
}

/* For the printer column: which model the run asks. */
static void name_model(struct json *status, const struct json *results)
{
	const char *model = json_str(json_at(results, "contract", "ok", "kserve", "modelName"));
	auto_free char *cut = NULL;

	if (model == NULL)
		return;
	cut = xstrndup(model, utf8_prefix(model, strlen(model), MODEL_MAX));
	json_set_str(status, "model", cut);
}

static void keep_contract(struct json *status, const char *contract, int64_t generation,
			  int64_t now)
{
	auto_buf struct buf encoded = BUF_INIT(2 * STATUS_CONTRACT_MAX);

	if (strlen(contract) <= STATUS_CONTRACT_MAX) {
		base64_encode(contract, strlen(contract), &encoded);
		json_set_str(status, "contract", encoded.data);
		return;
	}
	status_condition(status, "ContractInStatus", "False", "TooLarge",
			 "the contract is over 256 KiB: read it in the run's ConfigMap", generation,
			 now);
}

/* *overruled: what a policy's shape() changed and may not, or NULL; yours. */
static struct json *job_to_create(const struct observed *o, const struct json *results,
				  char **overruled)
{
	const struct json *shaped = json_at(results, "shape", "ok");
	struct json *job = shaped != NULL
			       ? json_copy(shaped)
			       : manifest_job(o->run, o->config, o->service_account, o->digest);

	*overruled = manifest_enforce(job, o->run, o->digest);
	return job;
}

static void add_creates(const struct observed *o, struct json *job_taken, const char *contract,
			struct plan *plan)
{
	plan_add(plan, ACTION_CREATE, &KIND_CONFIGMAP,
		 manifest_contract(o->run, contract, o->digest));
	plan_add(plan, ACTION_CREATE, run_is_scheduled(o->run) ? &KIND_CRONJOB : &KIND_JOB,
		 job_taken);
}

/* Who has set what belongs to the controller, and where: in a condition. The text is yours; NULL if
 * there are no paths. */
static char *tell_put_back(const struct observed *o, struct json *status, const char *type,
			   const char *who, const char *paths)
{
	char *message = NULL;

	if (paths == NULL)
		return NULL;
	message =
	    xasprintf("%s changed what belongs to the controller; it was put back: %s", who, paths);
	status_condition(status, type, "True", "PutBack", message, generation_of(o), o->now);
	return message;
}

static bool contract_too_large(const struct observed *o, const char *contract, struct plan *plan)
{
	auto_free char *message = NULL;

	if (strlen(contract) <= CONTRACT_MAX)
		return false;
	message = xasprintf("expected a contract of at most %d bytes (a ConfigMap holds 1 MiB), "
			    "found %zu: shorten spec.parameters or storage",
			    CONTRACT_MAX, strlen(contract));
	reject(o, plan, "ContractTooLarge", message);
	return true;
}

static struct json *starting_status(const struct observed *o, const struct json *results,
				    const char *contract, const char *message)
{
	struct verdict verdict = {.phase = "Pending", .reason = "Starting", .message = message};
	struct json *wanted = status_apply(o->run, &verdict, o->now);

	json_remove(wanted, "completionTime");
	name_job(o, wanted);
	name_model(wanted, results);
	keep_contract(wanted, contract, generation_of(o), o->now);
	json_set(wanted, "policy", json_build("{'digest': %s}", o->digest));
	return wanted;
}

void start_new(const struct observed *o, const struct json *results, struct plan *plan)
{
	auto_free char *contract = NULL, *name = run_job_name(o->run), *message = NULL;
	auto_free char *of_policy = NULL, *of_template = NULL, *policy = NULL, *template = NULL;
	auto_json struct json *wanted = NULL;
	struct json *job;

	/* All hooks are asked at once: contract and shape may count on what validate has refused. */
	if (parameters_refused(o, results, plan) || policies_failed(o, results, plan))
		return;
	contract = contract_text(o, results);
	if (contract_too_large(o, contract, plan))
		return;
	message =
	    xasprintf("%s %s is being created", run_is_scheduled(o->run) ? "CronJob" : "Job", name);
	wanted = starting_status(o, results, contract, message);
	job = job_to_create(o, results, &of_policy);
	of_template = manifest_put_back(o->run, o->config, o->digest);
	policy = tell_put_back(o, wanted, "PolicyOverruled", "job.lua", of_policy);
	template = tell_put_back(o, wanted, "PodTemplateOverruled", "podTemplate of the config",
				 of_template);
	plan_status(plan, o->run, wanted);
	add_creates(o, job, contract, plan);
	plan_event(plan, "Normal", "Started", message);
	if (policy != NULL)
		plan_event(plan, "Warning", "PolicyOverruled", policy);
	if (template != NULL)
		plan_event(plan, "Warning", "PodTemplateOverruled", template);
}

void start_resume(const struct observed *o, const struct json *results, struct plan *plan)
{
	auto_free char *contract = NULL, *overruled = NULL;

	if (policies_failed(o, results, plan))
		return;
	contract = contract_text(o, results);
	plan_add(plan, ACTION_CONFIRM, &KIND_RUN, NULL);
	add_creates(o, job_to_create(o, results, &overruled), contract, plan);
}
