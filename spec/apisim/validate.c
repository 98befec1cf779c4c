#include "spec/apisim/admit.h"
#include "spec/apisim/cron.h"
#include "spec/apisim/status.h"

enum { DATA_MAX = 1 << 20, CRON_NAME_MAX = 52, JOB_NAME_MAX = 63 };

static bool is(const struct resource *resource, const char *plural)
{
	return streq(resource->plural, plural);
}

static void immutable(const struct json *object, const struct json *old, const char *key,
		      const char *field, struct json *causes)
{
	if (!json_equal(json_get(object, key), json_get(old, key)))
		status_cause(causes, "FieldValueInvalid", field,
			     "Invalid value: field is immutable");
}

/* ---- pods and their templates ---- */

static void check_containers(const struct json *spec, const char *at, struct json *causes)
{
	auto_free char *field = xasprintf("%scontainers", at);
	const struct json *containers = json_get(spec, "containers");
	size_t i = 0;

	if (json_len(containers) == 0)
		status_cause(causes, "FieldValueRequired", field, "Required value");
	for (const struct json *c = json_first(containers); c != NULL; c = json_next(c), i++) {
		auto_free char *name = xasprintf("%s[%zu].name", field, i);
		auto_free char *image = xasprintf("%s[%zu].image", field, i);

		if (json_get_str(c, "name", "")[0] == '\0')
			status_cause(causes, "FieldValueRequired", name, "Required value");
		if (json_get_str(c, "image", "")[0] == '\0')
			status_cause(causes, "FieldValueRequired", image, "Required value");
	}
}

static void check_pod(const struct json *pod, const struct json *old, struct json *causes)
{
	static const char *const mutable[] = {"activeDeadlineSeconds",
					      "tolerations",
					      "terminationGracePeriodSeconds",
					      "nodeName",
					      "containers",
					      "initContainers"};
	auto_json struct json *a = json_copy(json_get(pod, "spec"));
	auto_json struct json *b = json_copy(json_get(old, "spec"));

	check_containers(a, "spec.", causes);
	if (old == NULL)
		return;
	/* Of the containers the image alone may change: few do that, so this is not looked at. */
	for (size_t i = 0; i < ARRAY_LEN(mutable); i++) {
		json_remove(a, mutable[i]);
		json_remove(b, mutable[i]);
	}
	if (!json_equal(a, b))
		status_cause(
		    causes, "FieldValueForbidden", "spec",
		    "Forbidden: pod updates may not change fields other than "
		    "`spec.containers[*].image`,`spec.initContainers[*].image`,"
		    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
		    "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
		    "be set to 1 if it was previously negative)");
}

/* ---- jobs ---- */

static void check_positive(const struct json *spec, const char *key, const char *at, int64_t least,
			   struct json *causes)
{
	auto_free char *field = xasprintf("%s%s", at, key);
	int64_t n;

	if (json_get(spec, key) == NULL)
		return;
	if (!json_int64(json_get(spec, key), &n))
		status_cause(causes, "FieldValueTypeInvalid", field,
			     "Invalid value: not an integer");
	else if (n < least)
		status_cause(causes, "FieldValueInvalid", field,
			     "Invalid value: %lld: must be greater than or equal to %lld",
			     (long long)n, (long long)least);
}

static void check_job_spec(const struct json *spec, const char *at, struct json *causes)
{
	static const char *const counts[] = {"parallelism", "completions", "backoffLimit",
					     "ttlSecondsAfterFinished"};
	const struct json *pod = json_at(spec, "template", "spec");
	const char *restart = json_get_str(pod, "restartPolicy", "Always");
	auto_free char *pod_at = xasprintf("%stemplate.spec.", at);
	auto_free char *field = xasprintf("%srestartPolicy", pod_at);

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		check_positive(spec, counts[i], at, 0, causes);
	check_positive(spec, "activeDeadlineSeconds", at, 1, causes);
	check_containers(pod, pod_at, causes);
	if (streq(restart, "Always"))
		status_cause(causes, "FieldValueRequired", field,
			     "Required value: valid values: \"OnFailure\", \"Never\"");
	else if (!streq(restart, "OnFailure") && !streq(restart, "Never"))
		status_cause(
		    causes, "FieldValueNotSupported", field,
		    "Unsupported value: \"%s\": supported values: \"OnFailure\", \"Never\"",
		    restart);
	if (json_get(spec, "podFailurePolicy") != NULL && !streq(restart, "Never"))
		status_cause(
		    causes, "FieldValueInvalid", field,
		    "Invalid value: \"%s\": only \"Never\" is supported when podFailurePolicy "
		    "is specified",
		    restart);
}

static void check_job(const struct json *job, const struct json *old, struct json *causes)
{
	const char *name = json_get_str(json_get(job, "metadata"), "name", "");
	const struct json *spec = json_get(job, "spec"), *before = json_get(old, "spec");
	bool startable = json_is_true(json_get(before, "suspend")) &&
			 json_at(old, "status", "startTime") == NULL;

	if (strlen(name) > JOB_NAME_MAX)
		status_cause(causes, "FieldValueInvalid", "spec.template.labels",
			     "Invalid value: \"%s\": must be no more than %d characters", name,
			     JOB_NAME_MAX);
	check_job_spec(spec, "spec.", causes);
	if (old == NULL)
		return;
	immutable(spec, before, "selector", "spec.selector", causes);
	immutable(spec, before, "completionMode", "spec.completionMode", causes);
	immutable(spec, before, "completions", "spec.completions", causes);
	immutable(spec, before, "podFailurePolicy", "spec.podFailurePolicy", causes);
	if (!startable)
		immutable(spec, before, "template", "spec.template", causes);
}

static void check_cron_job(const struct json *cron, struct json *causes)
{
	const struct json *spec = json_get(cron, "spec");
	const char *name = json_get_str(json_get(cron, "metadata"), "name", "");
	const char *schedule = json_get_str(spec, "schedule", "");
	const char *zone = json_get_str(spec, "timeZone", NULL);
	const char *policy = json_get_str(spec, "concurrencyPolicy", "");
	struct err err = ERR_INIT;
	struct cron parsed;

	if (strlen(name) > CRON_NAME_MAX)
		status_cause(causes, "FieldValueInvalid", "metadata.name",
			     "Invalid value: \"%s\": must be no more than %d characters", name,
			     CRON_NAME_MAX);
	if (schedule[0] == '\0')
		status_cause(causes, "FieldValueRequired", "spec.schedule", "Required value");
	else if (cron_parse(schedule, &parsed, &err) < 0)
		status_cause(causes, "FieldValueInvalid", "spec.schedule",
			     "Invalid value: \"%s\": %s", schedule, err.msg);
	if (zone != NULL && !cron_zone_known(zone))
		status_cause(causes, "FieldValueInvalid", "spec.timeZone",
			     "Invalid value: \"%s\": unknown time zone %s", zone, zone);
	if (!streq(policy, "Allow") && !streq(policy, "Forbid") && !streq(policy, "Replace"))
		status_cause(causes, "FieldValueNotSupported", "spec.concurrencyPolicy",
			     "Unsupported value: \"%s\": supported values: \"Allow\", \"Forbid\", "
			     "\"Replace\"",
			     policy);
	check_job_spec(json_at(spec, "jobTemplate", "spec"), "spec.jobTemplate.spec.", causes);
}

/* ---- configuration ---- */

static void check_data(const struct json *object, const struct json *old, struct json *causes)
{
	static const char *const fields[] = {"data", "binaryData"};
	bool fixed = json_is_true(json_get(old, "immutable"));
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct json *data = json_get(object, fields[i]);

		for (const struct json *c = json_first(data); c != NULL; c = json_next(c)) {
			if (json_str(c) == NULL)
				status_cause(causes, "FieldValueTypeInvalid", fields[i],
					     "Invalid value: %s: expected a string", json_key(c));
			size +=
			    strlen(json_key(c)) + (json_str(c) != NULL ? strlen(json_str(c)) : 0);
		}
		if (fixed && !json_equal(data, json_get(old, fields[i])))
			status_cause(causes, "FieldValueForbidden", fields[i],
				     "Forbidden: field is immutable when `immutable` is set");
	}
	if (fixed && !json_is_true(json_get(object, "immutable")))
		status_cause(causes, "FieldValueForbidden", "immutable",
			     "Forbidden: field is immutable when `immutable` is set");
	if (size > DATA_MAX)
		status_cause(causes, "FieldValueTooLong", "",
			     "Too long: may not be more than %d bytes", DATA_MAX);
}

static void check_event(const struct json *event, struct json *causes)
{
	const char *about = json_get_str(json_get(event, "involvedObject"), "namespace", "");
	const char *namespace = json_get_str(json_get(event, "metadata"), "namespace", "");

	if (!streq(about, namespace) && !(about[0] == '\0' && streq(namespace, "default")))
		status_cause(causes, "FieldValueInvalid", "involvedObject.namespace",
			     "Invalid value: \"%s\": does not match event.namespace", about);
}

void admit_check(const struct resource *resource, const struct json *object, const struct json *old,
		 struct json *causes)
{
	if (is(resource, "pods"))
		check_pod(object, old, causes);
	else if (is(resource, "jobs"))
		check_job(object, old, causes);
	else if (is(resource, "cronjobs"))
		check_cron_job(object, causes);
	else if (is(resource, "configmaps") || is(resource, "secrets"))
		check_data(object, old, causes);
	else if (is(resource, "events"))
		check_event(object, causes);
}
