/*
 * tell.h - what one Pod's keeper tells the API server: statuses, Events, and that it may go.
 *
 * Statuses are sent one after another, so that an older one never overtakes a newer one; one that
 * waits is replaced by the next. They are tried for ever, unless the server refuses them.
 */
#ifndef PODRUNNER_TELL_H
#define PODRUNNER_TELL_H

#include "kube/client.h"

struct tell;

/* settled is called whenever every status has been sent or refused, never from tell_status. */
struct tell *tell_new(struct loop *loop, struct client *client, const struct json *pod,
		      loop_fn *settled, void *arg);
void tell_free(struct tell *tell);

/* patch as status.h makes it. */
void tell_status(struct tell *tell, struct json *patch_taken);

/* A Warning, as the kubelet of this node; it may get lost. */
void tell_event(struct tell *tell, const char *node, const char *reason, const char *message);

/* Remove the Pod at once, as a kubelet does at the end of a deleted one: until then the server
 * keeps it. */
void tell_removal(struct tell *tell);

/* The Pod is gone: say nothing more about it. */
void tell_stop(struct tell *tell);

#endif
