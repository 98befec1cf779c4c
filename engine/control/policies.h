/*
 * policies.h - the policy ConfigMap: watched, its bundle put in force, the result told on it.
 *
 * What became of an edit stands in the annotation ai.krateo.io/policy-status, as JSON:
 *	{"state": "active", "active": "sha256:0123456789ab", "time": "2026-11-24T10:00:00Z"}
 *	{"state": "refused", "active": ..., "error": "contract.lua:3: ...", "time": ...}
 * A refused bundle, or a deleted ConfigMap, leaves the one before in force; where there was none,
 * the default one that is built in. Only a change of the ConfigMap's data is an edit.
 */
#ifndef CONTROL_POLICIES_H
#define CONTROL_POLICIES_H

#include "kube/client.h"
#include "policy/host.h"

struct policies;

struct policies_spec {
	const char *namespace, *name; /* of the ConfigMap; copied */
	void (*settled)(void *arg);   /* once: the first state is known and in force */
	/* A bundle was taken (err NULL) or refused. object is the ConfigMap. */
	void (*loaded)(void *arg, const struct json *object, const struct err *err);
	void (*trouble)(void *arg, const struct err *err); /* watching or annotating failed */
	void *arg;
};

struct policies *policies_new(struct loop *loop, struct client *client, struct policy_host *host,
			      const struct policies_spec *spec);
void policies_free(struct policies *policies);

#endif
