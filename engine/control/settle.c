#include "control/settle.h"

#include "base/timefmt.h"
#include "control/manifest.h"
#include "control/status.h"

/* A Pod's end may reach us after its Job's. */
bool settle_pods_are_late(const struct observed *o)
{
	const struct json *finished = job_finished(o->job);
	int64_t since;

	if (finished == NULL ||
	    !time_parse(json_get_str(finished, "lastTransitionTime", ""), &since) ||
	    o->now - since > SETTLE_PODS_LATE_MS || o->now < since)
		return false;
	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p)) {
		const char *phase = json_get_str(json_get(p, "status"), "phase", "");

		if (streq(phase, "Succeeded") || streq(phase, "Failed"))
			return false;
	}
	return json_get_int(json_get(o->job, "status"), "succeeded", 0) +
		   json_get_int(json_get(o->job, "status"), "failed", 0) >
	       0;
}

/* Take over a time if it is later than *newest and not to come (clocks differ). */
static void take_newer(const struct json *time, int64_t now, int64_t *newest)
{
	int64_t at;

	if (json_str(time) != NULL && time_parse(json_str(time), &at) && at > *newest && at <= now)
		*newest = at;
}

/* When something last happened to the run, its Job or its Pods. */
static int64_t last_happening(const struct observed *o)
{
	const struct json *lists[] = {json_at(o->run, "status", "conditions"),
				      json_at(o->job, "status", "conditions")};
	int64_t newest = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct json *c = json_first(lists[i]); c != NULL; c = json_next(c))
			take_newer(json_get(c, "lastTransitionTime"), o->now, &newest);
	take_newer(json_at(o->job, "metadata", "creationTimestamp"), o->now, &newest);
	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p)) {
		const struct json *container =
		    json_first(json_at(p, "status", "containerStatuses"));

		take_newer(json_at(p, "metadata", "creationTimestamp"), o->now, &newest);
		for (; container != NULL; container = json_next(container)) {
			take_newer(json_at(container, "state", "running", "startedAt"), o->now,
				   &newest);
			take_newer(json_at(container, "state", "terminated", "finishedAt"), o->now,
				   &newest);
		}
	}
	return newest;
}

/* The Job is about to end with the attempt that has failed just now, counted or not. */
static bool was_last_attempt(const struct observed *o, const struct json *attempts)
{
	int64_t failed = json_get_int(json_get(o->job, "status"), "failed", 0), pods = 0;
	const struct json *last = NULL;

	for (const struct json *p = json_first(o->pods); p != NULL; p = json_next(p))
		pods += streq(json_get_str(json_get(p, "status"), "phase", ""), "Failed");
	for (const struct json *a = json_first(attempts); a != NULL; a = json_next(a))
		last = a;
	return (failed > pods ? failed : pods) >
		   json_get_int(json_get(o->job, "spec"), "backoffLimit", BACKOFF_LIMIT) ||
	       exit_code_is_final(json_get_int(last, "exitCode", 0));
}

/* Why an attempt failed is written down at once, for its Pod may go; that of the last one comes
 * with the outcome. */
static bool attempt_must_be_told(const struct observed *o, const struct json *wanted)
{
	const struct json *attempts = json_at(wanted, "result", "lastAttempts");

	return !json_equal(attempts, json_at(o->run, "status", "result", "lastAttempts")) &&
	       !was_last_attempt(o, attempts);
}

/* True while only the words differ, and what they tell of is so new that it may be over at once. */
bool settle_words_can_wait(const struct observed *o, const struct json *wanted)
{
	const struct json *status = json_get(o->run, "status");

	return streq(json_get_str(status, "phase", ""), json_get_str(wanted, "phase", "")) &&
	       !json_equal(json_get(status, "message"), json_get(wanted, "message")) &&
	       !attempt_must_be_told(o, wanted) && o->now - last_happening(o) < SETTLE_WORDS_MS;
}
