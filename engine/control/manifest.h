/*
 * manifest.h - the objects that a run owns: contract ConfigMap, Job, CronJob.
 *
 * A pod is layered: our defaults, over them the config's podTemplate, over that what is ours and
 * may not change (names, owner, labels, restart policy, the contract's volume and mount, and the
 * variables that tell one execution from another: pod_uid, and job_name, which is another for each
 * firing of a schedule).
 * The last layer is laid again over what a policy's shape() returns. What would let a run have two
 * pods at once, or its Job vanish before the outcome is recorded, is put back there as well:
 * parallelism, completions, completionMode, podReplacementPolicy, selector and manualSelector,
 * ttlSecondsAfterFinished; and of a schedule what the run says itself.
 */
#ifndef CONTROL_MANIFEST_H
#define CONTROL_MANIFEST_H

#include "base/json.h"
#include "control/names.h"

/* Where every runner finds its contract; existing images read it there. */
#define CONTRACT_KEY "contract.json"
#define CONTRACT_PATH "/tmp/" CONTRACT_KEY

/* The container of the runner; others may stand beside it. */
#define RUNNER_CONTAINER "inference"

enum {
	CONTRACT_MAX = 1000 << 10, /* bytes: a ConfigMap holds 1 MiB with its metadata */
	BACKOFF_LIMIT = 3,
	TTL_AFTER_FINISHED_S = 300,
};

/* True if the run has a schedule: then it gets a CronJob instead of a Job. */
bool run_is_scheduled(const struct json *run);

/* True for the exit codes that the runner gives what another attempt cannot mend: they end the Job.
 */
bool exit_code_is_final(int64_t code);

/* The name of the run's Job or CronJob, and of its contract; yours. */
char *run_job_name(const struct json *run);

/* All are new objects, yours. digest names the policies that made them. */
struct json *manifest_contract(const struct json *run, const char *contract, const char *digest);
struct json *manifest_job(const struct json *run, const struct json *config,
			  const char *service_account, const char *digest);

/* Put back what is ours into a manifest that a policy has shaped. Returns the paths of what was put
 * back, "metadata.name, spec.parallelism", yours; NULL: nothing was. */
char *manifest_enforce(struct json *manifest, const struct json *run, const char *digest);

/* The paths in the config's podTemplate that are ours, so that manifest_job has put them back; the
 * same. */
char *manifest_put_back(const struct json *run, const struct json *config, const char *digest);

#endif
