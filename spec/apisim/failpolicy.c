#include "spec/apisim/failpolicy.h"

static bool listed(const struct json *values, int64_t code)
{
	int64_t value;

	for (const struct json *v = json_first(values); v != NULL; v = json_next(v))
		if (json_int64(v, &value) && value == code)
			return true;
	return false;
}

/* The first container whose exit code matches; an exit code of 0 never does. */
static const struct json *exit_match(const struct json *rule, const struct json *pod)
{
	const struct json *statuses = json_at(pod, "status", "containerStatuses");
	const char *container = json_get_str(rule, "containerName", NULL);
	bool in = streq(json_get_str(rule, "operator", ""), "In");

	for (const struct json *s = json_first(statuses); s != NULL; s = json_next(s)) {
		int64_t code = json_get_int(json_at(s, "state", "terminated"), "exitCode", 0);

		if (code == 0 ||
		    (container != NULL && !streq(container, json_get_str(s, "name", ""))))
			continue;
		if (listed(json_get(rule, "values"), code) == in)
			return s;
	}
	return NULL;
}

static const struct json *condition_match(const struct json *patterns, const struct json *pod)
{
	const struct json *conditions = json_at(pod, "status", "conditions");

	for (const struct json *p = json_first(patterns); p != NULL; p = json_next(p))
		for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
			if (streq(json_get_str(c, "type", ""), json_get_str(p, "type", "")) &&
			    streq(json_get_str(c, "status", ""), json_get_str(p, "status", "True")))
				return p;
	return NULL;
}

static char *exit_message(const struct json *container, const struct json *pod, int index)
{
	const struct json *metadata = json_get(pod, "metadata");
	int64_t code = json_get_int(json_at(container, "state", "terminated"), "exitCode", 0);

	return xasprintf("Container %s for pod %s/%s failed with exit code %lld matching FailJob "
			 "rule at index %d",
			 json_get_str(container, "name", ""),
			 json_get_str(metadata, "namespace", ""),
			 json_get_str(metadata, "name", ""), (long long)code, index);
}

static char *condition_message(const struct json *pattern, const struct json *pod, int index)
{
	const struct json *metadata = json_get(pod, "metadata");

	return xasprintf("Pod %s/%s has condition %s matching FailJob rule at index %d",
			 json_get_str(metadata, "namespace", ""),
			 json_get_str(metadata, "name", ""), json_get_str(pattern, "type", ""),
			 index);
}

static enum fail_action action_of(const struct json *rule)
{
	const char *action = json_get_str(rule, "action", "");

	if (streq(action, "FailJob"))
		return FAIL_JOB;
	return streq(action, "Ignore") ? FAIL_IGNORE : FAIL_COUNT;
}

enum fail_action fail_policy(const struct json *policy, const struct json *pod, char **message)
{
	const struct json *rule = json_first(json_get(policy, "rules"));

	for (int index = 0; rule != NULL; rule = json_next(rule), index++) {
		enum fail_action action = action_of(rule);
		const struct json *found;

		if (json_get(rule, "onExitCodes") != NULL) {
			found = exit_match(json_get(rule, "onExitCodes"), pod);
			if (found != NULL && action == FAIL_JOB)
				*message = exit_message(found, pod, index);
		} else {
			found = condition_match(json_get(rule, "onPodConditions"), pod);
			if (found != NULL && action == FAIL_JOB)
				*message = condition_message(found, pod, index);
		}
		if (found != NULL)
			return action;
	}
	return FAIL_COUNT;
}
