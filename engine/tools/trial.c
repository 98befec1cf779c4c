#include "tools/trial.h"

#include "base/timefmt.h"
#include "control/config.h"
#include "control/status.h"
#include "policy/eval.h"

int policies_open(struct policies_at *policies, const char *path, struct err *err)
{
	auto_free char *place = NULL;

	*policies = (struct policies_at){.source = source_built_in()};
	if (path != NULL) {
		source_done(&policies->source);
		if (source_read(&path, 1, &policies->source, err) < 0)
			return TOOL_FAILED;
	}
	policies->asker = asker_new();
	if (path == NULL || asker_load(policies->asker, "", policies->source.files, err) == 0)
		return TOOL_GOOD;
	place = source_place(&policies->source, err->msg);
	err_set(err, err->kind, "%s", place);
	policies_close(policies);
	return TOOL_WRONG;
}

void policies_close(struct policies_at *policies)
{
	source_done(&policies->source);
	asker_free(policies->asker);
	policies->asker = NULL;
}

struct objects *trial_objects(const struct args *args, struct err *err)
{
	struct objects *objects = objects_new();
	bool good = true;

	for (size_t i = 0; i < args->file_count && good; i++)
		good = objects_read(objects, args->files[i], args->namespace, err) == 0;
	if (good && json_len(objects_runs(objects)) == 0) {
		err_set(err, ERR_NOT_FOUND,
			"expected an InferenceRun (ai.krateo.io) in the files, found none");
		good = false;
	}
	if (good)
		return objects;
	objects_free(objects);
	return NULL;
}

/* ---- one run ---- */

/* Before it was started a run had no status; a finished one is asked nothing. */
static void turn_back(struct json *run, bool started)
{
	struct json *status = json_mut(run, "status");

	json_remove(json_mut(run, "metadata"), "deletionTimestamp");
	if (!started)
		json_remove(run, "status");
	else if (phase_is_final(json_get_str(status, "phase", "")))
		json_remove(status, "phase");
}

static int find_own_policies(struct trial *trial, const struct objects *objects, struct err *err)
{
	auto_json struct json *configmap = objects_policies(objects, trial->bundle);

	if (*trial->bundle == '\0')
		return 0;
	if (configmap == NULL)
		return err_set(err, ERR_NOT_FOUND,
			       "its config has policies of its own: expected ConfigMap %s with the "
			       "label " LABEL_POLICY_MODE "=config among the files, found none",
			       trial->bundle);
	return source_configmap(configmap, trial->bundle, &trial->own, err);
}

static int load_own_policies(const struct trial *trial, struct asker *asker, struct err *err)
{
	auto_free char *place = NULL;

	if (asker_has(asker, trial->bundle) ||
	    asker_load(asker, trial->bundle, trial->own.files, err) == 0)
		return 0;
	place = source_place(&trial->own, err->msg);
	return err_set(err, err->kind, "%s", place);
}

int trial_begin(struct trial *trial, const struct objects *objects, const char *run_key,
		const struct args *args, const struct policies_at *policies, bool started,
		struct err *err)
{
	*trial = (struct trial){0};
	objects_look(objects, run_key, &trial->view);
	turn_back(trial->view.run, started);
	trial->bundle = config_policy_key(trial->view.config);
	if (trial->bundle == NULL)
		trial->bundle = xstrdup("");
	if (find_own_policies(trial, objects, err) < 0 ||
	    load_own_policies(trial, policies->asker, err) < 0)
		return -1;
	trial->digest = xstrdup(asker_digest(policies->asker, trial->bundle));
	trial->observed = (struct observed){
	    .run = trial->view.run,
	    .config = trial->view.config,
	    .job = started ? trial->view.job : NULL,
	    .firing = started ? trial->view.firing : NULL,
	    .pods = trial->view.pods,
	    .digest = trial->digest,
	    .shapes = true, /* without a job.lua the answer is the manifest that was asked about */
	    .service_account = args->service_account,
	    .now = time_now_ms(),
	};
	return 0;
}

void trial_end(struct trial *trial)
{
	view_done(&trial->view);
	source_done(&trial->own);
	free(trial->bundle);
	free(trial->digest);
}

char *trial_verdict(const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct json *status = json_get(plan->actions[i].body, "status");

		if (plan->actions[i].type == ACTION_STATUS)
			return xasprintf("%s: %s", json_get_str(status, "reason", "?"),
					 json_get_str(status, "message", "?"));
	}
	return NULL;
}

/* Why the controller asks nothing stands in what it does instead. */
static struct json *question_about(const struct trial *trial, struct err *err)
{
	struct json *question = decide_question(&trial->observed);
	auto_free char *verdict = NULL;
	struct plan plan;

	if (question != NULL)
		return question;
	plan_init(&plan);
	decide(&trial->observed, NULL, &plan);
	verdict = trial_verdict(&plan);
	plan_done(&plan);
	err_set(err, ERR_NOT_FOUND, "%s", verdict != NULL ? verdict : "nothing is asked");
	return NULL;
}

/* The controller does not take a status that contradicts the Job: only its plan tells. */
static void judge_status(const struct trial *trial, struct json *results)
{
	static const char refused[] = "PolicyError: ";
	auto_json struct json *run = json_copy(trial->view.run), *error = NULL;
	struct json *result = json_mut(results, "status");
	struct observed observed = trial->observed;
	auto_free char *verdict = NULL;
	struct plan plan;

	if (json_get(result, "ok") == NULL)
		return;
	json_remove(run, "status"); /* or it might be in there already */
	observed.run = run;
	plan_init(&plan);
	decide(&observed, results, &plan);
	verdict = trial_verdict(&plan);
	plan_done(&plan);
	if (verdict == NULL || !has_prefix(verdict, refused))
		return;
	error = eval_error("script", "status", eval_form_of("status")->file, 0,
			   verdict + strlen(refused), "");
	json_remove(result, "ok");
	json_set(result, "error", json_take(error, "error"));
}

struct json *trial_ask(const struct trial *trial, struct asker *asker, const char *hook,
		       struct err *err)
{
	auto_json struct json *question = NULL;
	struct json *results;

	if (hook != NULL && streq(hook, "status") && trial->observed.job == NULL) {
		err_set(err, ERR_NOT_FOUND,
			"status is asked once there is a Job: the files have none of this run");
		return NULL;
	}
	question = question_about(trial, err);
	if (question == NULL || load_own_policies(trial, asker, err) < 0)
		return NULL;
	if (hook != NULL)
		json_set(question, "hooks", json_build("[%s]", hook));
	results = asker_eval(asker, trial->bundle, question, err);
	judge_status(trial, results);
	return results;
}

char *trial_error(const struct trial *trial, const struct policies_at *policies,
		  const struct json *error)
{
	const char *message = json_get_str(error, "message", "?");
	bool own = json_get(trial->own.files, json_get_str(error, "file", "")) != NULL;

	if (streq(json_get_str(error, "kind", ""), "reject"))
		return xasprintf("rejected: %s", message);
	return source_place(own ? &trial->own : &policies->source, message);
}
