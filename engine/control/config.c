#include "control/config.h"

#include <ctype.h>

#include "control/names.h"
#include "control/status.h"

const char *config_namespace_of(const struct json *run)
{
	const char *theirs = json_get_str(json_at(run, "spec", "configRef"), "namespace", "");

	return *theirs != '\0' ? theirs : json_get_str(json_get(run, "metadata"), "namespace", "");
}

char *config_key_of(const struct json *run)
{
	return xasprintf("%s/%s", config_namespace_of(run),
			 json_get_str(json_at(run, "spec", "configRef"), "name", ""));
}

bool config_allows(const struct json *config, const char *namespace)
{
	const struct json *meta = json_get(config, "metadata");
	const char *list =
	    json_get_str(json_get(meta, "annotations"), ANNOTATION_ALLOW_NAMESPACES, "");

	if (streq(json_get_str(meta, "namespace", ""), namespace))
		return true;
	while (*list != '\0') {
		size_t blank = strspn(list, ", "), len = strcspn(list + blank, ", ");

		list += blank;
		if ((len == 1 && *list == '*') ||
		    (len == strlen(namespace) && memcmp(list, namespace, len) == 0))
			return len > 0;
		list += len;
	}
	return false;
}

char *config_policy_key(const struct json *config)
{
	const char *name = json_get_str(json_at(config, "spec", "policyRef"), "name", "");

	if (*name == '\0')
		return NULL;
	return xasprintf("%s/%s", json_get_str(json_get(config, "metadata"), "namespace", ""),
			 name);
}

int64_t config_seconds_ms(const struct json *config, const char *key, int64_t fallback_s)
{
	int64_t seconds = json_get_int(json_get(config, "spec"), key, fallback_s);

	if (seconds < 0)
		seconds = fallback_s;
	return (seconds < INT32_MAX ? seconds : INT32_MAX) * 1000;
}

/* ---- status ---- */

/* The member of spec.kserve, else of spec: as scripts/contract.lua has it. */
static const char *model_field(const struct json *config, const char *key)
{
	const struct json *spec = json_get(config, "spec");
	const char *nested = json_get_str(json_get(spec, "kserve"), key, "");

	return *nested != '\0' ? nested : json_get_str(spec, key, "");
}

/* [http[s]://]host..., without blanks. */
static bool is_address(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end != NULL ? scheme_end + 3 : url;

	if (scheme_end != NULL && !has_prefix(url, "http://") && !has_prefix(url, "https://"))
		return false;
	for (const char *p = url; *p != '\0'; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
			return false;
	return *host != '\0' && *host != '/';
}

struct problem {
	const char *reason;
	char *message; /* yours */
};

static struct problem find_problem(const struct json *config)
{
	const struct json *spec = json_get(config, "spec");
	const char *url = model_field(config, "modelUrl");
	const char *secrets = json_get_str(json_get(spec, "credentialsRef"), "namespace", "");

	if (*json_get_str(spec, "image", "") == '\0')
		return (struct problem){
		    "ImageMissing",
		    xstrdup("expected the runner's image in spec.image, found none")};
	if (*url == '\0')
		return (struct problem){
		    "ModelUrlMissing",
		    xstrdup("expected the model's address in spec.kserve.modelUrl "
			    "or spec.modelUrl, found none")};
	if (!is_address(url))
		return (struct problem){
		    "ModelUrlInvalid",
		    xasprintf("modelUrl: expected host/path, or http:// or https:// before it, "
			      "without blanks, found \"%s\"",
			      url)};
	if (*secrets != '\0' && !config_allows(config, secrets))
		return (struct problem){
		    "CredentialsElsewhere",
		    xasprintf("spec.credentialsRef.namespace is \"%s\", but a Pod can only use "
			      "Secrets of its own namespace, and no run of this config is in that "
			      "one",
			      secrets)};
	return (struct problem){0};
}

struct json *config_status(const struct json *config, const struct config_runs *runs, int64_t now)
{
	const struct json *current = json_get(config, "status");
	struct json *status = current != NULL ? json_copy(current) : json_object();
	int64_t generation = json_get_int(json_get(config, "metadata"), "generation", 0);
	const char *model = model_field(config, "modelName");
	struct problem problem = find_problem(config);
	auto_free char *message = problem.message;

	status_condition(status, "Ready", message == NULL ? "True" : "False",
			 message == NULL ? "Valid" : problem.reason, message, generation, now);
	if (*model != '\0')
		json_set_str(status, "model", model);
	else
		json_remove(status, "model");
	json_set(status, "runs",
		 json_build("{'total': %d, 'active': %d}", runs->total, runs->active));
	json_set(status, "observedGeneration", json_int(generation));
	return status;
}
