/* How long a run may wait to start: every reason, with and without the config's own limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/timefmt.h"
#include "control/waiting.h"

#define NOW "2026-11-24T10:00:00Z"
#define MINUTES_AGO(n) "2026-11-24T09:" n ":00Z"
#define RUN "{'spec': {}, 'status': {'phase': 'Pending'}}"
#define AGAIN "{'spec': {}, 'status': {'phase': 'Running'}}"
#define PLAIN "{'spec': {}}"
#define LIMIT(seconds) "{'spec': {'pendingTimeoutSeconds': " seconds "}}"
#define JOB "{'status': {'active': 1, 'startTime': '" MINUTES_AGO("50") "'}}"
#define POD(made, more)                                                                            \
	"[{'metadata': {'creationTimestamp': '" made "'}, 'status': {'phase': 'Pending'" more "}}" \
	"]"
#define WAITS(list, reason)                                                                        \
	", '" list "': [{'state': {'running': {}}}, {'state': {'waiting': {'reason': '" reason     \
	"'}}}]"
#define HOPELESS(reason) POD(MINUTES_AGO("55"), WAITS("containerStatuses", reason))

static const struct {
	const char *what, *run, *config, *job, *pods;
	int64_t left;
} table[] = {
    /* without a limit of the config's: what does not mend itself, 10 minutes here */
    {"an image", RUN, PLAIN, JOB, HOPELESS("ErrImagePull"), 300000},
    {"an image, backing off", RUN, PLAIN, JOB, HOPELESS("ImagePullBackOff"), 300000},
    {"a bad name", RUN, PLAIN, JOB, HOPELESS("InvalidImageName"), 300000},
    {"an image that may not be pulled", RUN, PLAIN, JOB, HOPELESS("ErrImageNeverPull"), 300000},
    {"a Secret", RUN, PLAIN, JOB, HOPELESS("CreateContainerConfigError"), 300000},
    {"a container", RUN, PLAIN, JOB, HOPELESS("CreateContainerError"), 300000},
    {"its start", RUN, PLAIN, JOB, HOPELESS("RunContainerError"), 300000},
    {"an init container", RUN, PLAIN, JOB,
     POD(MINUTES_AGO("55"), WAITS("initContainerStatuses", "ErrImagePull")), 300000},
    {"a limit that no CRD has let through", RUN, LIMIT("9223372036854775807"), JOB,
     HOPELESS("ErrImagePull"), (INT32_MAX - 300LL) * 1000},
    {"a negative one", RUN, LIMIT("-9223372036854775808"), JOB, HOPELESS("ErrImagePull"), 300000},
    {"without a config too", RUN, NULL, JOB, HOPELESS("ErrImagePull"), 300000},
    {"again, after an attempt", AGAIN, PLAIN, JOB, HOPELESS("ErrImagePull"), 300000},
    {"over to the millisecond", RUN, PLAIN, JOB,
     POD(MINUTES_AGO("50"), WAITS("containerStatuses", "ErrImagePull")), 0},
    {"long over", RUN, PLAIN, JOB,
     POD(MINUTES_AGO("10"), WAITS("containerStatuses", "ErrImagePull")), 0},
    {"from when it came to its node", RUN, PLAIN, JOB,
     POD(MINUTES_AGO("10"),
	 ", 'startTime': '" MINUTES_AGO("59") "'" WAITS("containerStatuses", "ErrImagePull")),
     540000},
    {"of two Pods the later", RUN, PLAIN, JOB,
     "[{'metadata': {'creationTimestamp': '" MINUTES_AGO(
	 "58") "'}, 'status': {'phase': "
	       "'Pending'" WAITS(
		   "containerStatuses",
		   "ErrImagePull") "}},"
				   " {'metadata': {'creationTimestamp': '" MINUTES_AGO(
				       "10") "'}, 'status': {'phase': "
					     "'Pending'}}]",
     480000},

    /* what may take any time */
    {"being set up", RUN, PLAIN, JOB, HOPELESS("ContainerCreating"), -1},
    {"a node", RUN, PLAIN, JOB, POD(MINUTES_AGO("10"), ""), -1},
    {"a Pod", RUN, PLAIN, JOB, "[]", -1},

    /* the config's limit, for every reason */
    {"a limit, a node", RUN, LIMIT("600"), JOB, POD(MINUTES_AGO("55"), ""), 300000},
    {"a limit, a Pod", RUN, LIMIT("1200"), JOB, "[]", 600000},
    {"a limit, a Pod, over", RUN, LIMIT("600"), JOB, "[]", 0},
    {"a limit, an image", RUN, LIMIT("3600"), JOB, HOPELESS("ErrImagePull"), 3300000},
    {"a limit, from when the Pod was made", RUN, LIMIT("3600"), JOB,
     POD(MINUTES_AGO("50"), ", 'startTime': '" MINUTES_AGO("59") "'"), 3000000},
    {"no limit, asked for", RUN, LIMIT("0"), JOB, HOPELESS("ErrImagePull"), -1},
    {"a limit, a Job that nobody has begun", RUN, LIMIT("1"), "{'status': {}}", "[]", -1},
    {"a limit, between two attempts", AGAIN, LIMIT("1"), JOB, "[]", -1},
    {"a limit, between two attempts, by the Job", RUN, LIMIT("1"),
     "{'status': {'failed': 1, 'startTime': '" MINUTES_AGO("10") "'}}", "[]", -1},
    {"a limit, between two attempts, by a Pod", RUN, LIMIT("1"), JOB,
     "[{'status': {'phase': 'Failed'}}]", -1},

    /* what does not wait */
    {"at work", RUN, LIMIT("1"), JOB, "[{'status': {'phase': 'Running'}}]", -1},
    {"done", RUN, LIMIT("1"), JOB, "[{'status': {'phase': 'Succeeded'}}]", -1},
    {"at work, by the Job", RUN, LIMIT("1"),
     "{'status': {'ready': 1, 'startTime': '" MINUTES_AGO("10") "'}}", "[]", -1},
    {"suspended", RUN, LIMIT("1"),
     "{'spec': {'suspend': true}, 'status': {'startTime': '" MINUTES_AGO("10") "'}}", "[]", -1},
    {"suspended, in a moment", "{'spec': {'suspend': true}}", LIMIT("1"), JOB, "[]", -1},
    {"suspended, says the Job", RUN, LIMIT("1"),
     "{'status': {'startTime': '" MINUTES_AGO("10") "', 'conditions': [{'type': 'Suspended', "
						    "'status': 'True'}]}}",
     "[]", -1},
    {"resumed", RUN, LIMIT("600"),
     "{'status': {'startTime': '" MINUTES_AGO("55") "', 'conditions': [{'type': 'Suspended', "
						    "'status': 'False'}]}}",
     "[]", 300000},
    {"finished", RUN, LIMIT("1"),
     "{'status': {'startTime': '" MINUTES_AGO("10") "', 'conditions': [{'type': 'Failed', "
						    "'status': 'True'}]}}",
     "[]", -1},
    {"a schedule", "{'spec': {'schedule': '@daily'}}", LIMIT("1"), JOB, "[]", -1},
    {"a time that is none", RUN, LIMIT("1"), "{'status': {'startTime': 'soon'}}", "[]", -1},
};

static void each_wait_has_its_limit(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *run = json_build(table[i].run);
		auto_json struct json *config =
		    table[i].config != NULL ? json_build(table[i].config) : NULL;
		auto_json struct json *job = json_build(table[i].job);
		auto_json struct json *pods = json_build(table[i].pods);
		struct observed o = {
		    .run = run, .config = config, .job = job, .pods = pods, .pending_ms = 600000};

		assert_true(time_parse(NOW, &o.now));
		if (waiting_left(&o) != table[i].left)
			fail_msg("%s: expected %lld ms left, got %lld", table[i].what,
				 (long long)table[i].left, (long long)waiting_left(&o));
	}
}

static void the_controllers_limit_can_be_none(void **state UNUSED)
{
	auto_json struct json *run = json_build(RUN), *job = json_build(JOB);
	auto_json struct json *pods = json_build(HOPELESS("ErrImagePull"));
	struct observed o = {.run = run, .job = job, .pods = pods, .now = INT64_MAX / 2};

	assert_int_equal(waiting_left(&o), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_wait_has_its_limit),
	    cmocka_unit_test(the_controllers_limit_can_be_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
