/*
 * config.h - what an InferenceConfig says: who may use it, and its own status. Pure.
 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include "base/json.h"

/* The namespace and the key ("namespace/name"; yours) of the config that a run refers to. */
const char *config_namespace_of(const struct json *run);
char *config_key_of(const struct json *run);

/*
 * May a run of this namespace use the config? Those of its own namespace always may; others only
 * if they are named by the config's annotation
 *	ai.krateo.io/allow-namespaces: "team-a, team-b"		or "*" for all.
 * A config holds addresses, storage and a pod template, so its owner decides who has them.
 */
bool config_allows(const struct json *config, const char *namespace);

/* The key of the ConfigMap that holds the config's own policies (spec.policyRef); yours; NULL: it
 * has none. */
char *config_policy_key(const struct json *config);

/* The seconds of spec.KEY in ms; fallback_s where there are none, or less. More than 68 years
 * are as many (a config from a file has passed no CRD). */
int64_t config_seconds_ms(const struct json *config, const char *key, int64_t fallback_s);

/*
 * The status that the config should have, new; now in ms:
 *	conditions	Ready; False with a reason where no run of it can succeed: ImageMissing,
 *			ModelUrlMissing, ModelUrlInvalid, CredentialsElsewhere (a pull secret of a
 *			namespace that no run of the config can be in)
 *	model		the name of the model, for the printer column
 *	runs		{"total", "active"}: those that refer to it, and of them the unfinished
 *	observedGeneration
 * Storage is not looked at: only the runner knows its providers.
 */
struct config_runs {
	int64_t total, active;
};
struct json *config_status(const struct json *config, const struct config_runs *runs, int64_t now);

#endif
