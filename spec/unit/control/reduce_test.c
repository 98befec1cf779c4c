#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/reduce.h"

typedef void reduce_fn(struct json *object);

static void assert_reduces(reduce_fn *reduce, const struct json *object,
			   const struct json *expected)
{
	auto_json struct json *copy = json_copy(object);
	auto_free char *text = NULL;

	reduce(copy);
	text = json_print(copy);
	if (!json_equal(copy, expected))
		fail_msg("%s", text);
	reduce(copy); /* what is reduced stays as it is */
	assert_true(json_equal(copy, expected));
}

static void objects_without_parts_do_no_harm(void **state)
{
	static reduce_fn *const reducers[] = {reduce_run, reduce_job, reduce_cronjob, reduce_pod};
	static const char *const texts[] = {
	    "{}",
	    "{\"metadata\":{},\"spec\":{},\"status\":{}}",
	    "{\"metadata\":null,\"spec\":null,\"status\":null}",
	    "{\"metadata\":\"x\",\"spec\":1,\"status\":true}",
	    "{\"status\":{\"phase\":\"Failed\"}}",
	    "{\"status\":{\"phase\":7}}",
	    "{\"status\":{\"containerStatuses\":[]}}",
	    "{\"status\":{\"containerStatuses\":[null,1,\"x\",{}]}}",
	    "{\"status\":{\"containerStatuses\":\"x\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t r = 0; r < ARRAY_LEN(reducers); r++) {
			struct err err = ERR_INIT;
			auto_json struct json *object =
			    json_parse(texts[i], strlen(texts[i]), &err);

			assert_non_null(object);
			assert_reduces(reducers[r], object, object);
		}
	}
}

#define IDENTITY                                                                                   \
	"'name': 'n', 'namespace': 's', 'uid': 'u', 'generation': 2, 'resourceVersion': '7',"      \
	" 'deletionTimestamp': 't'"
#define OWNED_IDENTITY                                                                             \
	IDENTITY                                                                                   \
	", 'labels': {'l': 'm'}, 'ownerReferences': [{'uid': 'o'}], 'creationTimestamp': 'c'"
#define BALLAST "'managedFields': [{'f': {}}], 'annotations': {'a': 'b'}, 'finalizers': ['x']"

static void a_live_run_is_kept_whole(void **state)
{
	static const char *const phases[] = {"",        "Pending",  "Scheduled", "Suspended",
					     "Running", "Rejected", "succeeded"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
		auto_json struct json *run =
		    json_build("{'metadata': {" OWNED_IDENTITY "," BALLAST
			       "}, 'spec': {'parameters': {'p': 'q'}},"
			       " 'status': {'phase': %s, 'contract': 'c'}}",
			       phases[i]);

		assert_reduces(reduce_run, run, run);
	}
}

static void a_finished_run_is_a_stub(void **state)
{
	static const char *const phases[] = {"Succeeded", "Failed"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
		auto_json struct json *run = json_build(
		    "{'apiVersion': 'v', 'kind': 'k', 'metadata': {" OWNED_IDENTITY "," BALLAST "},"
		    " 'spec': {'configRef': {'name': 'c'}, 'parameters': {'p': 'q'}, 'schedule': "
		    "'s',"
		    " 'timeoutSeconds': 5},"
		    " 'status': {'phase': %s, 'completionTime': 'd', 'contract': 'c', "
		    "'conditions': []}}",
		    phases[i]);
		auto_json struct json *stub =
		    json_build("{'apiVersion': 'v', 'kind': 'k', 'metadata': {" IDENTITY "},"
			       " 'spec': {'configRef': {'name': 'c'}, 'schedule': 's'},"
			       " 'status': {'phase': %s, 'completionTime': 'd'}}",
			       phases[i]);

		assert_reduces(reduce_run, run, stub);
	}
}

static void a_job_loses_its_template(void **state)
{
	auto_json struct json *job =
	    json_build("{'kind': 'Job', 'metadata': {" OWNED_IDENTITY "," BALLAST "},"
		       " 'spec': {'template': {'spec': {}}, 'selector': {}, 'podFailurePolicy': "
		       "{}, 'suspend': true,"
		       " 'backoffLimit': 3, 'ttlSecondsAfterFinished': 300},"
		       " 'status': {'succeeded': 1, 'conditions': [{'type': 'Complete'}]}}");
	auto_json struct json *reduced = json_build(
	    "{'kind': 'Job', 'metadata': {" OWNED_IDENTITY "},"
	    " 'spec': {'suspend': true, 'backoffLimit': 3, 'ttlSecondsAfterFinished': 300},"
	    " 'status': {'succeeded': 1, 'conditions': [{'type': 'Complete'}]}}");

	(void)state;
	assert_reduces(reduce_job, job, reduced);
}

static void a_cronjob_loses_its_template(void **state)
{
	auto_json struct json *cronjob = json_build(
	    "{'metadata': {" OWNED_IDENTITY "," BALLAST "}, 'spec': {'schedule': 's',"
	    " 'suspend': false, 'jobTemplate': {'spec': {}}}, 'status': {'active': [{}]}}");
	auto_json struct json *reduced = json_build(
	    "{'metadata': {" OWNED_IDENTITY "}, 'spec': {'schedule': 's', 'suspend': false},"
	    " 'status': {'active': [{}]}}");

	(void)state;
	assert_reduces(reduce_cronjob, cronjob, reduced);
}

static void labels_that_say_it_twice_go(void **state)
{
	auto_json struct json *job = json_build(
	    "{'metadata': {'name': 'n', 'labels': {'ai.krateo.io/run': 'u', 'team': 'blue',"
	    " 'job-name': 'n', 'controller-uid': 'c', 'batch.kubernetes.io/job-name': 'n',"
	    " 'app.kubernetes.io/name': 'x'}}, 'spec': {'completions': 1, 'suspend': true}}");
	auto_json struct json *reduced = json_build(
	    "{'metadata': {'name': 'n', 'labels': {'ai.krateo.io/run': 'u', 'team': 'blue'}},"
	    " 'spec': {'suspend': true}}");

	(void)state;
	assert_reduces(reduce_job, job, reduced);
}

static void a_pod_keeps_what_tells_its_fate(void **state)
{
	auto_json struct json *pod = json_build(
	    "{'metadata': {" OWNED_IDENTITY "," BALLAST "},"
	    " 'spec': {'nodeName': 'node', 'containers': [{'env': [{'name': 'SECRET', 'value': "
	    "'x'}]}]},"
	    " 'status': {'phase': 'Failed', 'reason': 'Evicted', 'message': 'm', 'podIP': "
	    "'10.0.0.1',"
	    " 'qosClass': 'q', 'startTime': 't', 'conditions': [{'type': 'Ready', 'status': "
	    "'True'},"
	    " {'type': 'PodScheduled', 'status': 'False'},"
	    " {'type': 'DisruptionTarget', 'status': 'True'}],"
	    " 'containerStatuses': [{'name': 'inference', 'imageID': 'i', 'containerID': 'c', "
	    "'image': 'g',"
	    " 'ready': false, 'started': false, 'restartCount': 0,"
	    " 'state': {'terminated': {'exitCode': 6, 'containerID': 'c'}}, 'lastState': {}}]}}");
	auto_json struct json *reduced = json_build(
	    "{'metadata': {" OWNED_IDENTITY "}, 'spec': {'nodeName': 'node'},"
	    " 'status': {'phase': 'Failed', 'reason': 'Evicted', 'message': 'm', 'startTime': 't',"
	    " 'conditions': [{'type': 'PodScheduled', 'status': 'False'},"
	    " {'type': 'DisruptionTarget', 'status': 'True'}],"
	    " 'containerStatuses': [{'name': 'inference', 'restartCount': 0,"
	    " 'state': {'terminated': {'exitCode': 6}}, 'lastState': {}}]}}");

	(void)state;
	assert_reduces(reduce_pod, pod, reduced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_without_parts_do_no_harm),
	    cmocka_unit_test(a_live_run_is_kept_whole),
	    cmocka_unit_test(a_finished_run_is_a_stub),
	    cmocka_unit_test(a_job_loses_its_template),
	    cmocka_unit_test(a_cronjob_loses_its_template),
	    cmocka_unit_test(labels_that_say_it_twice_go),
	    cmocka_unit_test(a_pod_keeps_what_tells_its_fate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
