#include "policy/eval.h"
#include "tools/commands.h"

struct evaluation {
	const struct args *args;
	const char *hook;
	struct policies_at policies;
	bool told; /* an answer before this one */
};

static void print_answer(struct evaluation *e, const char *run_key, const struct json *result)
{
	const struct json *usage = json_get(result, "usage"), *ok = json_get(result, "ok");

	if (e->args->output == ARGS_JSON) {
		auto_json struct json *line =
		    json_build("{'run': %s, 'hook': %s}", run_key, e->hook);
		const char *key = ok != NULL ? "ok" : "error";

		json_set(line, key, json_copy(json_get(result, key)));
		json_merge_patch(line, usage);
		print_json(line);
		return;
	}
	if (ok == NULL)
		return;
	printf("%s# %s %s", e->told ? "---\n" : "", run_key, e->hook);
	if (usage != NULL)
		printf(": %lld of %d instructions, %lld of %d KiB",
		       (long long)json_get_int(usage, "instructions", 0), SANDBOX_INSTRUCTIONS,
		       (long long)json_get_int(usage, "memory", 0) / 1024, SANDBOX_HEAP_MAX / 1024);
	putchar('\n');
	print_yaml(ok);
	e->told = true;
}

/* A run that would not get what it wants. */
static bool is_bad(const struct evaluation *e, const struct json *result)
{
	return json_get(result, "error") != NULL ||
	       (streq(e->hook, "validate") && json_first(json_get(result, "ok")) != NULL);
}

static int tell(struct evaluation *e, const struct trial *trial, const char *run_key,
		const struct json *result)
{
	const struct json *error = json_get(result, "error");
	auto_free char *text = NULL;

	print_answer(e, run_key, result);
	if (error != NULL) {
		text = trial_error(trial, &e->policies, error);
		complain(TOOL_WRONG, "%s (run %s)", text, run_key);
	}
	return is_bad(e, result) ? TOOL_WRONG : TOOL_GOOD;
}

static int evaluate(struct evaluation *e, const struct objects *objects, const char *run_key)
{
	auto_json struct json *results = NULL;
	struct err err = ERR_INIT;
	struct trial trial;
	int status;

	if (trial_begin(&trial, objects, run_key, e->args, &e->policies, streq(e->hook, "status"),
			&err) == 0)
		results = trial_ask(&trial, e->policies.asker, e->hook, &err);
	status = results != NULL ? tell(e, &trial, run_key, json_get(results, e->hook))
				 : complain(TOOL_WRONG, "%s: %s", run_key, err.msg);
	trial_end(&trial);
	return status;
}

static int evaluate_all(struct evaluation *e, const struct objects *objects)
{
	int worst = TOOL_GOOD;

	for (const struct json *r = json_first(objects_runs(objects)); r != NULL; r = json_next(r))
		if (evaluate(e, objects, json_str(r)) != TOOL_GOOD)
			worst = TOOL_WRONG;
	return worst;
}

int command_eval(const struct args *args)
{
	struct evaluation e = {.args = args, .hook = args->words[0]};
	struct objects *objects;
	struct err err = ERR_INIT;
	int worst;

	if (eval_form_of(e.hook) == NULL)
		return complain(
		    TOOL_FAILED,
		    "kserve-controller policy eval: expected validate, contract, shape or "
		    "status, found \"%s\"; see --help",
		    e.hook);
	objects = trial_objects(args, &err);
	if (objects == NULL)
		return complain(TOOL_FAILED, "%s", err.msg);
	worst = policies_open(&e.policies, args->words[1], &err);
	if (worst == TOOL_GOOD)
		worst = evaluate_all(&e, objects);
	else
		complain(worst, "%s", err.msg);
	policies_close(&e.policies);
	objects_free(objects);
	return worst;
}
