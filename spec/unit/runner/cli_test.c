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

/* No memory: the answer of the model does not fit. */
static void test_no_memory(void **state UNUSED)
{
	char *args[] = {"kserve-runner", NULL};
	auto_free char *secret = NULL, *contract = NULL, *huge = NULL;
	struct scripted s = {.count = 0};
	struct outcome outcome;

#if defined(__SANITIZE_ADDRESS__)
	skip();
#endif
	scripted_start(&s);
	secret = make_secret(s.port);
	contract = make_contract(s.port, "");
	huge = xasprintf(OK("%0*d"), 64 << 20, 0);
	write_file("contract.json", contract);
	add_route(&s, SECRET_PATH, NULL, secret);
	add_route(&s, "/in", NULL, OK(ROWS));
	add_route(&s, "/v2/models/m/infer", NULL, huge);
	memory_limit = 64 << 20;
	outcome = run(&s, args, s.port);
	memory_limit = RLIM_INFINITY;
	scripted_stop(&s);
	check_outcome("no memory", &outcome, 70, "Internal", "out of memory");
	assert_non_null(strstr(outcome.log, "out of memory"));
	assert_int_equal(scripted_seen(&s, "POST /out", NULL), 0);
	outcome_done(&outcome);
	scripted_done(&s);
}

static void test_help_version(void **state UNUSED)
{
	char *help[] = {"kserve-runner", "--help", NULL};
	char *version[] = {"kserve-runner", "--version", NULL};
	struct scripted s = {.count = 0};
	struct outcome outcome = run(&s, help, 1);

	assert_int_equal(outcome.exit, 0);
	assert_non_null(strstr(outcome.out, "KSERVE_SERVICEACCOUNT_DIR"));
	outcome_done(&outcome);
	outcome = run(&s, version, 1);
	assert_int_equal(outcome.exit, 0);
	assert_string_equal(outcome.out, "kserve-runner " VERSION "\n");
	outcome_done(&outcome);
}

struct tried {
	const char *option, *secret; /* NULL: the usual one */
	int exit, reads;
	const char *out, *log;
};

static void try_out(const struct tried *c)
{
	char *args[] = {"kserve-runner", (char *)c->option, NULL};
	auto_free char *secret = NULL, *contract = NULL;
	struct scripted s = {.count = 0};
	struct outcome outcome;

	scripted_start(&s);
	secret = make_secret(s.port);
	contract = make_contract(s.port, "");
	write_file("contract.json", contract);
	add_route(&s, SECRET_PATH, (const char *const[]){c->secret, NULL}, secret);
	add_route(&s, "/in", NULL, OK(ROWS));
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
	if (outcome.exit != c->exit || strstr(outcome.out, c->out) == NULL ||
	    strstr(outcome.log, c->log) == NULL)
		fail_msg("%s: %d, %s%s", c->option, outcome.exit, outcome.out, outcome.log);
	assert_null(outcome.report);
	assert_int_equal(scripted_seen(&s, "POST /in ", NULL), c->reads);
	assert_int_equal(scripted_seen(&s, "POST /v2", NULL), 0);
	assert_int_equal(scripted_seen(&s, "POST /out", NULL), 0);
	outcome_done(&outcome);
	scripted_done(&s);
}

/* Neither option asks the model or writes. */
static void test_tried_out(void **state UNUSED)
{
	static const struct tried cases[] = {
	    {"--check", ANSWER("404 Not Found", "", "{}"), 8, 0, "",
	     "SecretNotFound: input.krateo"},
	    {"--dry-run", ANSWER("403 Forbidden", "", "{}"), 8, 0, "", "SecretForbidden"},
	    {"--check", NULL, 0, 0, "input.krateo to output.krateo, protocol v2\n", ""},
	    {"--dry-run", NULL, 0, 1, "protocol v2, 2 rows of 2 values\n", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		try_out(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_contract_trouble), cmocka_unit_test(test_usage_trouble),
	    cmocka_unit_test(test_no_memory),        cmocka_unit_test(test_help_version),
	    cmocka_unit_test(test_tried_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
