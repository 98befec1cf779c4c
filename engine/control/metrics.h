/*
 * metrics.h - counters, gauges and histograms in the Prometheus text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), under the names that
 * controller-runtime's users have dashboards for, and a few of our own.
 *
 * A metric is declared once in metrics.c with its help text; labels is "" or a list in the format's
 * own form: result="success",kind="Job". Label values come from fixed sets, so the number of
 * series is bounded.
 */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include "base/base.h"

struct metrics;

enum metric {
	METRIC_RECONCILE_TOTAL,   /* controller, result */
	METRIC_RECONCILE_SECONDS, /* controller */
	METRIC_ACTIVE_WORKERS,    /* controller */
	METRIC_MAX_WORKERS,       /* controller */
	METRIC_RECONCILE_ERRORS,  /* controller */
	METRIC_QUEUE_DEPTH,       /* name */
	METRIC_QUEUE_ADDS,        /* name */
	METRIC_QUEUE_RETRIES,     /* name */
	METRIC_QUEUE_SECONDS,     /* name */
	METRIC_WORK_SECONDS,      /* name */
	METRIC_QUEUE_OLDEST,      /* name */
	METRIC_REQUESTS_TOTAL,    /* method, code */
	METRIC_REQUEST_SECONDS,   /* method */
	METRIC_LEADER,            /* name */
	METRIC_CACHED_OBJECTS,    /* kind */
	METRIC_RUNS_FINISHED,     /* phase */
	METRIC_RUN_START_SECONDS, /* no label */
	METRIC_RUN_SECONDS,       /* phase */
	METRIC_POLICY_SECONDS,    /* no label */
	METRIC_POLICY_ERRORS,     /* kind */
	METRIC_POLICY_LOADS,      /* result */
	METRIC_POLICY_SHADOW,     /* result */
	METRIC_COUNT,
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

void metrics_add(struct metrics *metrics, enum metric metric, const char *labels, double n);
void metrics_set(struct metrics *metrics, enum metric metric, const char *labels, double value);
void metrics_observe(struct metrics *metrics, enum metric metric, const char *labels,
		     double seconds);

/* The whole page; yours. */
char *metrics_text(const struct metrics *metrics);

#endif
