#include "control/pass.h"

#include "base/buf.h"
#include "base/timefmt.h"
#include "control/decide.h"
#include "control/look.h"
#include "control/status.h"

struct pass {
	struct pass_env env;
	char *key;
	struct view view;
	char *bundle;        /* that judges the run; NULL: none may */
	char *digest;        /* of the policies that answered */
	int64_t asked_about; /* the wall clock of the question */
	struct client_call *look;
	struct json *events; /* see look.h */
	struct policy_call *question;
	int64_t asked_at;
	struct act *act;
	struct pass_result result;
	struct err err;
	char *run_version, *job_uid, *finished_phase;
	pass_done_fn *done;
	void *arg;
};

static void pass_free(struct pass *pass)
{
	view_done(&pass->view);
	json_free(pass->events);
	free(pass->key);
	free(pass->bundle);
	free(pass->digest);
	free(pass->run_version);
	free(pass->job_uid);
	free(pass->finished_phase);
	free(pass);
}

static void finish(struct pass *pass)
{
	pass->result.run_version = pass->run_version;
	pass->result.job_uid = pass->job_uid;
	pass->result.finished_phase = pass->finished_phase;
	pass->result.err = pass->err.kind != ERR_NONE ? &pass->err : NULL;
	pass->done(pass->arg, pass->key, &pass->result);
	pass_free(pass);
}

static void fail(struct pass *pass, const struct err *err)
{
	pass->err = *err;
	pass->result.failed = true;
}

static struct observed observed(const struct pass *pass)
{
	return (struct observed){
	    .run = pass->view.run,
	    .config = pass->view.config,
	    .config_trouble = pass->view.config_trouble,
	    .job = pass->view.job,
	    .firing = pass->view.firing,
	    .pods = pass->view.pods,
	    .events = pass->events,
	    .digest = pass->digest,
	    .shapes = pass->bundle != NULL && policy_shapes(pass->env.host, pass->bundle),
	    .service_account = pass->env.service_account,
	    .pending_ms = pass->env.pending_ms,
	    .now = time_now_ms(),
	};
}

/* ---- act ---- */

static int64_t age_ms(const struct json *run)
{
	int64_t created;

	return time_parse(json_get_str(json_get(run, "metadata"), "creationTimestamp", ""),
			  &created)
		   ? time_now_ms() - created
		   : 0;
}

/* Remember what was written, so that the next pass waits until the watch has shown it. */
static void note_writes(struct pass *pass, const struct act_result *acted)
{
	const char *before =
	    json_get_str(json_get(pass->view.run, "metadata"), "resourceVersion", "");
	const char *after = json_get_str(json_get(acted->run, "metadata"), "resourceVersion", "");
	const char *phase = json_get_str(json_get(acted->run, "status"), "phase", "");

	if (acted->job != NULL) {
		free(pass->job_uid);
		pass->job_uid = xstrdup(json_get_str(json_get(acted->job, "metadata"), "uid", ""));
	}
	if (streq(before, after))
		return;
	if (phase_is_final(phase) &&
	    !streq(phase, json_get_str(json_get(pass->view.run, "status"), "phase", ""))) {
		pass->finished_phase = xstrdup(phase);
		pass->result.finished_after_ms = age_ms(acted->run);
	}
	free(pass->run_version);
	pass->run_version = xstrdup(after);
	json_free(pass->view.run);
	pass->view.run = json_copy(acted->run);
}

static void told_failure(void *arg, const struct act_result *acted)
{
	struct pass *pass = arg;

	pass->act = NULL;
	note_writes(pass, acted);
	finish(pass);
}

static void acted(void *arg, const struct act_result *acted)
{
	struct pass *pass = arg;
	struct observed o;
	struct plan plan;

	pass->act = NULL;
	note_writes(pass, acted);
	if (acted->err == NULL) {
		finish(pass);
		return;
	}
	fail(pass, acted->err);
	o = observed(pass);
	plan_init(&plan);
	decide_failure(&o, acted->failed, acted->err, &plan);
	pass->act = act_start(&pass->env.act, pass->view.run, &plan, told_failure, pass);
}

static void decide_and_act(struct pass *pass, const struct json *results)
{
	struct observed o = observed(pass);
	struct plan plan;

	plan_init(&plan);
	decide(&o, results, &plan);
	pass->result.requeue_ms = plan.requeue_ms;
	pass->result.failed = pass->result.failed || plan.backoff;
	pass->act = act_start(&pass->env.act, pass->view.run, &plan, acted, pass);
}

/* Nothing now, but again after the key's back-off. */
static void put_off(struct pass *pass)
{
	struct plan nothing;

	pass->result.failed = true;
	plan_init(&nothing);
	pass->act = act_start(&pass->env.act, pass->view.run, &nothing, acted, pass);
}

/* ---- ask ---- */

/* One of host.h, whatever a worker says: it becomes the label of a metric. */
static const char *known_kind(const char *kind)
{
	static const char *const kinds[] = {"reject", "limit"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (streq(kind, kinds[i]))
			return kinds[i];
	return "script";
}

static const char *error_kind(const struct json *results)
{
	for (const struct json *r = json_first(results); r != NULL; r = json_next(r))
		if (json_get(r, "error") != NULL)
			return known_kind(json_get_str(json_get(r, "error"), "kind", ""));
	return NULL;
}

static void answered(void *arg, const struct json *reply, const struct err *err)
{
	struct pass *pass = arg;
	const struct json *results = json_get(reply, "results");
	bool same = streq(pass->digest, json_get_str(reply, "digest", ""));
	struct observed o = observed(pass);

	pass->question = NULL;
	o.now = pass->asked_about;
	bundles_answered(pass->env.bundles, pass->bundle, &o, same ? results : NULL);
	pass->env.evaluated(pass->env.act.arg, time_mono_ms() - pass->asked_at,
			    err != NULL ? "limit" : error_kind(results));
	if (err != NULL) {
		fail(pass, err);
		finish(pass);
		return;
	}
	if (!same) {
		/* Other policies came into force in between: the question was made for the old. */
		pass->result.requeue_ms = 0;
		finish(pass);
		return;
	}
	decide_and_act(pass, results);
}

/* The answer would take so long that other passes need the place. A new run is told so. */
static void wait_for_others(struct pass *pass)
{
	const struct json *status = json_get(pass->view.run, "status");
	auto_json struct json *results =
	    json_build("{'policy': {'error': {'kind': 'limit', 'message': 'other runs of these "
		       "policies have reached a limit and are tried first'}}}");

	if (*json_get_str(status, "phase", "") == '\0')
		decide_and_act(pass, results);
	else
		put_off(pass);
}

static void ask(struct pass *pass)
{
	auto_json struct json *question = NULL, *unasked = NULL;
	struct observed o;

	pass->bundle = bundles_of(pass->env.bundles, pass->view.config, &unasked);
	pass->digest =
	    xstrdup(policy_digest(pass->env.host, pass->bundle != NULL ? pass->bundle : ""));
	o = observed(pass);
	question = decide_question(&o);
	if (question != NULL && pass->bundle == NULL && unasked == NULL) {
		put_off(pass); /* they are being checked */
		return;
	}
	if (question == NULL || pass->bundle == NULL) {
		decide_and_act(pass, question != NULL ? unasked : NULL);
		return;
	}
	if (policy_busy(pass->env.host, pass->bundle, question)) {
		wait_for_others(pass);
		return;
	}
	pass->asked_at = time_mono_ms();
	pass->asked_about = o.now;
	bundles_asked(pass->env.bundles);
	pass->question = policy_eval(pass->env.host, pass->bundle, question, answered, pass);
}

/* ---- look ---- */

/* An interrupted start must not go on without an answer, but for a controller that may not ask. */
static void looked(void *arg, const struct json *object, const struct err *err)
{
	struct pass *pass = arg;
	struct observed o = observed(pass);

	pass->look = NULL;
	if (err == NULL) {
		const struct json *items = json_get(object, "items");

		pass->events = items != NULL ? json_copy(items) : json_array();
	} else if (decide_stage(&o) == STAGE_STARTING && err->kind != ERR_DENIED) {
		fail(pass, err);
		finish(pass);
		return;
	}
	ask(pass);
}

/* Not now: with the key's back-off. A start waits, what a status says need not. */
static void do_without(struct pass *pass)
{
	struct observed o = observed(pass);

	if (decide_stage(&o) != STAGE_STARTED) {
		put_off(pass);
		return;
	}
	pass->result.failed = true;
	ask(pass);
}

static void look(struct pass *pass, const char *selector)
{
	const char *namespace = json_get_str(json_get(pass->view.run, "metadata"), "namespace", "");
	auto_free char *path = client_path(&KIND_EVENT, namespace, NULL, NULL);
	auto_buf struct buf query = BUF_INIT(4096);

	buf_addf(&query, "%s?limit=%d&fieldSelector=", path, LOOK_EVENTS_MAX);
	client_escape(&query, selector);
	pass->look = client_get(pass->env.act.client, query.data, looked, pass);
}

struct pass *pass_start(const struct pass_env *env, const char *key, struct view *view_taken,
			pass_done_fn *done, void *arg)
{
	struct pass *pass = xcalloc(1, sizeof(*pass));
	auto_free char *selector = NULL;
	struct observed o;

	pass->env = *env;
	pass->key = xstrdup(key);
	pass->view = *view_taken;
	*view_taken = (struct view){0};
	pass->result.requeue_ms = -1;
	pass->done = done;
	pass->arg = arg;
	o = observed(pass);
	selector = look_selector(&o);
	if (selector == NULL)
		ask(pass);
	else if (env->may_look(env->act.arg))
		look(pass, selector);
	else
		do_without(pass);
	return pass;
}

void pass_cancel(struct pass *pass)
{
	client_cancel(pass->look);
	if (pass->question != NULL)
		policy_cancel(pass->question);
	if (pass->act != NULL)
		act_cancel(pass->act);
	pass_free(pass);
}
