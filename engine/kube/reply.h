/*
 * reply.h - what an HTTP reply of the API server means; pure, for client.c.
 */
#ifndef KUBE_REPLY_H
#define KUBE_REPLY_H

#include "base/json.h"

/*
 * Set err from a reply outside 2xx: the kind by the status (client.h), the message from the
 * Status object (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/)
 * with those causes that it does not hold already, or else the start of the body. Returns -1.
 */
int reply_error(int status, const char *body, size_t len, struct err *err);

/* The same for a Status object that came as an ERROR event of a watch. Returns -1. */
int reply_status_error(const struct json *status, struct err *err);

#endif
