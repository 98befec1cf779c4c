/*
 * bundles.h - which policies judge a run, and everything that becomes of their ConfigMaps: Events,
 * metrics, logs.
 */
#ifndef CONTROL_BUNDLES_H
#define CONTROL_BUNDLES_H

#include "control/metrics.h"
#include "kube/client.h"
#include "kube/events.h"
#include "policy/host.h"

struct bundles;

struct bundles_deps {
	struct loop *loop;
	struct client *client;
	struct policy_host *host;
	struct events *events;
	struct metrics *metrics;
};

struct bundles_spec {
	const char *namespace, *name; /* of the policy ConfigMap */
	bool (*may_write)(void *arg);
	void (*ready)(void *arg);   /* once: bundles_ready from now on */
	void (*changed)(void *arg); /* every run must be looked at again */
	void *arg;
};

struct bundles *bundles_new(const struct bundles_deps *deps, const struct bundles_spec *spec);
void bundles_free(struct bundles *bundles); /* NULL is fine */

/* The first policies are in force. */
bool bundles_ready(const struct bundles *bundles);

/* This process may write now: tell what was held back. Cheap when there is nothing. */
void bundles_lead(struct bundles *bundles);

#endif
