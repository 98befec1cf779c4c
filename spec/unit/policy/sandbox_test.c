#include "policy_util.h"

/* What a script must not be able to do, and what must still work. Hangs inside one C function of
 * Lua are the business of the worker: see host_limits_test.c. */

struct attack {
	const char *script;
	const char *kind;    /* NULL: it succeeds */
	const char *message; /* a part of it, or of the output */
};

static bool is_as_told(const struct policy_fault *fault, const char *out, const void *arg)
{
	const struct attack *attack = arg;

	if (attack->kind == NULL)
		return fault == NULL && strstr(out, attack->message) != NULL;
	return fault != NULL && streq(fault->kind, attack->kind) &&
	       strstr(fault->message, attack->message) != NULL;
}

static void run_attacks(const struct attack *attacks, size_t count, enum sandbox_want want)
{
	const struct sandbox_options limits = {0};
	int failed = 0;

	for (size_t i = 0; i < count; i++) {
		if (!in_child(&limits, attacks[i].script, want, is_as_told, &attacks[i])) {
			fprintf(stderr, "FAILED: %.300s\n", attacks[i].script);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

#define TIME "more than 5000000 instructions"
#define MEMORY "KiB of memory"

static void endless_scripts_are_ended(void **state)
{
	static const struct attack attacks[] = {
	    {"while true do end", "limit", TIME},
	    {"::a:: goto a", "limit", TIME},
	    {"local function f() return f() end f()", "limit", TIME},
	    {"while true do pcall(function() while true do end end) end", "limit", TIME},
	    {"local t = setmetatable({}, {__index = function(t, k) return t[k] end}) "
	     "while true do pcall(function() return t.x end) end",
	     "limit", TIME},
	    {"local x <close> = setmetatable({}, {__close = function() while true do end end}) "
	     "error('a')",
	     "limit", TIME},
	    {"while true do pcall(function() local x <close> = setmetatable({}, {__close = "
	     "function() while true do end end}) error('a') end) end",
	     "limit", TIME},
	    {"string.gsub('aaa', 'a', function() while true do end end)", "limit", TIME},
	    {"table.sort({1, 2, 3}, function() while true do end end)", "limit", TIME},
	    {"string.rep('', math.maxinteger)", "limit", TIME},
	    {"table.move({}, 1, math.maxinteger - 1, 2)", "limit", TIME},
	    {"table.move({}, math.mininteger, math.maxinteger, 2)", "limit", TIME},
	    {"while true do pcall(table.move, {}, 1, math.maxinteger - 1, 2) end", "limit", TIME},
	    {"for i in ipairs(setmetatable({}, {__index = function() return 1 end})) do end",
	     "limit", TIME},
	    {"local t = {} for i = 1, 1000 do t[i] = i end while true do for k in pairs(t) do end "
	     "end",
	     "limit", TIME},
	    {"local t = {} for i = 1, 1000 do t[i] = i end while true do next(t) end", "limit",
	     TIME},
	    {"return {contract = function() while true do end end}", "limit", TIME},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RESULT);
}

static void greedy_scripts_are_ended(void **state)
{
	static const struct attack attacks[] = {
	    {"local s = 'x' while true do s = s .. s end", "limit", MEMORY},
	    {"return ('x'):rep(1 << 30)", "limit", TIME},
	    {"return ('xxxxxxxxxxxxxxxx'):rep(4000000)", "limit", MEMORY},
	    {"local b = ('x'):rep(100) while true do pcall(string.rep, b, 4000000) end", "limit",
	     MEMORY},
	    {"while true do pcall(function() local t = {} while true do "
	     "t[#t + 1] = ('x'):rep(1e4) .. #t end end) end",
	     "limit", MEMORY},
	    {"local t = {} while true do t = {t} end", "limit", MEMORY},
	    {"local t = {} for i = 1, 1e9 do t[i] = i end", "limit", MEMORY},
	    {"local s = ('x'):rep(1 << 20) return ('%s'):rep(40):format(s, s, s, s, s, s, s, s, s, "
	     "s, "
	     "s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, "
	     "s, s)",
	     "limit", MEMORY},
	    {"return (('a'):rep(1e5):gsub('.', ('%0'):rep(500)))", "limit", MEMORY},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RESULT);
}

static void recursion_ends_in_a_message(void **state)
{
	static const struct attack attacks[] = {
	    {"local function f(s) return (string.gsub(s, '.', f)) end f('a')", "script",
	     "stack overflow"},
	    {"local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] "
	     "end "
	     "return t.x",
	     "script", "stack overflow"},
	    {"local mt = {} mt.__concat = function(a, b) return a .. b end "
	     "return setmetatable({}, mt) .. 'x'",
	     "script", "stack overflow"},
	    {"return table.unpack({}, 1, 1e6)", "script", "too many results to unpack"},
	    {"return select(-1)", "script", "out of range"},
	    {"error(setmetatable({}, {__tostring = function() while true do end end}))", "script",
	     "error() was called with a table"},
	    {"error(nil)", "script", "error() was called with a nil"},
	    {"error({})", "script", "a table"},
	    {"error(true)", "script", "a boolean"},
	    {"error(12)", "script", "12"},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RESULT);
}

static bool is_some_fault(const struct policy_fault *fault, const char *out, const void *arg)
{
	(void)out, (void)arg;
	return fault != NULL;
}

static void deep_stacks_and_sources_do_not_crash(void **state)
{
	static const char *const units[][2] = {
	    {"(", "return "}, {"{", "return "}, {"not ", "return "}};
	const struct sandbox_options limits = {0};

	(void)state;
	assert_true(in_child(&limits, "local function f() return 1 + f() end f()", SANDBOX_RESULT,
			     is_some_fault, NULL));
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct buf text = BUF_INIT(1 << 20);

		buf_adds(&text, units[i][1]);
		for (int n = 0; n < 20000; n++)
			buf_adds(&text, units[i][0]);
		assert_true(in_child(&limits, text.data, SANDBOX_RESULT, is_some_fault, NULL));
		buf_done(&text);
	}
}

static void nothing_else_is_there(void **state)
{
	static const struct attack attacks[] = {
	    {"os.exit()", "script", "unknown global 'os'"},
	    {"return io", "script", "contract.lua:1: unknown global 'io'"},
	    {"dofile('/etc/passwd')", "script", "unknown global 'dofile'"},
	    {"loadfile('x')", "script", "unknown global 'loadfile'"},
	    {"load('x')", "script", "unknown global 'load'"},
	    {"debug.sethook()", "script", "unknown global 'debug'"},
	    {"package.loadlib('x', 'y')", "script", "unknown global 'package'"},
	    {"coroutine.wrap(print)", "script", "unknown global 'coroutine'"},
	    {"collectgarbage('stop')", "script", "unknown global 'collectgarbage'"},
	    {"xpcall(error, error)", "script", "unknown global 'xpcall'"},
	    {"rawset({}, 1, 1)", "script", "unknown global 'rawset'"},
	    {"return _G", "script", "unknown global '_G'"},
	    {"print('x')", "script", "unknown global 'print'"},
	    {"string.dump(error)", "script", "attempt to call a nil value"},
	    {"math.random()", "script", "attempt to call a nil value"},
	    {"math.randomseed(1)", "script", "attempt to call a nil value"},
	    {"require 'io'", "script", "the bundle has no file io.lua"},
	    {"require '../../etc/passwd'", "script", "the bundle has no file"},
	    {"require 'contract'", "script", "requires itself"},
	    {"colour = 1", "script", "contract.lua:1: assignment to global 'colour': write local"},
	    {"pcall = nil", "script", "assignment to global 'pcall'"},
	    {"string.format = nil", "script", "assignment to 'format' of a library"},
	    {"json.null = 1", "script", "assignment to 'null' of a library"},
	    {"_ENV = nil  return x", "script", ""},
	    {"local _ENV = {} return x.y", "script", ""},
	    {"setmetatable(_ENV, {})", "script", "protected metatable"},
	    {"setmetatable(string, {})", "script", "protected metatable"},
	    {"setmetatable('', {})", "script", "table expected"},
	    {"getmetatable('').__index = function() end", "script", "attempt to index a boolean"},
	    {"setmetatable({}, {__gc = function() while true do end end})", "script", "__gc"},
	    {"setmetatable({}, {__gc = true})", "script", "__gc"},
	    {"setmetatable({}, {__mode = 'k'})", "script", "__mode"},
	    {"setmetatable(json.object(), {})", "script", "protected metatable"},
	    {"table.insert(setmetatable({}, {__len = function() return 1 << 40 end}), 1, 1)",
	     "script", "a table with __len"},
	    {"table.remove(setmetatable({}, {__len = function() return 1 << 40 end}), 1)", "script",
	     "a table with __len"},
	    {"table.concat(setmetatable({}, {__len = function() return 1 << 40 end}))", "script",
	     "a table with __len"},
	    {"string.format('%p', {})", "script", "%p is not part of policies"},
	    {"string.format('%-10p', {})", "script", "%p is not part of policies"},
	    {"next({}, 1)", "script", "use pairs(t)"},
	    {"\033Lua", "script", "contract.lua"},
	    {"#!/usr/bin/lua\nreturn 1", "script", "contract.lua:1:"},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RETURN);
}

static void no_address_and_no_chance_shows(void **state)
{
	static const struct attack attacks[] = {
	    {"return tostring({}) .. tostring(print == nil or pcall)", "script", "print"},
	    {"return tostring({}) .. tostring(pcall) .. tostring(json.null)", NULL,
	     "\"tablefunctionnull\""},
	    {"return string.format('%s %10s %d', {}, pcall, 3)", NULL, "\"table   function 3\""},
	    {"return ('%s'):format(setmetatable({}, {__tostring = function() return 'me' end}))",
	     NULL, "\"me\""},
	    {"local t = {} for k, v in pairs({b = 1, a = 2, [2] = 3, [1] = 4, [true] = 5, [1.5] = "
	     "6}) do "
	     "t[#t + 1] = tostring(k) end return table.concat(t, ' ')",
	     NULL, "\"true 1 1.5 2 a b\""},
	    {"return (next({z = 1, y = 2}))", NULL, "\"y\""},
	    {"return next({}) == nil", NULL, "true"},
	    {"for k in pairs({[{}] = 1}) do end", "script",
	     "a key of type table has no fixed order"},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RETURN);
}

static void pcall_catches_errors_but_no_limits(void **state)
{
	static const struct attack attacks[] = {
	    {"return {pcall(error, 'x')}", NULL, "[false,\"x\"]"},
	    {"return {pcall(function(...) return ... end, 1, 2)}", NULL, "[true,1,2]"},
	    {"local ok, e = pcall(function() error({code = 7}) end) return {ok, e.code}", NULL,
	     "[false,7]"},
	    {"local ok, e = pcall(reject, 'no') return tostring(e)", NULL, "\"no\""},
	    {"local ok, e = pcall(reject, 'no') error(e)", "reject", "no"},
	    {"reject('the table must have a name')", "reject", "the table must have a name"},
	    {"pcall()", "script", "bad argument"},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_RETURN);
}

static void a_file_must_have_its_function(void **state)
{
	static const struct attack attacks[] = {
	    {"", "script",
	     "expected the file to return a table with the function 'contract', found "
	     "nothing"},
	    {"-- only a comment", "script", "found nothing"},
	    {"return 'x'", "script", "found string"},
	    {"return {}", "script", "expected the function 'contract' in the table"},
	    {"return {contract = setmetatable({}, {__call = function() end})}", "script",
	     "found table"},
	    {"return setmetatable({}, {__index = function() return error end})", "script",
	     "found nothing"},
	    {"return {contract = function( end}", "script", "contract.lua:1: "},
	    {"return {\r\n contract = function() end }\r\n", NULL, ""},
	};

	(void)state;
	run_attacks(attacks, ARRAY_LEN(attacks), SANDBOX_CHECK);
}

/* ---- limits, alive ---- */

static const char *const busy =
    "return {contract = function() local t = {} for i = 1, 2000 do t[i] = {i} end return #t end}";

static bool is_limit(const struct policy_fault *fault, const char *out, const void *arg)
{
	(void)out, (void)arg;
	return fault != NULL && streq(fault->kind, "limit");
}

static bool is_fine(const struct policy_fault *fault, const char *out, const void *arg)
{
	(void)out, (void)arg;
	return fault == NULL;
}

static void the_limits_are_alive(void **state)
{
	const struct sandbox_options one = {.instructions = 1}, few = {.instructions = 2000},
				     many = {.instructions = 100000};

	(void)state;
	assert_true(in_child(&one, "return {contract = function() return 1 end}", SANDBOX_RESULT,
			     is_limit, NULL));
	assert_true(in_child(&few, busy, SANDBOX_RESULT, is_limit, NULL));
	assert_true(in_child(&many, busy, SANDBOX_RESULT, is_fine, NULL));
}

static bool is_expired(const struct policy_fault *fault, const char *out, const void *arg)
{
	(void)out, (void)arg;
	return fault != NULL && streq(fault->kind, "limit") &&
	       strstr(fault->message, "processor time") != NULL;
}

static void expire_from_the_log(void *arg, const char *text)
{
	(void)text;
	sandbox_expire(*(struct sandbox **)arg);
}

static void an_expired_sandbox_ends(void **state)
{
	struct bundle *bundle =
	    bundle_of("log('now') while true do pcall(function() while true do end end) end");
	struct sandbox *box = NULL;
	struct sandbox_options options = {
	    .bundle = bundle, .log = expire_from_the_log, .log_arg = &box};
	struct sandbox_call call = {.file = "contract.lua", .want = SANDBOX_RETURN};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct policy_fault fault;

	(void)state;
	box = sandbox_new(&options);
	assert_int_equal(sandbox_call(box, &call, &out, &fault), -1);
	assert_true(is_expired(&fault, "", NULL));
	sandbox_free(box);
	bundle_free(bundle);
}

struct log_count {
	char last[200];
	int lines;
	size_t longest;
};

static void count_log(void *arg, const char *text)
{
	struct log_count *count = arg;

	count->lines++;
	snprintf(count->last, sizeof(count->last), "%s", text);
	if (strlen(text) > count->longest)
		count->longest = strlen(text);
}

/* A script that any policy could hold. */
static const char usual[] = "local function storage(config)\n"
			    "  local all = {}\n"
			    "  for k, v in pairs(config) do all[k] = {v} log(k) end\n"
			    "  return all\n"
			    "end\n"
			    "return {contract = function(config)\n"
			    "  return {input = storage(config)}\n"
			    "end}\n";

/* The clock strikes while the script logs. */
static void strike(void *arg, const char *text)
{
	struct sandbox **box = arg;

	(void)text;
	sandbox_expire(*box);
}

static void every_limit_is_alive(void **state)
{
	static const struct {
		struct sandbox_options options;
		size_t output_max;
		bool expired;
		const char *message; /* NULL: it succeeds */
	} cases[] = {
	    {.message = NULL},
	    {.options = {.heap_max = 1},
	     .message = "the script needs more than 0 KiB of memory, while it ran contract"},
	    {.options = {.instructions = 1},
	     .message = "contract.lua:5: the script ran for more than 1 instructions, while it ran "
			"contract"},
	    {.options = {.cpu_ms = 1},
	     .expired = true,
	     .message = "contract.lua:3: the script used more than 1 ms of processor time, while "
			"it ran contract"},
	    {.options = {.depth_max = 1},
	     .message = "contract.lua:6: result.input: nested deeper than 1 levels (does a table "
			"contain itself?), while it ran contract"},
	    {.output_max = 1,
	     .message = "contract.lua:6: the result is larger than 1 bytes of JSON, while it ran "
			"contract"},
	};
	auto_json struct json *config = json_of("{\"a\":1,\"b\":2}");
	struct bundle *bundle = bundle_of(usual);
	struct sandbox_call call = {.file = "contract.lua",
				    .function = "contract",
				    .want = SANDBOX_RESULT,
				    .args = {config},
				    .arg_count = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t size = cases[i].output_max != 0 ? cases[i].output_max : SANDBOX_OUTPUT_MAX;
		auto_buf struct buf out = BUF_INIT(size);
		struct sandbox_options options = cases[i].options;
		struct policy_fault fault;
		struct sandbox *box;
		int failed;

		options.bundle = bundle;
		options.log = cases[i].expired ? strike : NULL;
		options.log_arg = &box;
		box = sandbox_new(&options);
		failed = sandbox_call(box, &call, &out, &fault);
		sandbox_free(box);
		assert_int_equal(failed, cases[i].message != NULL ? -1 : 0);
		if (cases[i].message == NULL)
			continue;
		assert_string_equal(fault.kind, "limit");
		assert_string_equal(fault.file, "contract.lua");
		if (strstr(fault.message, cases[i].message) == NULL)
			assert_string_equal(fault.message, cases[i].message);
	}
	bundle_free(bundle);
}

static void the_limit_of_log_lines_is_alive(void **state)
{
	auto_json struct json *config = json_of("{\"a\":1,\"b\":2}");
	struct bundle *bundle = bundle_of(usual);
	struct log_count count = {0};
	struct sandbox_options options = {
	    .bundle = bundle, .log = count_log, .log_arg = &count, .log_lines = 1};
	struct sandbox_call call = {.file = "contract.lua",
				    .function = "contract",
				    .want = SANDBOX_RESULT,
				    .args = {config},
				    .arg_count = 1};
	auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;

	(void)state;
	assert_int_equal(sandbox_call(box, &call, &out, &fault), 0);
	assert_int_equal(count.lines, 2);
	assert_string_equal(count.last,
			    "contract.lua:3: the script logs more than 1 lines; the rest is "
			    "dropped");
	sandbox_free(box);
	bundle_free(bundle);
}

static void a_traceback_tells_the_calls_of_policy_files(void **state)
{
	static const struct {
		const char *text, *traceback;
	} cases[] = {
	    {"local function deep(x)\n  return x.y.z\nend\n"
	     "return {contract = function()\n  return {deep({})}\nend}",
	     "contract.lua:2: in upvalue 'deep'\ncontract.lua:5: in function at line 4"},
	    {"local t = {}\nfunction t.run(x)\n  error('no')\nend\n"
	     "return {contract = function()\n  table.sort({2, 1}, t.run)\nend}",
	     "contract.lua:3: in function at line 2\ncontract.lua:6: in function at line 5"},
	    {"local x = nil + 1", "contract.lua:1: in the file itself"},
	    {"return {contract = function()\n  reject('no')\nend}",
	     "contract.lua:2: in function at line 1"},
	    {"local function f(n) return n == 0 and error('no') or f(n - 1) + 1 end\n"
	     "return {contract = function() return f(100) end}",
	     "contract.lua:1: in upvalue 'f'\ncontract.lua:1: in upvalue 'f'\n"
	     "contract.lua:1: in upvalue 'f'\ncontract.lua:1: in upvalue 'f'\n"
	     "contract.lua:1: in upvalue 'f'\ncontract.lua:1: in upvalue 'f'\n"
	     "contract.lua:1: in upvalue 'f'\ncontract.lua:1: in upvalue 'f'"},
	    {"return {contract = function()\n  while true do end\nend}",
	     "contract.lua:2: in function at line 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bundle *bundle = bundle_of(cases[i].text);
		struct sandbox_options options = {.bundle = bundle, .instructions = 100000};
		struct sandbox_call call = {
		    .file = "contract.lua", .function = "contract", .want = SANDBOX_RESULT};
		auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
		struct sandbox *box = sandbox_new(&options);
		struct policy_fault fault;

		assert_int_equal(sandbox_call(box, &call, &out, &fault), -1);
		assert_string_equal(fault.traceback, cases[i].traceback);
		sandbox_free(box);
		bundle_free(bundle);
	}
}

static void the_log_is_capped(void **state)
{
	struct bundle *bundle =
	    bundle_of("for i = 1, 1000 do log(('\xC3\xA4'):rep(1000)) end return true");
	struct log_count count = {0};
	struct sandbox_options options = {.bundle = bundle, .log = count_log, .log_arg = &count};
	struct sandbox_call call = {.file = "contract.lua", .want = SANDBOX_RETURN};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;

	(void)state;
	assert_int_equal(sandbox_call(box, &call, &out, &fault), 0);
	assert_int_equal(count.lines, SANDBOX_LOG_LINES_MAX + 1);
	assert_string_equal(count.last, "contract.lua:1: the script logs more than 32 lines; the "
					"rest is dropped");
	assert_int_equal(count.longest, SANDBOX_LOG_LINE_MAX);
	buf_done(&out);
	sandbox_free(box);
	bundle_free(bundle);
}

/* ---- messages ---- */

static void a_message_names_file_and_line(void **state)
{
	static const struct {
		const char *script;
		int line;
		const char *message;
	} cases[] = {
	    {"\n\nlocal x = nil\nreturn x.y", 4, "contract.lua:4: attempt to index a nil value"},
	    {"\n\nlocal x = = 1", 3, "contract.lua:3: unexpected symbol near '='"},
	    {"\nstring.rep()", 2, "contract.lua:2: bad argument #1 to 'string.rep'"},
	    {"\n\n\nerror('plain', 0)", 4, "contract.lua:4: plain"},
	    {"\nlocal function f() while true do end end\n\nf()", 2,
	     "contract.lua:2: the script ran for more than"},
	    {"return 0/0", 1, "contract.lua:1: result: JSON has no NaN"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bundle *bundle = bundle_of(cases[i].script);
		struct sandbox_options options = {.bundle = bundle};
		struct sandbox_call call = {.file = "contract.lua", .want = SANDBOX_RETURN};
		struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
		struct sandbox *box = sandbox_new(&options);
		struct policy_fault fault;

		assert_int_equal(sandbox_call(box, &call, &out, &fault), -1);
		assert_string_equal(fault.file, "contract.lua");
		assert_int_equal(fault.line, cases[i].line);
		if (strstr(fault.message, cases[i].message) == NULL)
			assert_string_equal(fault.message, cases[i].message);
		buf_done(&out);
		sandbox_free(box);
		bundle_free(bundle);
	}
}

static void arguments_are_copies_and_null_is_nil(void **state)
{
	struct bundle *bundle = bundle_of("return {contract = function(a, b, c) a.x = 2 "
					  "return {a, b == nil, c} end}");
	struct json *args[3] = {json_of("{\"x\":1}"), json_null(), json_of("[]")};
	struct sandbox_options options = {.bundle = bundle};
	struct sandbox_call call = {.file = "contract.lua",
				    .function = "contract",
				    .want = SANDBOX_RESULT,
				    .args = {args[0], args[1], args[2]},
				    .arg_count = 3};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;

	(void)state;
	assert_int_equal(sandbox_call(box, &call, &out, &fault), 0);
	assert_string_equal(out.data, "[{\"x\":2},true,[]]");
	assert_int_equal(json_get_int(args[0], "x", 0), 1);
	buf_done(&out);
	sandbox_free(box);
	bundle_free(bundle);
	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		json_free(args[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endless_scripts_are_ended),
	    cmocka_unit_test(greedy_scripts_are_ended),
	    cmocka_unit_test(recursion_ends_in_a_message),
	    cmocka_unit_test(deep_stacks_and_sources_do_not_crash),
	    cmocka_unit_test(nothing_else_is_there),
	    cmocka_unit_test(no_address_and_no_chance_shows),
	    cmocka_unit_test(pcall_catches_errors_but_no_limits),
	    cmocka_unit_test(a_file_must_have_its_function),
	    cmocka_unit_test(the_limits_are_alive),
	    cmocka_unit_test(an_expired_sandbox_ends),
	    cmocka_unit_test(every_limit_is_alive),
	    cmocka_unit_test(the_limit_of_log_lines_is_alive),
	    cmocka_unit_test(a_traceback_tells_the_calls_of_policy_files),
	    cmocka_unit_test(the_log_is_capped),
	    cmocka_unit_test(a_message_names_file_and_line),
	    cmocka_unit_test(arguments_are_copies_and_null_is_nil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
