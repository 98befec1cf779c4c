#include "control/passlog.h"

#include "base/log.h"

static void log_pass(const char *key, const struct pass_result *result)
{
	if (result->err != NULL)
		log_warn("pass failed", "run", key, "kind", err_kind_name(result->err->kind),
			 "error", result->err->msg);
	else if (result->finished_phase != NULL)
		log_info("run finished", "run", key, "phase", result->finished_phase);
	else if (result->job_uid != NULL)
		log_info("job created", "run", key, "uid", result->job_uid);
	else
		log_debug("pass done", "run", key, "version", result->run_version);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

static void measure_pass(struct metrics *metrics, const struct pass_result *result,
			 int64_t waited_ms, int64_t took_ms)
{
	const char *outcome = result->err != NULL       ? LABEL_CONTROLLER ",result=\"error\""
			      : result->failed          ? LABEL_CONTROLLER ",result=\"requeue\""
			      : result->requeue_ms >= 0 ? LABEL_CONTROLLER
				  ",result=\"requeue_after\""
							: LABEL_CONTROLLER ",result=\"success\"";
	char phase[64];

	metrics_add(metrics, METRIC_RECONCILE_TOTAL, outcome, 1);
	metrics_add(metrics, METRIC_RECONCILE_ERRORS, LABEL_CONTROLLER, result->err != NULL);
	metrics_observe(metrics, METRIC_RECONCILE_SECONDS, LABEL_CONTROLLER, seconds(took_ms));
	metrics_observe(metrics, METRIC_QUEUE_SECONDS, QUEUE_NAME, seconds(waited_ms));
	metrics_observe(metrics, METRIC_WORK_SECONDS, QUEUE_NAME, seconds(took_ms));
	if (result->job_uid != NULL)
		metrics_observe(metrics, METRIC_RUN_START_SECONDS, "",
				seconds(waited_ms + took_ms));
	if (result->finished_phase == NULL)
		return;
	snprintf(phase, sizeof(phase), "phase=\"%s\"", result->finished_phase);
	metrics_add(metrics, METRIC_RUNS_FINISHED, phase, 1);
	metrics_observe(metrics, METRIC_RUN_SECONDS, phase, seconds(result->finished_after_ms));
}

void passlog(struct metrics *metrics, const char *key, const struct pass_result *result,
	     int64_t waited_ms, int64_t took_ms)
{
	log_pass(key, result);
	measure_pass(metrics, result, waited_ms, took_ms);
}
