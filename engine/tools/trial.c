#include "tools/trial.h"

#include "base/timefmt.h"
#include "control/status.h"

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
	if (path == NULL || asker_load(policies->asker, policies->source.files, err) == 0)
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

void trial_begin(struct trial *trial, const struct objects *objects, const char *run_key,
		 const struct args *args, const char *digest, bool started)
{
	struct json *status;

	objects_look(objects, run_key, &trial->view);
	json_remove(json_mut(trial->view.run, "metadata"), "deletionTimestamp");
	status = json_mut(trial->view.run, "status");
	if (!started)
		json_remove(trial->view.run, "status");
	else if (phase_is_final(json_get_str(status, "phase", "")))
		json_remove(status, "phase");
	trial->observed = (struct observed){
	    .run = trial->view.run,
	    .config = trial->view.config,
	    .job = started ? trial->view.job : NULL,
	    .firing = started ? trial->view.firing : NULL,
	    .pods = trial->view.pods,
	    .digest = digest,
	    .shapes = true, /* without a job.lua the answer is the manifest that was asked about */
	    .service_account = args->service_account,
	    .now = time_now_ms(),
	};
}

void trial_end(struct trial *trial)
{
	view_done(&trial->view);
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

struct json *trial_question(const struct trial *trial, struct err *err)
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

struct json *trial_ask(const struct trial *trial, struct asker *asker, const char *hook,
		       struct err *err)
{
	auto_json struct json *question = NULL, *results = NULL;

	if (streq(hook, "status") && trial->observed.job == NULL) {
		err_set(err, ERR_NOT_FOUND,
			"status is asked once there is a Job: the files have none of this run");
		return NULL;
	}
	question = trial_question(trial, err);
	if (question == NULL)
		return NULL;
	json_set(question, "hooks", json_build("[%s]", hook));
	results = asker_eval(asker, question, err);
	return results != NULL ? json_take(results, hook) : NULL;
}
