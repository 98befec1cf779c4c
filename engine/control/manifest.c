#include "control/manifest.h"

#include "base/buf.h"
#include "base/diff.h"
#include "control/podtemplate.h"

#define VOLUME "inference-contract"

enum { PATHS_TOLD = 16 };

bool run_is_scheduled(const struct json *run)
{
	return *json_get_str(json_get(run, "spec"), "schedule", "") != '\0';
}

char *run_job_name(const struct json *run)
{
	const struct json *meta = json_get(run, "metadata");
	char name[JOB_NAME_MAX + 1];

	job_name(json_get_str(meta, "name", ""), json_get_str(meta, "uid", ""),
		 run_is_scheduled(run) ? CRONJOB_NAME_MAX : JOB_NAME_MAX, name);
	return xstrdup(name);
}

static struct json *labels_of(const struct json *run, const char *name)
{
	return json_build("{'app.kubernetes.io/name': 'inference-runner',"
			  " 'app.kubernetes.io/instance': %s,"
			  " 'app.kubernetes.io/managed-by': %s, '" LABEL_RUN "': %s}",
			  name, MANAGER, json_get_str(json_get(run, "metadata"), "uid", ""));
}

static struct json *metadata_of(const struct json *run, const char *digest)
{
	const struct json *meta = json_get(run, "metadata");
	auto_free char *name = run_job_name(run);
	auto_json struct json *labels = labels_of(run, name);

	return json_build(
	    "{'name': %s, 'namespace': %s, 'labels': %j,"
	    " 'annotations': {'" ANNOTATION_DIGEST "': %s},"
	    " 'ownerReferences': [{'apiVersion': '" GROUP "/v1', 'kind': 'InferenceRun',"
	    " 'name': %s, 'uid': %s, 'controller': true, 'blockOwnerDeletion': true}]}",
	    name, json_get_str(meta, "namespace", ""), labels, digest,
	    json_get_str(meta, "name", ""), json_get_str(meta, "uid", ""));
}

struct json *manifest_contract(const struct json *run, const char *contract, const char *digest)
{
	auto_json struct json *metadata = metadata_of(run, digest);

	return json_build("{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': %j,"
			  " 'immutable': true, 'data': {'" CONTRACT_KEY "': %s}}",
			  metadata, contract);
}

/* ---- the pod ---- */

/* A pod that the `restricted` Pod Security Standard admits; /tmp can be written to. */
static struct json *pod_defaults(const struct json *config, const char *service_account)
{
	const struct json *spec = json_get(config, "spec");
	const char *pull_secret = json_str(json_at(spec, "credentialsRef", "name"));
	struct json *pod =
	    json_build("{'spec': {'securityContext': {'runAsNonRoot': true,"
		       "   'seccompProfile': {'type': 'RuntimeDefault'}},"
		       " 'containers': [{'name': '" RUNNER_CONTAINER "', 'image': %s,"
		       "   'terminationMessagePolicy': 'FallbackToLogsOnError',"
		       "   'securityContext': {'allowPrivilegeEscalation': false,"
		       "     'capabilities': {'drop': ['ALL']}},"
		       "   'volumeMounts': [{'name': 'tmp', 'mountPath': '/tmp'}]}],"
		       " 'volumes': [{'name': 'tmp', 'emptyDir': {}}]}}",
		       json_get_str(spec, "image", ""));

	if (service_account != NULL && *service_account != '\0')
		json_set_str(json_mut(pod, "spec"), "serviceAccountName", service_account);
	if (pull_secret != NULL && *pull_secret != '\0')
		json_set(json_mut(pod, "spec"), "imagePullSecrets",
			 json_build("[{'name': %s}]", pull_secret));
	return pod;
}

static struct json *pod_owned(const struct json *run, const char *digest)
{
	auto_free char *name = run_job_name(run);
	auto_json struct json *labels = labels_of(run, name);

	return json_build(
	    "{'metadata': {'labels': %j, 'annotations': {'" ANNOTATION_DIGEST "': %s}},"
	    " 'spec': {'restartPolicy': 'Never',"
	    " 'containers': [{'name': '" RUNNER_CONTAINER "',"
	    "   'env': [{'name': 'pod_uid', 'valueFrom': {'fieldRef':"
	    "     {'fieldPath': 'metadata.uid'}}}, {'name': 'job_name', 'valueFrom': {'fieldRef':"
	    "     {'fieldPath': %s}}}],"
	    "   'volumeMounts': [{'name': '" VOLUME "', 'mountPath': '" CONTRACT_PATH "',"
	    "     'subPath': '" CONTRACT_KEY "', 'readOnly': true}]}],"
	    " 'volumes': [{'name': '" VOLUME "', 'configMap': {'name': %s}}]}}",
	    labels, digest, "metadata.labels['batch.kubernetes.io/job-name']", name);
}

/* ---- Job and CronJob ---- */

static const int64_t final_codes[] = {2, 6, 8, 13, 14, 15};

bool exit_code_is_final(int64_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(final_codes); i++)
		if (code == final_codes[i])
			return true;
	return false;
}

static struct json *final_code_list(void)
{
	struct json *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(final_codes); i++)
		json_append(list, json_int(final_codes[i]));
	return list;
}

/* Exit codes of the runner that another try cannot mend end the Job; lost nodes, drains and
 * preemptions do not count as tries. */
static struct json *job_spec(const struct json *run, const struct json *config,
			     const struct json *pod)
{
	const struct json *spec = json_get(run, "spec");
	int64_t deadline = json_get_int(spec, "timeoutSeconds", 0);
	int64_t backoff = json_get_int(json_get(config, "spec"), "backoffLimit", BACKOFF_LIMIT);
	auto_json struct json *codes = final_code_list();
	struct json *job = json_build(
	    "{'backoffLimit': %d, 'template': %j, 'podReplacementPolicy': 'Failed',"
	    " 'podFailurePolicy': {'rules': ["
	    "  {'action': 'FailJob', 'onExitCodes': {'containerName': '" RUNNER_CONTAINER "',"
	    "    'operator': 'In', 'values': %j}},"
	    "  {'action': 'Ignore', 'onPodConditions':"
	    "    [{'type': 'DisruptionTarget', 'status': 'True'}]}]}}",
	    backoff, pod, codes);

	if (deadline > 0)
		json_set(job, "activeDeadlineSeconds", json_int(deadline));
	return job;
}

/* What the run says of its schedule. */
static void pass_on(struct json *cronjob_spec, const struct json *run)
{
	static const char *const members[] = {"schedule",
					      "timeZone",
					      "concurrencyPolicy",
					      "suspend",
					      "startingDeadlineSeconds",
					      "successfulJobsHistoryLimit",
					      "failedJobsHistoryLimit"};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *value = json_at(run, "spec", members[i]);

		if (value != NULL)
			json_set(cronjob_spec, members[i], json_copy(value));
	}
}

static struct json *cronjob_spec(const struct json *run, const struct json *job,
				 const struct json *metadata)
{
	struct json *cronjob =
	    json_build("{'schedule': null, 'jobTemplate': {'metadata':"
		       " {'labels': %j, 'annotations': %j}, 'spec': %j}}",
		       json_get(metadata, "labels"), json_get(metadata, "annotations"), job);

	pass_on(cronjob, run);
	return cronjob;
}

/* A Job for a queue starts suspended; Kueue resumes it. */
static void join_queue(struct json *metadata, struct json *job_spec, const struct json *run)
{
	static const char *const passed_on[] = {LABEL_QUEUE, LABEL_QUEUE_PRIORITY};
	const struct json *labels = json_at(run, "metadata", "labels");

	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++) {
		const char *value = json_get_str(labels, passed_on[i], "");

		if (*value != '\0')
			json_set_str(json_obj(metadata, "labels"), passed_on[i], value);
	}
	if (json_at(metadata, "labels", LABEL_QUEUE) != NULL)
		json_set(job_spec, "suspend", json_bool(true));
}

struct json *manifest_job(const struct json *run, const struct json *config,
			  const char *service_account, const char *digest)
{
	auto_json struct json *metadata = metadata_of(run, digest);
	auto_json struct json *pod = pod_defaults(config, service_account);
	auto_json struct json *owned = pod_owned(run, digest);
	auto_json struct json *job = NULL, *spec = NULL;
	bool scheduled = run_is_scheduled(run);

	podtemplate_merge(pod, json_at(config, "spec", "podTemplate"));
	podtemplate_merge(pod, owned);
	job = job_spec(run, config, pod);
	join_queue(metadata, job, run);
	spec = scheduled ? cronjob_spec(run, job, metadata) : json_copy(job);
	if (json_is_true(json_at(run, "spec", "suspend"))) {
		json_set_str(json_obj(metadata, "labels"), LABEL_SUSPENDED, "true");
		json_set(spec, "suspend", json_bool(true));
	}
	return json_build("{'apiVersion': 'batch/v1', 'kind': %s, 'metadata': %j, 'spec': %j}",
			  scheduled ? "CronJob" : "Job", metadata, spec);
}

/* ---- after a policy ---- */

static void enforce_job_spec(struct json *spec, const struct json *pod)
{
	static const char *const never[] = {"completionMode", "selector", "manualSelector",
					    "ttlSecondsAfterFinished"};
	static const char *const one[] = {"parallelism", "completions"};

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		json_remove(spec, never[i]);
	for (size_t i = 0; i < ARRAY_LEN(one); i++)
		if (json_get_int(spec, one[i], 0) != 1)
			json_remove(spec, one[i]);
	json_set_str(spec, "podReplacementPolicy", "Failed");
	podtemplate_merge(json_obj(spec, "template"), pod);
}

static void enforce(struct json *manifest, const struct json *run, const char *digest)
{
	auto_json struct json *metadata = metadata_of(run, digest);
	auto_json struct json *owned = pod_owned(run, digest);
	auto_json struct json *firings = NULL;
	struct json *spec = json_obj(manifest, "spec");

	json_set_str(manifest, "apiVersion", "batch/v1");
	json_set_str(manifest, "kind", run_is_scheduled(run) ? "CronJob" : "Job");
	podtemplate_merge(json_obj(manifest, "metadata"), metadata);
	if (run_is_scheduled(run)) {
		firings =
		    json_build("{'labels': %j, 'annotations': %j}", json_get(metadata, "labels"),
			       json_get(metadata, "annotations"));
		pass_on(spec, run);
		spec = json_obj(spec, "jobTemplate");
		podtemplate_merge(json_obj(spec, "metadata"), firings);
		spec = json_obj(spec, "spec");
	}
	enforce_job_spec(spec, owned);
}

struct paths {
	struct buf text;
	int left;
};

static bool add_path(void *arg, const char *path, const struct json *a UNUSED,
		     const struct json *b UNUSED)
{
	struct paths *paths = arg;

	buf_addf(&paths->text, "%s%s", paths->text.len > 0 ? ", " : "",
		 paths->left > 0 ? path : "and more");
	return paths->left-- > 0;
}

char *manifest_enforce(struct json *manifest, const struct json *run, const char *digest)
{
	auto_json struct json *shaped = json_copy(manifest);
	struct paths paths = {BUF_INIT(PATHS_TOLD * (DIFF_PATH_MAX + 2)), PATHS_TOLD};

	enforce(manifest, run, digest);
	diff_each(shaped, manifest, add_path, &paths);
	return paths.text.len > 0 ? buf_steal(&paths.text) : NULL;
}

/* What is ours is also added where it is not set, or taken away: that overrules nobody. */
static bool add_changed(void *arg, const char *path, const struct json *a, const struct json *b)
{
	return a == NULL || json_type(a) == JSON_NULL || add_path(arg, path, a, b);
}

char *manifest_put_back(const struct json *run, const struct json *config, const char *digest)
{
	auto_json struct json *owned = pod_owned(run, digest);
	auto_json struct json *before = json_object(), *after = NULL;
	struct paths paths = {BUF_INIT(PATHS_TOLD * (DIFF_PATH_MAX + 2)), PATHS_TOLD};

	podtemplate_merge(before, json_at(config, "spec", "podTemplate"));
	after = json_copy(before);
	podtemplate_merge(after, owned);
	diff_each(before, after, add_changed, &paths);
	return paths.text.len > 0 ? buf_steal(&paths.text) : NULL;
}
