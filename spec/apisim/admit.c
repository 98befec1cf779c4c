#include "spec/apisim/admit.h"

#include <ctype.h>

#include "base/base64.h"
#include "spec/apisim/status.h"

enum { ANNOTATIONS_MAX = 256 << 10, LABEL_MAX = 63, SECRET_MAX = 16 << 20 };

static bool is(const struct resource *resource, const char *plural)
{
	return streq(resource->plural, plural);
}

/* ---- metadata ---- */

static bool label_ok(const char *text, const char *inside)
{
	size_t len = strlen(text);

	if (len == 0)
		return true;
	if (len > LABEL_MAX || !isalnum((unsigned char)text[0]) ||
	    !isalnum((unsigned char)text[len - 1]))
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(inside, *p) == NULL)
			return false;
	return true;
}

static bool subdomain_ok(const char *name)
{
	char before = '.';

	for (const char *p = name; *p != '\0'; before = *p++) {
		bool edge = before == '.' || p[1] == '.' || p[1] == '\0';

		if (!(*p >= 'a' && *p <= 'z') && !isdigit((unsigned char)*p) &&
		    !(*p == '-' && !edge) && !(*p == '.' && before != '.' && p[1] != '\0'))
			return false;
	}
	return name[0] != '\0';
}

static void check_name(const struct resource *resource, const char *name, struct json *causes)
{
	bool label = is(resource, "namespaces") || is(resource, "services");
	size_t max = label ? LABEL_MAX : 253;

	if (streq(resource->group, "rbac.authorization.k8s.io")) {
		if (strpbrk(name, "/%") != NULL || streq(name, ".") || streq(name, ".."))
			status_cause(causes, "FieldValueInvalid", "metadata.name",
				     "Invalid value: \"%s\": may not contain '/' or '%%'", name);
		return;
	}
	if (strlen(name) > max)
		status_cause(causes, "FieldValueInvalid", "metadata.name",
			     "Invalid value: \"%s\": must be no more than %zu characters", name,
			     max);
	else if (!subdomain_ok(name) || (label && strchr(name, '.') != NULL))
		status_cause(causes, "FieldValueInvalid", "metadata.name",
			     label
				 ? "Invalid value: \"%s\": a lowercase RFC 1123 label must consist "
				   "of lower case alphanumeric characters or '-', and must start "
				   "and end with an alphanumeric character (e.g. 'my-name',  or "
				   "'123-abc', regex used for validation is "
				   "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
				 : "Invalid value: \"%s\": a lowercase RFC 1123 subdomain must "
				   "consist of lower case alphanumeric characters, '-' or '.', and "
				   "must start and end with an alphanumeric character (e.g. "
				   "'example.com', regex used for validation is "
				   "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])"
				   "?)*')",
			     name);
}

static void check_labels(const struct json *labels, const char *field, struct json *causes)
{
	for (const struct json *l = json_first(labels); l != NULL; l = json_next(l)) {
		const char *key = json_key(l), *slash = strchr(key, '/');
		const char *value = json_str(l);

		if (slash != NULL)
			key = slash + 1;
		if (key[0] == '\0' || !label_ok(key, "-_."))
			status_cause(
			    causes, "FieldValueInvalid", field,
			    "Invalid value: \"%s\": name part must consist of alphanumeric "
			    "characters, '-', '_' or '.', and must start and end with an "
			    "alphanumeric character",
			    json_key(l));
		if (value == NULL || strlen(value) > LABEL_MAX)
			status_cause(causes, "FieldValueInvalid", field,
				     "Invalid value: \"%s\": must be no more than 63 characters",
				     value != NULL ? value : "");
		else if (!label_ok(value, "-_."))
			status_cause(
			    causes, "FieldValueInvalid", field,
			    "Invalid value: \"%s\": a valid label must be an empty string or "
			    "consist of alphanumeric characters, '-', '_' or '.', and must "
			    "start and end with an alphanumeric character",
			    value);
	}
}

void admit_check_metadata(const struct resource *resource, const struct json *object,
			  struct json *causes)
{
	const struct json *metadata = json_get(object, "metadata");
	const struct json *annotations = json_get(metadata, "annotations");
	size_t size = 0;

	check_name(resource, json_get_str(metadata, "name", ""), causes);
	check_labels(json_get(metadata, "labels"), "metadata.labels", causes);
	for (const struct json *a = json_first(annotations); a != NULL; a = json_next(a))
		size += strlen(json_key(a)) + (json_str(a) != NULL ? strlen(json_str(a)) : 0);
	if (size > ANNOTATIONS_MAX)
		status_cause(causes, "FieldValueTooLong", "metadata.annotations",
			     "Too long: may not be more than %d bytes", ANNOTATIONS_MAX);
}

/* ---- defaults ---- */

static void fill_str(struct json *object, const char *key, const char *value)
{
	if (json_get(object, key) == NULL)
		json_set_str(object, key, value);
}

static void fill_int(struct json *object, const char *key, int64_t value)
{
	if (json_get(object, key) == NULL)
		json_set(object, key, json_int(value));
}

static void fill_container(struct json *container)
{
	const char *image = json_get_str(container, "image", "");
	const char *slash = strrchr(image, '/');
	const char *tag = strchr(slash != NULL ? slash : image, ':');
	bool latest = tag == NULL || streq(tag, ":latest");

	fill_str(container, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
	fill_str(container, "terminationMessagePath", "/dev/termination-log");
	fill_str(container, "terminationMessagePolicy", "File");
	if (json_get(container, "resources") == NULL)
		json_set(container, "resources", json_object());
}

void admit_pod_spec(struct json *spec)
{
	static const char *const lists[] = {"containers", "initContainers"};

	fill_str(spec, "restartPolicy", "Always");
	fill_str(spec, "dnsPolicy", "ClusterFirst");
	fill_str(spec, "schedulerName", "default-scheduler");
	fill_int(spec, "terminationGracePeriodSeconds", 30);
	if (json_get(spec, "securityContext") == NULL)
		json_set(spec, "securityContext", json_object());
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct json *c = json_mut_first(json_mut(spec, lists[i]));

		for (; c != NULL; c = json_mut_next(c))
			fill_container(c);
	}
}

static void default_template(struct json *job_spec)
{
	struct json *template = json_mut(job_spec, "template");

	if (json_type(json_get(template, "spec")) == JSON_OBJECT)
		admit_pod_spec(json_mut(template, "spec"));
}

static void default_job_spec(struct json *spec)
{
	if (json_get(spec, "completions") == NULL && json_get(spec, "parallelism") == NULL)
		fill_int(spec, "completions", 1);
	fill_int(spec, "parallelism", 1);
	fill_int(spec, "backoffLimit", 6);
	fill_str(spec, "completionMode", "NonIndexed");
	fill_str(spec, "podReplacementPolicy",
		 json_get(spec, "podFailurePolicy") != NULL ? "Failed" : "TerminatingOrFailed");
	if (json_get(spec, "suspend") == NULL)
		json_set(spec, "suspend", json_bool(false));
	default_template(spec);
}

/* The labels by which a Job knows its Pods, and the selector for them. */
static void default_job_labels(struct json *job, struct json *spec)
{
	const struct json *metadata = json_get(job, "metadata");
	const char *uid = json_get_str(metadata, "uid", ""),
		   *name = json_get_str(metadata, "name", "");
	struct json *template = json_obj(spec, "template");
	struct json *labels = json_obj(json_obj(template, "metadata"), "labels");

	json_set_str(labels, "batch.kubernetes.io/controller-uid", uid);
	json_set_str(labels, "batch.kubernetes.io/job-name", name);
	json_set_str(labels, "controller-uid", uid);
	json_set_str(labels, "job-name", name);
	json_set(spec, "selector",
		 json_build("{'matchLabels':{'batch.kubernetes.io/controller-uid':%s}}", uid));
}

static void default_job(struct json *job, const struct json *old)
{
	struct json *spec = json_obj(job, "spec");

	default_job_spec(spec);
	if (old == NULL) {
		if (!json_is_true(json_get(spec, "manualSelector")))
			default_job_labels(job, spec);
		json_set(job, "status", json_object());
	}
}

static void default_cron_job(struct json *cron, const struct json *old)
{
	struct json *spec = json_obj(cron, "spec");
	struct json *template = json_obj(spec, "jobTemplate");

	fill_str(spec, "concurrencyPolicy", "Allow");
	fill_int(spec, "successfulJobsHistoryLimit", 3);
	fill_int(spec, "failedJobsHistoryLimit", 1);
	if (json_get(spec, "suspend") == NULL)
		json_set(spec, "suspend", json_bool(false));
	default_template(json_obj(template, "spec"));
	if (old == NULL)
		json_set(cron, "status", json_object());
}

static void default_pod(struct json *pod, const struct json *old)
{
	struct json *spec = json_obj(pod, "spec");
	const char *since = json_get_str(json_get(pod, "metadata"), "creationTimestamp", "");

	admit_pod_spec(spec);
	fill_str(spec, "serviceAccountName", "default");
	fill_str(spec, "serviceAccount", json_get_str(spec, "serviceAccountName", "default"));
	if (old != NULL)
		return;
	fill_str(spec, "nodeName", "node-1"); /* scheduled at once */
	json_set(pod, "status",
		 json_build("{'phase':'Pending','qosClass':'BestEffort','conditions':[{"
			    "'type':'PodScheduled','status':'True','lastProbeTime':null,"
			    "'lastTransitionTime':%s}]}",
			    since));
}

static void default_namespace(struct json *namespace, const struct json *old)
{
	struct json *metadata = json_obj(namespace, "metadata");

	json_set_str(json_obj(metadata, "labels"), "kubernetes.io/metadata.name",
		     json_get_str(metadata, "name", ""));
	if (old != NULL)
		return;
	json_set(namespace, "spec", json_build("{'finalizers':['kubernetes']}"));
	json_set(namespace, "status", json_build("{'phase':'Active'}"));
}

static void default_secret(struct json *secret)
{
	auto_json struct json *plain = json_take(secret, "stringData");

	fill_str(secret, "type", "Opaque");
	for (const struct json *c = json_first(plain); c != NULL; c = json_next(c)) {
		const char *text = json_str(c) != NULL ? json_str(c) : "";
		auto_buf struct buf encoded = BUF_INIT(SECRET_MAX);

		base64_encode(text, strlen(text), &encoded);
		json_set_str(json_obj(secret, "data"), json_key(c), encoded.data);
	}
}

void admit_defaults(const struct resource *resource, struct json *object, const struct json *old)
{
	if (is(resource, "pods"))
		default_pod(object, old);
	else if (is(resource, "jobs"))
		default_job(object, old);
	else if (is(resource, "cronjobs"))
		default_cron_job(object, old);
	else if (is(resource, "secrets"))
		default_secret(object);
	else if (is(resource, "namespaces"))
		default_namespace(object, old);
}
