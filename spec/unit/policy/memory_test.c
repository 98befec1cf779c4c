/*
 * Every allocation of Lua fails once: the heap grows in small steps from nothing until the script
 * gets through. Before that its only answer is the limit's, whatever it was doing, and nothing
 * leaks (AddressSanitizer looks). C's own allocations end the process by design (base/base.h).
 */
#include "policy_util.h"

enum { STEP = 24, HEAP_ENOUGH = 1 << 20, REFUSED_MIN = 500, ENOUGH_IN_A_ROW = 10 };

struct script {
	const char *name, *text;
	const char *kind;     /* NULL: it succeeds */
	const char *expected; /* the result, or a part of the message */
};

static const char argument[] =
    "{\"list\":[1,[],{},null,true,0.10,1e400,\"\\u00e4\"],\"map\":{\"b\":1,\"a\":{\"c\":[]}}}";

static const struct script scripts[] = {
    {"tables",
     "return {contract = function() local t = {} for i = 1, 2000 do t[i] = {i} end "
     "return #t end}",
     NULL, "2000"},
    {"the way in and out", "return {contract = function(x) return x end}", NULL,
     "{\"list\":[1,[],{},null,true,0.10,1e400,\"\xC3\xA4\"],\"map\":{\"a\":{\"c\":[]},\"b\":1}}"},
    {"JSON in text",
     "return {contract = function() local t = {} for i = 1, 20 do "
     "t[i] = json.parse('[1e3,{\"a\":[[[0.10]]]},\"' .. i .. '\"]') end return t[20] end}",
     NULL, "[1e3,{\"a\":[[[0.10]]]},\"20\"]"},
    {"helpers",
     "return {contract = function(x) return {merge(x.map, {a = {d = json.null, e = 'f'}}), "
     "#schema.check({a = '1', b = 'x', c = 'y'}, {a = {type = 'integer', min = 2}, b = {enum = "
     "{'y', 'z'}}, c = {pattern = '^x', maxLength = 3}, d = {required = true}}), "
     "time.format(time.parse('2026-11-24T10:00:00Z')), quantity.parse('1.5Gi')} end}",
     NULL, "[{\"a\":{\"c\":[],\"e\":\"f\"},\"b\":1},4,\"2026-11-24T10:00:00Z\",1610612736]"},
    {"strings",
     "return {contract = function() local t = {} for i = 1, 50 do t[i] = ('%5d %s'):format(i, {}) "
     "end table.sort(t) log(table.concat(t)) for k, v in pairs(t) do t[k] = "
     "v:gsub('%d+', function(d) return d .. d end):upper():rep(3, ',') end return t[9] end}",
     NULL, "\"    99 TABLE,    99 TABLE,    99 TABLE\""},
    {"a lack that is caught",
     "return {contract = function() local n = 0 for i = 1, 50 do if pcall(function() local t = {} "
     "for j = 1, 100 do t[j] = j .. 'x' end error({t}) end) then n = n + 1 end end return n end}",
     NULL, "0"},
    {"a variable that is closed on the way out",
     "local mt = {__close = function() local t = {} for i = 1, 100 do t[i] = {} end end} "
     "return {contract = function() for i = 1, 20 do pcall(function() local x <close> = "
     "setmetatable({}, mt) local s = ('x'):rep(1000 + i) error(s) end) end return true end}",
     NULL, "true"},
    {"an error",
     "return {contract = function() local t = {} for i = 1, 200 do t[i] = {} end "
     "return t.x.y end}",
     "script", "contract.lua:1: attempt to index a nil value (field 'x')"},
    {"a rejection", "return {contract = function(x) reject('no ' .. #x.list) end}", "reject",
     "no 8"},
    {"a global that is not known", "return {contract = function() return colour end}", "script",
     "unknown global 'colour'"},
    {"a result that is none", "return {contract = function() return {a = {{f = pcall}}} end}",
     "script", "contract.lua:1: result.a[1].f: JSON cannot hold a function"},
    {"a file that does not compile", "return {contract = function( end}", "script",
     "contract.lua:1: "},
    {"modules",
     "local s = require 'status' return {contract = function() return type(s.status) "
     "end}",
     NULL, "\"function\""},
};

/* Returns whether it was refused for want of memory; anything else must be as told. */
static bool is_refused(const struct bundle *bundle, const struct script *script,
		       const struct json *args, size_t heap)
{
	const struct sandbox_options options = {.bundle = bundle, .heap_max = heap};
	const struct sandbox_call call = {.file = "contract.lua",
					  .function = "contract",
					  .want = SANDBOX_RESULT,
					  .args = {args},
					  .arg_count = 1};
	auto_buf struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	size_t at_first = sandbox_heap_peak(box);
	struct policy_fault fault;
	bool failed = sandbox_call(box, &call, &out, &fault) < 0;
	size_t peak = sandbox_heap_peak(box);

	sandbox_free(box);
	assert_true(peak <= heap || peak == at_first); /* a copy has its libraries already */
	if (failed && streq(fault.kind, "limit")) {
		assert_non_null(strstr(fault.message, "KiB of memory"));
		return true;
	}
	if (script->kind == NULL) {
		assert_string_equal(failed ? fault.message : out.data, script->expected);
		return false;
	}
	assert_string_equal(failed ? fault.kind : out.data, script->kind);
	if (strstr(fault.message, script->expected) == NULL)
		assert_string_equal(fault.message, script->expected);
	return false;
}

static void starve(int refused_min)
{
	auto_json struct json *args = json_of(argument);

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct bundle *bundle = bundle_of(scripts[i].text);
		int refused = 0, passed = 0;

		for (size_t heap = 1; passed < ENOUGH_IN_A_ROW; heap += STEP) {
			assert_true(heap < HEAP_ENOUGH);
			if (is_refused(bundle, &scripts[i], args, heap)) {
				refused++;
				passed = 0;
			} else {
				passed++;
			}
		}
		if (refused < refused_min)
			fail_msg("%s: refused %d times only", scripts[i].name, refused);
		bundle_free(bundle);
	}
}

static void every_lack_of_memory_is_survived(void **state)
{
	(void)state;
	starve(REFUSED_MIN);
}

/* The libraries are there and not made again: fewer allocations can fail. Every copy starts from
 * what the one before has left of its memory, full or not. */
static void and_so_it_is_by_copies_of_a_prepared_state(void **state)
{
	(void)state;
	sandbox_prepare();
	starve(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_lack_of_memory_is_survived),
	    cmocka_unit_test(and_so_it_is_by_copies_of_a_prepared_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
