#include "spec/podrunner/pod.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "spec/podrunner/gather.h"
#include "spec/podrunner/process.h"
#include "spec/podrunner/status.h"
#include "spec/podrunner/tell.h"

enum { GRACE_SECONDS = 30 };

enum state {
	POD_BIND,   /* the binding is on its way */
	POD_GATHER, /* what it needs is on its way */
	POD_LINE,   /* ready; waits for a place */
	POD_HELD,   /* something is missing; the timer looks again */
	POD_STUCK,  /* will never start */
	POD_RUN,
	POD_REPORT, /* has ended; the API server does not know it yet */
	POD_OVER,
};

struct pod {
	struct pod_env *env;
	struct json *object;
	char *name, *uid, *log;
	enum state state;
	bool deleting, gone;
	struct timer *timer; /* of the state */
	struct tell *tell;

	struct client_call *binding;
	struct gather *gather;
	char *said; /* the last trouble, to say it once */
	struct layout layout;
	struct process *process;
	int64_t started_ms;
	struct pod *next_in_line;
};

/* ---- trouble before the start ---- */

static bool say_once(struct pod *pod, const char *reason, const char *message)
{
	if (pod->said != NULL && streq(pod->said, message))
		return false;
	free(pod->said);
	pod->said = xstrdup(message);
	log_info("pod waits", "pod", pod->name, "reason", reason, "message", message);
	return true;
}

static void wait_for(struct pod *pod, const char *reason, const char *message)
{
	if (say_once(pod, reason, message))
		tell_status(pod->tell, status_waiting(pod->object, reason, message));
}

static void hold(struct pod *pod)
{
	pod->state = POD_HELD;
	timer_set(pod->timer, POD_RETRY_MS);
}

/* What a volume lacks, a kubelet tells in an Event alone: the container is still being made. */
static void cannot_start(struct pod *pod, const struct err *err)
{
	if (err->kind == ERR_INVALID)
		wait_for(pod, "CreateContainerConfigError", err->msg);
	else if (say_once(pod, "FailedMount", err->msg))
		tell_event(pod->tell, pod->env->node, "FailedMount", err->msg);
	hold(pod);
}

/* ---- images ---- */

static const struct image *find_image(const struct pod *pod)
{
	return image_find(pod->env->images, pod->env->image_count,
			  json_get_str(layout_container(pod->object), "image", ""));
}

/* First as a failed pull, then for ever as its back-off. */
static void no_image(struct pod *pod, bool again)
{
	const char *image = json_get_str(layout_container(pod->object), "image", "");
	auto_free char *failed =
	    xasprintf("failed to pull image \"%s\": no --image maps it to a program", image);
	auto_free char *backoff = xasprintf("Back-off pulling image \"%s\"", image);

	wait_for(pod, again ? "ImagePullBackOff" : "ErrImagePull", again ? backoff : failed);
	pod->state = POD_STUCK;
	if (!again)
		timer_set(pod->timer, POD_RETRY_MS);
}

/* ---- running ---- */

static void leave_line(struct pod *pod)
{
	struct pod **link = &pod->env->line;

	while (*link != NULL && *link != pod)
		link = &(*link)->next_in_line;
	if (*link == pod)
		*link = pod->next_in_line;
	pod->next_in_line = NULL;
}

static void run_process(struct pod *pod);

/* Start those in line for whom there is a place now. */
static void serve_line(void *arg)
{
	struct pod_env *env = arg;

	while (env->line != NULL && env->running < PODS_RUNNING_MAX) {
		struct pod *pod = env->line;

		leave_line(pod);
		run_process(pod);
	}
}

static void enter_line(struct pod *pod)
{
	struct pod **link = &pod->env->line;

	while (*link != NULL)
		link = &(*link)->next_in_line;
	*link = pod;
	pod->state = POD_LINE;
	serve_line(pod->env);
}

static void report_end(struct pod *pod, const struct status_end *end)
{
	pod->state = POD_REPORT;
	log_info("pod ended", "pod", pod->name, "exit", log_num(end->exit_code));
	tell_status(pod->tell, status_ended(pod->object, end));
}

static void on_end(void *arg, int status, const char *problem)
{
	struct pod *pod = arg;
	struct pod_env *env = pod->env;
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = signo != 0 ? 128 + signo : WEXITSTATUS(status);
	auto_free char *message = status_message(layout_container(pod->object),
						 pod->layout.termination_log, pod->log, code != 0);
	struct status_end end = {
	    .started_ms = pod->started_ms,
	    .finished_ms = time_now_ms(),
	    .exit_code = code,
	    .signal = signo,
	    .reason = problem != NULL ? "StartError" : NULL,
	    .message = problem != NULL ? problem : message,
	};

	pod->process = NULL;
	timer_clear(pod->timer);
	layout_remove(pod->layout.dir);
	env->running--;
	if (env->line != NULL)
		loop_defer(env->loop, serve_line, env);
	if (pod->gone)
		env->over(env->arg, pod->uid);
	else
		report_end(pod, &end);
}

static void run_process(struct pod *pod)
{
	const struct process_spec spec = {
	    .layout = &pod->layout, .log = pod->log, .namespaces = pod->env->namespaces};
	struct err err = ERR_INIT;

	pod->process = process_start(pod->env->loop, &spec, on_end, pod, &err);
	if (pod->process == NULL) {
		cannot_start(pod, &err);
		return;
	}
	pod->state = POD_RUN;
	pod->env->running++;
	pod->started_ms = time_now_ms();
	log_info("pod started", "pod", pod->name, "program", pod->layout.argv[0]);
	tell_status(pod->tell, status_running(pod->object, pod->started_ms));
}

/* ---- from the beginning ---- */

static void on_gathered(void *arg, const struct map *objects, const char *token,
			const struct err *err)
{
	struct pod *pod = arg;
	const struct pod_env *env = pod->env;
	const struct image *image = find_image(pod);
	const struct layout_spec spec = {
	    .root = env->root,
	    .api_url = env->config->server,
	    .ca = env->config->ca,
	    .token = token,
	    .binary = image == NULL || *image->binary == '\0' ? NULL : image->binary,
	    .env = env->variables,
	    .objects = objects,
	};
	struct err trouble = ERR_INIT;

	layout_done(&pod->layout);
	if (err != NULL)
		cannot_start(pod, err);
	else if (layout_make(pod->object, &spec, &pod->layout, &trouble) < 0)
		cannot_start(pod, &trouble);
	else
		enter_line(pod);
	gather_free(pod->gather);
	pod->gather = NULL;
}

static void gather_needs(struct pod *pod)
{
	if (layout_container(pod->object) != NULL && find_image(pod) == NULL) {
		no_image(pod, false);
		return;
	}
	pod->state = POD_GATHER;
	pod->gather = gather_start(pod->env->client, pod->object, on_gathered, pod);
}

static void on_bound(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct pod *pod = arg;

	pod->binding = NULL;
	/* A conflict: a scheduler was faster. Not found: a server without schedulers needs no
	 * binding. */
	if (err != NULL && err->kind != ERR_CONFLICT && err->kind != ERR_NOT_FOUND) {
		log_warn("pod not bound", "pod", pod->name, "error", err->msg);
		hold(pod);
		return;
	}
	json_set_str(json_obj(pod->object, "spec"), "nodeName", pod->env->node);
	gather_needs(pod);
}

/* https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/ */
static void bind_pod(struct pod *pod)
{
	static const struct kind kind_pod = {"", "v1", "pods", "Pod"};
	const char *namespace =
	    json_get_str(json_get(pod->object, "metadata"), "namespace", "default");
	auto_free char *path = client_path(&kind_pod, namespace, pod->name, "binding");
	auto_json struct json *binding =
	    json_build("{'apiVersion': 'v1', 'kind': 'Binding',"
		       " 'metadata': {'name': %s, 'namespace': %s, 'uid': %s},"
		       " 'target': {'apiVersion': 'v1', 'kind': 'Node', 'name': %s}}",
		       pod->name, namespace, pod->uid, pod->env->node);

	pod->state = POD_BIND;
	pod->binding = client_create(pod->env->client, path, binding, on_bound, pod);
}

static void begin(struct pod *pod)
{
	if (*json_get_str(json_get(pod->object, "spec"), "nodeName", "") == '\0')
		bind_pod(pod);
	else
		gather_needs(pod);
}

static void on_timer(void *arg)
{
	struct pod *pod = arg;

	if (pod->state == POD_RUN) /* the grace period is over */
		process_signal(pod->process, SIGKILL);
	else if (pod->state == POD_STUCK)
		no_image(pod, true);
	else
		begin(pod);
}

/* The API server knows the last status. */
static void on_settled(void *arg)
{
	struct pod *pod = arg;

	if (pod->state != POD_REPORT)
		return;
	pod->state = POD_OVER;
	if (pod->deleting)
		tell_removal(pod->tell);
}

static struct pod *make_pod(struct pod_env *env, const struct json *object)
{
	struct pod *pod = xcalloc(1, sizeof(*pod));
	const struct json *metadata = json_get(object, "metadata");

	pod->env = env;
	pod->object = json_copy(object);
	pod->name = xstrdup(json_get_str(metadata, "name", ""));
	pod->uid = xstrdup(json_get_str(metadata, "uid", ""));
	pod->log = xasprintf("%s/%s_%s.log", env->root,
			     json_get_str(metadata, "namespace", "default"), pod->name);
	pod->timer = timer_new(env->loop, on_timer, pod);
	pod->tell = tell_new(env->loop, env->client, object, on_settled, pod);
	return pod;
}

struct pod *pod_new(struct pod_env *env, const struct json *object)
{
	struct pod *pod = make_pod(env, object);

	tell_status(pod->tell, status_waiting(pod->object, "ContainerCreating", NULL));
	begin(pod);
	return pod;
}

struct pod *pod_new_lost(struct pod_env *env, const struct json *object)
{
	struct pod *pod = make_pod(env, object);
	const struct status_end end = {
	    .started_ms = time_now_ms(),
	    .finished_ms = time_now_ms(),
	    .exit_code = 128 + SIGKILL,
	    .reason = "ContainerStatusUnknown",
	    .message = "The container could not be located when the pod was terminated",
	};

	report_end(pod, &end);
	return pod;
}

/* ---- the end ---- */

static void stop_process(struct pod *pod)
{
	const struct json *metadata = json_get(pod->object, "metadata");
	int64_t grace = json_get_int(json_get(pod->object, "spec"), "terminationGracePeriodSeconds",
				     GRACE_SECONDS);

	process_signal(pod->process, SIGTERM);
	timer_set(pod->timer, json_get_int(metadata, "deletionGracePeriodSeconds", grace) * 1000);
}

static void stop_preparing(struct pod *pod)
{
	timer_clear(pod->timer);
	leave_line(pod);
	gather_free(pod->gather);
	client_cancel(pod->binding);
	pod->gather = NULL;
	pod->binding = NULL;
}

void pod_update(struct pod *pod, const struct json *object)
{
	bool deleted = json_at(object, "metadata", "deletionTimestamp") != NULL;

	if (!deleted || pod->deleting || pod->gone)
		return;
	pod->deleting = true;
	json_set(pod->object, "metadata", json_copy(json_get(object, "metadata")));
	if (pod->state == POD_RUN) {
		stop_process(pod);
	} else if (pod->state != POD_REPORT) {
		stop_preparing(pod);
		pod->state = POD_OVER;
		tell_removal(pod->tell);
	}
}

void pod_gone(struct pod *pod)
{
	pod->gone = true;
	tell_stop(pod->tell);
	if (pod->state != POD_RUN)
		pod->env->over(pod->env->arg, pod->uid);
	else if (!pod->deleting)
		stop_process(pod);
}

void pod_free(struct pod *pod)
{
	stop_preparing(pod);
	if (pod->process != NULL) {
		process_free(pod->process);
		layout_remove(pod->layout.dir);
		pod->env->running--;
	}
	tell_free(pod->tell);
	timer_free(pod->timer);
	layout_done(&pod->layout);
	json_free(pod->object);
	free(pod->name);
	free(pod->uid);
	free(pod->log);
	free(pod->said);
	free(pod);
}
