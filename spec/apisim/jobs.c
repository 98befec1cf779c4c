#include "spec/apisim/jobs.h"

#include <sys/queue.h>

#include "base/map.h"
#include "base/timefmt.h"
#include "spec/apisim/failpolicy.h"
#include "spec/apisim/jobs_sync.h"
#include "spec/apisim/owned.h"
#include "spec/apisim/write.h"

struct jobs {
	struct server *server;
	int64_t backoff_ms;
	struct map *jobs; /* uid to struct job */
	struct resource *resource, *pods;
	TAILQ_HEAD(, job) dirty;
	bool running; /* run() is deferred */
};

static void run(void *arg);

static void mark(struct job *job)
{
	struct jobs *jobs = job->jobs;

	if (job->queued)
		return;
	job->queued = true;
	TAILQ_INSERT_TAIL(&jobs->dirty, job, link);
	if (!jobs->running) {
		jobs->running = true;
		loop_defer(jobs->server->loop, run, jobs);
	}
}

static void timer_due(void *arg)
{
	mark(arg);
}

static struct job *job_new(struct jobs *jobs, const char *uid)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->jobs = jobs;
	job->uid = xstrdup(uid);
	job->counted = map_new(NULL);
	job->timer = timer_new(jobs->server->loop, timer_due, job);
	map_put(jobs->jobs, uid, job);
	return job;
}

static void job_free(void *value)
{
	struct job *job = value;

	if (job->queued)
		TAILQ_REMOVE(&job->jobs->dirty, job, link);
	timer_free(job->timer);
	map_free(job->counted);
	free(job->uid);
	free(job);
}

static void run(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job;

	jobs->running = false;
	while ((job = TAILQ_FIRST(&jobs->dirty)) != NULL) {
		auto_free char *uid = xstrdup(job->uid);
		int64_t wait;

		TAILQ_REMOVE(&jobs->dirty, job, link);
		job->queued = false;
		wait = job_sync(jobs->server, job, jobs->backoff_ms);
		if (map_get(jobs->jobs, uid) != job)
			continue; /* its TTL is over: it has deleted itself */
		timer_clear(job->timer);
		if (wait >= 0)
			timer_set(job->timer, wait);
	}
}

static void pod_changed(struct jobs *jobs, const struct change *change, const struct json *pod)
{
	const char *owner = controller_uid(pod, "Job");
	struct job *job = owner != NULL ? map_get(jobs->jobs, owner) : NULL;

	if (job == NULL)
		return;
	/* A Pod that goes before it has been counted has failed, unless it had succeeded. */
	if (change->type == CHANGE_DELETED)
		job_pod_gone(job, pod);
	mark(job);
}

static void on_change(void *arg, const struct change *change, const struct json *object,
		      const struct json *old UNUSED)
{
	struct jobs *jobs = arg;
	const char *uid = json_get_str(json_get(object, "metadata"), "uid", "");
	struct job *job;

	if (change->resource == jobs->pods)
		pod_changed(jobs, change, object);
	if (change->resource != jobs->resource)
		return;
	if (change->type == CHANGE_DELETED) {
		map_del(jobs->jobs, uid);
		return;
	}
	job = map_get(jobs->jobs, uid);
	mark(job != NULL ? job : job_new(jobs, uid));
}

struct jobs *jobs_new(struct server *server, int64_t backoff_ms)
{
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));

	jobs->server = server;
	jobs->backoff_ms = backoff_ms;
	jobs->jobs = map_new(job_free);
	jobs->resource = kinds_find(server->kinds, "batch", "v1", "jobs");
	jobs->pods = kinds_find(server->kinds, "", "v1", "pods");
	TAILQ_INIT(&jobs->dirty);
	store_observe(server->store, on_change, jobs);
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	loop_undefer(jobs->server->loop, jobs);
	map_free(jobs->jobs);
	free(jobs);
}
