/*
 * reduce.h - what of an object is kept in memory (see cache.h). Pure.
 *
 * It is also what a policy sees of Jobs, CronJobs and Pods (docs/policies.md): a Job keeps of its
 * spec suspend, backoffLimit, activeDeadlineSeconds and ttlSecondsAfterFinished; a Pod keeps of its
 * spec nodeName, and of its conditions those that do not hold and DisruptionTarget.
 */
#ifndef CONTROL_REDUCE_H
#define CONTROL_REDUCE_H

#include "base/json.h"

void reduce_run(struct json *run);
void reduce_job(struct json *job);
void reduce_cronjob(struct json *cronjob);
void reduce_pod(struct json *pod);

#endif
