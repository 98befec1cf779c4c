#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/failpolicy.h"

static const char pod_text[] =
    "{'metadata':{'name':'p','namespace':'n'},'status':{'conditions':[{'type':'DisruptionTarget',"
    "'status':%s}],'containerStatuses':[{'name':'a','state':{'terminated':{'exitCode':%d}}}]}}";

static void rules(void **state UNUSED)
{
	static const struct {
		const char *rule;
		const char *disrupted;
		int64_t exit_code;
		enum fail_action expected;
		const char *message;
	} rows[] = {
	    {"{}", "False", 1, FAIL_COUNT, NULL},
	    {"{'action':'FailJob','onExitCodes':{'operator':'In','values':[2,3]}}", "False", 3,
	     FAIL_JOB,
	     "Container a for pod n/p failed with exit code 3 matching FailJob rule at index 0"},
	    {"{'action':'FailJob','onExitCodes':{'operator':'In','values':[2,3]}}", "False", 4,
	     FAIL_COUNT, NULL},
	    {"{'action':'FailJob','onExitCodes':{'operator':'NotIn','values':[2]}}", "False", 3,
	     FAIL_JOB,
	     "Container a for pod n/p failed with exit code 3 matching FailJob rule at index 0"},
	    {"{'action':'FailJob','onExitCodes':{'operator':'NotIn','values':[2]}}", "False", 0,
	     FAIL_COUNT, NULL},
	    {"{'action':'FailJob','onExitCodes':{'containerName':'b','operator':'In','values':[3]}"
	     "}",
	     "False", 3, FAIL_COUNT, NULL},
	    {"{'action':'Ignore','onPodConditions':[{'type':'DisruptionTarget'}]}", "True", 1,
	     FAIL_IGNORE, NULL},
	    {"{'action':'Ignore','onPodConditions':[{'type':'DisruptionTarget'}]}", "False", 1,
	     FAIL_COUNT, NULL},
	    {"{'action':'FailJob','onPodConditions':[{'type':'DisruptionTarget'}]}", "True", 1,
	     FAIL_JOB, "Pod n/p has condition DisruptionTarget matching FailJob rule at index 0"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *rule = json_build(rows[i].rule);
		auto_json struct json *policy = json_build("{'rules':[%j]}", rule);
		auto_json struct json *pod =
		    json_build(pod_text, rows[i].disrupted, rows[i].exit_code);
		auto_free char *message = NULL;

		assert_int_equal(fail_policy(policy, pod, &message), rows[i].expected);
		if (rows[i].message == NULL)
			assert_null(message);
		else
			assert_string_equal(message, rows[i].message);
	}
}

static void first_match_wins(void **state UNUSED)
{
	auto_json struct json *policy = json_build(
	    "{'rules':[{'action':'Ignore','onPodConditions':[{'type':'DisruptionTarget'}]},"
	    "{'action':'FailJob','onExitCodes':{'operator':'In','values':[3]}}]}");
	auto_json struct json *pod = json_build(pod_text, "True", (int64_t)3);
	char *message = NULL;

	assert_int_equal(fail_policy(policy, pod, &message), FAIL_IGNORE);
	assert_null(message);
	assert_int_equal(fail_policy(NULL, pod, &message), FAIL_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules),
	    cmocka_unit_test(first_match_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
