/* What a status says, and the smallest patch that gets it there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "control/status.h"

#define THEN "2026-11-24T09:00:00Z"
#define NOW "2026-11-24T10:00:00Z"

static int64_t now_ms(void)
{
	int64_t now = 0;

	assert_true(time_parse(NOW, &now));
	return now;
}

static void assert_json(const struct json *found, const char *wanted)
{
	auto_json struct json *expected = json_build(wanted);
	auto_free char *text = json_print(found);

	if (!json_equal(found, expected))
		fail_msg("expected %s, found %s", wanted, text);
}

static void a_condition_moves_its_time_only_with_its_status(void **state UNUSED)
{
	static const struct {
		const char *before, *value, *after;
	} rows[] = {
	    {"{}", "True",
	     "[{'type': 'Ready', 'lastTransitionTime': '" NOW
	     "', 'status': 'True', 'reason': 'R', 'message': 'm', 'observedGeneration': 3}]"},
	    {"{'conditions': 'none'}", "True",
	     "[{'type': 'Ready', 'lastTransitionTime': '" NOW
	     "', 'status': 'True', 'reason': 'R', 'message': 'm', 'observedGeneration': 3}]"},
	    {"{'conditions': [{'type': 'Other'}, {'type': 'Ready', 'status': 'True', "
	     "'lastTransitionTime': '" THEN "'}]}",
	     "True",
	     "[{'type': 'Other'}, {'type': 'Ready', 'status': 'True', 'lastTransitionTime': '" THEN
	     "', 'reason': 'R', 'message': 'm', 'observedGeneration': 3}]"},
	    {"{'conditions': [{'type': 'Ready', 'status': 'True', 'lastTransitionTime': '" THEN
	     "'}]}",
	     "False",
	     "[{'type': 'Ready', 'status': 'False', 'lastTransitionTime': '" NOW
	     "', 'reason': 'R', 'message': 'm', 'observedGeneration': 3}]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *status = json_build(rows[i].before);

		status_condition(status, "Ready", rows[i].value, "R", "m", 3, now_ms());
		assert_json(json_get(status, "conditions"), rows[i].after);
	}
}

/* Ready and Synced of a verdict, and what policies add. */
static void a_verdict_becomes_conditions(void **state UNUSED)
{
	static const struct {
		struct verdict verdict;
		const char *ready, *synced, *reason;
	} rows[] = {
	    {{.phase = "Running"}, "False", "True", "Running"},
	    {{.phase = "Succeeded", .reason = "Completed"}, "True", "True", "Completed"},
	    {{.phase = "Scheduled", .message = "m"}, "True", "True", "Scheduled"},
	    {{.phase = "Failed", .reason = "X"}, "False", "True", "X"},
	    {{.phase = "Pending", .reason = "Y", .failing = true}, "False", "False", "Y"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *run = json_build("{'metadata': {'generation': 2}}");
		auto_json struct json *status = status_apply(run, &rows[i].verdict, now_ms());
		const struct json *c = json_first(json_get(status, "conditions"));
		int seen = 0;

		assert_string_equal(json_get_str(status, "reason", ""), rows[i].reason);
		assert_int_equal(json_get_int(status, "observedGeneration", 0), 2);
		for (; c != NULL; c = json_next(c)) {
			const char *type = json_get_str(c, "type", "");
			const char *value = json_get_str(c, "status", "");

			if (streq(type, "Ready") && ++seen)
				assert_string_equal(value, rows[i].ready);
			if (streq(type, "Synced") && ++seen)
				assert_string_equal(value, rows[i].synced);
		}
		assert_int_equal(seen, 2);
	}
}

static void a_policys_conditions_are_added(void **state UNUSED)
{
	auto_json struct json *more = json_build("[{'type': 'Fresh', 'status': 'True'}, {}]");
	auto_json struct json *run = json_object();
	const struct verdict verdict = {.phase = "Running", .conditions = more};
	auto_json struct json *status = status_apply(run, &verdict, now_ms());
	const struct json *first = json_first(json_get(status, "conditions"));

	assert_string_equal(json_get_str(first, "type", ""), "Fresh");
	assert_string_equal(json_get_str(first, "reason", ""), "Policy");
	assert_string_equal(json_get_str(json_next(first), "status", ""), "Unknown");
}

/* A message of the limit stays whole; a longer one is cut between characters. */
static void messages_are_cut(void **state UNUSED)
{
	for (size_t over = 0; over <= 1; over++) {
		auto_free char *text = xcalloc(1, STATUS_MESSAGE_MAX + 2);
		auto_json struct json *run = json_object();
		auto_json struct json *status = NULL;

		memset(text, 'a', STATUS_MESSAGE_MAX - 2 + over);
		snprintf(text + STATUS_MESSAGE_MAX - 2 + over, 3, "é");
		status = status_apply(run, &(struct verdict){.phase = "Running", .message = text},
				      now_ms());
		assert_int_equal(strlen(json_get_str(status, "message", "")),
				 over ? STATUS_MESSAGE_MAX - 1 : STATUS_MESSAGE_MAX);
	}
}

static void the_patch_is_the_smallest(void **state UNUSED)
{
	static const struct {
		const char *run, *wanted, *patch;
	} rows[] = {
	    {"{'status': {'a': 1}}", "{'a': 1}", NULL},
	    {"{'metadata': {'resourceVersion': '7'}}", "{'a': 1}",
	     "{'metadata': {'resourceVersion': '7'}, 'status': {'a': 1}}"},
	    {"{'metadata': {'resourceVersion': '7'}, 'status': {'a': 1, 'b': {'c': 2}, 'd': 3}}",
	     "{'a': 1, 'b': {'c': 4}}",
	     "{'metadata': {'resourceVersion': '7'}, 'status': {'b': {'c': 4}, 'd': null}}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *run = json_build(rows[i].run);
		auto_json struct json *wanted = json_build(rows[i].wanted);
		auto_json struct json *patch = status_patch(run, wanted);

		if (rows[i].patch == NULL)
			assert_null(patch);
		else
			assert_json(patch, rows[i].patch);
	}
}

static void only_a_condition_that_holds_is_the_end(void **state UNUSED)
{
	static const struct {
		const char *job;
		bool finished;
	} rows[] = {
	    {"{}", false},
	    {"{'status': {'succeeded': 1, 'failed': 9, 'completionTime': '" NOW "'}}", false},
	    {"{'status': {'conditions': [{'type': 'FailureTarget', 'status': 'True'}]}}", false},
	    {"{'status': {'conditions': [{'type': 'Failed', 'status': 'False'}]}}", false},
	    {"{'status': {'conditions': [{'type': 'Complete', 'status': 'Unknown'}]}}", false},
	    {"{'status': {'conditions': [{'type': 'SuccessCriteriaMet', 'status': 'True'}, "
	     "{'type': 'Complete', 'status': 'True'}]}}",
	     true},
	    {"{'status': {'conditions': [{'type': 'Failed', 'status': 'True'}]}}", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *job = json_build(rows[i].job);

		assert_int_equal(job_finished(job) != NULL, rows[i].finished);
	}
}

static void times_and_duration_are_the_jobs(void **state UNUSED)
{
	static const struct {
		const char *start, *end, *transition, *duration;
	} rows[] = {
	    {"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", "", "0s"},
	    {"2026-11-24T10:00:00Z", "2026-11-24T10:00:59Z", "", "59s"},
	    {"2026-11-24T10:00:00Z", "2026-11-24T10:01:00Z", "", "1m0s"},
	    {"2026-11-24T10:00:00Z", "2026-11-24T10:59:59Z", "", "59m59s"},
	    {"2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z", "", "1h0m"},
	    {"2026-11-24T10:00:00Z", "2026-11-30T10:30:00Z", "", "144h30m"},
	    {"2026-11-24T10:00:00Z", NULL, "2026-11-24T10:00:05Z", "5s"},
	    {"2026-11-24T10:00:00Z", "2026-11-24T09:00:00Z", "", NULL},
	    {"2026-11-24T10:00:00Z", "soon", "", NULL},
	    {NULL, "2026-11-24T10:00:00Z", "", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *status = json_object();
		auto_json struct json *job =
		    json_build("{'status': {'startTime': %s, 'completionTime': %s, 'conditions': "
			       "[{'type': 'Failed', 'status': 'True', 'lastTransitionTime': %s}]}}",
			       rows[i].start, rows[i].end, rows[i].transition);
		const char *end = rows[i].end != NULL ? rows[i].end : rows[i].transition;

		status_from_job(status, job, NULL);
		assert_string_equal(json_get_str(status, "completionTime", ""), end);
		assert_string_equal(json_get_str(status, "duration", "none"),
				    rows[i].duration != NULL ? rows[i].duration : "none");
	}
}

#define POD(name, at, message)                                                                     \
	"{'metadata': {'name': '" name "'}, 'status': {'phase': 'Succeeded', "                     \
	"'containerStatuses': [{'state': {'terminated': {'exitCode': 0, 'finishedAt': '" at        \
	"', 'message': '" message "'}}}]}}"

static void the_result_is_the_report_of_the_pod_that_ended_last(void **state UNUSED)
{
	static const struct {
		const char *pods, *result;
	} rows[] = {
	    {"[]", "{'attempts': 1}"},
	    {"[{'status': {'phase': 'Running'}}]", "{'attempts': 1}"},
	    {"[" POD("a", "1", "") "]", "{'attempts': 1, 'exitCode': 0, 'pod': 'a'}"},
	    {"[" POD("a", "1", "text") "]",
	     "{'message': 'text', 'attempts': 1, 'exitCode': 0, 'pod': 'a'}"},
	    {"[" POD("a", "1", "[1]") "]",
	     "{'message': '[1]', 'attempts': 1, 'exitCode': 0, 'pod': 'a'}"},
	    {"[" POD("a", "2", "first") "," POD("b", "1", "second") "]",
	     "{'message': 'first', 'attempts': 1, 'exitCode': 0, 'pod': 'a'}"},
	    {"[" POD("a", "1", "first") "," POD("b", "2", "second") "]",
	     "{'message': 'second', 'attempts': 1, 'exitCode': 0, 'pod': 'b'}"},
	    {"[" POD("a", "1", "{\\\"rows\\\": {\\\"stored\\\": 3}, \\\"lastAttempts\\\": 7}") "]",
	     "{'rows': {'stored': 3}, 'attempts': 1, 'exitCode': 0, 'pod': 'a'}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *status = json_object();
		auto_json struct json *pods = json_build(rows[i].pods);
		auto_json struct json *job =
		    json_build("{'status': {'succeeded': 1, 'conditions': [{'type': 'Complete', "
			       "'status': 'True'}]}}");

		status_from_job(status, job, pods);
		assert_json(json_get(status, "result"), rows[i].result);
	}
}

static void what_is_known_of_attempts_outlives_their_pods(void **state UNUSED)
{
	auto_json struct json *status =
	    json_build("{'result': {'attempts': 1, 'lastAttempts': [{'pod': 'a'}]}}");
	auto_json struct json *job = json_build(
	    "{'status': {'failed': 2, 'conditions': [{'type': 'Failed', 'status': 'True'}]}}");

	status_from_job(status, job, NULL);
	assert_json(json_get(status, "result"), "{'lastAttempts': [{'pod': 'a'}], 'attempts': 2}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_condition_moves_its_time_only_with_its_status),
	    cmocka_unit_test(a_verdict_becomes_conditions),
	    cmocka_unit_test(a_policys_conditions_are_added),
	    cmocka_unit_test(messages_are_cut),
	    cmocka_unit_test(the_patch_is_the_smallest),
	    cmocka_unit_test(only_a_condition_that_holds_is_the_end),
	    cmocka_unit_test(times_and_duration_are_the_jobs),
	    cmocka_unit_test(the_result_is_the_report_of_the_pod_that_ended_last),
	    cmocka_unit_test(what_is_known_of_attempts_outlives_their_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
