#include "policy_util.h"

#include "policy/kept.h"

/* An evaluation that goes back to a kept state is the one that it would have been without. */

struct found {
	struct buf out; /* or the fault, with its traceback */
	size_t peak;
	int64_t instructions;
	int logged;
};

static void count_line(void *arg, const char *text)
{
	struct found *found = arg;

	(void)text;
	found->logged++;
}

static struct sandbox_options options_of(const struct bundle *bundle, struct found *found)
{
	return (struct sandbox_options){.bundle = bundle, .log = count_line, .log_arg = found};
}

static struct found evaluate(const struct bundle *bundle)
{
	const struct sandbox_call call = {
	    .file = "contract.lua", .function = "contract", .want = SANDBOX_RESULT};
	struct found found = {.out = BUF_INIT(SANDBOX_OUTPUT_MAX)};
	struct sandbox_options options = options_of(bundle, &found);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;

	if (sandbox_call(box, &call, &found.out, &fault) < 0) {
		buf_clear(&found.out);
		buf_addf(&found.out, "%s %s:%d: %s | %s", fault.kind, fault.file, fault.line,
			 fault.message, fault.traceback);
	}
	found.peak = sandbox_heap_peak(box);
	found.instructions = sandbox_instructions(box);
	sandbox_free(box);
	return found;
}

static bool is_kept(const struct sandbox_options *options)
{
	struct sandbox *box = sandbox_new(options);
	bool known = kept_recall(box, "contract.lua");

	sandbox_free(box);
	return known;
}

static struct bundle *bundle_with_module(const char *contract, const char *module)
{
	auto_json struct json *files =
	    json_build("{'contract.lua': %s, 'm.lua': %s}", contract, module);
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);

	if (bundle == NULL)
		fail_msg("no bundle: %s", err.msg);
	return bundle;
}

static void it_is_as_if_the_file_had_just_run(void **state)
{
	static const struct {
		const char *text;
		bool kept;
	} cases[] = {
	    {"local n = 0 return {contract = function() n = n + 1 return n end, require 'm'}",
	     true},
	    {"local m = require 'm' return {contract = function() m.n = m.n + 1 return m end}",
	     true},
	    {"local t = {} for i = 1, 500 do t['k' .. i] = i end return {contract = function() "
	     "local first = next(t) t[first] = nil return {first, t} end, m = require 'm'}",
	     true},
	    {"local t = setmetatable({}, {__index = function(_, k) return k end}) local m = "
	     "require 'm' return {contract = function() return {t.a, m} end}",
	     true},
	    {"local x = json.parse('[1e400]')[1] local m = require 'm' return {contract = "
	     "function() return {x, m} end}",
	     true},
	    {"local function f(x) return x.y end require 'm' return {contract = function() return "
	     "f() end}",
	     true},
	    {"require 'm' return {contract = function() while true do end end}", true},
	    {"require 'm' return {contract = function() local s = 'x' while true do s = s .. s end "
	     "end}",
	     true},
	    {"require 'm' return {contract = function() log('once') end}", true},
	    {"require 'm' return {}", true}, /* what is missing is told each time */
	    {"require 'm' return 1", true},
	    {"require 'm' log('each time') return {contract = function() return 1 end}", false},
	    {"local t = {} for i = 1, 2e4 do t[i] = i end require 'm' return {contract = "
	     "function() return #t end}",
	     false},
	    {"require 'm' error('no')", false},
	    {"require 'm' while true do end", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bundle *bundle = bundle_with_module(cases[i].text, "return {n = 1}");
		struct found first = evaluate(bundle);
		struct sandbox_options options = options_of(bundle, NULL);

		if (is_kept(&options) != cases[i].kept)
			fail_msg("%s: kept: %d", cases[i].text, !cases[i].kept);
		for (int again = 0; again < 2; again++) {
			struct found found = evaluate(bundle);

			assert_string_equal(found.out.data, first.out.data);
			if (cases[i].kept) /* else the first one has also compiled the text */
				assert_int_equal(found.peak, first.peak);
			assert_int_equal(found.instructions, first.instructions);
			assert_int_equal(found.logged, first.logged);
			buf_done(&found.out);
		}
		buf_done(&first.out);
		bundle_free(bundle);
	}
}

static void assert_answer(const struct bundle *bundle, const char *expected)
{
	struct found found = evaluate(bundle);

	assert_string_equal(found.out.data, expected);
	buf_done(&found.out);
}

static void each_bundle_has_its_own_up_to_the_last_ones(void **state)
{
	struct bundle *bundles[KEPT_MAX + 1];
	char text[80], number[16];

	(void)state;
	for (int i = 0; i <= KEPT_MAX; i++) {
		snprintf(text, sizeof(text), "return {contract = function() return %d end}", i);
		bundles[i] = bundle_of(text);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i <= KEPT_MAX; i++) {
			snprintf(number, sizeof(number), "%d", i);
			assert_answer(bundles[i], number);
		}
		for (int i = 0; i <= KEPT_MAX; i++)
			assert_true(is_kept(&(struct sandbox_options){.bundle = bundles[i]}) ==
				    (i > 0));
	}
	for (int i = 0; i <= KEPT_MAX; i++)
		bundle_free(bundles[i]);
}

static void what_lies_below_a_bundle_may_change(void **state)
{
	static const char contract[] = "local m = require 'm' return {contract = function() return "
				       "m end}";
	struct bundle *base = bundle_with_module(contract, "return 1"),
		      *other = bundle_with_module(contract, "return 2");
	auto_json struct json *files = json_build("{'contract.lua': %s}", contract);
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new_over(files, base, &err);

	(void)state;
	assert_answer(bundle, "1");
	bundle_lay(bundle, other);
	assert_answer(bundle, "2");
	bundle_free(bundle);
	bundle_free(base);
	bundle_free(other);
}

static void other_limits_have_states_of_their_own(void **state)
{
	struct bundle *bundle = bundle_of("return {contract = function() return 1 end}");
	struct coverage *coverage = coverage_new(bundle);
	const struct sandbox_options others[] = {
	    {.bundle = bundle, .heap_max = SANDBOX_HEAP_MAX / 2},
	    {.bundle = bundle, .instructions = SANDBOX_INSTRUCTIONS / 2},
	    {.bundle = bundle, .coverage = coverage},
	};

	(void)state;
	assert_answer(bundle, "1");
	assert_true(is_kept(&(struct sandbox_options){.bundle = bundle}));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(is_kept(&others[i]));
	coverage_free(coverage);
	bundle_free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_as_if_the_file_had_just_run),
	    cmocka_unit_test(each_bundle_has_its_own_up_to_the_last_ones),
	    cmocka_unit_test(what_lies_below_a_bundle_may_change),
	    cmocka_unit_test(other_limits_have_states_of_their_own),
	};

	sandbox_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
