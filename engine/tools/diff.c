#include "base/diff.h"

#include "tools/commands.h"

struct comparison {
	const struct args *args;
	const struct policies_at *old, *new;
	const char *run_key, *hook;
	bool colors;
	bool headed;            /* the hook's header is printed */
	struct json *changes;   /* of the run, for ARGS_JSON */
	size_t changed, failed; /* runs */
};

/* ---- printing ---- */

static void print_line(const struct comparison *c, const char *color, char sign, const char *path,
		       const char *text)
{
	printf("%s%c %s%s%s%s\n", c->colors ? color : "", sign, path, *path != '\0' ? ": " : "",
	       text, c->colors ? "\033[m" : "");
}

static void print_header(struct comparison *c)
{
	const char *on = c->colors ? "\033[1m" : "", *off = c->colors ? "\033[m" : "";

	if (!c->headed)
		printf("%s--- %s: %s %s\n+++ %s: %s %s%s\n", on, c->old->source.name, c->run_key,
		       c->hook, c->new->source.name, c->run_key, c->hook, off);
	c->headed = true;
}

static void print_side(const struct comparison *c, bool old, const char *path,
		       const struct json *value)
{
	bool is_summary = *path == '\0' && json_str(value) != NULL;
	auto_free char *text = is_summary ? xstrdup(json_str(value)) : json_print(value);
	const char *color = old ? "\033[31m" : "\033[32m";

	if (value != NULL)
		print_line(c, color, old ? '-' : '+', path, text);
}

/* ---- comparing ---- */

static bool on_change(void *arg, const char *path, const struct json *a, const struct json *b)
{
	struct comparison *c = arg;
	struct json *change;

	if (c->args->output == ARGS_TEXT) {
		print_header(c);
		print_side(c, true, path, a);
		print_side(c, false, path, b);
		return true;
	}
	change = json_build("{'hook': %s, 'path': %s}", c->hook, path);
	if (a != NULL)
		json_set(change, "old", json_copy(a));
	if (b != NULL)
		json_set(change, "new", json_copy(b));
	json_append(c->changes, change);
	return true;
}

/* An answer as one line, where it cannot be compared part by part. */
static struct json *summary(const struct trial *trial, const struct policies_at *policies,
			    const struct json *result)
{
	const struct json *error = json_get(result, "error");
	auto_free char *text = error != NULL ? trial_error(trial, policies, error) : NULL;

	return json_string(text != NULL ? text : "an answer");
}

static void compare(struct comparison *c, const struct trial *trial, const struct json *a,
		    const struct json *b)
{
	auto_json struct json *old = NULL, *new = NULL;

	if (json_get(a, "ok") != NULL && json_get(b, "ok") != NULL) {
		diff_each(json_get(a, "ok"), json_get(b, "ok"), on_change, c);
		return;
	}
	old = summary(trial, c->old, a);
	new = summary(trial, c->new, b);
	if (!json_equal(json_at(a, "error", "message"), json_at(b, "error", "message")))
		on_change(c, "", old, new);
}

static int ask_both(struct comparison *c, const struct trial *trial)
{
	auto_json struct json *a = NULL, *b = NULL;
	struct err err = ERR_INIT;

	a = trial_ask(trial, c->old->asker, c->hook, &err);
	b = a != NULL ? trial_ask(trial, c->new->asker, c->hook, &err) : NULL;
	if (b == NULL)
		return complain(TOOL_FAILED, "%s: %s", c->run_key, err.msg);
	compare(c, trial, json_get(a, c->hook), json_get(b, c->hook));
	return TOOL_GOOD;
}

static int compare_hook(struct comparison *c, const struct objects *objects, const char *hook)
{
	bool started = streq(hook, "status");
	struct err err = ERR_INIT;
	struct trial trial;
	int status = TOOL_GOOD;

	c->hook = hook;
	c->headed = false;
	/* One digest for both: that it differs is known. */
	if (trial_begin(&trial, objects, c->run_key, c->args, c->old, started, &err) < 0)
		status = complain(TOOL_FAILED, "%s: %s", c->run_key, err.msg);
	else if (!started || trial.observed.job != NULL)
		status = ask_both(c, &trial);
	trial_end(&trial);
	return status;
}

static int compare_run(struct comparison *c, const struct objects *objects)
{
	static const char *const hooks[] = {"validate", "contract", "shape", "status"};
	auto_json struct json *report = NULL;
	int status = TOOL_GOOD;
	bool changed = false;

	c->changes = json_array();
	for (size_t i = 0; i < ARRAY_LEN(hooks) && status == TOOL_GOOD; i++) {
		status = compare_hook(c, objects, hooks[i]);
		changed = changed || c->headed || json_first(c->changes) != NULL;
	}
	c->changed += changed;
	report = json_build("{'run': %s}", c->run_key);
	json_set(report, "changes", c->changes);
	if (c->args->output != ARGS_TEXT && status == TOOL_GOOD)
		print_report(c->args, report);
	return status != TOOL_GOOD ? status : changed ? TOOL_WRONG : TOOL_GOOD;
}

static void print_count(const struct comparison *c, size_t runs)
{
	printf("%zu of %zu runs change", c->changed, runs);
	if (c->failed > 0)
		printf("; %zu could not be compared", c->failed);
	putchar('\n');
}

static int compare_all(struct comparison *c, const struct objects *objects)
{
	const struct json *runs = objects_runs(objects);
	int worst = TOOL_GOOD;

	for (const struct json *r = json_first(runs); r != NULL; r = json_next(r)) {
		int status;

		c->run_key = json_str(r);
		status = compare_run(c, objects);
		c->failed += status == TOOL_FAILED;
		worst = status > worst ? status : worst;
	}
	if (c->args->output == ARGS_TEXT)
		print_count(c, json_len(runs));
	return worst;
}

int command_diff(const struct args *args)
{
	struct policies_at old = {0}, new = {0};
	struct comparison c = {.args = args, .old = &old, .new = &new, .colors = has_colors()};
	struct err err = ERR_INIT;
	struct objects *objects = trial_objects(args, &err);
	int status = TOOL_FAILED;

	if (objects == NULL || policies_open(&old, args->words[0], &err) != TOOL_GOOD ||
	    policies_open(&new, args->words[1], &err) != TOOL_GOOD)
		complain(status, "%s", err.msg);
	else
		status = compare_all(&c, objects);
	policies_close(&old);
	policies_close(&new);
	objects_free(objects);
	return status;
}
