/*
 * passlog.h - what a pass leaves in the log and in the metrics.
 */
#ifndef CONTROL_PASSLOG_H
#define CONTROL_PASSLOG_H

#include "control/metrics.h"
#include "control/pass.h"

/* The labels of everything that is measured about passes and their queue. */
#define LABEL_CONTROLLER "controller=\"inferencerun\""
#define QUEUE_NAME "name=\"inferencerun\""

/* key was ready for waited_ms before its pass, which took took_ms. */
void passlog(struct metrics *metrics, const char *key, const struct pass_result *result,
	     int64_t waited_ms, int64_t took_ms);

#endif
