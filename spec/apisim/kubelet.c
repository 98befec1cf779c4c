#include "spec/apisim/kubelet.h"

#include <regex.h>

#include "base/map.h"
#include "spec/apisim/owned.h"
#include "spec/apisim/write.h"

struct kubelet {
	struct server *server;
	struct resource *pods;
	struct map *running; /* uid to struct run */
	int64_t ms;
	bool may_fail;
	regex_t fail;
	int64_t exit_code;
};

struct run {
	struct kubelet *kubelet;
	char *uid;
	struct timer *timer;
	bool started;
	char started_at[32];
};

static void run_free(void *value)
{
	struct run *run = value;

	timer_free(run->timer);
	free(run->uid);
	free(run);
}

static bool must_fail(const struct kubelet *kubelet, const char *name)
{
	return kubelet->may_fail && regexec(&kubelet->fail, name, 0, NULL, 0) == 0;
}

/* {running: ...} or {terminated: ...} */
static struct json *container_state(const struct run *run, bool failed)
{
	char now[32];

	server_now(now);
	if (!run->started)
		return json_build("{'running':{'startedAt':%s}}", now);
	return json_build("{'terminated':{'exitCode':%d,'reason':%s,'startedAt':%s,"
			  "'finishedAt':%s,'containerID':%s}}",
			  failed ? run->kubelet->exit_code : (int64_t)0,
			  failed ? "Error" : "Completed", run->started_at, now, "apisim://0");
}

static void set_containers(struct json *status, const struct json *spec, const struct json *state,
			   bool ready)
{
	struct json *statuses = json_array();
	const struct json *c = json_first(json_get(spec, "containers"));

	for (; c != NULL; c = json_next(c))
		json_append(statuses,
			    json_build("{'name':%s,'image':%s,'imageID':'','containerID':%s,"
				       "'ready':%b,'started':%b,'restartCount':0,'state':%j,"
				       "'lastState':{}}",
				       json_get_str(c, "name", ""), json_get_str(c, "image", ""),
				       "apisim://0", ready, ready, state));
	json_set(status, "containerStatuses", statuses);
}

static void set_conditions(struct json *status, bool ready)
{
	const char *reason = ready ? "" : "PodCompleted";

	condition_set(status, "Initialized", true, reason, "");
	condition_set(status, "Ready", ready, reason, "");
	condition_set(status, "ContainersReady", ready, reason, "");
}

static void advance(void *arg)
{
	struct run *run = arg;
	struct kubelet *kubelet = run->kubelet;
	struct object *object = store_by_uid(kubelet->server->store, run->uid);
	auto_json struct json *pod = object_tree(object);
	const char *name = json_get_str(json_get(pod, "metadata"), "name", "");
	bool failed = must_fail(kubelet, name), last = run->started;
	auto_json struct json *state = container_state(run, failed);
	struct json *status = json_copy(json_get(pod, "status"));

	if (!run->started)
		server_now(run->started_at);
	json_set_str(status, "phase", !last ? "Running" : failed ? "Failed" : "Succeeded");
	json_set_str(status, "startTime", run->started_at);
	json_set_str(status, "podIP", "10.0.0.1");
	json_set_str(status, "hostIP", "10.0.0.1");
	set_conditions(status, !last);
	set_containers(status, json_get(pod, "spec"), state, !last);
	run->started = true;
	if (last)
		map_del(kubelet->running, json_get_str(json_get(pod, "metadata"), "uid", ""));
	else
		timer_set(run->timer, kubelet->ms - kubelet->ms / 2);
	write_status(kubelet->server, object, status);
}

static void on_change(void *arg, const struct change *change, const struct json *pod,
		      const struct json *old UNUSED)
{
	struct kubelet *kubelet = arg;
	const char *uid = json_get_str(json_get(pod, "metadata"), "uid", "");
	struct run *run;

	if (change->resource != kubelet->pods)
		return;
	if (change->type == CHANGE_DELETED)
		map_del(kubelet->running, uid);
	if (change->type != CHANGE_ADDED)
		return;
	run = xcalloc(1, sizeof(*run));
	run->kubelet = kubelet;
	run->uid = xstrdup(uid);
	run->timer = timer_new(kubelet->server->loop, advance, run);
	map_put(kubelet->running, uid, run);
	timer_set(run->timer, kubelet->ms / 2);
}

/* One "key=value" of the spec behind its number; *at goes behind it. */
static int read_option(struct kubelet *kubelet, const char **at, struct err *err)
{
	size_t len = strcspn(*at, ",");
	auto_free char *value = xstrndup(*at + 5, len > 5 ? len - 5 : 0);

	if (has_prefix(*at, "fail=") && !kubelet->may_fail) {
		if (regcomp(&kubelet->fail, value, REG_EXTENDED | REG_NOSUB) != 0)
			return err_set(err, ERR_INVALID, "fail=%s: not a regular expression",
				       value);
		kubelet->may_fail = true;
	} else if (has_prefix(*at, "exit=")) {
		kubelet->exit_code = strtoll(value, NULL, 10);
	} else {
		return err_set(err, ERR_INVALID, "expected fail= or exit=, found \"%s\"", *at);
	}
	*at += len;
	return 0;
}

struct kubelet *kubelet_new(struct server *server, const char *spec, struct err *err)
{
	struct kubelet *kubelet = xcalloc(1, sizeof(*kubelet));
	char *at;

	kubelet->server = server;
	kubelet->running = map_new(run_free);
	kubelet->exit_code = 1;
	kubelet->pods = kinds_find(server->kinds, "", "v1", "pods");
	kubelet->ms = strtoll(spec, &at, 10);
	if (at == spec || kubelet->ms < 0) {
		err_set(err, ERR_INVALID, "expected milliseconds, found \"%s\"", spec);
		goto fail;
	}
	for (const char *rest = at; *rest != '\0';) {
		if (*rest++ != ',') {
			err_set(err, ERR_INVALID, "expected a comma, found \"%s\"", rest - 1);
			goto fail;
		}
		if (read_option(kubelet, &rest, err) < 0)
			goto fail;
	}
	store_observe(server->store, on_change, kubelet);
	return kubelet;
fail:
	kubelet_free(kubelet);
	return NULL;
}

void kubelet_free(struct kubelet *kubelet)
{
	if (kubelet == NULL)
		return;
	map_free(kubelet->running);
	if (kubelet->may_fail)
		regfree(&kubelet->fail);
	free(kubelet);
}
