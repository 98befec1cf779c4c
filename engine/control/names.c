#include "control/names.h"

#include <ctype.h>

enum { UID_PART = 8, RESERVED = UID_PART + 2 };

const struct kind KIND_RUN = {GROUP, "v1", "inferenceruns", "InferenceRun"};
const struct kind KIND_CONFIG = {GROUP, "v1", "inferenceconfigs", "InferenceConfig"};
const struct kind KIND_JOB = {"batch", "v1", "jobs", "Job"};
const struct kind KIND_CRONJOB = {"batch", "v1", "cronjobs", "CronJob"};
const struct kind KIND_POD = {"", "v1", "pods", "Pod"};
const struct kind KIND_CONFIGMAP = {"", "v1", "configmaps", "ConfigMap"};
const struct kind KIND_EVENT = {"", "v1", "events", "Event"};

static void uid_part(const char *uid, char out[UID_PART + 1])
{
	size_t n = 0;

	for (; *uid != '\0' && n < UID_PART; uid++)
		if (isalnum((unsigned char)*uid))
			out[n++] = (char)tolower((unsigned char)*uid);
	while (n < UID_PART)
		out[n++] = '0';
	out[n] = '\0';
}

void job_name(const char *run_name, const char *run_uid, size_t max, char out[JOB_NAME_MAX + 1])
{
	auto_free char *text = xasprintf("inf-%s", run_name);
	char uid[UID_PART + 1];
	size_t n = 0;

	for (const char *p = text; *p != '\0' && n < max - RESERVED; p++) {
		if (isalnum((unsigned char)*p))
			out[n++] = (char)tolower((unsigned char)*p);
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	uid_part(run_uid, uid);
	snprintf(out + n, max + 1 - n, "-%s", uid);
}

struct json *object_reference(const struct kind *kind, const struct json *object)
{
	const struct json *meta = json_get(object, "metadata");
	auto_free char *api_version = *kind->group != '\0'
					  ? xasprintf("%s/%s", kind->group, kind->version)
					  : xstrdup(kind->version);

	return json_build("{'apiVersion': %s, 'kind': %s, 'namespace': %s, 'name': %s, 'uid': %s}",
			  api_version, kind->name, json_get_str(meta, "namespace", ""),
			  json_get_str(meta, "name", ""), json_get_str(meta, "uid", ""));
}
