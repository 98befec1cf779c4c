/*
 * failpolicy.h - podFailurePolicy: what a failed Pod means to its Job.
 *
 * The source: https://kubernetes.io/docs/tasks/job/pod-failure-policy/
 */
#ifndef APISIM_FAILPOLICY_H
#define APISIM_FAILPOLICY_H

#include "base/json.h"

enum fail_action { FAIL_COUNT, FAIL_IGNORE, FAIL_JOB };

/* The action of the first rule of policy (NULL: none) that matches the failed pod. For FAIL_JOB
 * *message says why; yours. */
enum fail_action fail_policy(const struct json *policy, const struct json *pod, char **message);

#endif
