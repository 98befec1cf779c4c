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

#endif
