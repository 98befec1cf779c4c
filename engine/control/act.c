#include "control/act.h"

struct act {
	struct act_env env;
	struct plan plan;
	size_t at; /* the action that is under way */
	struct json *run, *job;
	struct client_call *call;
	act_done_fn *done;
	void *arg;
};

static void act_free(struct act *act)
{
	plan_done(&act->plan);
	json_free(act->run);
	json_free(act->job);
	free(act);
}

static void finish(struct act *act, const struct err *err)
{
	struct act_result result = {.err = err, .run = act->run, .job = act->job};

	if (err != NULL)
		result.failed = &act->plan.actions[act->at];
	act->done(act->arg, &result);
	act_free(act);
}

static void step(void *arg);

static void next(struct act *act)
{
	act->at++;
	step(act);
}

static const char *run_field(const struct act *act, const char *key)
{
	return json_get_str(json_get(act->run, "metadata"), key, "");
}

static char *path_of(const struct act *act, const struct kind *kind, const char *name,
		     const char *subresource)
{
	return client_path(kind, run_field(act, "namespace"), name, subresource);
}

static const char *name_in(const struct json *body)
{
	return json_get_str(json_get(body, "metadata"), "name", "");
}

/* ---- what comes back ---- */

static void changed_run(void *arg, const struct json *object, const struct err *err)
{
	struct act *act = arg;

	act->call = NULL;
	if (err != NULL) {
		finish(act, err);
		return;
	}
	if (object != NULL) {
		json_free(act->run);
		act->run = json_copy(object);
	}
	next(act);
}

static void confirmed_run(void *arg, const struct json *object, const struct err *err)
{
	struct act *act = arg;
	struct err moved = ERR_INIT;

	act->call = NULL;
	if (err == NULL && !streq(json_get_str(json_get(object, "metadata"), "resourceVersion", ""),
				  run_field(act, "resourceVersion"))) {
		err_set(&moved, ERR_CONFLICT, "the run has changed since it was observed");
		err = &moved;
	}
	if (err != NULL)
		finish(act, err);
	else
		next(act);
}

static void changed_other(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct act *act = arg;

	act->call = NULL;
	if (err != NULL)
		finish(act, err);
	else
		next(act);
}

static void keep_created(struct act *act, const struct json *object)
{
	const struct action *action = &act->plan.actions[act->at];

	if (action->kind == &KIND_CONFIGMAP || object == NULL)
		return;
	json_free(act->job);
	act->job = json_copy(object);
}

static bool belongs_to_run(const struct act *act, const struct json *object)
{
	const struct json *owner = json_first(json_at(object, "metadata", "ownerReferences"));

	for (; owner != NULL; owner = json_next(owner))
		if (streq(json_get_str(owner, "uid", ""), run_field(act, "uid")))
			return true;
	return false;
}

static void looked_for(void *arg, const struct json *object, const struct err *err)
{
	struct act *act = arg;
	struct err found = ERR_INIT;

	act->call = NULL;
	if (err == NULL && belongs_to_run(act, object)) {
		err_set(&found, ERR_RETRY, "%s exists, though the watch has not shown it yet",
			name_in(object));
		err = &found;
	}
	if (err != NULL && err->kind != ERR_NOT_FOUND)
		finish(act, err);
	else
		next(act);
}

/* The live object behind "already exists". */
static void existing(void *arg, const struct json *object, const struct err *err)
{
	struct act *act = arg;
	struct err foreign = ERR_INIT;

	act->call = NULL;
	if (err == NULL && !belongs_to_run(act, object)) {
		err_set(&foreign, ERR_CONFLICT,
			"%s exists and does not belong to this run; it is left alone: delete or "
			"rename it",
			name_in(object));
		err = &foreign;
	}
	if (err != NULL) {
		finish(act, err);
		return;
	}
	keep_created(act, object);
	next(act);
}

static void created(void *arg, const struct json *object, const struct err *err)
{
	struct act *act = arg;
	const struct action *action = &act->plan.actions[act->at];
	auto_free char *path = NULL;

	act->call = NULL;
	if (err == NULL) {
		keep_created(act, object);
		next(act);
		return;
	}
	if (err->kind != ERR_CONFLICT) {
		finish(act, err);
		return;
	}
	path = path_of(act, action->kind, name_in(action->body), NULL);
	act->call = client_get(act->env.client, path, existing, act);
}

/* ---- what goes out ---- */

static void send_action(struct act *act, const struct action *action)
{
	struct client *client = act->env.client;
	auto_free char *path = NULL;

	switch (action->type) {
	case ACTION_STATUS:
		path = path_of(act, &KIND_RUN, run_field(act, "name"), "status");
		act->call = client_patch(client, path, PATCH_MERGE, action->body, changed_run, act);
		return;
	case ACTION_CONFIRM:
		path = path_of(act, &KIND_RUN, run_field(act, "name"), NULL);
		act->call = client_get(client, path, confirmed_run, act);
		return;
	case ACTION_ABSENT:
		path = path_of(act, action->kind, name_in(action->body), NULL);
		act->call = client_get(client, path, looked_for, act);
		return;
	case ACTION_CREATE:
		path = path_of(act, action->kind, NULL, NULL);
		act->call = client_create(client, path, action->body, created, act);
		return;
	case ACTION_PATCH:
		path = path_of(act, action->kind, name_in(action->body), NULL);
		act->call =
		    client_patch(client, path, PATCH_MERGE, action->body, changed_other, act);
		return;
	case ACTION_DELETE:
		path = path_of(act, &KIND_RUN, run_field(act, "name"), NULL);
		act->call = client_delete(client, path, run_field(act, "uid"),
					  run_field(act, "resourceVersion"), changed_other, act);
		return;
	case ACTION_EVENT:
		act->env.emit(act->env.arg, act->run, action->body);
		next(act);
		return;
	}
}

static void step(void *arg)
{
	struct act *act = arg;
	const struct action *action;
	struct err err = ERR_INIT;

	if (act->at == act->plan.len) {
		finish(act, NULL);
		return;
	}
	action = &act->plan.actions[act->at];
	if (action->type != ACTION_EVENT && !act->env.may_write(act->env.arg)) {
		err_set(&err, ERR_RETRY, "this controller does not hold the lease");
		finish(act, &err);
		return;
	}
	send_action(act, action);
}

struct act *act_start(const struct act_env *env, const struct json *run, struct plan *plan_taken,
		      act_done_fn *done, void *arg)
{
	struct act *act = xcalloc(1, sizeof(*act));

	act->env = *env;
	act->plan = *plan_taken;
	plan_init(plan_taken);
	act->run = json_copy(run);
	act->done = done;
	act->arg = arg;
	loop_defer(env->loop, step, act);
	return act;
}

void act_cancel(struct act *act)
{
	if (act->call != NULL)
		client_cancel(act->call);
	loop_undefer(act->env.loop, act);
	act_free(act);
}
