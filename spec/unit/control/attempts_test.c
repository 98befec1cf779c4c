/* What is kept of the attempts of a run: causes, order, limits, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/attempts.h"

#define META(name) "'metadata': {'name': '" name "', 'creationTimestamp': '00'}"
#define ENDED(name, at, terminated)                                                                \
	"{" META(name) ", 'spec': {'nodeName': 'n1'}, 'status': {'phase': 'Failed', "              \
		       "'containerStatuses': [{'name': 'sidecar', 'state': {'terminated': "        \
		       "{'exitCode': 99}}}, {'name': 'inference', 'state': {'terminated': "        \
		       "{'finishedAt': '" at "', " terminated "}}}]}}"
#define DISRUPTED(status, condition)                                                               \
	"{" META(                                                                                  \
	    "p") ", 'status': {'phase': 'Failed', " status "'conditions': [{'type': "              \
		 "'Ready', 'status': 'False'}, {'type': 'DisruptionTarget', 'status': '" condition \
		 "', 'reason': 'PreemptionByScheduler', 'message': 'preempted', "                  \
		 "'lastTransitionTime': '07'}]}}"

static void assert_list(const struct json *result, const char *wanted)
{
	auto_json struct json *expected = json_build(wanted);
	auto_free char *found = json_print(json_get(result, "lastAttempts"));
	auto_free char *text = json_print(expected);

	assert_string_equal(found, text);
}

static void each_cause_is_named(void **state UNUSED)
{
	static const struct {
		const char *pod, *attempt;
	} table[] = {
	    {ENDED("p", "05", "'exitCode': 4, 'reason': 'Error', 'message': 'm'"),
	     "[{'pod': 'p', 'node': 'n1', 'reason': 'Error', 'message': 'm', 'exitCode': 4, "
	     "'finishedAt': '05'}]"},
	    {ENDED("p", "05", "'exitCode': 137, 'reason': 'OOMKilled'"),
	     "[{'pod': 'p', 'node': 'n1', 'reason': 'OOMKilled', 'exitCode': 137, 'signal': 9, "
	     "'finishedAt': '05'}]"},
	    {ENDED("p", "05", "'exitCode': 1, 'signal': 11, 'reason': 'Error'"),
	     "[{'pod': 'p', 'node': 'n1', 'reason': 'Error', 'exitCode': 1, 'signal': 11, "
	     "'finishedAt': '05'}]"},
	    {ENDED("p", "05", "'exitCode': 128"),
	     "[{'pod': 'p', 'node': 'n1', 'reason': 'PodFailed', 'exitCode': 128, 'finishedAt': "
	     "'05'}]"},
	    {ENDED("p", "05", "'exitCode': 193"),
	     "[{'pod': 'p', 'node': 'n1', 'reason': 'PodFailed', 'exitCode': 193, 'finishedAt': "
	     "'05'}]"},
	    {DISRUPTED("", "True"), "[{'pod': 'p', 'reason': 'PreemptionByScheduler', 'message': "
				    "'preempted', 'finishedAt': '07'}]"},
	    {DISRUPTED("'reason': 'Evicted', 'message': 'low on disk', ", "True"),
	     "[{'pod': 'p', 'reason': 'Evicted', 'message': 'low on disk', 'finishedAt': '07'}]"},
	    {DISRUPTED("", "False"), "[{'pod': 'p', 'reason': 'PodFailed', 'finishedAt': '00'}]"},
	    {DISRUPTED("'message': 'said', ", "False"),
	     "[{'pod': 'p', 'reason': 'PodFailed', 'message': 'said', 'finishedAt': '00'}]"},
	    {DISRUPTED("'containerStatuses': [{'state': {'terminated': {'reason': 'OOMKilled', "
		       "'finishedAt': '09'}}}], ",
		       "True"),
	     "[{'pod': 'p', 'reason': 'OOMKilled', 'finishedAt': '09'}]"},
	    {"{" META("p") ", 'status': {'phase': 'Running'}}", "null"},
	    {"{" META("p") ", 'status': {'phase': 'Succeeded'}}", "null"},
	    {"{}", "null"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *pod = json_build(table[i].pod);
		auto_json struct json *pods = json_array();
		auto_json struct json *result = json_object();

		json_append(pods, json_copy(pod));
		attempts_record(result, NULL, pods);
		assert_list(result, table[i].attempt);
	}
}

static void the_last_five_are_kept_in_order_of_time(void **state UNUSED)
{
	auto_json struct json *result = json_object();

	/* Told in any order, and one of them twice. */
	for (int at = 0; at < 7; at++) {
		static const int order[] = {3, 1, 6, 3, 2, 5, 4};
		auto_free char *name = xasprintf("p%d", order[at]);
		auto_free char *time = xasprintf("0%d", order[at]);
		auto_json struct json *pods = json_build(
		    "[{'metadata': {'name': %s}, 'status': {'phase': 'Failed', "
		    "'containerStatuses': [{'state': {'terminated': {'finishedAt': %s}}}]}}]",
		    name, time);

		attempts_record(result, NULL, pods);
	}
	assert_int_equal(json_len(json_get(result, "lastAttempts")), ATTEMPTS_KEPT);
	assert_list(result, "[{'pod': 'p2', 'reason': 'PodFailed', 'finishedAt': '02'},"
			    " {'pod': 'p3', 'reason': 'PodFailed', 'finishedAt': '03'},"
			    " {'pod': 'p4', 'reason': 'PodFailed', 'finishedAt': '04'},"
			    " {'pod': 'p5', 'reason': 'PodFailed', 'finishedAt': '05'},"
			    " {'pod': 'p6', 'reason': 'PodFailed', 'finishedAt': '06'}]");
}

static void what_is_known_stays_when_the_pod_is_gone(void **state UNUSED)
{
	auto_json struct json *result =
	    json_build("{'lastAttempts': [{'pod': 'a'}], 'attempts': 1}");
	auto_json struct json *job = json_build("{'status': {'failed': 1}}");
	auto_json struct json *before = json_copy(result);

	attempts_record(result, job, NULL);
	assert_true(json_equal(result, before));
}

static void something_else_in_its_place_is_replaced(void **state UNUSED)
{
	auto_json struct json *result = json_build("{'lastAttempts': 'many', 'attempts': 'x'}");
	auto_json struct json *pods = json_build("[" ENDED("p", "05", "'exitCode': 2") "]");

	attempts_record(result, NULL, pods);
	assert_list(result, "[{'pod': 'p', 'node': 'n1', 'reason': 'PodFailed', 'exitCode': 2, "
			    "'finishedAt': '05'}]");
}

static void a_message_of_the_limit_is_kept_and_a_longer_one_cut(void **state UNUSED)
{
	for (size_t over = 0; over <= 1; over++) {
		auto_free char *text = xcalloc(1, ATTEMPT_MESSAGE_MAX + 2);
		auto_json struct json *pods = NULL;
		auto_json struct json *result = json_object();
		const struct json *attempt;

		/* The last character has two bytes: it goes as a whole. */
		memset(text, 'a', ATTEMPT_MESSAGE_MAX - 2 + over);
		snprintf(text + strlen(text), 3, "é");
		pods = json_build("[{'status': {'phase': 'Failed', 'message': %s}}]", text);
		attempts_record(result, NULL, pods);
		attempt = json_first(json_get(result, "lastAttempts"));
		assert_int_equal(strlen(json_get_str(attempt, "message", "")),
				 over ? ATTEMPT_MESSAGE_MAX - 1 : ATTEMPT_MESSAGE_MAX);
	}
}

static void attempts_are_counted_whatever_is_seen_first(void **state UNUSED)
{
	static const struct {
		const char *what, *result, *job, *pods;
		int64_t attempts;
	} table[] = {
	    {"nothing yet", "{}", "{'status': {'active': 1}}", "[]", -1},
	    {"a Pod that waits", "{}", "{'status': {'active': 1}}",
	     "[{'status': {'phase': 'Pending'}}]", -1},
	    {"the Pod runs, the Job knows", "{}", "{'status': {'active': 1}}",
	     "[{'status': {'phase': 'Running'}}]", 1},
	    {"the Pod runs, the Job does not know", "{}", "{}",
	     "[{'status': {'phase': 'Running'}}]", 1},
	    {"the Job knows first", "{}", "{'status': {'active': 1, 'ready': 1}}", "[]", 1},
	    {"between two", "{'attempts': 1}", "{'status': {'failed': 1}}", "[]", 1},
	    {"an old Pod that the Job has counted", "{'attempts': 1}", "{'status': {'failed': 1}}",
	     "[{'status': {'phase': 'Running'}}]", 1},
	    {"the second runs", "{'attempts': 1}", "{'status': {'failed': 1, 'active': 1}}",
	     "[{'status': {'phase': 'Failed'}}, {'status': {'phase': 'Running'}}]", 2},
	    {"it has ended and is not counted", "{'attempts': 2}", "{'status': {'failed': 1}}",
	     "[{'status': {'phase': 'Failed'}}, {'status': {'phase': 'Succeeded'}}]", 2},
	    {"at the end the Job's own count stands", "{'attempts': 3}",
	     "{'status': {'failed': 1, 'succeeded': 1, 'conditions': [{'type': 'Complete', "
	     "'status': 'True'}]}}",
	     "[]", 2},
	    {"none at all", "{}",
	     "{'status': {'conditions': [{'type': 'Failed', 'status': 'True'}]}}", "[]", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *result = json_build(table[i].result);
		auto_json struct json *job = json_build(table[i].job);
		auto_json struct json *pods = json_build(table[i].pods);

		attempts_record(result, job, pods);
		if (json_get_int(result, "attempts", -1) != table[i].attempts)
			fail_msg("%s: expected %d attempts, got %d", table[i].what,
				 (int)table[i].attempts, (int)json_get_int(result, "attempts", -1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_cause_is_named),
	    cmocka_unit_test(the_last_five_are_kept_in_order_of_time),
	    cmocka_unit_test(what_is_known_stays_when_the_pod_is_gone),
	    cmocka_unit_test(something_else_in_its_place_is_replaced),
	    cmocka_unit_test(a_message_of_the_limit_is_kept_and_a_longer_one_cut),
	    cmocka_unit_test(attempts_are_counted_whatever_is_seen_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
