/*
 * look.h - Events, where nothing else tells what a pass must know. Pure.
 *
 * They are not watched: a cluster has many, and few matter. A pass asks for those of one object
 * when
 *
 *	a start was interrupted  the status names a Job that is not there. Has it never been made,
 *	                         or was it deleted? A Job of that name that has made a Pod left
 *	                         the Event SuccessfulCreate; such a run is not started again. A
 *	                         Job that has made none is no harm to make again.
 *	a Job makes no Pod       the Job controller tells a quota's or an admission's refusal in an
 *	                         Event alone (FailedCreate)
 *	a Pod is being set up    for LOOK_AFTER_MS: so does a kubelet of a volume that it cannot
 *	                         mount (FailedMount), of a sandbox, of a network
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
#ifndef CONTROL_LOOK_H
#define CONTROL_LOOK_H

#include "control/decide.h"

enum { LOOK_AFTER_MS = 10000, LOOK_EVENTS_MAX = 100 };

/* The Events to ask for, as a fieldSelector (yours); NULL: none. */
char *look_selector(const struct observed *o);

/* Milliseconds until there will be something to ask for if nothing happens; -1: never. */
int64_t look_due_ms(const struct observed *o);

/* True if a Job has made a Pod, by these Events. */
bool look_job_ran(const struct json *events);

/* If Events were asked for, give the Job or Pod of the question that they are about a member
 * "warning": {"reason", "message"} of its newest Event if that is a warning, else {}. */
void look_add_warning(const struct observed *o, struct json *question);

#endif
