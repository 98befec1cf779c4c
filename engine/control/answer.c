#include "control/answer.h"

#include <ctype.h>

#include "control/status.h"

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (streq(word, *words))
			return true;
	return false;
}

/* As in the CRD. */
enum { TYPE_MAX = 316, REASON_MAX = 1024 };

/* metav1.Condition's rule for a reason. */
static bool is_word(const char *text, size_t max)
{
	if (!isalpha((unsigned char)*text) || strlen(text) > max)
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && *text != '_' && *text != ',' && *text != ':')
			return false;
	return true;
}

/* The first of the policy's conditions that the API would refuse; NULL: none. */
static const struct json *bad_condition(const struct json *conditions)
{
	static const char *const values[] = {"True", "False", "Unknown", NULL};

	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (!is_word(json_get_str(c, "type", ""), TYPE_MAX) ||
		    !is_one_of(json_get_str(c, "status", ""), values) ||
		    !is_word(json_get_str(c, "reason", ""), REASON_MAX))
			return c;
	return NULL;
}

static bool has_type(const struct json *conditions, const char *type)
{
	for (const struct json *c = json_first(conditions); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), type))
			return true;
	return false;
}

/* The engine's own may come on top. */
static bool too_many_conditions(const struct observed *o, const struct json *answer)
{
	const struct json *before = json_at(o->run, "status", "conditions");
	const struct json *c = json_first(json_get(answer, "conditions"));
	size_t added = 0;

	for (; c != NULL; c = json_next(c))
		added += !has_type(before, json_get_str(c, "type", ""));
	return added > 0 && json_len(before) + added > ANSWER_CONDITIONS_MAX;
}

char *answer_fault(const struct observed *o, const struct json *answer)
{
	static const char *const live[] = {"Pending", "Scheduled", "Suspended", "Running", NULL};
	static const char *const done[] = {"Succeeded", "Failed", NULL};
	bool finished = job_finished(o->job) != NULL;
	const char *phase = json_get_str(answer, "phase", "");
	const char *reason = json_get_str(answer, "reason", phase);

	if (!is_one_of(phase, finished ? done : live))
		return xasprintf(
		    "status.lua: status() must answer %s while the Job has %s, it answered "
		    "phase \"%s\"",
		    finished ? "Succeeded or Failed" : "Pending, Scheduled, Suspended or Running",
		    finished ? "finished" : "not finished", phase);
	if (!is_word(reason, REASON_MAX))
		return xasprintf(
		    "status.lua: status() must answer a reason of one CamelCase word, it "
		    "answered \"%s\"",
		    reason);
	if (bad_condition(json_get(answer, "conditions")) != NULL)
		return xasprintf(
		    "status.lua: each of status()'s conditions must have a type and a reason of "
		    "one word, and a status of True, False or Unknown; one of type \"%s\" has not",
		    json_get_str(bad_condition(json_get(answer, "conditions")), "type", ""));
	if (too_many_conditions(o, answer))
		return xasprintf("status.lua: a run may have at most %d conditions, and it would "
				 "have more with status()'s: use the same types each time",
				 ANSWER_CONDITIONS_MAX);
	return NULL;
}
