/*
 * Sources that attack the compiler, which no hook interrupts, and scripts that want to reach the
 * next evaluation: through a real worker, which must serve what comes after.
 */
#include "policy_scene.h"

enum { SOURCE_MAX = 1 << 20 };

struct source {
	const char *name;
	const char *before, *unit, *behind; /* '#' in unit is its number */
	int count;
	const char *expected; /* a part of the message; NULL: it loads */
};

#define GOOD "return {contract = function() return {} end}"
#define DEEP "C stack overflow"

static const struct source sources[] = {
    {"parentheses", "return ", "(", "", 20000, DEEP},
    {"tables", "return ", "{", "", 20000, DEEP},
    {"not", "return ", "not ", "", 20000, DEEP},
    {"minus", "return ", "- ", "", 20000, DEEP},
    {"concatenations", "return ''", " .. ''", "", 20000, DEEP},
    {"powers", "return 1", " ^ 1", "", 20000, DEEP},
    {"functions", "", "function f() ", "", 20000, DEEP},
    {"blocks", "", "do ", "", 20000, DEEP},
    {"conditions", "", "if x then ", "", 20000, DEEP},
    {"calls", "return ", "a(", "", 20000, DEEP},
    {"indexes", "return ", "a[", "", 20000, DEEP},
    {"additions", "local x = 1", " + 1", " " GOOD, 20000, NULL},
    {"fields", "local function f(a) return a", ".a", " end " GOOD, 20000, NULL},
    {"locals", "", "local x# = 1 ", GOOD, 201, "too many local variables"},
    {"as many locals as there may be", "", "local x# = 1 ", GOOD, 200, NULL},
    {"upvalues", "local a = 1 ", "local function f#() local b = a return b end ", GOOD, 199, NULL},
    {"constants", "local t = {", "#.5, ", "} " GOOD, 12000, NULL},
    {"strings", "local t = {", "'s#', ", "} " GOOD, 60000, NULL},
    {"closures", "local t = {", "function() end, ", "} " GOOD, 40000, NULL},
    {"arguments", "local function f() end f(", "1, ", "1) " GOOD, 300,
     "function or expression needs too many registers"},
    {"jumps to nowhere", "", "goto a ", "", 32768, "too many labels/gotos (limit is 32767)"},
    {"fewer jumps to nowhere", "", "goto a ", "", 30000, "no visible label 'a'"},
    {"labels in a row", "", "::a#:: ", GOOD, 20000, DEEP},
    {"labels, each compared with all before", "", "::a#:: do end ", GOOD, 5000, NULL},
    {"jumps, each compared with all labels", "", "do goto b# ::b#:: end ", GOOD, 20000, NULL},
    {"a comment without end", "--[", "=", "[", 100000, "unfinished long comment"},
    {"a string without end", "return '", "\\u{7FFFFFFF}", "", 50000, "unfinished string"},
    {"a number without end", "return ", "9", "", 500000, "contract.lua"},
    {"a number that is hexadecimal for long", "return 0x", "f", " x", 500000, "contract.lua"},
    {"a name without end", "return ", "x", "", 1000000, "contract.lua"},
    {"lines", "", "\n", "x", 1000000, "contract.lua:1000001: syntax error"},
    {"carriage returns", GOOD, "\r\n", "", 100000, NULL},
    {"a byte order mark", "\xEF\xBB\xBF", GOOD, "", 1, "byte order mark"},
    {"a line for the shell", "#!/usr/bin/lua\n", GOOD, "", 1, "contract.lua:1:"},
    {"a binary chunk", "\x1BLua", "x", "", 1, "contract.lua:1: attempt to load a binary chunk"},
    {"nothing", "", "", "", 0, "found nothing"},
    {"a comment alone", "-- x", "", "", 0, "found nothing"},
    {"a text", "return 'x'", "", "", 0, "found string"},
    {"a table that can be called",
     "return {contract = setmetatable({}, {__call = function() end})}", "", "", 0, "found table"},
    {"a module that loops at load", "while true do end", "", "", 0, "instructions"},
    {"a module that searches at load", "local s = ('a'):rep(30000) ",
     "s:find(('.-'):rep(6) .. 'b') ", GOOD, 1, "processor time"},
};

static void add_unit(struct buf *out, const char *unit, int number)
{
	const char *mark;

	for (; (mark = strchr(unit, '#')) != NULL; unit = mark + 1) {
		buf_add(out, unit, (size_t)(mark - unit));
		buf_addf(out, "%d", number);
	}
	buf_adds(out, unit);
}

static char *source_text(const struct source *source)
{
	struct buf text = BUF_INIT(2 * SOURCE_MAX);

	buf_adds(&text, source->before);
	for (int i = 0; i < source->count; i++)
		add_unit(&text, source->unit, i);
	buf_adds(&text, source->behind);
	return buf_steal(&text);
}

static bool is_loaded_as_told(struct scene *s, const struct source *source)
{
	auto_free char *text = source_text(source);
	bool good;

	scene_load(s, text);
	if (source->expected == NULL)
		good = s->reply != NULL;
	else
		good = s->reply == NULL && strstr(s->err.msg, source->expected) != NULL;
	if (!good)
		fprintf(stderr, "FAILED: %s\n  expected %s\n  found %s\n", source->name,
			source->expected != NULL ? source->expected : "success",
			s->reply != NULL ? "success" : s->err.msg);
	return good && json_get(scene_eval(s, "validate"), "ok") != NULL;
}

static void the_compiler_survives(void **state)
{
	struct scene *s = *state;
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		failed += !is_loaded_as_told(s, &sources[i]);
	assert_int_equal(failed, 0);
}

/* A38, A39: each evaluation begins with what the files are, whatever the one before has done. */
static void nothing_reaches_the_next_evaluation(void **state)
{
	static const char script[] =
	    "local calls, kept = 0, nil\n"
	    "local module = {}\n"
	    "function module.contract(run, config)\n"
	    "  calls = calls + 1\n"
	    "  local seen = { calls = calls, kept = kept, mark = run.mark, poisoned = "
	    "getmetatable(config) }\n"
	    "  run.mark, kept, module.contract = 'mine', run, nil\n"
	    "  pcall(function() setmetatable(json, {}) end)\n"
	    "  pcall(function() string.format = nil end)\n"
	    "  local status = require 'status'\n"
	    "  seen.module = status.poison\n"
	    "  status.poison = true\n"
	    "  return seen\n"
	    "end\n"
	    "return module";
	struct scene *s = *state;

	scene_load(s, script);
	assert_non_null(s->reply);
	for (int i = 0; i < 3; i++) {
		auto_free char *text = json_print(scene_eval(s, "contract"));

		if (!has_prefix(text, "{\"ok\":{\"calls\":1,\"poisoned\":\"object\"}"))
			assert_string_equal(text, "calls 1 and nothing else");
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_compiler_survives, scene_set_up, scene_tear_down),
	    cmocka_unit_test_setup_teardown(nothing_reaches_the_next_evaluation, scene_set_up,
					    scene_tear_down),
	};

	be_worker(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
