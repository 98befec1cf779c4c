/* What becomes of a run whose Job is there: what a status policy may say, what is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/answer.h"
#include "spec/unit/control/decidescene.h"

static void the_result_is_the_runners(void **state UNUSED)
{
	auto_json struct json *results = parse(SAYS("Succeeded", "Completed"));
	auto_free char *result = NULL;
	const struct json *status;
	struct world w;
	struct plan plan;

	world_init(&w, RUNNING_RUN, CONFIG,
		   JOB("'startTime': '2026-11-24T08:58:30Z', " COMPLETE(NOW)), ENDED_POD);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	status = json_get(plan.actions[0].body, "status");
	result = json_print(json_get(status, "result"));
	assert_string_equal(
	    result, "{\"rows\":{\"stored\":3},\"attempts\":1,\"exitCode\":0,\"pod\":\"p\"}");
	assert_string_equal(json_str(json_get(status, "duration")), "1h1m");
	plan_done(&plan);
	world_done(&w);
}

static void the_failure_of_a_firing_is_told(void **state UNUSED)
{
	static const struct {
		const char *what, *schedule, *firing, *results, *plan;
	} table[] = {
	    {"beside what the status says", "0 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Failed", "OOMKilled"), "status Scheduled/Scheduled; event OOMKilled"},
	    {"once its Pod's end is there", "0 0 * * *", FIRING(NOW), SAYS("Failed", "OOMKilled"),
	     "requeue=200"},
	    {"a policy may not say that it goes on", "0 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Scheduled", "Scheduled"),
	     "status Scheduled/PolicyError; event PolicyError; backoff"},
	    {"a new schedule does not wait for it", "1 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Failed", "OOMKilled"),
	     "patch CronJob; status Scheduled/Scheduled; event OOMKilled"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *firing = parse(table[i].firing);
		auto_json struct json *results = parse(table[i].results);
		auto_json struct json *question = NULL;
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		world_init(&w,
			   "{" META "}, 'spec': {'configRef': {'name': 'c'}}, 'status': "
			   "{'phase': 'Scheduled', 'reason': 'Scheduled'}}",
			   CONFIG, "{" JOB_META ", 'spec': {'schedule': '0 0 * * *'}}", "[]");
		json_set_str(json_mut(w.run, "spec"), "schedule", table[i].schedule);
		w.o.firing = firing;
		question = decide_question(&w.o);
		assert_true(json_equal(json_get(question, "job"), firing));
		plan_init(&plan);
		decide(&w.o, results, &plan);
		complete_patch(&w, &plan);
		plan_text = summary(&plan);
		if (!streq(plan_text, table[i].plan))
			fail_msg("%s: expected \"%s\", got \"%s\"", table[i].what, table[i].plan,
				 plan_text);
		plan_done(&plan);
		world_done(&w);
	}
}

/* kstatus takes Ready=False for "in progress", unless Stalled is there. */
static void failed_is_not_in_progress(void **state UNUSED)
{
	static const struct {
		const char *run, *job, *results;
		bool stalled;
	} table[] = {
	    {RUNNING_RUN, JOB(FAILED("2026-11-24T09:00:00Z")), SAYS("Failed", "OOMKilled"), true},
	    {RUNNING_RUN, JOB(COMPLETE("2026-11-24T09:00:00Z")), SAYS("Succeeded", "X"), false},
	    {STARTED_RUN, JOB("'active': 1"), SAYS("Running", "Running"), false},
	    {NEW_RUN, NULL, ERROR("contract", "reject"), true},
	    {NEW_RUN, NULL, ERROR("contract", "script"), false},
	    {"{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'u', 'generation': 2}, " SPEC
	     ", 'status': {'phase': 'Rejected', 'observedGeneration': 1, 'conditions':"
	     " [{'type': 'Stalled', 'status': 'True', 'reason': 'Rejected'}]}}",
	     NULL, ACCEPTED, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results = parse(table[i].results);
		const char *stalled = NULL;
		struct world w;
		struct plan plan;

		world_init(&w, table[i].run, CONFIG, table[i].job, "[]");
		plan_init(&plan);
		decide(&w.o, results, &plan);
		apply_status(&w, &plan);
		for (const struct json *c = json_first(json_at(w.run, "status", "conditions"));
		     c != NULL; c = json_next(c))
			if (streq(json_get_str(c, "type", ""), "Stalled"))
				stalled = json_get_str(c, "status", "");
		if ((stalled != NULL) != table[i].stalled ||
		    (stalled != NULL && !streq(stalled, "True")))
			fail_msg("%s", table[i].results);
		plan_done(&plan);
		world_done(&w);
	}
}

/* What the API would refuse of a status policy's answer is refused here, and told. */
static void each_part_of_a_status_answer_is_checked(void **state UNUSED)
{
#define ANSWER(reason, more)                                                                       \
	"{'status': {'ok': {'phase': 'Running', 'reason': '" reason "', 'message': 'm'" more "}}}"
#define CONDITION(type, status, reason)                                                            \
	", 'conditions': [{'type': 'A', 'status': 'True', 'reason': 'B'}, {'type': '" type         \
	"', 'status': '" status "', 'reason': '" reason "'}]"
	static const struct {
		const char *results;
		bool good;
	} table[] = {
	    {ANSWER("A_b,C:9", ""), true},
	    {ANSWER("9a", ""), false},
	    {ANSWER("a-b", ""), false},
	    {ANSWER("", ""), false},
	    {ANSWER("A", CONDITION("Fresh", "Unknown", "Why")), true},
	    {ANSWER("A", CONDITION("Not one", "True", "Why")), false},
	    {ANSWER("A", CONDITION("Fresh", "Perhaps", "Why")), false},
	    {ANSWER("A", CONDITION("Fresh", "False", "")), false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results = parse(table[i].results);
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, STARTED_RUN, CONFIG, JOB("'ready': 1"), "[]");
		text = plan_of(&w, results);
		if ((strstr(text, "PolicyError") == NULL) != table[i].good)
			fail_msg("%s: %s", table[i].results, text);
		world_done(&w);
	}
}

static void a_reason_may_have_1024_characters(void **state UNUSED)
{
	for (size_t len = 1024; len <= 1025; len++) {
		auto_free char *reason = xcalloc(1, len + 1);
		auto_json struct json *results = NULL;
		auto_free char *text = NULL;
		struct world w;

		memset(reason, 'R', len);
		results =
		    json_build("{'status': {'ok': {'phase': 'Running', 'reason': %s}}}", reason);
		world_init(&w, STARTED_RUN, CONFIG, JOB("'ready': 1"), "[]");
		text = plan_of(&w, results);
		assert_int_equal(strstr(text, "PolicyError") != NULL, len > 1024);
		world_done(&w);
	}
}

static void a_conditions_type_may_have_316_characters(void **state UNUSED)
{
	for (size_t len = 316; len <= 317; len++) {
		auto_free char *type = xcalloc(1, len + 1);
		auto_json struct json *results = NULL;
		auto_free char *text = NULL;
		struct world w;

		memset(type, 'T', len);
		results = json_build("{'status': {'ok': {'phase': 'Running', 'conditions': "
				     "[{'type': %s, 'status': 'True', 'reason': 'R'}]}}}",
				     type);
		world_init(&w, STARTED_RUN, CONFIG, JOB("'ready': 1"), "[]");
		text = plan_of(&w, results);
		assert_int_equal(strstr(text, "PolicyError") != NULL, len > 316);
		world_done(&w);
	}
}

/* Else an answer with a new type each time would fill the run until the API refuses it. */
static void a_run_has_so_many_conditions_at_most(void **state UNUSED)
{
	static const struct {
		int has;
		const char *type;
		bool good;
	} table[] = {{ANSWER_CONDITIONS_MAX - 1, "New", true},
		     {ANSWER_CONDITIONS_MAX, "New", false},
		     {ANSWER_CONDITIONS_MAX + 3, "Old0", true}};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results =
		    json_build("{'status': {'ok': {'phase': 'Running', 'conditions': "
			       "[{'type': %s, 'status': 'True', 'reason': 'R'}]}}}",
			       table[i].type);
		struct json *list = json_array();
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, STARTED_RUN, CONFIG, JOB("'ready': 1"), "[]");
		for (int k = 0; k < table[i].has; k++) {
			auto_free char *type = xasprintf("Old%d", k);

			json_append(list, json_build("{'type': %s}", type));
		}
		json_set(json_mut(w.run, "status"), "conditions", list);
		text = plan_of(&w, results);
		if ((strstr(text, "PolicyError") == NULL) != table[i].good)
			fail_msg("%d and %s: %s", table[i].has, table[i].type, text);
		world_done(&w);
	}
}

/* A Job whose time of end cannot be compared with ours is taken at its word. */
static void clocks_may_differ(void **state UNUSED)
{
	static const char *const times[] = {"soon", "2026-11-24T10:00:01Z"};

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		auto_json struct json *results = parse(SAYS("Succeeded", "Completed"));
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)), "[]");
		json_set_str(json_mut_first(json_mut(json_mut(w.job, "status"), "conditions")),
			     "lastTransitionTime", times[i]);
		text = plan_of(&w, results);
		assert_string_equal(text, "status Succeeded/Completed; event Completed");
		world_done(&w);
	}
}

/* The Job may have counted the attempt or not; at its limit it makes another, past it none. */
static void an_attempt_is_told_at_once_where_another_follows(void **state UNUSED)
{
	static const struct {
		int64_t counted, limit;
		bool told;
	} table[] = {{0, 1, true}, {1, 1, true}, {2, 1, false}, {0, 0, false}, {1, 0, false}};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results = parse(SAYS("Running", "WaitingToRetry"));
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, BUSY_RUN, CONFIG, JOB("'active': 1"), FAILED_POD("3"));
		json_set(json_mut(w.job, "status"), "failed", json_int(table[i].counted));
		json_set(json_mut(w.job, "spec"), "backoffLimit", json_int(table[i].limit));
		text = plan_of(&w, results);
		assert_int_equal(has_prefix(text, "status "), table[i].told);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_result_is_the_runners),
	    cmocka_unit_test(the_failure_of_a_firing_is_told),
	    cmocka_unit_test(failed_is_not_in_progress),
	    cmocka_unit_test(each_part_of_a_status_answer_is_checked),
	    cmocka_unit_test(a_reason_may_have_1024_characters),
	    cmocka_unit_test(a_conditions_type_may_have_316_characters),
	    cmocka_unit_test(a_run_has_so_many_conditions_at_most),
	    cmocka_unit_test(clocks_may_differ),
	    cmocka_unit_test(an_attempt_is_told_at_once_where_another_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
