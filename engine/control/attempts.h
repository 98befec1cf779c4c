/*
 * attempts.h - the attempts of a run: how many have begun, and why the last ones failed. Pure.
 *
 * What a Pod tells is written down while the Pod can be seen: a Pod may go, with its node for one,
 * before the Job says that it has failed. In status.result:
 *
 *	attempts      those that have begun; once the Job has finished, those that it has counted
 *	lastAttempts  the failed ones, the latest last, at most ATTEMPTS_KEPT:
 *	              {"pod": "inf-a-5be07ada-x7", "node": "n1", "reason": "Error", "exitCode": 4,
 *	               "message": "what the runner left behind", "finishedAt": "2026-..."}
 *
 * reason is OOMKilled, or the Pod's own (Evicted), or that of its condition DisruptionTarget
 * (PreemptionByScheduler, DeletionByTaintManager, ...;
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions), or
 * that of its container; PodFailed if there is none. An exit code above 128 comes with "signal".
 */
#ifndef CONTROL_ATTEMPTS_H
#define CONTROL_ATTEMPTS_H

#include "base/json.h"

enum { ATTEMPTS_KEPT = 5, ATTEMPT_MESSAGE_MAX = 1024 /* bytes; longer ones are cut */ };

/* Bring both up to date in result, which may be empty. */
void attempts_record(struct json *result, const struct json *job, const struct json *pods);

/* The terminated state of the Pod's runner, or of its first container that has ended; else NULL. */
const struct json *pod_terminated(const struct json *pod);

#endif
