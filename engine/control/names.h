/*
 * names.h - the names that tie a run to what it owns, and the words of our labels.
 */
#ifndef CONTROL_NAMES_H
#define CONTROL_NAMES_H

#include "base/base.h"
#include "kube/client.h"

#define GROUP "ai.krateo.io"
#define LABEL_RUN GROUP "/run"             /* the run's uid: on all that it owns */
#define LABEL_SUSPENDED GROUP "/suspended" /* "true" on a Job that is, because its run says so */
/* Kueue's, on a run: they go on to its Jobs
 * (https://kueue.sigs.k8s.io/docs/reference/labels-and-annotations/). */
#define LABEL_QUEUE "kueue.x-k8s.io/queue-name"
#define LABEL_QUEUE_PRIORITY "kueue.x-k8s.io/priority-class"
#define LABEL_MANAGED_BY "app.kubernetes.io/managed-by"
#define ANNOTATION_DIGEST GROUP "/policy-digest"        /* the policies that made an object */
#define ANNOTATION_POLICY_STATUS GROUP "/policy-status" /* what became of a policy ConfigMap */
#define ANNOTATION_POLICY_SHADOW GROUP "/policy-shadow" /* how a shadow bundle fares */
#define LABEL_POLICY_MODE GROUP "/policy-mode" /* of a ConfigMap of policies: shadow, config */
/* On an InferenceConfig: the other namespaces whose runs may use it (config.h). */
#define ANNOTATION_ALLOW_NAMESPACES GROUP "/allow-namespaces"
#define MANAGER "kserve-controller"

extern const struct kind KIND_RUN, KIND_CONFIG, KIND_JOB, KIND_CRONJOB, KIND_POD, KIND_CONFIGMAP,
    KIND_EVENT;

/* A Job may have 63 characters; a CronJob 52, since it adds 11 to name its Jobs
 * (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/). */
enum { JOB_NAME_MAX = 63, CRONJOB_NAME_MAX = 52 };

/*
 * The name of a run's Job and contract ConfigMap: "inf-<name>-<first 8 of uid>" with everything
 * that is not a letter or digit made one hyphen, and <name> cut to fit max. The existing
 * controller computes the same. out holds max + 1 bytes.
 */
void job_name(const char *run_name, const char *run_uid, size_t max, char out[JOB_NAME_MAX + 1]);

/* The ObjectReference of an object of this kind; yours. */
struct json *object_reference(const struct kind *kind, const struct json *object);

#endif
