#include "policy/eval.h"

#include "base/buf.h"

enum { EXAMPLE_TEXT_MAX = 300 };

/* What a hook must return: NULL, or what was expected instead of value. */
typedef const char *check_fn(const struct json *value);

static const char *check_object(const struct json *value)
{
	return json_type(value) == JSON_OBJECT ? NULL : "a table";
}

static const char *check_violations(const struct json *value)
{
	static const char expected[] = "nothing or a list of {field = \"...\", message = \"...\"}";

	if (value == NULL || (json_type(value) == JSON_OBJECT && json_first(value) == NULL))
		return NULL; /* return {} is an empty list as well */
	if (json_type(value) != JSON_ARRAY)
		return expected;
	for (const struct json *v = json_first(value); v != NULL; v = json_next(v))
		if (json_str(json_get(v, "field")) == NULL ||
		    json_str(json_get(v, "message")) == NULL)
			return expected;
	return NULL;
}

static bool is_text_or_missing(const struct json *value)
{
	return value == NULL || json_type(value) == JSON_STRING;
}

static const char *check_status(const struct json *value)
{
	static const char *const phases[] = {"Pending", "Scheduled", "Suspended",
					     "Running", "Succeeded", "Failed"};
	const char *phase = json_get_str(value, "phase", "");
	const struct json *conditions = json_get(value, "conditions");
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		known = known || streq(phase, phases[i]);
	if (!known)
		return "a table with phase = \"Pending\", \"Scheduled\", \"Suspended\", "
		       "\"Running\", "
		       "\"Succeeded\" or \"Failed\"";
	if (!is_text_or_missing(json_get(value, "reason")) ||
	    !is_text_or_missing(json_get(value, "message")))
		return "a table whose reason and message are strings";
	if (conditions != NULL && json_type(conditions) != JSON_ARRAY)
		return "a table whose conditions are a list";
	return NULL;
}

static const struct hook {
	struct eval_form form;
	check_fn *check;
} hooks[] = {
    {{"validate", "parameters.lua", "validate", {"parameters", "run", "config"}}, check_violations},
    {{"contract", "contract.lua", "contract", {"run", "config", "job"}}, check_object},
    {{"shape", "job.lua", "shape", {"manifest", "run", "config"}}, check_object},
    {{"status", "status.lua", "status", {"run", "job", "pods", "now"}}, check_status},
};

const struct eval_form *eval_form_of_file(const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (streq(hooks[i].form.file, file))
			return &hooks[i].form;
	return NULL;
}

static const struct hook *find_hook(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (streq(hooks[i].form.hook, name))
			return &hooks[i];
	return NULL;
}

const struct eval_form *eval_form_of(const char *name)
{
	const struct hook *hook = find_hook(name);

	return hook != NULL ? &hook->form : NULL;
}

/* ---- results ---- */

struct json *eval_error(const char *kind, const char *hook, const char *file, int line,
			const char *message, const char *traceback)
{
	return json_build(
	    "{'error': {'kind': %s, 'hook': %s, 'file': %s, 'line': %d, 'message': %s, "
	    "'traceback': %s}}",
	    kind, hook, file, (int64_t)line, message, traceback);
}

static struct json *from_fault(const struct policy_fault *fault, const char *hook)
{
	return eval_error(fault->kind, hook, fault->file, fault->line, fault->message,
			  fault->traceback);
}

static struct json *ok(struct json *value_taken)
{
	struct json *result = json_object();

	json_set(result, "ok", value_taken);
	return result;
}

static struct json *whole_file_error(const char *hook, const char *file, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static struct json *whole_file_error(const char *hook, const char *file, const char *fmt, ...)
{
	auto_free char *text = NULL, *message = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	message = xasprintf("%s: %s", file, text);
	return eval_error("script", hook, file, 0, message, "");
}

/* ---- one evaluation ---- */

static int run(const struct eval *eval, const struct sandbox_call *call, const char *hook,
	       struct buf *out, struct policy_fault *fault, struct json **usage)
{
	struct sandbox_options options = {.bundle = eval->bundle,
					  .log = eval->log,
					  .log_arg = eval->arg,
					  .coverage = eval->coverage};
	struct sandbox *box = sandbox_new(&options);
	int failed;

	if (eval->started != NULL)
		eval->started(eval->arg, box, hook);
	failed = sandbox_call(box, call, out, fault);
	if (eval->ended != NULL)
		eval->ended(eval->arg);
	if (usage != NULL)
		*usage = json_build("{'instructions': %d, 'memory': %d}", sandbox_instructions(box),
				    (int64_t)sandbox_heap_peak(box));
	sandbox_free(box);
	return failed;
}

static struct json *checked_result(const struct hook *hook, const struct buf *out)
{
	auto_json struct json *value = NULL;
	struct err err = ERR_INIT;
	const char *expected;

	if (out->len > 0) {
		value = json_parse(out->data, out->len, &err);
		if (value == NULL)
			return whole_file_error(hook->form.hook, hook->form.file, "%s", err.msg);
	}
	expected = hook->check(value);
	if (expected != NULL)
		return whole_file_error(
		    hook->form.hook, hook->form.file, "expected %s to return %s, found %.200s",
		    hook->form.function, expected, out->len > 0 ? out->data : "nothing");
	if (hook->check == check_violations && json_first(value) == NULL)
		return ok(json_array());
	return ok(steal(value));
}

static const struct json *argument(const struct json *request, const char *name)
{
	const struct json *value = json_get(request, name);

	if (value == NULL && streq(name, "parameters"))
		return json_at(request, "run", "spec", "parameters");
	return value;
}

struct json *eval_hook(const struct eval *eval, const char *name, const struct json *request)
{
	auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	const struct hook *hook = find_hook(name);
	struct sandbox_call call = {.want = SANDBOX_RESULT};
	struct policy_fault fault;
	struct json *result, *usage = NULL;

	if (hook == NULL)
		return eval_error("script", name, "", 0,
				  "unknown hook; expected validate, contract, shape or status", "");
	if (bundle_find(eval->bundle, hook->form.file) == NULL &&
	    json_get(request, "manifest") != NULL)
		return ok(json_copy(json_get(request, "manifest")));
	call.file = hook->form.file;
	call.function = hook->form.function;
	for (; hook->form.args[call.arg_count] != NULL; call.arg_count++)
		call.args[call.arg_count] = argument(request, hook->form.args[call.arg_count]);
	if (run(eval, &call, hook->form.hook, &out, &fault, &usage) < 0)
		result = from_fault(&fault, hook->form.hook);
	else
		result = checked_result(hook, &out);
	json_set(result, "usage", usage);
	return result;
}

/* ---- checking a bundle ---- */

static struct json *check_files(const struct eval *eval)
{
	for (size_t i = 0; i < bundle_len(eval->bundle); i++) {
		auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
		struct sandbox_call call = {.file = bundle_at(eval->bundle, i)->name,
					    .want = SANDBOX_MODULE};
		const struct eval_form *form = eval_form_of_file(call.file);
		const char *hook = "";
		struct policy_fault fault;

		if (form != NULL) {
			hook = form->hook;
			call.function = form->function;
			call.want = SANDBOX_CHECK;
		}
		if (run(eval, &call, hook, &out, &fault, NULL) < 0)
			return from_fault(&fault, hook);
	}
	return NULL;
}

static struct json *unexpected(const char *hook, int number, const struct json *expected,
			       const struct json *found)
{
	auto_free char *want = json_print(expected), *got = json_print(found);

	return whole_file_error(hook, EVAL_EXAMPLES, "case %d (%s): expected %.*s, found %.*s",
				number, hook, EXAMPLE_TEXT_MAX, want, EXAMPLE_TEXT_MAX, got);
}

/* {} in a Lua file may mean an empty list as well. */
static bool is_expected(const struct json *expected, const struct json *found)
{
	if (json_type(found) == JSON_ARRAY && json_first(found) == NULL)
		return json_first(expected) == NULL && json_type(expected) >= JSON_ARRAY;
	return json_equal(expected, found);
}

static struct json *check_example(const struct eval *eval, const struct json *example, int number)
{
	const struct json *output = json_get(example, "output"),
			  *error = json_get(example, "error");
	const char *hook = json_get_str(example, "hook", "");
	auto_json struct json *result = NULL;
	const struct json *found;

	if (find_hook(hook) == NULL || json_get(example, "input") == NULL ||
	    (output == NULL) == (error == NULL))
		return whole_file_error(
		    hook, EVAL_EXAMPLES,
		    "case %d: expected {hook = \"validate\", \"contract\", \"shape\" "
		    "or \"status\", input = {...}, and output = ... or error = \"...\"}",
		    number);
	result = eval_hook(eval, hook, json_get(example, "input"));
	json_remove(result, "usage"); /* no part of what is shown */
	if (error != NULL && streq(json_get_str(json_get(result, "error"), "kind", ""), "reject"))
		found = json_at(result, "error", "message");
	else
		found = output != NULL ? json_get(result, "ok") : NULL;
	if (is_expected(output != NULL ? output : error, found))
		return NULL;
	return unexpected(hook, number, output != NULL ? output : error,
			  found != NULL ? found : result);
}

static struct json *check_examples(const struct eval *eval)
{
	struct sandbox_call call = {.file = EVAL_EXAMPLES, .want = SANDBOX_RETURN};
	auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	auto_json struct json *examples = NULL;
	struct err err = ERR_INIT;
	struct policy_fault fault;
	int number = 0;

	if (bundle_find(eval->bundle, EVAL_EXAMPLES) == NULL)
		return NULL;
	if (run(eval, &call, "", &out, &fault, NULL) < 0)
		return from_fault(&fault, "");
	examples = out.len > 0 ? json_parse(out.data, out.len, &err) : NULL;
	if (json_type(examples) != JSON_ARRAY)
		return whole_file_error("", EVAL_EXAMPLES,
					"expected the file to return a list of cases");
	for (const struct json *e = json_first(examples); e != NULL; e = json_next(e)) {
		struct json *problem = check_example(eval, e, ++number);

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

struct json *eval_check(const struct eval *eval)
{
	struct json *problem = check_files(eval);

	if (problem == NULL)
		problem = check_examples(eval);
	return problem != NULL ? problem : ok(json_object());
}
