#include "control/metrics.h"

#include "base/buf.h"
#include "base/map.h"

/* A slow histogram is of what takes minutes to hours: its bounds are a thousand times as long. */
enum type { COUNTER, GAUGE, HISTOGRAM, SLOW_HISTOGRAM };

static const struct declared {
	const char *name, *help;
	enum type type;
} declared[METRIC_COUNT] = {
    [METRIC_RECONCILE_TOTAL] = {"controller_runtime_reconcile_total",
				"Passes, by controller and result.", COUNTER},
    [METRIC_RECONCILE_SECONDS] = {"controller_runtime_reconcile_time_seconds",
				  "How long passes took.", HISTOGRAM},
    [METRIC_ACTIVE_WORKERS] = {"controller_runtime_active_workers", "Passes in flight.", GAUGE},
    [METRIC_MAX_WORKERS] = {"controller_runtime_max_concurrent_reconciles",
			    "The most passes in flight at once.", GAUGE},
    [METRIC_RECONCILE_ERRORS] = {"controller_runtime_reconcile_errors_total", "Passes that failed.",
				 COUNTER},
    [METRIC_QUEUE_ADDS] = {"workqueue_adds_total", "Keys that were made ready.", COUNTER},
    [METRIC_QUEUE_RETRIES] = {"workqueue_retries_total", "Keys put off after a failure.", COUNTER},
    [METRIC_QUEUE_SECONDS] = {"workqueue_queue_duration_seconds",
			      "How long keys were ready before their pass.", HISTOGRAM},
    [METRIC_WORK_SECONDS] = {"workqueue_work_duration_seconds", "How long passes took.", HISTOGRAM},
    [METRIC_RUN_START_SECONDS] = {"kserve_run_start_seconds",
				  "From the event that made a run ready to its Job.", HISTOGRAM},
    [METRIC_RUN_SECONDS] = {"kserve_run_duration_seconds",
			    "From a run's creation to its outcome, by phase.", SLOW_HISTOGRAM},
    [METRIC_QUEUE_DEPTH] = {"workqueue_depth", "Keys that wait for a pass.", GAUGE},
    [METRIC_QUEUE_OLDEST] = {"kserve_queue_oldest_key_seconds",
			     "Age of the key that has been ready longest.", GAUGE},
    [METRIC_REQUESTS_TOTAL] = {"rest_client_requests_total",
			       "Requests to the API server, by method and code.", COUNTER},
    [METRIC_REQUEST_SECONDS] = {"rest_client_request_duration_seconds",
				"How long requests to the API server took.", HISTOGRAM},
    [METRIC_LEADER] = {"leader_election_master_status", "1 while this process holds the lease.",
		       GAUGE},
    [METRIC_CACHED_OBJECTS] = {"kserve_cached_objects", "Objects in memory, by kind.", GAUGE},
    [METRIC_RUNS_FINISHED] = {"kserve_runs_finished_total",
			      "Runs whose outcome was recorded, by phase.", COUNTER},
    [METRIC_POLICY_SECONDS] = {"kserve_policy_evaluation_seconds",
			       "From question to answer, worker included.", HISTOGRAM},
    [METRIC_POLICY_ERRORS] = {"kserve_policy_errors_total",
			      "Evaluations that failed, by kind of error.", COUNTER},
    [METRIC_POLICY_LOADS] = {"kserve_policy_loads_total",
			     "Policy bundles taken or refused, by result.", COUNTER},
    [METRIC_POLICY_SHADOW] = {"kserve_policy_shadow_evaluations_total",
			      "Questions answered by shadow bundles, by result.", COUNTER},
};

static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				0.25,   0.5,   1,      2.5,   5,    10,    30};

struct series {
	double value; /* of a histogram: the sum */
	uint64_t count;
	uint64_t buckets[ARRAY_LEN(bounds)];
};

struct metrics {
	struct map *series[METRIC_COUNT]; /* labels -> struct series */
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	for (size_t i = 0; i < METRIC_COUNT; i++)
		metrics->series[i] = map_new(free);
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		map_free(metrics->series[i]);
	free(metrics);
}

static double bound(enum metric metric, size_t i)
{
	return declared[metric].type == SLOW_HISTOGRAM ? bounds[i] * 1000 : bounds[i];
}

static struct series *series_of(struct metrics *metrics, enum metric metric, const char *labels)
{
	struct series *series = map_get(metrics->series[metric], labels);

	if (series == NULL) {
		series = xcalloc(1, sizeof(*series));
		map_put(metrics->series[metric], labels, series);
	}
	return series;
}

void metrics_add(struct metrics *metrics, enum metric metric, const char *labels, double n)
{
	series_of(metrics, metric, labels)->value += n;
}

void metrics_set(struct metrics *metrics, enum metric metric, const char *labels, double value)
{
	series_of(metrics, metric, labels)->value = value;
}

void metrics_observe(struct metrics *metrics, enum metric metric, const char *labels,
		     double seconds)
{
	struct series *series = series_of(metrics, metric, labels);

	series->value += seconds;
	series->count++;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (seconds <= bound(metric, i))
			series->buckets[i]++;
}

static void add_line(struct buf *out, const char *name, const char *suffix, const char *labels,
		     double value)
{
	buf_addf(out, "%s%s%s%s%s %.17g\n", name, suffix, *labels != '\0' ? "{" : "", labels,
		 *labels != '\0' ? "}" : "", value);
}

static void add_histogram(struct buf *out, enum metric metric, const char *labels,
			  const struct series *series)
{
	const char *name = declared[metric].name;
	const char *comma = *labels != '\0' ? "," : "";

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma,
			 bound(metric, i), (unsigned long long)series->buckets[i]);
	buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
		 (unsigned long long)series->count);
	add_line(out, name, "_sum", labels, series->value);
	add_line(out, name, "_count", labels, (double)series->count);
}

char *metrics_text(const struct metrics *metrics)
{
	static const char *const types[] = {[COUNTER] = "counter",
					    [GAUGE] = "gauge",
					    [HISTOGRAM] = "histogram",
					    [SLOW_HISTOGRAM] = "histogram"};
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct declared *d = &declared[i];
		const char *labels;
		void *series;

		if (map_len(metrics->series[i]) == 0)
			continue;
		buf_addf(&out, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name,
			 types[d->type]);
		for (size_t at = 0; map_next(metrics->series[i], &at, &labels, &series);) {
			if (d->type >= HISTOGRAM)
				add_histogram(&out, (enum metric)i, labels, series);
			else
				add_line(&out, d->name, "", labels,
					 ((struct series *)series)->value);
		}
	}
	return buf_steal(&out);
}
