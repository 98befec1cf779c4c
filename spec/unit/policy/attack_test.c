/*
 * Every way out that we know of, from spec/unit/policy/attacks/: a line "--- name", a line
 * "--> KIND: text" and the body of a function up to the next name. KIND is
 *	limit, script, reject    the kind of the error, whose message holds the text
 *	clock                    a limit that needs the worker's clock: it is tried in a worker only
 *	ok                       the result is this JSON (nothing: no result)
 * Each is tried in a process of its own and in a real worker. Both must serve the next evaluation
 * as if nothing had been, and no error shows an address or a character that steers a terminal.
 *
 * An argument leaves out the attacks whose names do not begin with it: `attack_test A41`.
 */
#include "policy_scene.h"

#include <sys/resource.h>

#include "base/file.h"
#include "policy/eval.h"

enum { FILE_MAX = 1 << 20, CASES_MAX = 256, CPU_SECONDS = 20 };

struct attack {
	char *name, *kind, *expected, *script;
};

static struct attack attacks[CASES_MAX];
static size_t attack_count;
static const char *wanted = ""; /* how a name must begin */

/* ---- the files ---- */

/* What stands before the first `end`, which *at is moved behind. */
static char *cut(char **at, const char *end)
{
	char *part = *at, *behind = part + strcspn(part, end);

	*at = *behind == '\0' ? behind : behind + 1;
	*behind = '\0';
	return part;
}

/* A function that is called, so that every attack is tried in the middle of an evaluation. */
static char *wrap(const char *body)
{
	return xasprintf("return {contract = function() return {result = (function() %s\nend)()} "
			 "end}",
			 body);
}

static void add_attack(char *text)
{
	struct attack *attack = &attacks[attack_count++];
	char *told;

	assert_true(attack_count < CASES_MAX);
	attack->name = xstrdup(cut(&text, "\n"));
	told = cut(&text, "\n");
	if (!has_prefix(told, "--> ") || strchr(told, ':') == NULL)
		fail_msg("%s: expected '--> KIND: text', found %s", attack->name, told);
	told += strlen("--> ");
	attack->kind = xstrdup(cut(&told, ":"));
	attack->expected = xstrdup(told + strspn(told, " "));
	attack->script = wrap(text);
}

static void read_attacks(const char *path)
{
	static const char mark[] = "\n--- ";
	auto_buf struct buf text = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	char *next;

	if (file_read(path, &text, &err) < 0)
		fail_msg("%s", err.msg);
	for (char *at = strstr(text.data, mark); at != NULL; at = next) {
		at += strlen(mark);
		next = strstr(at, mark);
		if (next != NULL)
			*next = '\0';
		if (has_prefix(at, wanted))
			add_attack(at);
	}
}

/* ---- what came back ---- */

static bool shows_address(const char *text)
{
	for (const char *at = text; (at = strstr(at, "0x")) != NULL; at += 2)
		if (strspn(at + 2, "0123456789abcdef") >= 6)
			return true;
	return false;
}

static bool steers_terminal(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
			return true;
	return false;
}

static bool is_clean(const char *text)
{
	return !shows_address(text) && !steers_terminal(text);
}

/* kind is NULL for a result. On a slow machine the clock is faster than any other limit. */
static bool is_expected(const struct attack *attack, const char *kind, const char *text)
{
	const char *kind_wanted = streq(attack->kind, "clock") ? "limit" : attack->kind;
	auto_free char *result = NULL;

	if (!streq(kind_wanted, "ok"))
		return kind != NULL && streq(kind, kind_wanted) && is_clean(text) &&
		       (strstr(text, attack->expected) != NULL ||
			(streq(kind_wanted, "limit") && strstr(text, "processor time") != NULL));
	if (attack->expected[0] == '\0')
		result = xstrdup("{}");
	else
		result = xasprintf("{\"result\":%s}", attack->expected);
	return kind == NULL && streq(text, result);
}

static void tell(const struct attack *attack, const char *kind, const char *text)
{
	fprintf(stderr, "FAILED: %s\n  expected %s: %s\n  found %s: %.500s\n", attack->name,
		attack->kind, attack->expected, kind != NULL ? kind : "ok", text);
}

/* ---- in a process of its own ---- */

static bool succeeds(const struct attack *attack)
{
	struct bundle *bundle = bundle_of(attack->script);
	const struct sandbox_options options = {.bundle = bundle};
	const struct sandbox_call call = {
	    .file = "contract.lua", .function = "contract", .want = SANDBOX_RESULT};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;
	bool failed = sandbox_call(box, &call, &out, &fault) < 0;
	const char *kind = failed ? fault.kind : NULL, *text = failed ? fault.message : out.data;
	bool good = is_expected(attack, kind, text) && (!failed || is_clean(fault.traceback));

	if (!good)
		tell(attack, kind, text);
	sandbox_free(box);
	buf_done(&out);
	bundle_free(bundle);
	return good;
}

/* The limit of processor time makes a hang a failure, however busy the machine is. */
static bool succeeds_in_child(const struct attack *attack)
{
	static const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
	struct attack harmless = {.name = "an evaluation after it",
				  .kind = "ok",
				  .expected = "1",
				  .script = wrap("return 1")};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setrlimit(RLIMIT_CPU, &cpu);
		_exit(succeeds(attack) && succeeds(&harmless) ? 0 : 1);
	}
	free(harmless.script);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		fprintf(stderr, "FAILED: %s: signal %d\n", attack->name, WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_process_survives(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < attack_count; i++)
		if (!streq(attacks[i].kind, "clock"))
			failed += !succeeds_in_child(&attacks[i]);
	assert_int_equal(failed, 0);
}

/* ---- in a worker ---- */

static bool worker_survives(struct scene *s, const struct attack *attack)
{
	auto_free char *result = NULL;
	const struct json *reply, *error;
	const char *kind, *text;
	bool good;

	scene_load(s, attack->script);
	if (s->reply == NULL)
		fail_msg("%s: not even loaded: %s", attack->name, s->err.msg);
	reply = scene_eval(s, "contract");
	error = json_get(reply, "error");
	result = json_print(json_get(reply, "ok"));
	kind = error != NULL ? json_get_str(error, "kind", "") : NULL;
	text = error != NULL ? json_get_str(error, "message", "") : result;
	good = is_expected(attack, kind, text) && is_clean(json_get_str(error, "traceback", ""));
	if (!good)
		tell(attack, kind, text);
	if (json_get(scene_eval(s, "validate"), "ok") != NULL)
		return good;
	fprintf(stderr, "FAILED: %s: no evaluation after it\n", attack->name);
	return false;
}

static void a_worker_survives(void **state)
{
	struct scene *s = *state;
	int failed = 0;

	for (size_t i = 0; i < attack_count; i++)
		failed += !worker_survives(s, &attacks[i]);
	assert_int_equal(failed, 0);
}

static int read_all(void **state)
{
	(void)state;
	read_attacks("spec/unit/policy/attacks/time.txt");
	read_attacks("spec/unit/policy/attacks/memory.txt");
	read_attacks("spec/unit/policy/attacks/escape.txt");
	read_attacks("spec/unit/policy/attacks/known.txt");
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < attack_count; i++) {
		free(attacks[i].name);
		free(attacks[i].kind);
		free(attacks[i].expected);
		free(attacks[i].script);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_process_survives),
	    cmocka_unit_test_setup_teardown(a_worker_survives, scene_set_up, scene_tear_down),
	};

	be_worker(argc, argv);
	if (argc > 1)
		wanted = argv[1];
	return cmocka_run_group_tests(tests, read_all, free_all);
}
