/*
 * start.h - the first half of decide.h: what is made for a run that the policies are content with.
 * Pure.
 *
 * The status comes first, guarded by the run's version: if our copy of the run is old it fails, and
 * nothing is made. Then the ConfigMap with the contract, then the Job or CronJob.
 */
#ifndef CONTROL_START_H
#define CONTROL_START_H

#include "control/decide.h"

/* NEW */
void start_new(const struct observed *o, const struct json *results, struct plan *plan);

/* STARTING: what is missing, after a live look at the run's version. The contract stays as it is.
 */
void start_resume(const struct observed *o, const struct json *results, struct plan *plan);

#endif
