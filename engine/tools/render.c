#include "base/yaml.h"
#include "control/manifest.h"
#include "tools/commands.h"

struct rendering {
	const struct args *args;
	struct policies_at policies;
	struct json *items; /* for ARGS_JSON */
	bool told;
};

/* What the runner reads, for people: the ConfigMap has it on one line. */
static void print_contract(const struct json *configmap)
{
	const char *text = json_str(json_at(configmap, "data", CONTRACT_KEY));
	struct err err = ERR_INIT;
	auto_json struct json *contract = json_parse(text, strlen(text), &err);
	auto_free char *yaml = yaml_print(contract);
	size_t len;

	puts("# The contract:");
	for (const char *line = yaml; *line != '\0'; line += len + 1) {
		len = strcspn(line, "\n");
		printf("#   %.*s\n", (int)len, line);
	}
}

static void print_object(struct rendering *r, const struct json *object)
{
	if (r->args->output == ARGS_JSON) {
		json_append(r->items, json_copy(object));
		return;
	}
	if (r->told)
		puts("---");
	r->told = true;
	if (json_at(object, "data", CONTRACT_KEY) != NULL)
		print_contract(object);
	print_yaml(object);
}

/* What the controller would warn of in an Event, such as what it has put back. */
static void print_warning(const struct json *event, const char *run_key)
{
	if (streq(json_get_str(event, "type", ""), "Warning"))
		complain(TOOL_GOOD, "%s: warning: %s", run_key,
			 json_get_str(event, "message", "?"));
}

static int print_plan(struct rendering *r, const struct plan *plan, const char *run_key)
{
	auto_free char *verdict = NULL;
	bool created = false;

	for (size_t i = 0; i < plan->len; i++) {
		const struct action *action = &plan->actions[i];

		if (action->type == ACTION_CREATE)
			print_object(r, action->body);
		else if (action->type == ACTION_EVENT && created)
			print_warning(action->body, run_key);
		created = created || action->type == ACTION_CREATE;
	}
	if (created)
		return TOOL_GOOD;
	verdict = trial_verdict(plan);
	return complain(TOOL_WRONG, "%s: %s", run_key,
			verdict != NULL ? verdict : "nothing is made");
}

/* An error of a hook, with its place; false if there is none that counts. */
static bool failed(const struct rendering *r, const struct trial *trial, const struct json *results,
		   const char *run_key)
{
	if (json_first(json_at(results, "validate", "ok")) != NULL)
		return false; /* refused: what the other hooks do with such a run is of no interest */
	for (const struct json *result = json_first(results); result != NULL;
	     result = json_next(result)) {
		const struct json *error = json_get(result, "error");
		auto_free char *text = NULL;

		if (error == NULL)
			continue;
		text = trial_error(trial, &r->policies, error);
		complain(TOOL_WRONG, "%s (run %s)", text, run_key);
		return true;
	}
	return false;
}

static int render(struct rendering *r, const struct objects *objects, const char *run_key)
{
	auto_json struct json *results = NULL;
	struct err err = ERR_INIT;
	struct trial trial;
	struct plan plan;
	int status = TOOL_WRONG;

	plan_init(&plan);
	if (trial_begin(&trial, objects, run_key, r->args, &r->policies, false, &err) == 0)
		results = trial_ask(&trial, r->policies.asker, NULL, &err);
	if (results == NULL) {
		complain(status, "%s: %s", run_key, err.msg);
	} else if (!failed(r, &trial, results, run_key)) {
		decide(&trial.observed, results, &plan);
		status = print_plan(r, &plan, run_key);
	}
	plan_done(&plan);
	trial_end(&trial);
	return status;
}

static int render_all(struct rendering *r, const struct objects *objects)
{
	auto_json struct json *list = NULL;
	int worst = TOOL_GOOD;

	r->items = json_array();
	for (const struct json *run = json_first(objects_runs(objects)); run != NULL;
	     run = json_next(run)) {
		int status = render(r, objects, json_str(run));

		worst = status > worst ? status : worst;
	}
	list = json_build("{'apiVersion': 'v1', 'kind': 'List'}");
	json_set(list, "items", r->items);
	if (r->args->output == ARGS_JSON)
		print_json(list);
	return worst;
}

int command_render(const struct args *args)
{
	struct rendering r = {.args = args};
	struct err err = ERR_INIT;
	struct objects *objects = trial_objects(args, &err);
	int status = TOOL_FAILED;

	if (objects != NULL)
		status =
		    policies_open(&r.policies, args->word_count > 0 ? args->words[0] : NULL, &err);
	if (status == TOOL_GOOD)
		status = render_all(&r, objects);
	else
		complain(status, "%s", err.msg);
	policies_close(&r.policies);
	objects_free(objects);
	return status;
}
