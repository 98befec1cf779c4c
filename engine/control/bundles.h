/*
 * bundles.h - which policies judge a run, and everything that becomes of their ConfigMaps: Events,
 * metrics, logs.
 *
 * For all runs there is one bundle (policies.h). A config may have its own, in a ConfigMap of its
 * namespace with the label ai.krateo.io/policy-mode=config that its spec.policyRef names: the hooks
 * it has are used for the config's runs in place of those for all. That must be switched on. A
 * run whose config asks for policies that are not there waits: it is never judged by others. Beside
 * the bundle for all, others may be on trial (shadows.h).
 */
#ifndef CONTROL_BUNDLES_H
#define CONTROL_BUNDLES_H

#include "control/decide.h"
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
	const char *namespace, *name;  /* of the policy ConfigMap */
	const char *const *namespaces; /* of configs; NULL-terminated, empty: all */
	bool config_policies;          /* configs may have their own */
	bool (*may_write)(void *arg);
	void (*ready)(void *arg);   /* once: bundles_ready from now on */
	void (*changed)(void *arg); /* every run must be looked at again */
	/* Those whose config names this ConfigMap ("namespace/name") must be. */
	void (*config_changed)(void *arg, const char *policy_key);
	void *arg;
};

struct bundles *bundles_new(const struct bundles_deps *deps, const struct bundles_spec *spec);
void bundles_free(struct bundles *bundles); /* NULL is fine */

/* Some policies are in force, and which configs have their own is known. */
bool bundles_ready(const struct bundles *bundles);

/*
 * The name of the bundle that judges the runs of this config (NULL: there is none); yours. NULL if
 * it must not or cannot be used; then *results is {"policy": {"error": ...}}, yours, in the form of
 * host.h, with the kind "not-allowed" or "unavailable". Both are NULL while the bundle is checked for
 * the first time: then config_changed will come.
 */
char *bundles_of(const struct bundles *bundles, const struct json *config, struct json **results);

/* A question about a run goes to a bundle. */
void bundles_asked(struct bundles *bundles);

/* It has been answered; results is NULL if in vain. */
void bundles_answered(struct bundles *bundles, const char *bundle, const struct observed *o,
		      const struct json *results);

/* This process may write now: tell what was held back. Cheap when there is nothing. */
void bundles_lead(struct bundles *bundles);

#endif
