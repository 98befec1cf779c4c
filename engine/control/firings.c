#include "control/firings.h"

#include "base/utf8.h"
#include "control/status.h"

/* When the Job failed; NULL: it has not. RFC 3339 in UTC, so that texts compare as times do. */
static const char *failed_at(const struct json *job)
{
	const struct json *finished = job_finished(job);

	return streq(json_get_str(finished, "type", ""), "Failed")
		   ? json_get_str(finished, "lastTransitionTime", "")
		   : NULL;
}

static const char *name_of(const struct json *job)
{
	return json_get_str(json_get(job, "metadata"), "name", "");
}

static int order(const char *time_a, const char *name_a, const char *time_b, const char *name_b)
{
	int by_time = strcmp(time_a, time_b);

	return by_time != 0 ? by_time : strcmp(name_a, name_b);
}

/* The list is full, and this one failed before all that are in it: it has been in it once. */
static bool is_past(const struct json *failures, const char *time, const char *name)
{
	const struct json *oldest = json_first(failures);

	return json_len(failures) >= FIRINGS_KEPT &&
	       order(time, name, json_get_str(oldest, "finishedAt", ""),
		     json_get_str(oldest, "job", "")) < 0;
}

static bool is_told(const struct json *failures, const char *name)
{
	for (const struct json *f = json_first(failures); f != NULL; f = json_next(f))
		if (streq(json_get_str(f, "job", ""), name))
			return true;
	return false;
}

const struct json *firings_untold(const struct json *run, const struct json *jobs)
{
	const struct json *failures = json_at(run, "status", "failures"), *first = NULL;

	for (const struct json *job = json_first(jobs); job != NULL; job = json_next(job)) {
		const char *time = failed_at(job), *name = name_of(job);

		if (time == NULL || is_told(failures, name) || is_past(failures, time, name))
			continue;
		if (first == NULL || order(time, name, failed_at(first), name_of(first)) < 0)
			first = job;
	}
	return first;
}

void firings_record(struct json *status, const struct json *job, const char *reason,
		    const char *message)
{
	auto_free char *cut =
	    xstrndup(message, utf8_prefix(message, strlen(message), FIRING_MESSAGE_MAX));
	const char *time = failed_at(job), *name = name_of(job);
	struct json *failure = json_build(
	    "{'job': %s, 'reason': %s, 'message': %s, 'finishedAt': %s}", name, reason, cut, time);
	const struct json *before = json_get(status, "failures");
	struct json *list = json_array();
	size_t drop = json_len(before) >= FIRINGS_KEPT ? json_len(before) - FIRINGS_KEPT + 1 : 0;

	for (const struct json *f = json_first(before); f != NULL; f = json_next(f)) {
		if (drop > 0) {
			drop--;
			continue;
		}
		if (failure != NULL && order(time, name, json_get_str(f, "finishedAt", ""),
					     json_get_str(f, "job", "")) < 0)
			json_append(list, steal(failure));
		json_append(list, json_copy(f));
	}
	if (failure != NULL)
		json_append(list, failure);
	json_set(status, "failures", list);
	if (strcmp(time, json_get_str(status, "lastFailureTime", "")) > 0)
		json_set_str(status, "lastFailureTime", time);
}
