/* When Events are asked for, and what of them is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/timefmt.h"
#include "control/look.h"

#define META "'metadata': {'name': 'a', 'namespace': 'ns', 'uid': '5be07ada-5fe0'}"
#define CONFIG "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i'}}"
#define NEW_RUN "{" META ", 'spec': {}}"
#define STARTING                                                                                   \
	"{" META ", 'spec': {}, 'status': {'phase': 'Pending', 'jobStatus': {'name': 'j'}}}"
#define STARTED                                                                                    \
	"{" META ", 'spec': {}, 'status': {'phase': 'Pending', 'jobStatus': {'name': 'j', 'uid': " \
	"'u'}}}"
#define JOB(status)                                                                                \
	"{'metadata': {'uid': 'u', 'ownerReferences': [{'uid': '5be07ada-5fe0'}]}, 'status': "     \
	"{" status "}}"
#define BEGUN(seconds) JOB("'startTime': '2026-11-24T09:59:" seconds "Z'")
#define POD(made, more)                                                                            \
	"[{'metadata': {'uid': 'p', 'creationTimestamp': '2026-11-24T09:59:" made "Z'}, "          \
	"'status': {'phase': 'Pending'" more "}}]"
#define WAITS(reason) ", 'containerStatuses': [{'state': {'waiting': {'reason': '" reason "'}}}]"
#define STARTS "involvedObject.kind=Job,involvedObject.name=inf-a-5be07ada,reason=SuccessfulCreate"

static const struct {
	const char *what, *run, *job, *pods, *selector;
	int64_t due_ms;
} table[] = {
    {"a new run", NEW_RUN, NULL, NULL, NULL, -1},
    {"an interrupted start", STARTING, NULL, NULL, STARTS, -1},
    {"that of a schedule",
     "{" META ", 'spec': {'schedule': '@daily'}, 'status': {'jobStatus': {}}}", NULL, NULL, NULL,
     -1},
    {"a lost Job", STARTED, NULL, NULL, NULL, -1},
    {"a Job without Pod for 10 s", STARTED, BEGUN("50"), "[]", "involvedObject.uid=u", -1},
    {"a Job without Pod for 9 s", STARTED, BEGUN("51"), "[]", NULL, 1000},
    {"a Job that is suspended", STARTED,
     JOB("'conditions': [{'type': 'Suspended', 'status': 'True'}]"), "[]", NULL, -1},
    {"a Job that nobody has begun", STARTED, JOB(""), "[]", NULL, -1},
    {"between two attempts", STARTED, BEGUN("10"),
     "[{'status': {'phase': 'Failed', 'containerStatuses': [{'state': {'terminated': "
     "{'finishedAt': '2026-11-24T09:59:58Z'}}}]}}]",
     NULL, 8000},
    {"a Pod being set up for 10 s", STARTED, BEGUN("10"), POD("50", WAITS("ContainerCreating")),
     "involvedObject.uid=p", -1},
    {"a Pod being set up for 9 s", STARTED, BEGUN("10"), POD("51", WAITS("PodInitializing")), NULL,
     1000},
    {"counted from its node", STARTED, BEGUN("10"),
     POD("20", ", 'startTime': '2026-11-24T09:59:59Z'"), NULL, 9000},
    {"a Pod that says why", STARTED, BEGUN("10"), POD("20", WAITS("ErrImagePull")), NULL, -1},
    {"a Pod without a node", STARTED, BEGUN("10"),
     POD("20", ", 'conditions': [{'type': 'PodScheduled', 'status': 'False'}]"), NULL, -1},
    {"a Pod with a node", STARTED, BEGUN("10"),
     POD("20", ", 'conditions': [{'type': 'PodScheduled', 'status': 'True'}]"),
     "involvedObject.uid=p", -1},
    {"a Pod at work", STARTED, BEGUN("10"), "[{'status': {'phase': 'Running'}}]", NULL, -1},
};

static void events_are_asked_for_where_nothing_else_tells(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *run = json_build(table[i].run);
		auto_json struct json *config = json_build(CONFIG);
		auto_json struct json *job = table[i].job != NULL ? json_build(table[i].job) : NULL;
		auto_json struct json *pods =
		    table[i].pods != NULL ? json_build(table[i].pods) : NULL;
		struct observed o = {.run = run, .config = config, .job = job, .pods = pods};
		auto_free char *selector = NULL;

		assert_true(time_parse("2026-11-24T10:00:00Z", &o.now));
		selector = look_selector(&o);
		if (!streq(selector != NULL ? selector : "none",
			   table[i].selector != NULL ? table[i].selector : "none"))
			fail_msg("%s: expected %s, got %s", table[i].what, table[i].selector,
				 selector);
		if (job != NULL && look_due_ms(&o) != table[i].due_ms)
			fail_msg("%s: expected %lld ms, got %lld", table[i].what,
				 (long long)table[i].due_ms, (long long)look_due_ms(&o));
	}
}

#define EVENT(uid, type, reason, time)                                                             \
	"{'involvedObject': {'uid': '" uid "'}, 'type': '" type "', 'reason': '" reason            \
	"', 'message': 'm', " time "}"
#define LAST(time) "'lastTimestamp': '" time "'"

static void the_newest_event_warns(void **state UNUSED)
{
	static const char nothing[] = "{}", mount[] = "{'reason': 'FailedMount', 'message': 'm'}";
	static const struct {
		const char *what, *events, *warning;
	} cases[] = {
	    {"not asked", NULL, NULL},
	    {"none", "[]", nothing},
	    {"a warning", "[" EVENT("p", "Warning", "FailedMount", LAST("1")) "]", mount},
	    {"it is over",
	     "[" EVENT("p", "Normal", "Pulling", LAST("2")) "," EVENT("p", "Warning", "FailedMount",
								      LAST("1")) "]",
	     nothing},
	    {"of the same second the warning",
	     "[" EVENT("p", "Normal", "Scheduled",
		       LAST("1")) "," EVENT("p", "Warning", "FailedMount", LAST("1")) "]",
	     mount},
	    {"in either order",
	     "[" EVENT("p", "Warning", "FailedMount",
		       LAST("1")) "," EVENT("p", "Normal", "Scheduled", LAST("1")) "]",
	     mount},
	    {"of the newer API",
	     "[" EVENT("p", "Normal", "Scheduled", "'eventTime': '1'") "," EVENT(
		 "p", "Warning", "FailedMount", "'lastTimestamp': null, 'eventTime': '2'") "]",
	     mount},
	    {"with neither time",
	     "[" EVENT("p", "Normal", "Scheduled", "'eventTime': '1'") "," EVENT(
		 "p", "Warning", "FailedMount", "'metadata': {'creationTimestamp': '2'}") "]",
	     mount},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *run = json_build(STARTED), *job = json_build(BEGUN("10"));
		auto_json struct json *pods = json_build(POD("20", ""));
		auto_json struct json *events =
		    cases[i].events != NULL ? json_build(cases[i].events) : NULL;
		auto_json struct json *wanted =
		    cases[i].warning != NULL ? json_build(cases[i].warning) : NULL;
		auto_json struct json *question = json_build("{'job': %j, 'pods': %j}", job, pods);
		struct observed o = {.run = run, .job = job, .pods = pods, .events = events};
		const struct json *found;

		look_add_warning(&o, question);
		found = json_get(json_first(json_get(question, "pods")), "warning");
		if (!json_equal(found, wanted))
			fail_msg("%s", cases[i].what);
		assert_null(json_at(question, "job", "warning"));
	}
}

static void a_jobs_warning_is_the_jobs(void **state UNUSED)
{
	auto_json struct json *run = json_build(STARTED), *job = json_build(BEGUN("10"));
	auto_json struct json *events =
	    json_build("[" EVENT("u", "Warning", "FailedCreate", LAST("1")) "]");
	auto_json struct json *question = json_build("{'job': %j, 'pods': []}", job);
	struct observed o = {.run = run, .job = job, .events = events};

	look_add_warning(&o, question);
	assert_string_equal(json_get_str(json_at(question, "job", "warning"), "reason", ""),
			    "FailedCreate");
}

static void nothing_is_told_of_what_does_not_wait(void **state UNUSED)
{
	auto_json struct json *run = json_build(STARTED), *job = json_build(JOB("'ready': 1"));
	auto_json struct json *events =
	    json_build("[" EVENT("u", "Warning", "FailedCreate", LAST("1")) "]");
	auto_json struct json *question = json_build("{'job': %j, 'pods': []}", job);
	struct observed o = {.run = run, .job = job, .events = events};

	look_add_warning(&o, question);
	assert_null(json_at(question, "job", "warning"));
}

/* Of a start that was interrupted, a Job that has made a Pod is lost; else it is made. */
static void a_job_that_ran_is_not_made_again(void **state UNUSED)
{
	static const struct {
		const char *events;
		enum stage stage;
	} cases[] = {
	    {NULL, STAGE_STARTING},
	    {"[]", STAGE_STARTING},
	    {"[{'reason': 'FailedCreate'}]", STAGE_STARTING},
	    {"[{'reason': 'FailedCreate'}, {'reason': 'SuccessfulCreate'}]", STAGE_LOST},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *run = json_build(STARTING), *config = json_build(CONFIG);
		auto_json struct json *events =
		    cases[i].events != NULL ? json_build(cases[i].events) : NULL;
		struct observed o = {.run = run, .config = config, .events = events};

		assert_int_equal(decide_stage(&o), cases[i].stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_are_asked_for_where_nothing_else_tells),
	    cmocka_unit_test(the_newest_event_warns),
	    cmocka_unit_test(a_jobs_warning_is_the_jobs),
	    cmocka_unit_test(nothing_is_told_of_what_does_not_wait),
	    cmocka_unit_test(a_job_that_ran_is_not_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
