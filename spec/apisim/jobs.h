/*
 * jobs.h - the Job controller: it makes Pods of Jobs and conditions of Pods, as
 * kube-controller-manager does (pkg/controller/job): back-off, deadlines, suspension,
 * podFailurePolicy, TTL. Indexed Jobs are run as if they were not; successPolicy,
 * backoffLimitPerIndex and managedBy of others are not known.
 */
#ifndef APISIM_JOBS_H
#define APISIM_JOBS_H

#include "spec/apisim/server.h"

struct jobs;

/* backoff_ms: the wait after the first failed Pod; doubles, up to 60 times as much (the real
 * controller: 10 s to 10 minutes). */
struct jobs *jobs_new(struct server *server, int64_t backoff_ms);
void jobs_free(struct jobs *jobs);

/* True where a Job has a Complete or Failed condition; *failed tells which. */
bool job_finished(const struct json *job, bool *failed);

#endif
