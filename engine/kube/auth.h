/*
 * auth.h - the Authorization header of the moment.
 *
 * Sources, in this order: token file (read again every 60 s and after a 401: the kubelet rotates
 * it), exec plugin (client.authentication.k8s.io ExecCredential, kept to its expirationTimestamp,
 * run again after a 401), token, username and password, none (client certificate only).
 */
#ifndef KUBE_AUTH_H
#define KUBE_AUTH_H

#include "kube/config.h"
#include "net/http.h"

struct auth;

/* config is borrowed and outlives it. A certificate that an exec plugin gives is set on http.
 * Every failure is ERR_RETRY: it is about our credentials, not about the object of the call. */
struct auth *auth_new(struct loop *loop, struct http *http, const struct kube_config *config);
void auth_free(struct auth *auth); /* cancels every call; NULL is fine */

/* header is "Authorization: ..." or NULL for none, valid during the call; err NULL on success. */
typedef void auth_done_fn(void *arg, const char *header, const struct err *err);

/* Calls for the header may wait together for one plugin run. done may not be called before this
 * returns. The handle is valid until done. */
struct auth_call *auth_start(struct auth *auth, auth_done_fn *done, void *arg);
void auth_cancel(struct auth_call *call);

/* The server said 401 to this header: get a new one before the next call. */
void auth_refused(struct auth *auth);

#endif
