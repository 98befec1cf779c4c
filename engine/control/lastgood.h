/*
 * lastgood.h - the bundle that was taken last, kept in the cluster: the ConfigMap
 * NAME-last-good beside the policy ConfigMap NAME, so that a controller that starts while NAME is
 * broken goes on as before.
 *
 * It belongs to NAME (an owner reference) and goes with it. One that has another owner, or none, is
 * foreign: never used, never overwritten.
 */
#ifndef CONTROL_LASTGOOD_H
#define CONTROL_LASTGOOD_H

#include "kube/client.h"

struct lastgood;

struct lastgood_spec {
	const char *namespace, *name;                      /* of the policy ConfigMap; copied */
	void (*trouble)(void *arg, const struct err *err); /* reading or writing failed */
	void *arg;
	int64_t again_ms; /* what failed is tried again after so long; 0: 2000; for tests */
};

struct lastgood *lastgood_new(struct loop *loop, struct client *client,
			      const struct lastgood_spec *spec);
void lastgood_free(struct lastgood *lastgood); /* cancels everything; NULL is fine */

/* The files that were kept for this policy ConfigMap; NULL: none, and trouble has said why if there
 * should be some. Tried again for as long as the API server has no answer. */
typedef void lastgood_fn(void *arg, const struct json *files);
void lastgood_read(struct lastgood *lastgood, const struct json *configmap, lastgood_fn *done,
		   void *arg);
void lastgood_unread(struct lastgood *lastgood); /* done is not called any more */

/* Keep these files, unless they are kept already. While one is being written only the last that
 * comes is remembered. A failed write is tried again. */
void lastgood_save(struct lastgood *lastgood, const struct json *configmap,
		   const struct json *files, const char *digest);

#endif
