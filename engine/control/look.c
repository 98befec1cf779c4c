#include "control/look.h"

#include "control/manifest.h"
#include "control/waiting.h"

static const char *uid_of(const struct json *object)
{
	return json_get_str(json_get(object, "metadata"), "uid", "");
}

char *look_selector(const struct observed *o)
{
	enum stage stage = decide_stage(o);
	auto_free char *name = run_job_name(o->run);
	const struct json *silent;
	int64_t since;

	if (stage == STAGE_STARTING && !run_is_scheduled(o->run))
		return xasprintf("involvedObject.kind=Job,involvedObject.name=%s,"
				 "reason=SuccessfulCreate",
				 name);
	silent = stage == STAGE_STARTED ? waiting_silently(o, &since) : NULL;
	if (silent == NULL || o->now - since < LOOK_AFTER_MS)
		return NULL;
	return xasprintf("involvedObject.uid=%s", uid_of(silent));
}

int64_t look_due_ms(const struct observed *o)
{
	int64_t since;

	if (waiting_silently(o, &since) == NULL || o->now - since >= LOOK_AFTER_MS)
		return -1;
	return since + LOOK_AFTER_MS - o->now;
}

bool look_job_ran(const struct json *events)
{
	for (const struct json *e = json_first(events); e != NULL; e = json_next(e))
		if (streq(json_get_str(e, "reason", ""), "SuccessfulCreate"))
			return true;
	return false;
}

/* An Event that repeats moves lastTimestamp; one of the newer API has eventTime alone. */
static const char *time_of(const struct json *event)
{
	const char *made = json_get_str(json_get(event, "metadata"), "creationTimestamp", "");

	return json_get_str(event, "lastTimestamp", json_get_str(event, "eventTime", made));
}

static bool is_warning(const struct json *event)
{
	return streq(json_get_str(event, "type", ""), "Warning");
}

/* The newest; of two in the same second the warning. */
static const struct json *newest(const struct json *events)
{
	const struct json *found = NULL;

	for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
		int order = found != NULL ? strcmp(time_of(e), time_of(found)) : 1;

		if (order > 0 || (order == 0 && is_warning(e)))
			found = e;
	}
	return found;
}

/* The copy of that object in the question. */
static struct json *asked_about(struct json *question, const char *uid)
{
	struct json *pod = json_mut_first(json_mut(question, "pods"));

	while (pod != NULL && !streq(uid_of(pod), uid))
		pod = json_mut_next(pod);
	return pod != NULL ? pod : json_mut(question, "job");
}

void look_add_warning(const struct observed *o, struct json *question)
{
	const struct json *event = newest(o->events), *silent;
	struct json *warning;
	int64_t since;

	silent = o->events != NULL ? waiting_silently(o, &since) : NULL;
	if (silent == NULL)
		return;
	warning = is_warning(event) ? json_build("{'reason': %s, 'message': %s}",
						 json_get_str(event, "reason", ""),
						 json_get_str(event, "message", ""))
				    : json_object();
	json_set(asked_about(question, uid_of(silent)), "warning", warning);
}
