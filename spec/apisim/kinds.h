/*
 * kinds.h - the kinds that are served: built-in ones, and those of CustomResourceDefinitions;
 * and the discovery documents that tell clients.
 *
 * A CRD serves the version that it stores; others are not converted to and hence not served.
 * A resource lives until kinds_free, also when its CRD has gone (served is false then, and the
 * same resource is used again if the CRD comes back).
 */
#ifndef APISIM_KINDS_H
#define APISIM_KINDS_H

#include "spec/apisim/objects.h"

struct kinds;

struct kinds *kinds_new(void);
void kinds_free(struct kinds *kinds);

/* NULL when nothing of that name is served. */
struct resource *kinds_find(const struct kinds *kinds, const char *group, const char *version,
			    const char *plural);

/* Every served resource, in a fixed order. */
struct resource *kinds_next(const struct kinds *kinds, size_t *at);

/* True for a resource of a CRD. */
bool kinds_custom(const struct resource *resource);

/* Check a CRD before it is stored (0), and fill in defaults and its status; -1: see causes. */
int kinds_admit_definition(const struct kinds *kinds, struct json *definition, struct json *causes);

/* Serve what the admitted CRD defines, or the new form of it; and no longer. */
void kinds_define(struct kinds *kinds, const struct json *definition);
struct resource *kinds_undefine(struct kinds *kinds, const struct json *definition);

/* Discovery: APIVersions, APIGroupList, APIGroup, APIResourceList; NULL when there is none. */
struct json *discovery_api(void);
struct json *discovery_groups(const struct kinds *kinds);
struct json *discovery_group(const struct kinds *kinds, const char *group);
struct json *discovery_resources(const struct kinds *kinds, const char *group, const char *version);
struct json *discovery_version(void);

#endif
