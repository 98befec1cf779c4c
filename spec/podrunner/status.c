#include "spec/podrunner/status.h"

#include "base/timefmt.h"
#include "base/utf8.h"

/* ---- conditions ---- */

static const struct json *find_condition(const struct json *pod, const char *type)
{
	const struct json *list = json_at(pod, "status", "conditions");

	for (const struct json *c = json_first(list); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "type", ""), type))
			return c;
	return NULL;
}

/* A condition; its time is that of its last change of status. */
static struct json *condition(const struct json *pod, const char *type, bool holds,
			      const char *reason, const char *message)
{
	const struct json *before = find_condition(pod, type);
	const char *status = holds ? "True" : "False";
	char now[TIME_TEXT_MAX];
	struct json *made;

	time_format(time_now_ms(), false, now);
	made = json_build("{'type': %s, 'status': %s, 'lastProbeTime': null,"
			  " 'lastTransitionTime': %s}",
			  type, status,
			  streq(json_get_str(before, "status", ""), status)
			      ? json_get_str(before, "lastTransitionTime", now)
			      : now);
	if (reason != NULL)
		json_set_str(made, "reason", reason);
	if (message != NULL)
		json_set_str(made, "message", message);
	return made;
}

/* Ours, and those of others (DisruptionTarget) as they are. */
static struct json *conditions(const struct json *pod, bool ready, const char *reason,
			       const char *message)
{
	static const char *const ours[] = {"Initialized", "Ready", "ContainersReady",
					   "PodScheduled"};
	struct json *list = json_array();
	const struct json *others = json_at(pod, "status", "conditions");

	json_append(list, condition(pod, ours[0], true, NULL, NULL));
	json_append(list, condition(pod, ours[1], ready, reason, message));
	json_append(list, condition(pod, ours[2], ready, reason, message));
	json_append(list, condition(pod, ours[3], true, NULL, NULL));
	for (const struct json *c = json_first(others); c != NULL; c = json_next(c)) {
		bool is_ours = false;

		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			is_ours = is_ours || streq(json_get_str(c, "type", ""), ours[i]);
		if (!is_ours)
			json_append(list, json_copy(c));
	}
	return list;
}

/* ---- patches ---- */

static const struct json *any_container(const struct json *pod)
{
	return json_first(json_at(pod, "spec", "containers"));
}

static struct json *make_patch(struct json *pod, const char *phase, struct json *conditions_taken,
			       const struct json *state)
{
	const struct json *container = any_container(pod);
	bool running = json_get(state, "running") != NULL;
	char now[TIME_TEXT_MAX];
	struct json *patch;

	time_format(time_now_ms(), false, now);
	patch = json_build(
	    "{'metadata': {'uid': %s}, 'status': {'phase': %s, 'startTime': %s, 'hostIP': "
	    "'127.0.0.1',"
	    " 'podIP': '127.0.0.1', 'containerStatuses': [{'name': %s, 'image': %s, 'imageID': '',"
	    " 'ready': %b, 'started': %b, 'restartCount': 0, 'lastState': {}, 'state': %j}]}}",
	    json_get_str(json_get(pod, "metadata"), "uid", NULL), phase,
	    json_get_str(json_get(pod, "status"), "startTime", now),
	    json_get_str(container, "name", ""), json_get_str(container, "image", ""), running,
	    running, state);
	json_set(json_mut(patch, "status"), "conditions", conditions_taken);
	json_merge_patch(pod, patch);
	return patch;
}

struct json *status_waiting(struct json *pod, const char *reason, const char *message)
{
	auto_json struct json *state = json_build("{'waiting': {'reason': %s}}", reason);
	auto_free char *unready = xasprintf("containers with unready status: [%s]",
					    json_get_str(any_container(pod), "name", ""));

	if (message != NULL)
		json_set_str(json_mut(state, "waiting"), "message", message);
	return make_patch(pod, "Pending", conditions(pod, false, "ContainersNotReady", unready),
			  state);
}

struct json *status_running(struct json *pod, int64_t started_ms)
{
	auto_json struct json *state = NULL;
	char started[TIME_TEXT_MAX];

	time_format(started_ms, false, started);
	state = json_build("{'running': {'startedAt': %s}}", started);
	return make_patch(pod, "Running", conditions(pod, true, NULL, NULL), state);
}

struct json *status_ended(struct json *pod, const struct status_end *end)
{
	bool failed = end->exit_code != 0;
	const char *reason = end->reason != NULL ? end->reason : failed ? "Error" : "Completed";
	char started[TIME_TEXT_MAX], finished[TIME_TEXT_MAX];
	auto_json struct json *state = NULL;
	struct json *terminated;

	time_format(end->started_ms, false, started);
	time_format(end->finished_ms, false, finished);
	state = json_build("{'terminated': {'exitCode': %d, 'reason': %s, 'startedAt': %s,"
			   " 'finishedAt': %s}}",
			   (int64_t)end->exit_code, reason, started, finished);
	terminated = json_mut(state, "terminated");
	if (end->signal != 0)
		json_set(terminated, "signal", json_int(end->signal));
	if (end->message != NULL)
		json_set_str(terminated, "message", end->message);
	return make_patch(pod, failed ? "Failed" : "Succeeded",
			  conditions(pod, false, failed ? "PodFailed" : "PodCompleted", NULL),
			  state);
}

bool status_is_final(const struct json *pod)
{
	const char *phase = json_get_str(json_get(pod, "status"), "phase", "");

	return streq(phase, "Succeeded") || streq(phase, "Failed");
}

/* ---- the termination message ---- */

/* At most max bytes of the end of a file, as valid UTF-8; NULL if there are none. */
static char *read_tail(const char *path, size_t max)
{
	auto_file FILE *file = fopen(path, "re");
	auto_free char *bytes = xcalloc(max + 1, 1);
	size_t len;

	if (file == NULL || fseek(file, 0, SEEK_END) < 0)
		return NULL;
	if (ftell(file) > (long)max)
		fseek(file, -(long)max, SEEK_END);
	else
		rewind(file);
	len = fread(bytes, 1, max, file);
	for (size_t i = 0; i < len;) {
		size_t step = bytes[i] == '\0' ? 0 : utf8_char(bytes + i, len - i);

		if (step == 0)
			bytes[i] = '?';
		i += step == 0 ? 1 : step;
	}
	return len == 0 ? NULL : steal(bytes);
}

char *status_message(const struct json *container, const char *termination_log, const char *log,
		     bool failed)
{
	const char *policy = json_get_str(container, "terminationMessagePolicy", "File");
	char *message = NULL;

	if (termination_log != NULL)
		message = read_tail(termination_log, TERMINATION_MESSAGE_MAX);
	if (message == NULL && failed && streq(policy, "FallbackToLogsOnError"))
		message = read_tail(log, TERMINATION_TAIL_MAX);
	return message;
}
