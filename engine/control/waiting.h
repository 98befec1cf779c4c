/*
 * waiting.h - a run whose runner has not started: how long it may go on waiting. Pure.
 *
 * The config's pendingTimeoutSeconds holds for every reason to wait (0: for ever). Where it is not
 * set, only what does not mend itself ends a run, after the controller's --pending-timeout: an
 * image that cannot be pulled or has no valid name, a ConfigMap or Secret that is not there, a
 * container that cannot be created. A node that is still to come, a quota, a volume may take any
 * time.
 *
 * The clock is the cluster's: it starts with the Job (anew when it is resumed) or, once there is a
 * Pod, with that; of what does not mend itself, when the Pod came to its node. A suspended Job does
 * not wait, nor does one whose next attempt is not due, nor a schedule.
 */
#ifndef CONTROL_WAITING_H
#define CONTROL_WAITING_H

#include "control/decide.h"

/* How long it may wait as things stand, in ms; 0: for ever. */
int64_t waiting_limit(const struct observed *o);

/* Milliseconds until the run of o->job is to be given up, 0 if it is; -1: no limit applies. */
int64_t waiting_left(const struct observed *o);

/*
 * What keeps the runner from starting and does not say why: a Pod that is being set up, or the Job
 * if it has made no Pod for the next attempt; NULL: nothing, or it says why. *since is when that
 * began.
 */
const struct json *waiting_silently(const struct observed *o, int64_t *since);

#endif
