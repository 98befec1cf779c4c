#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "control/manifest.h"

#define JOB_NAME_FIELD "metadata.labels['batch.kubernetes.io/job-name']"
#define UID "5be07ada-5fe0-4c9e-a8bc-aaae67d8d344"

/* The run and the config of the specification's examples. */
static struct json *example_run(void)
{
	return json_build(
	    "{'apiVersion': 'ai.krateo.io/v1', 'kind': 'InferenceRun',"
	    " 'metadata': {'name': 'iris-run-january', 'namespace': 'kserve-controller-system',"
	    "   'uid': '" UID "'},"
	    " 'spec': {'configRef': {'name': 'example-inference-config'}, 'timeoutSeconds': 3600,"
	    "   'parameters': {'input_table_name': 'kserve_controller_input'}}}");
}

static struct json *example_config(void)
{
	return json_build("{'metadata': {'name': 'iris-inference-config'}, 'spec': {"
			  " 'image': 'ghcr.io/krateoplatformops/kserve-krateo-runner:0.1.0'}}");
}

static void set_spec(struct json *object, const char *key, struct json *value_taken)
{
	json_set(json_obj(object, "spec"), key, value_taken);
}

static struct json *job_of(const struct json *run, const struct json *config)
{
	return manifest_job(run, config, "runner", "sha256:d");
}

/* The member of that name in a list of a pod; NULL when absent. */
static const struct json *named(const struct json *list, const char *name)
{
	const struct json *item = json_first(list);

	while (item != NULL && !streq(json_get_str(item, "name", ""), name))
		item = json_next(item);
	return item;
}

static const struct json *template_of(const struct json *manifest)
{
	bool cronjob = streq(json_get_str(manifest, "kind", ""), "CronJob");

	return cronjob ? json_at(manifest, "spec", "jobTemplate", "spec", "template")
		       : json_at(manifest, "spec", "template");
}

static void assert_is(const struct json *value, const char *expected)
{
	auto_free char *text = value != NULL ? json_print(value) : xstrdup("nothing");

	assert_string_equal(text, expected);
}

/* ---- what is ours, whatever else is asked for ---- */

static void assert_ours_is_there(const struct json *manifest)
{
	const struct json *template = template_of(manifest);
	const struct json *pod = json_get(template, "spec");
	const struct json *container = named(json_get(pod, "containers"), "inference");
	const struct json *mount = json_first(json_get(container, "volumeMounts"));

	assert_string_equal(json_get_str(pod, "restartPolicy", ""), "Never");
	assert_string_equal(json_get_str(json_at(template, "metadata", "labels"), LABEL_RUN, ""),
			    UID);
	assert_string_equal(
	    json_get_str(json_at(template, "metadata", "labels"), LABEL_MANAGED_BY, ""), MANAGER);
	assert_string_equal(
	    json_get_str(json_at(template, "metadata", "annotations"), ANNOTATION_DIGEST, ""),
	    "sha256:d");
	assert_is(
	    named(json_get(container, "env"), "pod_uid"),
	    "{\"name\":\"pod_uid\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.uid\"}}}");
	assert_is(
	    named(json_get(container, "env"), "job_name"),
	    "{\"name\":\"job_name\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"" JOB_NAME_FIELD
	    "\"}}}");
	assert_is(named(json_get(pod, "volumes"), "inference-contract"),
		  "{\"name\":\"inference-contract\",\"configMap\":{\"name\":\"inf-iris-run-january-"
		  "5be07ada\"}}");
	while (mount != NULL && !streq(json_get_str(mount, "mountPath", ""), CONTRACT_PATH))
		mount = json_next(mount);
	assert_string_equal(json_get_str(mount, "name", ""), "inference-contract");
	assert_string_equal(json_get_str(mount, "subPath", ""), CONTRACT_KEY);
	assert_true(json_is_true(json_get(mount, "readOnly")));
}

/* Templates that take away, replace or twist what is ours. */
static const char *const hostile_templates[] = {
    "null",
    "'text'",
    "[1, {'spec': {}}]",
    "{}",
    "{'metadata': null, 'spec': null}",
    "{'metadata': 'x', 'spec': 'y'}",
    "{'metadata': {'labels': null, 'annotations': []}, 'spec': {'containers': null}}",
    "{'metadata': {'labels': {'" LABEL_RUN "': 'other', '" LABEL_MANAGED_BY "': 'me'}}}",
    "{'metadata': {'labels': {'" LABEL_RUN "': null}}}",
    "{'metadata': {'annotations': {'" ANNOTATION_DIGEST "': 'forged'}}}",
    "{'spec': {'restartPolicy': 'Always'}}",
    "{'spec': {'restartPolicy': null, 'volumes': null}}",
    "{'spec': {'containers': {}, 'volumes': {}}}",
    "{'spec': {'containers': [{'name': 'inference', 'env': 'x', 'volumeMounts': null}]}}",
    "{'spec': {'containers': [{'name': 'inference', 'env': [{'name': 'job_name', 'value': "
    "'x'}]}]}}",
    "{'spec': {'containers': [{'name': 'inference', 'env': [{'name': 'pod_uid', 'value': "
    "'forged'}]}]}}",
    "{'spec': {'containers': [{'name': 'inference', 'volumeMounts': [{'name': 'tmp',"
    " 'mountPath': '/tmp/contract.json', 'subPath': 'mine', 'readOnly': false}]}]}}",
    "{'spec': {'volumes': [{'name': 'inference-contract', 'secret': {'secretName': 's'}}]}}",
    "{'spec': {'containers': [null, 1, [], {'name': 'other'}, {'image': 'x'}]}}",
};

static void a_pod_template_cannot_override_ours(void **state)
{
	auto_json struct json *run = example_run();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile_templates); i++) {
		auto_json struct json *config = example_config();
		auto_json struct json *job = NULL, *cronjob = NULL, *scheduled = json_copy(run);

		set_spec(config, "podTemplate", json_build(hostile_templates[i]));
		job = job_of(run, config);
		assert_ours_is_there(job);
		set_spec(scheduled, "schedule", json_string("0 * * * *"));
		cronjob = job_of(scheduled, config);
		assert_string_equal(json_get_str(cronjob, "kind", ""), "CronJob");
		assert_ours_is_there(cronjob);
	}
}

static void what_a_pod_template_may_not_set_is_told(void **state)
{
	static const struct {
		const char *template, *paths;
	} table[] = {
	    {"null", NULL},
	    {"'text'", NULL},
	    {"{'metadata': {'labels': {'team': 'a'}}, 'spec': {'nodeSelector': {'gpu': 'yes'}}}",
	     NULL},
	    {"{'spec': {'restartPolicy': 'Never'}}", NULL},
	    {"{'spec': {'restartPolicy': 'Always'}}", "spec.restartPolicy"},
	    {"{'spec': {'restartPolicy': null}}", NULL},
	    {"{'spec': {'containers': [{'name': 'sidecar'}, {'name': 'inference', 'env': ["
	     "{'name': 'X', 'value': '1'}, {'name': 'pod_uid', 'value': '1'}]}]}}",
	     "spec.containers[inference].env[pod_uid].value"},
	    {"{'metadata': {'labels': {'" LABEL_RUN "': 'other'}}}",
	     "metadata.labels[\"" LABEL_RUN "\"]"},
	    {"{'spec': {'containers': {}, 'restartPolicy': 'Always'}}",
	     "spec.containers, spec.restartPolicy"},
	};
	auto_json struct json *run = example_run();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *config = example_config();
		auto_free char *paths = NULL;

		set_spec(config, "podTemplate", json_build(table[i].template));
		paths = manifest_put_back(run, config, "sha256:d");
		if (table[i].paths == NULL ? paths != NULL
					   : paths == NULL || !streq(paths, table[i].paths))
			fail_msg("%s: found %s", table[i].template, paths);
	}
}

static void a_policy_cannot_take_ours_away(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();
	auto_json struct json *original = job_of(run, config);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile_templates); i++) {
		auto_json struct json *shaped = json_copy(original);

		set_spec(shaped, "template", json_build(hostile_templates[i]));
		json_set(
		    shaped, "metadata",
		    json_build(
			"{'name': 'other', 'namespace': 'kube-system', 'labels': {'mine': 'x'},"
			" 'ownerReferences': [{'uid': 'other'}]}"));
		json_set_str(shaped, "kind", "Pod");
		json_remove(shaped, "apiVersion");
		free(manifest_enforce(shaped, run, "sha256:d"));
		assert_ours_is_there(shaped);
		assert_string_equal(json_get_str(shaped, "kind", ""), "Job");
		assert_string_equal(json_get_str(shaped, "apiVersion", ""), "batch/v1");
		assert_string_equal(json_str(json_at(shaped, "metadata", "labels", "mine")), "x");
		json_remove(json_mut(json_mut(shaped, "metadata"), "labels"), "mine");
		assert_true(
		    json_equal(json_get(shaped, "metadata"), json_get(original, "metadata")));
	}
}

static void a_policy_may_return_anything(void **state)
{
	static const char *const shapes[] = {"{}", "{'spec': 1, 'metadata': []}",
					     "{'spec': {'template': 'x'}}",
					     "{'spec': {'jobTemplate': {'spec': null}}}"};
	auto_json struct json *run = example_run();

	(void)state;
	for (int scheduled = 0; scheduled < 2; scheduled++) {
		for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
			auto_json struct json *shaped = json_build(shapes[i]);

			free(manifest_enforce(shaped, run, "sha256:d"));
			assert_ours_is_there(shaped);
		}
		set_spec(run, "schedule", json_string("@daily"));
	}
}

static void enforcing_changes_nothing_of_our_own(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();

	(void)state;
	for (int scheduled = 0; scheduled < 2; scheduled++) {
		auto_json struct json *manifest = job_of(run, config);
		auto_json struct json *enforced = json_copy(manifest);

		assert_null(manifest_enforce(enforced, run, "sha256:d"));
		assert_true(json_equal(enforced, manifest));
		set_spec(run, "schedule", json_string("@daily"));
	}
}

/* Each row is laid over our own manifest; then exactly these paths are put back, or none. */
static void what_is_put_back_is_told(void **state)
{
	static const struct {
		bool scheduled;
		const char *change, *paths;
	} rows[] = {
	    {false, "{'metadata': {'labels': {'team': 'blue'}}}", NULL},
	    {false, "{'spec': {'backoffLimit': 7, 'parallelism': 1, 'completions': 1}}", NULL},
	    {false, "{'spec': {'template': {'spec': {'nodeSelector': {'gpu': 'yes'}}}}}", NULL},
	    {false, "{'spec': {'suspend': true}}", NULL},
	    {false, "{'kind': 'Pod', 'apiVersion': 'v1'}", "apiVersion, kind"},
	    {false, "{'metadata': {'name': 'x', 'namespace': 'y', 'ownerReferences': null}}",
	     "metadata.name, metadata.namespace, metadata.ownerReferences"},
	    {false, "{'metadata': {'labels': {'" LABEL_RUN "': null}}}",
	     "metadata.labels[\"" LABEL_RUN "\"]"},
	    {false, "{'metadata': {'annotations': {'" ANNOTATION_DIGEST "': 'x'}}}",
	     "metadata.annotations[\"" ANNOTATION_DIGEST "\"]"},
	    {false, "{'spec': {'parallelism': 2, 'completions': 0}}",
	     "spec.parallelism, spec.completions"},
	    {false, "{'spec': {'completionMode': 'Indexed', 'ttlSecondsAfterFinished': 0}}",
	     "spec.completionMode, spec.ttlSecondsAfterFinished"},
	    {false, "{'spec': {'manualSelector': true, 'selector': {}}}",
	     "spec.manualSelector, spec.selector"},
	    {false, "{'spec': {'podReplacementPolicy': 'TerminatingOrFailed'}}",
	     "spec.podReplacementPolicy"},
	    {false, "{'spec': {'template': {'spec': {'restartPolicy': 'OnFailure'}}}}",
	     "spec.template.spec.restartPolicy"},
	    {false, "{'spec': {'template': {'spec': {'volumes': null}}}}",
	     "spec.template.spec.volumes"},
	    {true, "{'spec': {'schedule': '* * * * *', 'timeZone': 'Europe/Rome'}}",
	     "spec.schedule"},
	    {true, "{'spec': {'concurrencyPolicy': 'Allow'}}", "spec.concurrencyPolicy"},
	    {true, "{'spec': {'jobTemplate': {'metadata': null}}}", "spec.jobTemplate.metadata"},
	    {true, "{'spec': {'jobTemplate': {'spec': {'completions': 3}}}}",
	     "spec.jobTemplate.spec.completions"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *run = example_run();
		auto_json struct json *config = example_config();
		auto_json struct json *change = json_build(rows[i].change);
		auto_json struct json *manifest = NULL;
		auto_free char *paths = NULL;

		if (rows[i].scheduled) {
			set_spec(run, "schedule", json_string("@daily"));
			set_spec(run, "concurrencyPolicy", json_string("Forbid"));
		}
		manifest = job_of(run, config);
		json_merge_patch(manifest, change);
		paths = manifest_enforce(manifest, run, "sha256:d");
		if (rows[i].paths == NULL)
			assert_null(paths);
		else
			assert_string_equal(paths, rows[i].paths);
		assert_ours_is_there(manifest);
	}
}

static void many_paths_are_cut(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *manifest = json_object();
	auto_free char *paths = NULL;

	(void)state;
	set_spec(run, "schedule", json_string("@daily"));
	json_set(manifest, "metadata", json_build("{'labels': {'a': '1'}}"));
	json_set(manifest, "spec",
		 json_build("{'jobTemplate': {'metadata': {'labels': {}, 'annotations': {}},"
			    " 'spec': {'template': {'metadata': {'labels': {}, 'annotations': {}},"
			    " 'spec': {'containers': [{'name': 'inference', 'env': []}]}}}}}"));
	paths = manifest_enforce(manifest, run, "sha256:d");
	assert_string_equal(paths + strlen(paths) - 10, ", and more");
}

/* As deep as a config can be read; a CronJob puts five levels around it. */
static void a_deep_pod_template_is_no_crash(void **state)
{
	auto_buf struct buf text = BUF_INIT(4096);
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();
	auto_json struct json *cronjob = NULL;

	(void)state;
	for (int i = 0; i < 64; i++)
		buf_adds(&text, i < 63 ? "{'a':" : "{");
	for (int i = 0; i < 64; i++)
		buf_addc(&text, '}');
	set_spec(config, "podTemplate", json_build(text.data));
	set_spec(run, "schedule", json_string("@daily"));
	cronjob = job_of(run, config);
	assert_ours_is_there(cronjob);
}

/* ---- the objects ---- */

static const char golden_job[] =
    "{'apiVersion': 'batch/v1', 'kind': 'Job', 'metadata': {'name': "
    "'inf-iris-run-january-5be07ada',"
    " 'namespace': 'kserve-controller-system', 'labels': %j,"
    " 'annotations': {'ai.krateo.io/policy-digest': 'sha256:d'},"
    " 'ownerReferences': [{'apiVersion': 'ai.krateo.io/v1', 'kind': 'InferenceRun',"
    "   'name': 'iris-run-january', 'uid': '" UID
    "', 'controller': true, 'blockOwnerDeletion': true}]},"
    " 'spec': {'backoffLimit': 3, 'activeDeadlineSeconds': 3600, 'podReplacementPolicy': 'Failed',"
    " 'podFailurePolicy': {'rules': ["
    "   {'action': 'FailJob', 'onExitCodes': {'containerName': 'inference', 'operator': 'In',"
    "     'values': [2, 6, 8, 13, 14, 15]}},"
    "   {'action': 'Ignore', 'onPodConditions': [{'type': 'DisruptionTarget', 'status': "
    "'True'}]}]},"
    " 'template': {'metadata': {'labels': %j, 'annotations': {'ai.krateo.io/policy-digest': "
    "'sha256:d'}},"
    " 'spec': {'restartPolicy': 'Never', 'serviceAccountName': 'runner',"
    " 'securityContext': {'runAsNonRoot': true, 'seccompProfile': {'type': 'RuntimeDefault'}},"
    " 'containers': [{'name': 'inference',"
    "   'image': 'ghcr.io/krateoplatformops/kserve-krateo-runner:0.1.0',"
    "   'terminationMessagePolicy': 'FallbackToLogsOnError',"
    "   'securityContext': {'allowPrivilegeEscalation': false, 'capabilities': {'drop': ['ALL']}},"
    "   'env': [{'name': 'pod_uid', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.uid'}}},"
    "     {'name': 'job_name', 'valueFrom': {'fieldRef': {'fieldPath': %s}}}],"
    "   'volumeMounts': [{'name': 'tmp', 'mountPath': '/tmp'}, {'name': 'inference-contract',"
    "     'mountPath': '/tmp/contract.json', 'subPath': 'contract.json', 'readOnly': true}]}],"
    " 'volumes': [{'name': 'tmp', 'emptyDir': {}},"
    "   {'name': 'inference-contract', 'configMap': {'name': "
    "'inf-iris-run-january-5be07ada'}}]}}}}";

static struct json *golden_labels(void)
{
	return json_build(
	    "{'app.kubernetes.io/name': 'inference-runner',"
	    " 'app.kubernetes.io/instance': 'inf-iris-run-january-5be07ada',"
	    " 'app.kubernetes.io/managed-by': 'kserve-controller', 'ai.krateo.io/run': '" UID "'}");
}

static void the_example_gives_the_golden_job(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();
	auto_json struct json *labels = golden_labels();
	auto_json struct json *golden = json_build(golden_job, labels, labels, JOB_NAME_FIELD);
	auto_json struct json *job = job_of(run, config);
	auto_free char *text = json_print(job);

	(void)state;
	if (!json_equal(job, golden))
		fail_msg("%s", text);
}

static void a_schedule_makes_a_cronjob_around_the_same_job(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();
	auto_json struct json *job = job_of(run, config);
	auto_json struct json *cronjob = NULL;
	const struct json *spec;

	(void)state;
	set_spec(run, "schedule", json_string(""));
	assert_false(run_is_scheduled(run));
	set_spec(run, "schedule", json_string("*/5 * * * *"));
	set_spec(run, "timeZone", json_string("Europe/Rome"));
	set_spec(run, "concurrencyPolicy", json_string("Forbid"));
	set_spec(run, "startingDeadlineSeconds", json_int(60));
	set_spec(run, "successfulJobsHistoryLimit", json_int(0));
	set_spec(run, "failedJobsHistoryLimit", json_int(9));
	assert_true(run_is_scheduled(run));
	cronjob = job_of(run, config);
	assert_string_equal(json_get_str(cronjob, "kind", ""), "CronJob");
	assert_true(json_equal(json_get(cronjob, "metadata"), json_get(job, "metadata")));
	spec = json_get(cronjob, "spec");
	assert_is(json_get(spec, "schedule"), "\"*/5 * * * *\"");
	assert_is(json_get(spec, "timeZone"), "\"Europe/Rome\"");
	assert_is(json_get(spec, "concurrencyPolicy"), "\"Forbid\"");
	assert_is(json_get(spec, "startingDeadlineSeconds"), "60");
	assert_is(json_get(spec, "successfulJobsHistoryLimit"), "0");
	assert_is(json_get(spec, "failedJobsHistoryLimit"), "9");
	assert_int_equal(json_len(spec), 7);
	assert_true(json_equal(json_at(spec, "jobTemplate", "spec"), json_get(job, "spec")));
	assert_true(json_equal(json_at(spec, "jobTemplate", "metadata", "labels"),
			       json_at(job, "metadata", "labels")));
	assert_null(json_at(spec, "jobTemplate", "metadata", "name"));
}

static void settings_of_run_and_config_reach_the_job(void **state)
{
	auto_json struct json *run = example_run();
	auto_json struct json *config = example_config();
	auto_json struct json *job = NULL;
	const struct json *pod, *container;

	(void)state;
	json_remove(json_mut(run, "spec"), "timeoutSeconds");
	set_spec(run, "suspend", json_bool(true));
	set_spec(config, "backoffLimit", json_int(0));
	set_spec(config, "credentialsRef", json_build("{'name': 'pull'}"));
	set_spec(
	    config, "podTemplate",
	    json_build(
		"{'metadata': {'labels': {'team': 'a'}}, 'spec': {'nodeSelector': {'gpu': 'yes'},"
		" 'containers': [{'name': 'inference', 'resources':"
		" {'limits': {'memory': '1Gi'}}, 'env': [{'name': 'X', 'value': '1'}]},"
		" {'name': 'sidecar', 'image': 'i'}]}}"));
	job = manifest_job(run, config, NULL, "sha256:d");
	assert_null(json_at(template_of(job), "spec", "serviceAccountName")); /* the default one */
	assert_null(json_at(job, "spec", "activeDeadlineSeconds"));
	assert_is(json_at(job, "spec", "suspend"), "true");
	assert_is(json_at(job, "spec", "backoffLimit"), "0");
	assert_string_equal(json_str(json_at(template_of(job), "metadata", "labels", "team")), "a");
	pod = json_get(template_of(job), "spec");
	assert_is(json_get(pod, "imagePullSecrets"), "[{\"name\":\"pull\"}]");
	assert_is(json_get(pod, "nodeSelector"), "{\"gpu\":\"yes\"}");
	assert_is(named(json_get(pod, "containers"), "sidecar"),
		  "{\"name\":\"sidecar\",\"image\":\"i\"}");
	container = named(json_get(pod, "containers"), "inference");
	assert_is(json_get(container, "resources"), "{\"limits\":{\"memory\":\"1Gi\"}}");
	assert_is(named(json_get(container, "env"), "X"), "{\"name\":\"X\",\"value\":\"1\"}");
	assert_is(json_at(container, "securityContext", "allowPrivilegeEscalation"), "false");
	assert_ours_is_there(job);
}

static void a_suspended_run_is_made_suspended(void **state)
{
	(void)state;
	for (int scheduled = 0; scheduled < 2; scheduled++) {
		auto_json struct json *run = example_run();
		auto_json struct json *config = example_config();
		auto_json struct json *made = NULL;

		if (scheduled)
			set_spec(run, "schedule", json_string("@daily"));
		set_spec(run, "suspend", json_bool(true));
		made = job_of(run, config);
		assert_is(json_at(made, "spec", "suspend"), "true");
		assert_is(json_at(made, "metadata", "labels", LABEL_SUSPENDED), "\"true\"");
		assert_null(json_at(made, "spec", "jobTemplate", "spec", "suspend"));
		assert_null(
		    json_at(made, "spec", "jobTemplate", "metadata", "labels", LABEL_SUSPENDED));
	}
}

/* Kueue suspends and resumes Jobs, not CronJobs; a Pod must not have the label. */
static void the_labels_of_a_queue_reach_its_jobs(void **state)
{
	(void)state;
	for (int scheduled = 0; scheduled < 2; scheduled++) {
		auto_json struct json *run = example_run();
		auto_json struct json *config = example_config();
		auto_json struct json *made = NULL;
		const struct json *job;

		json_set(json_mut(run, "metadata"), "labels",
			 json_build("{'" LABEL_QUEUE "': 'q', '" LABEL_QUEUE_PRIORITY
				    "': 'high', 'team': 'a'}"));
		if (scheduled)
			set_spec(run, "schedule", json_string("@daily"));
		made = job_of(run, config);
		job = scheduled ? json_at(made, "spec", "jobTemplate") : made;
		assert_is(json_at(job, "metadata", "labels", LABEL_QUEUE), "\"q\"");
		assert_is(json_at(job, "metadata", "labels", LABEL_QUEUE_PRIORITY), "\"high\"");
		assert_null(json_at(job, "metadata", "labels", "team"));
		assert_is(json_at(job, "spec", "suspend"), "true");
		if (scheduled)
			assert_null(json_at(made, "spec", "suspend"));
		assert_null(json_at(template_of(made), "metadata", "labels", LABEL_QUEUE));
	}
}

static void the_contract_is_kept_as_it_is(void **state)
{
	static const char contract[] = "{\"n\":1e400,\"s\":\"it's \\\"x\\\" %s\"}\n";
	auto_json struct json *run = example_run();
	auto_json struct json *map = manifest_contract(run, contract, "sha256:d");
	auto_json struct json *config = example_config();
	auto_json struct json *job = job_of(run, config);

	(void)state;
	assert_string_equal(json_get_str(map, "kind", ""), "ConfigMap");
	assert_string_equal(json_get_str(map, "apiVersion", ""), "v1");
	assert_true(json_is_true(json_get(map, "immutable")));
	assert_string_equal(json_get_str(json_get(map, "data"), CONTRACT_KEY, ""), contract);
	assert_int_equal(json_len(json_get(map, "data")), 1);
	assert_true(json_equal(json_get(map, "metadata"), json_get(job, "metadata")));
}

static void long_names_fit_every_object(void **state)
{
	auto_json struct json *run = example_run();
	char name[254] = "";

	(void)state;
	memset(name, 'x', 253);
	name[100] = '.';
	json_set_str(json_mut(run, "metadata"), "name", name);
	for (int scheduled = 0; scheduled < 2; scheduled++) {
		auto_free char *job = run_job_name(run);
		auto_json struct json *config = example_config();
		auto_json struct json *manifest = job_of(run, config);
		const struct json *meta = json_get(manifest, "metadata");

		assert_true(strlen(job) <= (scheduled ? CRONJOB_NAME_MAX : JOB_NAME_MAX));
		assert_string_equal(json_get_str(meta, "name", ""), job);
		assert_string_equal(
		    json_get_str(json_get(meta, "labels"), "app.kubernetes.io/instance", ""), job);
		assert_string_equal(
		    json_get_str(json_first(json_get(meta, "ownerReferences")), "name", ""), name);
		set_spec(run, "schedule", json_string("@daily"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pod_template_cannot_override_ours),
	    cmocka_unit_test(what_a_pod_template_may_not_set_is_told),
	    cmocka_unit_test(a_policy_cannot_take_ours_away),
	    cmocka_unit_test(a_policy_may_return_anything),
	    cmocka_unit_test(enforcing_changes_nothing_of_our_own),
	    cmocka_unit_test(what_is_put_back_is_told),
	    cmocka_unit_test(many_paths_are_cut),
	    cmocka_unit_test(a_deep_pod_template_is_no_crash),
	    cmocka_unit_test(the_example_gives_the_golden_job),
	    cmocka_unit_test(a_schedule_makes_a_cronjob_around_the_same_job),
	    cmocka_unit_test(settings_of_run_and_config_reach_the_job),
	    cmocka_unit_test(a_suspended_run_is_made_suspended),
	    cmocka_unit_test(the_labels_of_a_queue_reach_its_jobs),
	    cmocka_unit_test(the_contract_is_kept_as_it_is),
	    cmocka_unit_test(long_names_fit_every_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
