/* cli_test.c - the program's options, its contract, and what it says of mistakes in them. */
#include "spec/unit/runner/world.h"

static void test_contract_trouble(void **state UNUSED)
{
	static const struct {
		const char *contract, *message;
	} bad[] = {
	    {"{\"jobId\": ", "contract.json: line 1, column 11"},
	    {"{}", "contract.json: kserve: expected an object"},
	};
	char *args[] = {"kserve-runner", NULL}, *check[] = {"kserve-runner", "--check", NULL};
	struct scripted s = {.count = 0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome outcome;

		write_file("contract.json", bad[i].contract);
		outcome = run(&s, args, 1);
		check_outcome(bad[i].contract, &outcome, 2, "ContractInvalid", bad[i].message);
		outcome_done(&outcome);
		outcome = run(&s, check, 1);
		assert_int_equal(outcome.exit, 2);
		assert_non_null(strstr(outcome.log, bad[i].message));
		assert_ptr_equal(strchr(outcome.log, '\n'), strchr(outcome.log, '\0') - 1);
		outcome_done(&outcome);
	}
}

static void test_usage_trouble(void **state UNUSED)
{
	char *bad[][4] = {{"kserve-runner", "--nonsense"},
			  {"kserve-runner", "word"},
			  {"kserve-runner", "--contract", "/nonexistent"},
			  {"kserve-runner", "--contract"}};
	struct scripted s = {.count = 0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome outcome = run(&s, bad[i], 1);

		check_outcome(bad[i][1], &outcome, 2, "ContractInvalid", "");
		outcome_done(&outcome);
	}
}

static void test_help_version_check(void **state UNUSED)
{
	char *help[] = {"kserve-runner", "--help", NULL};
	char *version[] = {"kserve-runner", "--version", NULL};
	char *check[] = {"kserve-runner", "--check", NULL};
	auto_free char *contract = make_contract(1, "");
	struct scripted s = {.count = 0};
	struct outcome outcome = run(&s, help, 1);

	assert_int_equal(outcome.exit, 0);
	assert_non_null(strstr(outcome.out, "KSERVE_SERVICEACCOUNT_DIR"));
	outcome_done(&outcome);
	outcome = run(&s, version, 1);
	assert_int_equal(outcome.exit, 0);
	assert_string_equal(outcome.out, "kserve-runner " VERSION "\n");
	outcome_done(&outcome);
	write_file("contract.json", contract);
	outcome = run(&s, check, 1);
	assert_int_equal(outcome.exit, 0);
	assert_string_equal(outcome.log, "");
	outcome_done(&outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_contract_trouble),
	    cmocka_unit_test(test_usage_trouble),
	    cmocka_unit_test(test_help_version_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
