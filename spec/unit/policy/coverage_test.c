#include "policy_util.h"

#include "policy/coverage.h"
#include "policy/eval.h"

static char *lines_text(const struct coverage *coverage)
{
	auto_json struct json *lines = coverage_lines(coverage);

	return json_print(lines);
}

static void lines_are_kept_by_file(void **state)
{
	struct bundle *bundle = bundle_of("one\ntwo\nthree");
	struct coverage *coverage = coverage_new(bundle);
	auto_free char *none = lines_text(coverage), *some = NULL;

	(void)state;
	assert_string_equal(none, "{}");
	coverage_mark(coverage, "contract.lua", 3);
	coverage_mark(coverage, "status.lua", 1);
	coverage_mark(coverage, "contract.lua", 1);
	coverage_mark(coverage, "contract.lua", 1);
	some = lines_text(coverage);
	assert_string_equal(some, "{\"contract.lua\":[1,3],\"status.lua\":[1]}");
	coverage_free(coverage);
	bundle_free(bundle);
}

static void what_the_bundle_does_not_have_is_passed_over(void **state)
{
	struct bundle *bundle = bundle_of("one\ntwo\nthree");
	struct coverage *coverage = coverage_new(bundle);
	auto_free char *text = NULL;

	(void)state;
	coverage_mark(coverage, "contract.lua", 0);
	coverage_mark(coverage, "contract.lua", -1);
	coverage_mark(coverage, "contract.lua", 4);
	coverage_mark(coverage, "default/contract.lua", 1);
	coverage_mark(coverage, "", 1);
	text = lines_text(coverage);
	assert_string_equal(text, "{}");
	coverage_free(coverage);
	coverage_free(NULL);
	bundle_free(bundle);
}

/* Counting lines changes nothing of what a script may use and of what comes out. */
static void an_evaluation_is_the_same_with_it(void **state)
{
	struct bundle *bundle = bundle_of("return { contract = function()\n"
					  "local n = 0\n"
					  "for i = 1, 1000 do\n"
					  "n = n + i\n"
					  "end\n"
					  "if n == 1 then\n"
					  "return 1\n"
					  "end\n"
					  "return { n = n }\n"
					  "end }");
	struct eval eval = {.bundle = bundle};
	auto_json struct json *request = json_object(), *plain = NULL, *counted = NULL,
			      *lines = NULL;
	auto_free char *text = NULL;

	(void)state;
	plain = eval_hook(&eval, "contract", request);
	eval.coverage = coverage_new(bundle);
	counted = eval_hook(&eval, "contract", request);
	lines = coverage_lines(eval.coverage);
	text = json_print(lines);
	assert_true(json_equal(json_get(plain, "ok"), json_get(counted, "ok")));
	assert_int_equal(json_get_int(json_get(plain, "usage"), "instructions", -1),
			 json_get_int(json_get(counted, "usage"), "instructions", -2));
	assert_string_equal(text, "{\"contract.lua\":[1,2,3,4,6,9,10]}");
	coverage_free(eval.coverage);
	bundle_free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_kept_by_file),
	    cmocka_unit_test(what_the_bundle_does_not_have_is_passed_over),
	    cmocka_unit_test(an_evaluation_is_the_same_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
