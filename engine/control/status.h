/*
 * status.h - the status of a run: what it should say, and the smallest patch that gets it there.
 *
 * Conditions follow metav1.Condition: lastTransitionTime moves only when the status does. Ready is
 * True once the run has reached what its user wants of it (Succeeded, or Scheduled); Synced tells,
 * as in Krateo's other controllers, whether the controller could do its part. Stalled is there, and
 * True, on a run that will not get Ready (Failed, Rejected): that is how tools which know nothing
 * of phases tell failed from in progress
 * (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
 */
#ifndef CONTROL_STATUS_H
#define CONTROL_STATUS_H

#include "base/json.h"

enum {
	STATUS_CONTRACT_MAX = 256 << 10, /* bytes of contract JSON kept in the status */
	STATUS_MESSAGE_MAX = 20 << 10,   /* bytes; longer messages are cut (the CRD allows 32768) */
};

struct verdict {
	const char *phase;
	const char *reason;            /* a CamelCase word; NULL: the phase */
	const char *message;           /* NULL: none */
	bool failing;                  /* the controller cannot do its part: Synced is False */
	const struct json *conditions; /* more of them, from a policy; NULL: none */
};

/* The status that verdict asks for on top of the run's own, as a new object; now in ms. */
struct json *status_apply(const struct json *run, const struct verdict *verdict, int64_t now);

/* Set one condition in status; its transition time stays if its status does. */
void status_condition(struct json *status, const char *type, const char *value, const char *reason,
		      const char *message, int64_t generation, int64_t now);

void status_drop_condition(struct json *status, const char *type);

/* The merge patch of the object (a run, or a config) that makes its status `wanted` (with the
 * version as guard), or NULL if it is that already. Members that wanted lacks are removed. */
struct json *status_patch(const struct json *object, const struct json *wanted);

/* Take over what the Job tells: startTime, completionTime, duration and result (with the
 * terminated container of the last pod). */
void status_from_job(struct json *status, const struct json *job, const struct json *pods);

/* The run ends now, not with its Job. */
void status_end(struct json *status, int64_t now);

/* Take over what the CronJob tells: lastScheduleTime, lastSuccessfulTime, active. */
void status_from_cronjob(struct json *status, const struct json *cronjob);

/* Complete or Failed with status True, of a Job; NULL while it has not finished. */
const struct json *job_finished(const struct json *job);

/* True for Succeeded, Failed and Rejected. */
bool phase_is_final(const char *phase);

#endif
