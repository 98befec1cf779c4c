/*
 * bench-load: creates InferenceRuns and measures how the controller follows.
 *
 *	bench-load --kubeconfig F --namespace NS --config C --runs N [--per-second R]
 *
 * Watches runs and Jobs, creates N runs (32 at a time, or R a second), waits until all have ended,
 * and prints one JSON object:
 *	{"all_jobs_s": ..., "all_succeeded_s": ..., "event_to_job_p50_ms": ...,
 *	 "event_to_job_p99_ms": ..., "jobs": ..., "duplicates": ...}
 * The latency is from the moment that we see a run to the moment that we see its Job, both through
 * watches of our own.
 */
#include <getopt.h>

#include "base/json.h"
#include "base/map.h"
#include "base/timefmt.h"
#include "kube/watch.h"

enum { IN_FLIGHT = 32, PATIENCE_MS = 120000, STAMP_MAX = 1 << 20 };

static const struct kind runs = {"ai.krateo.io", "v1", "inferenceruns", "InferenceRun"};
static const struct kind jobs = {"batch", "v1", "jobs", "Job"};

struct bench {
	struct loop *loop;
	struct client *client;
	const char *namespace, *config;
	long count, per_second;
	char *path;
	struct store *run_store, *job_store;
	struct watch *run_watch, *job_watch;
	struct timer *pace, *patience;
	struct map *seen; /* run name -> when we saw it (a struct stamp) */
	double *latency_ms;
	long created, sent, job_count, duplicates, succeeded;
	double began, all_jobs_s, all_succeeded_s;
	bool failed;
};

struct stamp {
	double at;
	bool has_job, done;
};

/* Seconds on a clock with microseconds. */
static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void end_if_done(struct bench *b)
{
	if (b->succeeded == b->count && b->job_count == b->count)
		loop_stop(b->loop);
}

/* The two watches race: whichever shows a name first makes its stamp, and a Job that comes before
 * its run counts as no delay at all. */
static struct stamp *stamp_of(struct bench *b, const char *name)
{
	struct stamp *stamp = map_get(b->seen, name);

	if (stamp == NULL) {
		stamp = xcalloc(1, sizeof(*stamp));
		stamp->at = now_s();
		map_put(b->seen, name, stamp);
	}
	return stamp;
}

static void run_seen(void *arg, enum watch_event type, const struct store_meta *meta UNUSED,
		     const struct json *object)
{
	struct bench *b = arg;
	struct stamp *stamp;

	if (type == WATCH_DELETED)
		return;
	stamp = stamp_of(b, json_get_str(json_get(object, "metadata"), "name", ""));
	if (stamp->done ||
	    !streq(json_get_str(json_get(object, "status"), "phase", ""), "Succeeded"))
		return;
	stamp->done = true;
	if (++b->succeeded == b->count)
		b->all_succeeded_s = now_s() - b->began;
	end_if_done(b);
}

static void job_seen(void *arg, enum watch_event type, const struct store_meta *meta UNUSED,
		     const struct json *object)
{
	struct bench *b = arg;
	const struct json *owner = json_first(json_at(object, "metadata", "ownerReferences"));
	struct stamp *stamp;

	if (type != WATCH_ADDED || owner == NULL)
		return;
	stamp = stamp_of(b, json_get_str(owner, "name", ""));
	if (stamp->has_job) {
		b->duplicates++;
		return;
	}
	stamp->has_job = true;
	b->latency_ms[b->job_count++] = (now_s() - stamp->at) * 1000;
	if (b->job_count == b->count)
		b->all_jobs_s = now_s() - b->began;
	end_if_done(b);
}

static void give_up(void *arg)
{
	struct bench *b = arg;

	fprintf(stderr, "bench-load: after %d s: %ld created, %ld Jobs, %ld succeeded\n",
		PATIENCE_MS / 1000, b->created, b->job_count, b->succeeded);
	b->failed = true;
	loop_stop(b->loop);
}

static void send_next(struct bench *b);

static void created(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct bench *b = arg;

	if (err != NULL) {
		fprintf(stderr, "bench-load: creating a run: %s\n", err->msg);
		b->failed = true;
		loop_stop(b->loop);
		return;
	}
	b->created++;
	if (b->per_second == 0)
		send_next(b);
}

static void send_next(struct bench *b)
{
	auto_free char *name = NULL;
	auto_json struct json *run = NULL;

	if (b->sent == b->count)
		return;
	name = xasprintf("load-%ld", b->sent++);
	run = json_build(
	    "{'apiVersion': 'ai.krateo.io/v1', 'kind': 'InferenceRun',"
	    " 'metadata': {'name': %s}, 'spec': {'configRef': {'name': %s}, 'timeoutSeconds': 600,"
	    " 'parameters': {'input_table_name': 'kserve_controller_input',"
	    " 'output_table_name': 'kserve_controller_output'}}}",
	    name, b->config);
	client_create(b->client, b->path, run, created, b);
}

static void paced(void *arg)
{
	struct bench *b = arg;

	send_next(b);
	if (b->sent < b->count)
		timer_set(b->pace, 1000 / b->per_second);
}

static void begin(void *arg)
{
	struct bench *b = arg;

	if (b->began != 0 || !watch_synced(b->run_watch) || !watch_synced(b->job_watch))
		return;
	b->began = now_s();
	if (b->per_second > 0)
		paced(b);
	for (int i = 0; b->per_second == 0 && i < IN_FLIGHT; i++)
		send_next(b);
}

static void report_trouble(void *arg UNUSED, const struct err *err)
{
	fprintf(stderr, "bench-load: %s\n", err->msg);
}

static struct watch *watch_kind(struct bench *b, const struct kind *kind, struct store *store,
				void (*event)(void *, enum watch_event, const struct store_meta *,
					      const struct json *))
{
	return watch_start(b->loop, b->client,
			   &(struct watch_spec){.kind = kind,
						.namespace = b->namespace,
						.store = store,
						.event = event,
						.synced = begin,
						.trouble = report_trouble,
						.arg = b});
}

static int ascending(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void report(struct bench *b)
{
	size_t n = (size_t)b->job_count;

	qsort(b->latency_ms, n, sizeof(*b->latency_ms), ascending);
	printf("{\"all_jobs_s\": %.3f, \"all_succeeded_s\": %.3f, \"event_to_job_p50_ms\": %.2f, "
	       "\"event_to_job_p99_ms\": %.2f, \"jobs\": %ld, \"duplicates\": %ld}\n",
	       b->all_jobs_s, b->all_succeeded_s, n > 0 ? b->latency_ms[n / 2] : 0,
	       n > 0 ? b->latency_ms[n * 99 / 100] : 0, b->job_count, b->duplicates);
}

static int usage(void)
{
	fputs("usage: bench-load --kubeconfig F --namespace NS --config C --runs N [--per-second "
	      "R]\n",
	      stderr);
	return 2;
}

static int measure(struct bench *b, const char *kubeconfig)
{
	struct kube_config config;
	struct err err = ERR_INIT;

	if (kube_config_load(kubeconfig, NULL, &config, &err) < 0) {
		fprintf(stderr, "bench-load: %s\n", err.msg);
		return 1;
	}
	b->loop = loop_new();
	b->client = client_new(b->loop, &config, &err);
	b->path = client_path(&runs, b->namespace, NULL, NULL);
	b->seen = map_new(free);
	b->latency_ms = xcalloc((size_t)b->count, sizeof(*b->latency_ms));
	b->run_store = store_new(NULL);
	b->job_store = store_new(NULL);
	b->pace = timer_new(b->loop, paced, b);
	b->patience = timer_new(b->loop, give_up, b);
	timer_set(b->patience, PATIENCE_MS);
	b->run_watch = watch_kind(b, &runs, b->run_store, run_seen);
	b->job_watch = watch_kind(b, &jobs, b->job_store, job_seen);
	loop_run(b->loop);
	report(b);
	watch_free(b->run_watch);
	watch_free(b->job_watch);
	store_free(b->run_store);
	store_free(b->job_store);
	timer_free(b->pace);
	timer_free(b->patience);
	client_free(b->client);
	loop_free(b->loop);
	map_free(b->seen);
	free(b->latency_ms);
	free(b->path);
	kube_config_done(&config);
	return b->failed || b->duplicates > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"kubeconfig", required_argument, NULL, 'k'},
						{"namespace", required_argument, NULL, 'n'},
						{"config", required_argument, NULL, 'c'},
						{"runs", required_argument, NULL, 'r'},
						{"per-second", required_argument, NULL, 'p'},
						{0}};
	struct bench b = {.namespace = "default"};
	const char *kubeconfig = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			kubeconfig = optarg;
			break;
		case 'n':
			b.namespace = optarg;
			break;
		case 'c':
			b.config = optarg;
			break;
		case 'r':
			b.count = strtol(optarg, NULL, 10);
			break;
		case 'p':
			b.per_second = strtol(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	if (b.config == NULL || b.count <= 0 || b.count > STAMP_MAX || b.per_second > 1000)
		return usage();
	return measure(&b, kubeconfig);
}
