/*
 * policies.h - the policies in force for all: the policy ConfigMap, watched.
 *
 * In force is what the ConfigMap holds; if it is refused, the bundle before it; in a controller
 * that has just started, the last good one (lastgood.h); if there is none either, the built-in one.
 * A ConfigMap that is not there, or no more, means the built-in one. So what is in force follows
 * from what stands in the cluster, whatever has happened to the controller meanwhile.
 */
#ifndef CONTROL_POLICIES_H
#define CONTROL_POLICIES_H

#include "control/policymap.h"
#include "net/loop.h"

struct policies;

struct policies_spec {
	const char *namespace, *name; /* of the ConfigMap; copied */
	void (*settled)(void *arg);   /* once: the first state is known and in force */
	void (*changed)(void *arg);   /* another bundle is in force */
	void (*trouble)(void *arg, const struct err *err); /* watching failed, or keeping */
	void *arg;
};

/* env must outlive it. */
struct policies *policies_new(struct loop *loop, const struct policymap_env *env,
			      const struct policies_spec *spec);
void policies_free(struct policies *policies);

/* This process may write now: tell and keep what was held back. */
void policies_lead(struct policies *policies);

#endif
