#include "policy_util.h"

#include <glob.h>

#include "policy/folder.h"
#include "policy/lint.h"
#include "policy/lint_parse.h"

/* Findings as "file:line: message", one a line. */
static char *findings_of(const struct json *files)
{
	auto_json struct json *findings = lint_files(files);
	struct buf text = BUF_INIT(1 << 20);

	for (const struct json *f = json_first(findings); f != NULL; f = json_next(f))
		buf_addf(&text, "%s:%lld: %s\n", json_get_str(f, "file", "?"),
			 (long long)json_get_int(f, "line", -1), json_get_str(f, "message", "?"));
	return buf_steal(&text);
}

/* A module body: its globals and locals are looked at, its result is not. */
static char *findings_in(const char *body)
{
	auto_free char *text = xasprintf("local function test(...)\n%s\nend\nreturn test", body);
	auto_json struct json *files =
	    json_build("{'examples.lua': 'return require \\\"m\\\" and {}', 'm.lua': %s}", text);

	return findings_of(files);
}

static void expect_findings(const char *name, const char *found, const char *const *wanted)
{
	const char *at = found;

	for (; *wanted != NULL; wanted++) {
		const char *place = strstr(at, *wanted);

		if (place == NULL)
			fail_msg("%s\n  expected: %s\n  found: %s", name, *wanted, at);
		else
			at = strchr(place, '\n') + 1;
	}
	if (*at != '\0')
		fail_msg("%s\n  expected no more, found: %s", name, at);
}

/* ---- what is found ---- */

static void names(void **state)
{
	static const struct {
		const char *body;
		const char *wanted[4]; /* in this order; line 2 is the body's first */
	} cases[] = {
	    {"return jsn.null", {"m.lua:2: unknown global 'jsn'; did you mean 'json'?"}},
	    {"return JSON", {"unknown global 'JSON'; did you mean 'json'?"}},
	    {"local config = ... return conifg", {"'config' is never", "did you mean 'config'?"}},
	    {"return print", {"unknown global 'print': misspelt, a local that is not in reach"}},
	    {"return os.time()", {"unknown global 'os'"}},
	    {"return aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {"unknown"}},
	    {"return string.formt('')", {"string has no 'formt'; did you mean 'format'?"}},
	    {"return math.random()", {"math has no 'random'"}},
	    {"return string.dump", {"string has no 'dump'"}},
	    {"return schema.chek()", {"schema has no 'chek'; did you mean 'check'?"}},
	    {"return math.pi, string.rep('a', 2), json.null, utf8.charpattern", {NULL}},
	    {"local string = {} return string.anything", {NULL}},
	    {"x = 1", {"assignment to global 'x': write local x = ..."}},
	    {"x, y = 1, 2", {"'x'", "'y'"}},
	    {"function f() end", {"assignment to global 'f'"}},
	    {"log = 1", {"assignment to global 'log'"}},
	    {"math.pi = 3", {"assignment to 'pi' of math, which is read-only"}},
	    {"function string.trim() end", {"assignment to 'trim' of string"}},
	    {"x.y = 1", {"unknown global 'x'"}},
	    {"local _ENV = {} x = 1 return y", {NULL}},
	    {"local a = _ENV return a.x, b", {NULL}},
	    {"_ENV = {} x = 1", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *found = findings_in(cases[i].body);

		expect_findings(cases[i].body, found, cases[i].wanted);
	}
}

static void unused_and_unreachable(void **state)
{
	static const struct {
		const char *body;
		const char *wanted[4];
	} cases[] = {
	    {"local a", {"m.lua:2: local 'a' is never used: remove it, or name it _a"}},
	    {"local a a = 1", {"'a' is never used"}},
	    {"local a, b = 1 return b", {"'a'"}},
	    {"local function f() end", {"local function 'f' is never used"}},
	    {"for i = 1, 2 do end", {"loop variable 'i' is never used"}},
	    {"for k, v in pairs {} do log(v) end", {"loop variable 'k'"}},
	    {"for a, b, c, d, e, f, g, h, i in pairs {} do log(a, b, c, d, e, f, g, h, i) end",
	     {NULL}},
	    {"for _, v in pairs {} do log(v) end", {NULL}},
	    {"local _a, _ = 1", {NULL}},
	    {"local a <close> = nil", {NULL}},
	    {"local a <const> = 1", {"'a' is never used"}},
	    {"local a = 1\nlocal a = a\nreturn a", {NULL}},
	    {"local a = 1\nlocal a = 2\nreturn a", {"m.lua:2: local 'a'"}},
	    {"local function f() return f() end", {NULL}}, /* it uses itself */
	    {"local f = function() return f() end", {"'f' is never used", "unknown global 'f'"}},
	    {"return function(a, b, ...) end", {NULL}},
	    {"local t = {} t.x = 1", {NULL}}, /* as the value of another it may be seen there */
	    {"local t = {} function t:m() return self end", {NULL}},
	    {"repeat local a = 1 until a == 1", {NULL}},
	    {"repeat local a = 1 until true", {"'a'"}},
	    {"do local a = 1 end return a", {"'a' is never", "unknown global 'a'"}},
	    {"if true then local a = 1 elseif log then return a else return a end",
	     {"'a' is never", "unknown global 'a'", "unknown global 'a'"}},
	    {"while true do break log(1) end", {"m.lua:2: never reached"}},
	    {"while true do break; log(1) end", {"never reached"}},
	    {"while true do if true then break end log(1) end", {NULL}},
	    {"do goto out log(1) end ::out::", {"never reached"}},
	    {"do goto out ::out:: log(1) end", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *found = findings_in(cases[i].body);

		expect_findings(cases[i].body, found, cases[i].wanted);
	}
}

/* Every token and production of Lua 5.4: nothing is wrong with them. */
static void grammar(void **state)
{
	static const char *const bodies[] = {
	    "local a <const>, b <close> = 1, nil return a, b",
	    "::top:: if true then goto top end",
	    "return 1 // 2, 1 / 2, 7 % 3, 2 ^ 3, 1 << 2, 1 >> 2, 1 & 2, 1 | 2, 1 ~ 2, ~1, -1",
	    "return 'a' .. 'b' .. 1 .. 2, #'a', 1 == 2, 1 ~= 2, 1 < 2, 1 <= 2, 1 > 2, 1 >= 2",
	    "return true and false or not nil, ...",
	    "return 3, 345, 0xff, 0xBEBADA, 3.0, 3.1416, 314.16e-2, 0.31416E1, .5, 3., 0x0.1E",
	    "return 0xA23p-4, 0X1.921FB54442D18P+1, 0x.8p1, 1e+3",
	    "return 'a\\'b', \"a\\\"b\", 'a\\\nb', 'a\\z   \n\n  b', '\\x41\\065\\u{48}\\a\\\\'",
	    "return [[a]b]], [==[a]]b]=]c]==], [[\n]], [=[]=], [[]]",
	    "--[[ a\nb ]] --[==[ ]] ]==] -- c\n --[ not long\n return 1",
	    "return {}, {1, 2; 3}, {a = 1, ['b'] = 2, 3,}, {{}}, {log(1);}",
	    "return log 'a', log \"a\", log [[a]], log {}, log(1, 2), log()",
	    "return ('a'):rep(2), #('a'):rep(2):upper(), (log)(1), json['null'], (...)",
	    "local t = {} t.a, t['b'], t[1] = 1, 2 return t",
	    "local t = {a = {}} function t.a.b() end function t.a:c() return self end return t",
	    "for i = 1, 10, 2 do log(i) end for i, j in pairs {} do log(i, j) end",
	    "if 1 then elseif 2 then else end while nil do end repeat until true do end",
	    "return function() return; end, function(a, ...) return a, ... end",
	    ";;; return;",
	    "\r\n\n\r return 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		auto_free char *found = findings_in(bodies[i]);

		if (*found != '\0')
			fail_msg("%s\n  found: %s", bodies[i], found);
	}
}

static void lines(void **state)
{
	static const struct {
		const char *body, *wanted;
	} cases[] = {
	    {"--[[\n\n]] x = 1", "m.lua:4:"},
	    {"log [[\n\n]] x = 1", "m.lua:4:"},
	    {"log 'a\\\nb' x = 1", "m.lua:3:"},
	    {"log 'a\\z\n\n b' x = 1", "m.lua:4:"},
	    {"\r\n\r\nx = 1", "m.lua:4:"},
	    {"\n\r\n\rx = 1", "m.lua:4:"},
	    {"\r\rx = 1", "m.lua:3:"},
	    {"log 'a\\\r\nb' x = 1", "m.lua:3:"},
	    {"x = 1 do local a end y = 1", "m.lua:2:"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *found = findings_in(cases[i].body);

		if (!has_prefix(found, cases[i].wanted))
			fail_msg("%s\n  expected %s, found: %s", cases[i].body, cases[i].wanted,
				 found);
	}
}

/* ---- files ---- */

#define MISSING "expected the file to return a table with the function 'contract'; end it with"

static void shapes(void **state)
{
	static const struct {
		const char *text;
		const char *wanted[3];
	} cases[] = {
	    {"return { contract = function(run, config, job) end }", {NULL}},
	    {"return { contract = function() end }", {NULL}},
	    {"return { contract = function(...) end }", {NULL}},
	    {"return { ['contract'] = function() end }", {NULL}},
	    {"local function contract() end return { contract = contract }", {NULL}},
	    {"local M = {} function M.contract() end return M", {NULL}},
	    {"local M = {} M.contract = function() end return M;", {NULL}},
	    {"local M = {} M['contract'] = log return M", {NULL}},
	    {"local M = {} setmetatable(M, {}) return M", {NULL}}, /* who knows */
	    {"local M = merge({}, {}) return M", {NULL}},
	    {"return merge({}, {})", {NULL}},
	    {"local f f = function() end return { contract = f }", {NULL}},
	    {"if log then return { contract = log } end", {NULL}},
	    {"", {"contract.lua:1: " MISSING}},
	    {"\n\n-- nothing\n", {"contract.lua:3: " MISSING}},
	    {"return", {MISSING}},
	    {"return 'contract'", {MISSING}},
	    {"return function(run) return {} end", {MISSING}},
	    {"local function contract() end\nreturn contract", {"contract.lua:2: " MISSING}},
	    {"return {}", {"expected the function 'contract' in the table"}},
	    {"return { contarct = function() end }", {"expected the function 'contract'"}},
	    {"local M = {} function M.contarct() end return M", {"expected the function"}},
	    {"return { contract = 1 }", {"expected 'contract' to be a function"}},
	    {"return { contract = {} }", {"expected 'contract' to be a function"}},
	    {"return { contract = function(a, b, c, d) end }",
	     {"contract has 4 parameters, but is called with 3: (run, config, job)"}},
	    {"local M = {} function M:contract(a, b, c) end return M", {"contract has 4"}},
	    {"local M = {} function M:contract(a, b) end return M", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *files = json_build("{'contract.lua': %s}", cases[i].text);
		auto_free char *found = findings_of(files);

		expect_findings(cases[i].text, found, cases[i].wanted);
	}
}

static void bundles(void **state)
{
	static const struct {
		const char *files; /* ' for " */
		const char *wanted[4];
	} cases[] = {
	    {"{}", {NULL}},
	    {"{'contrat.lua': 'return {}'}", {"contrat.lua:0: no other file says require"}},
	    {"{'README.md': 'x = 1'}", {"README.md:0: not a policy file"}},
	    {"{'job.lua': 1}", {"job.lua:0: expected the text"}},
	    {"{'examples.lua': '-- [m]\\nreturn { \\\"m\\\" }', 'm.lua': 'return 1'}",
	     {"m.lua:0: no file requires this module"}},
	    {"{'examples.lua': 'return { require \\\"m\\\" }', 'm.lua': 'return 1'}", {NULL}},
	    {"{'examples.lua': 'return { require(\\\"m\\\") }', 'm.lua': 'return 1'}", {NULL}},
	    {"{'examples.lua': 'return { pcall(require, \\\"m\\\") }', 'm.lua': 'return 1'}",
	     {NULL}},
	    {"{'examples.lua': 'return { require(\\\"\\\" .. \\\"m\\\") }', 'm.lua': 'return 1'}",
	     {NULL}},
	    {"{'examples.lua': 'log(1)\\nreturn { require \\\"absent\\\" }'}",
	     {"examples.lua:2: require \"absent\": the bundle has no file absent.lua"}},
	    {"{'examples.lua': 'return { require \\\"status\\\" }'}", {NULL}},
	    {"{'examples.lua': 'return { require \\\"default/status\\\" }'}", {NULL}},
	    {"{'examples.lua': 'return { require \\\"default/job\\\" }'}",
	     {"examples.lua:1: require \"default/job\": the bundle has no file default/job.lua"}},
	    {"{'examples.lua': 'local x = = 1'}", {"examples.lua:1: unexpected symbol near '='"}},
	    {"{'examples.lua': 'return {'}", {"examples.lua:1: unexpected symbol near <eof>"}},
	    {"{'examples.lua': 'goto nowhere'}", {"examples.lua:1: no visible label 'nowhere'"}},
	    {"{'examples.lua': 'local a <const> = 1 a = 2'}", {"attempt to assign to const"}},
	    {"{'examples.lua': '\\u001bLua'}", {"examples.lua:1: attempt to load a binary chunk"}},
	    {"{'examples.lua': 'x = = 1', 'job.lua': 'y = 1 return log(1)'}",
	     {"examples.lua:1:", "job.lua:1: assignment to global 'y'"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *files = json_build(cases[i].files);
		auto_free char *found = findings_of(files);

		expect_findings(cases[i].files, found, cases[i].wanted);
	}
}

/* What we ship is clean. */
static void our_own_files(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("scripts", 0, NULL, &found), 0);
	assert_int_equal(glob("examples/policies/*", GLOB_APPEND, NULL, &found), 0);
	assert_true(found.gl_pathc > 1);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct err err = ERR_INIT;
		auto_json struct json *files = folder_read(found.gl_pathv[i], &err);
		auto_free char *findings = findings_of(files);

		assert_non_null(files);
		assert_string_equal(findings, "");
	}
	globfree(&found);
}

/* ---- hostile texts ---- */

static void parse(const char *text, size_t len)
{
	auto_json struct json *names = json_object(), *required = json_object();
	struct scope scope = {.names = names, .required = required};
	struct chunk chunk;

	lint_parse(&scope, text, len, &chunk);
	lint_resolve(&chunk.returned);
	scope_done(&scope);
}

/* The exact bytes, so that a sanitizer sees a read past their end. */
static void parse_exactly(const char *text, size_t len)
{
	char *copy = xmalloc(len > 0 ? len : 1);

	memcpy(copy, text, len);
	parse(copy, len);
	free(copy);
}

static const char everything[] =
    "local a <const>, b <close> = 0x1p-2, [==[x]]]==] --[[ c ]] ::l:: goto l\n"
    "for i, j in pairs{a = 1; [2] = 'x\\z \n \\'', ...} do repeat local q until q end\n"
    "function a.b:c(d, ...) return #d .. -1 // 2 ~ 3 << 4 >= 5 end a[1], b = f{} 'x' (y)\n"
    "if not x then elseif y then else end while 1 do break end return {a = a}";

static void every_prefix(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(everything); len++)
		parse_exactly(everything, len);
}

static void every_changed_byte(void **state)
{
	static const char others[] = "\0\n\"'[]=-(){}.,;:<x0\\\xff";
	char text[sizeof(everything)];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(everything); i++)
		for (size_t o = 0; o < sizeof(others); o++) {
			memcpy(text, everything, sizeof(text));
			text[i] = others[o];
			parse_exactly(text, sizeof(text) - 1);
		}
}

static char *nested(const char *open, const char *inner, const char *close, int depth)
{
	struct buf text = BUF_INIT(64 << 20);

	for (int i = 0; i < depth; i++)
		buf_adds(&text, open);
	buf_adds(&text, inner);
	for (int i = 0; i < depth; i++)
		buf_adds(&text, close);
	return buf_steal(&text);
}

static void depth(void **state)
{
	static const struct {
		const char *open, *inner, *close;
	} cases[] = {
	    {"return (", "1", ")"},   {"x = {", "", "}"},
	    {"do ", "", " end"},      {"f(", "1", ")"},
	    {"return not ", "1", ""}, {"x = function() ", "", " end"},
	    {"x = a[", "1", "]"},     {"if a then ", "", " end"},
	    {"a = 1 ", "", ""},       {"return a .. ", "b", ""},
	    {"a.b", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *text =
		    nested(cases[i].open, cases[i].inner, cases[i].close, 100000);

		parse_exactly(text, strlen(text));
	}
}

/* Of blocks, and of expressions, which also stand in a statement. */
static void depth_at_the_limit(void **state)
{
	static const struct {
		const char *open, *close;
		int depth;
		bool told;
	} cases[] = {{"do ", " end", LINT_DEPTH_MAX, false},
		     {"do ", " end", LINT_DEPTH_MAX + 1, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *text = nested(cases[i].open, "", cases[i].close, cases[i].depth);
		auto_json struct json *names = json_object(), *required = json_object();
		struct scope scope = {.names = names, .required = required};
		struct chunk chunk;

		lint_parse(&scope, text, strlen(text), &chunk);
		assert_int_equal(scope.found, cases[i].told ? 1 : 0);
		if (cases[i].told)
			assert_non_null(strstr(scope.findings[0].message, "more than 200 levels"));
		scope_done(&scope);
	}
}

static void many_findings(void **state)
{
	auto_free char *exact = nested("x = 1 ", "", "", LINT_FINDINGS_MAX);
	auto_free char *more = nested("x = 1 ", "", "", LINT_FINDINGS_MAX + 1);
	const char *const texts[] = {exact, more};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json struct json *files = json_build("{'examples.lua': %s}", texts[i]);
		auto_json struct json *findings = lint_files(files);

		assert_int_equal(json_len(findings), LINT_FINDINGS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_prefix),
	    cmocka_unit_test(every_changed_byte),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(depth_at_the_limit),
	    cmocka_unit_test(many_findings),
	    cmocka_unit_test(names),
	    cmocka_unit_test(unused_and_unreachable),
	    cmocka_unit_test(grammar),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(shapes),
	    cmocka_unit_test(bundles),
	    cmocka_unit_test(our_own_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
