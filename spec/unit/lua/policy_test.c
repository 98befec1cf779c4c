#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "base/base.h"
#include "lua/policy.h"

/*
 * The module in a state such as busted's. Each case is a Lua chunk that must not raise; it has
 * `policy`, `raised(kind, pattern, function, ...)`, and the constants of PRELUDE.
 */

#define PRELUDE                                                                                    \
	"local policy = require 'kserve.policy'\n"                                                 \
	"local function raised(kind, pattern, f, ...)\n"                                           \
	"  local ok, e = pcall(f, ...)\n"                                                          \
	"  assert(not ok, 'expected an error like ' .. pattern)\n"                                 \
	"  assert(tostring(e):find(pattern), tostring(e))\n"                                       \
	"  assert(not kind or e.kind == kind, e.kind)\n"                                           \
	"  return e\n"                                                                             \
	"end\n"                                                                                    \
	"local function of(body)\n"                                                                \
	"  return policy.load { ['contract.lua'] =\n"                                              \
	"    'return { contract = function(run, config, job)\\n' .. body .. '\\nend }' }\n"        \
	"end\n"                                                                                    \
	"local RUN, CONFIG, JOB = { spec = {} }, { spec = {} }, { id = 'i', name = 'n' }\n"

static lua_State *new_state(void)
{
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "preload");
	lua_pushcfunction(L, luaopen_kserve_policy);
	lua_setfield(L, -2, "kserve.policy");
	lua_settop(L, 0);
	return L;
}

static void passes(const char *chunk)
{
	auto_free char *text = xasprintf("%s%s", PRELUDE, chunk);
	lua_State *L = new_state();

	if (luaL_dostring(L, text) != LUA_OK)
		print_error("%s\n", luaL_tolstring(L, -1, NULL));
	assert_int_equal(lua_gettop(L), 0);
	lua_close(L);
}

/* What hangs or breaks a script in the cluster does so here, with the same words. */
static void test_limits(void **state)
{
	static const char *const cases[] = {
	    "raised('limit', '^contract.lua:2: the script ran for more than 5000000 "
	    "instructions',\n"
	    "  of('while true do end').contract, of 'while true do end', RUN, CONFIG, JOB)\n",
	    "local b = of 'return { x = (\"x\"):rep(1e9) }'\n"
	    "raised('limit', '^contract.lua:2: ', b.contract, b, RUN, CONFIG, JOB)\n",
	    "local b = of 'return { x = (\"x\"):rep(3e7) .. \"y\" }'\n"
	    "raised('limit', '^contract.lua:2: .*32768 KiB of memory', b.contract, b, RUN, CONFIG, "
	    "JOB)\n",
	    /* inside one C function, where no instruction is counted */
	    "local b = of 'return { x = ((\"a\"):rep(30000)):find((\".-\"):rep(6) .. \"b\") }'\n"
	    "local e = raised('limit', '500 ms of processor time', b.contract, b, RUN, CONFIG, "
	    "JOB)\n"
	    "assert(e.file == 'contract.lua' and e.line == 2 and e.hook == 'contract')\n"
	    "assert(of('return {}'):contract(RUN, CONFIG, JOB))\n",
	    "raised('limit', 'instructions', policy.load, { ['contract.lua'] = 'while true do end' "
	    "})\n",
	    "local b = of 'pcall(function() while true do end end) return {}'\n"
	    "raised('limit', 'instructions', b.contract, b, RUN, CONFIG, JOB)\n",
	    "local b = of 'return { x = (\"x\"):rep(1024 * 1024) }'\n"
	    "raised('limit', '1048576 bytes of JSON', b.contract, b, RUN, CONFIG, JOB)\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		passes(cases[i]);
}

/* Lua's own program has os, io and random; a policy has not. */
static void test_environment(void **state)
{
	(void)state;
	passes(
	    "for _, name in ipairs { 'os', 'io', 'debug', 'load', 'package', 'coroutine',\n"
	    "    'collectgarbage', 'print', 'policy' } do\n"
	    "  local b = of('return { x = ' .. name .. ' }')\n"
	    "  raised('script', \"^contract.lua:2: unknown global '\" .. name .. \"'\",\n"
	    "    b.contract, b, RUN, CONFIG, JOB)\n"
	    "end\n"
	    "local b = of 'return { x = math.random() }'\n"
	    "raised('script', \"nil value .field 'random'\", b.contract, b, RUN, CONFIG, JOB)\n");
}

static void test_nothing_is_kept(void **state)
{
	(void)state;
	passes("local b = policy.load { ['contract.lua'] = [[\n"
	       "local count = 0\n"
	       "return { contract = function(run)\n"
	       "  count = count + 1; run.spec.seen = true; return { count = count }\n"
	       "end }]] }\n"
	       "for _ = 1, 3 do assert(b:contract(RUN, CONFIG, JOB).count == 1) end\n"
	       "assert(RUN.spec.seen == nil)\n");
}

/* Several bundles share a worker; a script that takes it down takes nothing else. */
static void test_bundles_side_by_side(void **state)
{
	(void)state;
	passes(
	    "local a, b = of 'return { n = 1 }', of 'return { n = 2 }'\n"
	    "local bomb = of 'return { x = ((\"a\"):rep(30000)):find((\".-\"):rep(6) .. \"b\") }'\n"
	    "assert(a:contract(RUN, CONFIG, JOB).n == 1)\n"
	    "assert(b:contract(RUN, CONFIG, JOB).n == 2)\n"
	    "raised('limit', '500 ms', bomb.contract, bomb, RUN, CONFIG, JOB)\n"
	    "assert(a:contract(RUN, CONFIG, JOB).n == 1)\n"
	    "raised('script', 'unknown global', policy.load, { ['contract.lua'] = 'return x' })\n"
	    "assert(b:contract(RUN, CONFIG, JOB).n == 2)\n"
	    "assert(a.digest ~= b.digest and a.digest:find '^sha256:%x+$')\n");
}

static void test_values(void **state)
{
	(void)state;
	passes("local b = of 'return { run = run, nothing = job == nil, null = config.x == "
	       "json.null }'\n"
	       "local run = { i = math.maxinteger, f = 0.5, a = policy.array {}, o = policy.object "
	       "{},\n"
	       "  e = {}, n = policy.null, s = '\\u{e9}', l = { 1, policy.null } }\n"
	       "local c = b:contract(run, { x = policy.null })\n"
	       "assert(c.nothing and c.null)\n"
	       "assert(math.type(c.run.i) == 'integer' and c.run.i == math.maxinteger)\n"
	       "assert(c.run.f == 0.5 and c.run.n == policy.null and c.run.s == '\\u{e9}')\n"
	       "assert(getmetatable(c.run.a) == 'array' and getmetatable(c.run.o) == 'object')\n"
	       "assert(getmetatable(c.run.e) == 'object' and c.run.l[2] == policy.null)\n"
	       "assert(#b:contract({}, { x = policy.null }).run == 0)\n");
	passes(
	    "local b = of 'return {}'\n"
	    "raised(nil, '^%[string.*run.x%[1%]: JSON cannot hold a function', function()\n"
	    "  b:contract({ x = { print } }, CONFIG, JOB) end)\n"
	    "local cycle = {}; cycle.cycle = cycle\n"
	    "raised(nil, 'config.cycle.*deeper than 64 levels', b.contract, b, RUN, cycle, JOB)\n"
	    "raised(nil, 'job.x: the string is not UTF.8', b.contract, b, RUN, CONFIG, { x = "
	    "'\\xff' })\n"
	    "raised(nil, 'bundle expected', b.contract, {}, RUN, CONFIG, JOB)\n"
	    "raised(nil, 'larger than', b.contract, b, { x = ('x'):rep(9 << 20) }, CONFIG, JOB)\n"
	    "assert(b:contract(RUN, CONFIG, JOB))\n");
}

static void test_hooks(void **state)
{
	(void)state;
	passes(
	    "local b = policy.load { ['job.lua'] =\n"
	    "  'return { shape = function(manifest, run) manifest.run = run.name return manifest "
	    "end }' }\n"
	    "assert(b:shape({ a = 1 }, { name = 'r' }, CONFIG).run == 'r')\n"
	    "assert(b:contract(RUN, CONFIG, JOB).jobId == 'i')\n"
	    "assert(#b:validate({ job_uid = 'x' }, RUN, CONFIG) == 1)\n"
	    "assert(#b:validate(nil, { spec = { parameters = { job_uid = 'x' } } }, CONFIG) == 1)\n"
	    "assert(#b:validate({}, RUN, CONFIG) == 0)\n"
	    "assert(b:status(RUN, nil, {}, '2026-11-24T10:00:00Z').phase == 'Pending')\n"
	    "assert(policy.load({ ['contract.lua'] = 'return { contract = function() end }' "
	    "}):shape(\n"
	    "  { a = 1 }, RUN, CONFIG).a == 1)\n"
	    "assert(b.nonsense == nil)\n");
	passes("local b = of 'return reject \"not today\"'\n"
	       "local e = raised('reject', '^not today$', b.contract, b, RUN, CONFIG, JOB)\n"
	       "assert(e.hook == 'contract')\n"
	       "b = of 'return 1'\n"
	       "raised('script', 'expected contract to return a table, found 1', b.contract, b, "
	       "RUN, CONFIG, JOB)\n");
}

static void test_load_refuses(void **state)
{
	(void)state;
	passes("raised('script', '^contract.lua:1: unexpected symbol', policy.load, { "
	       "['contract.lua'] = "
	       "'x =' })\n"
	       "raised('script', '^README.md: not a policy file', policy.load, { ['README.md'] = "
	       "'' })\n"
	       "raised('script', '^contract.lua: expected the text', policy.load, { "
	       "['contract.lua'] = 1 })\n"
	       "raised('script', 'expected an object of files', policy.load, { 'x' })\n"
	       "raised('script', '^/none: expected a folder', policy.load, '/none')\n"
	       "raised('script', '^examples.lua: case 1', policy.load, { ['examples.lua'] =\n"
	       "  'return { { hook = \"validate\", input = { parameters = {} }, output = { 1 } } "
	       "}' })\n"
	       "raised(nil, 'string expected', policy.load, print)\n"
	       "raised('script', 'more than 1048576 bytes', policy.load,\n"
	       "  { ['contract.lua'] = ('-'):rep((1 << 20) + 1) })\n");
}

static void test_usage(void **state)
{
	(void)state;
	passes(
	    "local b = of 'if job then for _ = 1, 10000 do end end return {}'\n"
	    "assert(next(b:usage()) == nil)\n"
	    "b:contract(RUN, CONFIG, JOB)\n"
	    "local most = b:usage().contract\n"
	    "assert(most.instructions >= 10000 and most.memory > 1000)\n"
	    "b:contract(RUN, CONFIG)\n"
	    "local least = b:usage().contract.instructions -- a step that was begun counts whole\n"
	    "assert(least >= 1000 and least < 2000)\n"
	    "assert(policy.greatest().contract.instructions == most.instructions)\n"
	    "assert(policy.limits.instructions == 5000000 and policy.limits.memory == 32 << 20)\n");
}

/* Lines are counted when somebody asks, and neither limit nor budget notices. */
static void test_coverage(void **state)
{
	(void)state;
	passes("local text = 'return { contract = function(run)\\nif run.x then\\nrun.y = "
	       "1\\nend\\n'\n"
	       "  .. 'for _ = 1, 20000 do\\nend\\nreturn {}\\nend }'\n"
	       "local b = policy.load { ['contract.lua'] = text }\n"
	       "b:contract({}, CONFIG, JOB)\n"
	       "local plain = b:usage().contract.instructions\n"
	       "assert(next(policy.covered('contract.lua', text)) == nil)\n"
	       "policy.coverage(true)\n"
	       "b:contract({}, CONFIG, JOB)\n"
	       "local seen = policy.covered('contract.lua', text)\n"
	       "assert(seen[1] and seen[2] and not seen[3] and seen[5] and seen[7])\n"
	       "assert(b:usage().contract.instructions == plain)\n"
	       "b:contract({ x = 1 }, CONFIG, JOB)\n"
	       "assert(policy.covered('contract.lua', text)[3])\n"
	       "assert(next(policy.covered('contract.lua', 'another text')) == nil)\n"
	       "local endless = of 'while true do\\nlocal a = 1\\nend'\n"
	       "raised('limit', 'instructions', endless.contract, endless, RUN, CONFIG, JOB)\n");
}

/* busted loads the module anew for each file, and Lua may end at any time. */
static void test_loaded_again(void **state)
{
	(void)state;
	passes("policy.coverage(true)\n"
	       "local b = of 'return {}'\n"
	       "package.loaded['kserve.policy'] = nil\n"
	       "local again = require 'kserve.policy'\n"
	       "assert(again ~= policy and again.null == policy.null)\n"
	       "assert(b:contract(RUN, CONFIG, JOB))\n"
	       "assert(again.greatest().contract)\n"
	       "for _ = 1, 50 do again.load { ['contract.lua'] = 'return { contract = function() "
	       "end }' } end\n"
	       "collectgarbage()\n"
	       "assert(b:contract(RUN, CONFIG, JOB))\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limits),          cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_nothing_is_kept), cmocka_unit_test(test_bundles_side_by_side),
	    cmocka_unit_test(test_values),          cmocka_unit_test(test_hooks),
	    cmocka_unit_test(test_load_refuses),    cmocka_unit_test(test_usage),
	    cmocka_unit_test(test_coverage),        cmocka_unit_test(test_loaded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
