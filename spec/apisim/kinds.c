#include "spec/apisim/kinds.h"

#include "spec/apisim/schema.h"
#include "spec/apisim/status.h"

struct kinds {
	struct resource **resources;
	size_t count;
};

enum { NAMESPACED = 1, STATUS = 2, GENERATION = 4, ALL = 8 };

static const struct builtin {
	const char *group, *version, *plural, *singular, *kind, *shorts;
	int flags;
} builtins[] = {
    {"", "v1", "namespaces", "namespace", "Namespace", "['ns']", STATUS},
    {"", "v1", "configmaps", "configmap", "ConfigMap", "['cm']", NAMESPACED},
    {"", "v1", "secrets", "secret", "Secret", NULL, NAMESPACED},
    {"", "v1", "pods", "pod", "Pod", "['po']", NAMESPACED | STATUS | ALL},
    {"", "v1", "events", "event", "Event", "['ev']", NAMESPACED},
    {"", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount", "['sa']", NAMESPACED},
    {"", "v1", "services", "service", "Service", "['svc']", NAMESPACED | STATUS | ALL},
    {"", "v1", "nodes", "node", "Node", "['no']", STATUS},
    {"apps", "v1", "deployments", "deployment", "Deployment", "['deploy']",
     NAMESPACED | STATUS | GENERATION | ALL},
    {"batch", "v1", "jobs", "job", "Job", NULL, NAMESPACED | STATUS | GENERATION | ALL},
    {"batch", "v1", "cronjobs", "cronjob", "CronJob", "['cj']",
     NAMESPACED | STATUS | GENERATION | ALL},
    {"coordination.k8s.io", "v1", "leases", "lease", "Lease", NULL, NAMESPACED},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "customresourcedefinition",
     "CustomResourceDefinition", "['crd','crds']", STATUS | GENERATION},
    {"rbac.authorization.k8s.io", "v1", "roles", "role", "Role", NULL, NAMESPACED},
    {"rbac.authorization.k8s.io", "v1", "rolebindings", "rolebinding", "RoleBinding", NULL,
     NAMESPACED},
    {"rbac.authorization.k8s.io", "v1", "clusterroles", "clusterrole", "ClusterRole", NULL, 0},
    {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "clusterrolebinding",
     "ClusterRoleBinding", NULL, 0},
    {"policy", "v1", "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget",
     "['pdb']", NAMESPACED | STATUS | GENERATION},
    {"networking.k8s.io", "v1", "networkpolicies", "networkpolicy", "NetworkPolicy", "['netpol']",
     NAMESPACED | GENERATION},
};

static struct resource *add(struct kinds *kinds, const char *group, const char *version,
			    const char *plural)
{
	struct resource *resource = xcalloc(1, sizeof(*resource));

	resource->group = group;
	resource->version = version;
	resource->plural = plural;
	resource->qualified = xasprintf("%s%s%s", plural, group[0] != '\0' ? "." : "", group);
	resource->served = true;
	kinds->resources =
	    xrealloc(kinds->resources, (kinds->count + 1) * sizeof(struct resource *));
	kinds->resources[kinds->count++] = resource;
	return resource;
}

struct kinds *kinds_new(void)
{
	struct kinds *kinds = xcalloc(1, sizeof(*kinds));

	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		const struct builtin *b = &builtins[i];
		struct resource *resource = add(kinds, b->group, b->version, b->plural);

		resource->singular = b->singular;
		resource->kind = b->kind;
		resource->short_names = b->shorts != NULL ? json_build(b->shorts) : NULL;
		resource->categories = b->flags & ALL ? json_build("['all']") : NULL;
		resource->namespaced = (b->flags & NAMESPACED) != 0;
		resource->status = (b->flags & STATUS) != 0;
		resource->generation = (b->flags & GENERATION) != 0;
	}
	return kinds;
}

static void forget_definition(struct resource *resource)
{
	schema_free(resource->schema);
	json_free(resource->short_names);
	json_free(resource->categories);
	json_free(resource->definition);
}

void kinds_free(struct kinds *kinds)
{
	if (kinds == NULL)
		return;
	for (size_t i = 0; i < kinds->count; i++) {
		struct resource *resource = kinds->resources[i];

		if (kinds_custom(resource)) {
			free((char *)resource->group);
			free((char *)resource->version);
			free((char *)resource->plural);
		}
		forget_definition(resource);
		free(resource->qualified);
		free(resource->objects);
		free(resource);
	}
	free(kinds->resources);
	free(kinds);
}

struct resource *kinds_find(const struct kinds *kinds, const char *group, const char *version,
			    const char *plural)
{
	for (size_t i = 0; i < kinds->count; i++) {
		struct resource *r = kinds->resources[i];

		if (r->served && streq(r->plural, plural) && streq(r->group, group) &&
		    streq(r->version, version))
			return r;
	}
	return NULL;
}

struct resource *kinds_next(const struct kinds *kinds, size_t *at)
{
	while (*at < kinds->count) {
		struct resource *resource = kinds->resources[(*at)++];

		if (resource->served)
			return resource;
	}
	return NULL;
}

bool kinds_custom(const struct resource *resource)
{
	return resource->definition != NULL;
}

/* ---- CustomResourceDefinitions ---- */

static const struct json *storage_version(const struct json *definition)
{
	const struct json *versions = json_at(definition, "spec", "versions");

	for (const struct json *v = json_first(versions); v != NULL; v = json_next(v))
		if (json_is_true(json_get(v, "storage")))
			return v;
	return NULL;
}

static void need(const struct json *parent, const char *key, const char *field, struct json *causes)
{
	if (json_get_str(parent, key, "")[0] == '\0')
		status_cause(causes, "FieldValueRequired", field, "Required value");
}

static void fill_names(struct json *names)
{
	const char *kind = json_get_str(names, "kind", "");
	auto_free char *list = xasprintf("%sList", kind);
	auto_free char *singular = xstrdup(kind);

	for (char *p = singular; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (json_get(names, "listKind") == NULL)
		json_set_str(names, "listKind", list);
	if (json_get(names, "singular") == NULL)
		json_set_str(names, "singular", singular);
}

/* The real server's controllers do this a moment later. */
static void fill_status(struct json *definition, const char *version)
{
	const char *since = json_get_str(json_get(definition, "metadata"), "creationTimestamp", "");
	struct json *status = json_build(
	    "{'conditions':["
	    "{'type':'NamesAccepted','status':'True','lastTransitionTime':%s,"
	    "'reason':'NoConflicts','message':'no conflicts found'},"
	    "{'type':'Established','status':'True','lastTransitionTime':%s,"
	    "'reason':'InitialNamesAccepted','message':'the initial names have been accepted'}],"
	    "'acceptedNames':%j,'storedVersions':[%s]}",
	    since, since, json_at(definition, "spec", "names"), version);

	json_set(definition, "status", status);
}

static void check_names(const struct kinds *kinds, const struct json *definition,
			struct json *causes)
{
	const struct json *spec = json_get(definition, "spec");
	const char *group = json_get_str(spec, "group", "");
	const char *plural = json_get_str(json_get(spec, "names"), "plural", "");
	const char *name = json_get_str(json_get(definition, "metadata"), "name", "");
	auto_free char *wanted = xasprintf("%s.%s", plural, group);

	need(spec, "group", "spec.group", causes);
	need(json_get(spec, "names"), "plural", "spec.names.plural", causes);
	need(json_get(spec, "names"), "kind", "spec.names.kind", causes);
	if (!streq(wanted, name))
		status_cause(causes, "FieldValueInvalid", "metadata.name",
			     "Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group",
			     name);
	for (size_t i = 0; i < kinds->count; i++)
		if (!kinds_custom(kinds->resources[i]) && streq(kinds->resources[i]->group, group))
			status_cause(causes, "FieldValueForbidden", "spec.group",
				     "Forbidden: apisim serves this group itself");
}

int kinds_admit_definition(const struct kinds *kinds, struct json *definition, struct json *causes)
{
	const struct json *version = storage_version(definition);
	const char *scope = json_get_str(json_get(definition, "spec"), "scope", "");
	struct err err = ERR_INIT;
	struct schema *schema;

	check_names(kinds, definition, causes);
	if (!streq(scope, "Namespaced") && !streq(scope, "Cluster"))
		status_cause(causes, "FieldValueNotSupported", "spec.scope",
			     "Unsupported value: \"%s\": supported values: \"Cluster\", "
			     "\"Namespaced\"",
			     scope);
	if (version == NULL) {
		status_cause(
		    causes, "FieldValueInvalid", "spec.versions",
		    "Invalid value: must have exactly one version marked as storage version");
		return -1;
	}
	schema = schema_new(version, causes, &err);
	if (schema == NULL && json_len(causes) == 0)
		status_cause(causes, "FieldValueInvalid", "spec.versions", "Invalid value: %s",
			     err.msg);
	schema_free(schema);
	if (json_len(causes) > 0)
		return -1;
	fill_names(json_mut(json_mut(definition, "spec"), "names"));
	fill_status(definition, json_get_str(version, "name", ""));
	return 0;
}

static struct resource *defined(const struct kinds *kinds, const struct json *definition)
{
	const struct json *spec = json_get(definition, "spec");

	for (size_t i = 0; i < kinds->count; i++) {
		struct resource *r = kinds->resources[i];

		if (kinds_custom(r) && streq(r->group, json_get_str(spec, "group", "")) &&
		    streq(r->plural, json_get_str(json_get(spec, "names"), "plural", "")))
			return r;
	}
	return NULL;
}

void kinds_define(struct kinds *kinds, const struct json *definition)
{
	struct resource *resource = defined(kinds, definition);
	struct json *copy = json_copy(definition);
	const struct json *spec = json_get(copy, "spec");
	const struct json *names = json_get(spec, "names");
	struct err err = ERR_INIT;

	if (resource == NULL)
		resource = add(kinds, xstrdup(json_get_str(spec, "group", "")), xstrdup(""),
			       xstrdup(json_get_str(names, "plural", "")));
	forget_definition(resource);
	resource->definition = copy;
	resource->crd_version = storage_version(copy);
	free((char *)resource->version);
	resource->version = xstrdup(json_get_str(resource->crd_version, "name", ""));
	resource->singular = json_get_str(names, "singular", "");
	resource->kind = json_get_str(names, "kind", "");
	resource->short_names = json_copy(json_get(names, "shortNames"));
	resource->categories = json_copy(json_get(names, "categories"));
	resource->namespaced = streq(json_get_str(spec, "scope", ""), "Namespaced");
	resource->status = json_at(resource->crd_version, "subresources", "status") != NULL;
	resource->generation = true;
	resource->served = true;
	resource->schema = schema_new(resource->crd_version, NULL, &err);
}

struct resource *kinds_undefine(struct kinds *kinds, const struct json *definition)
{
	struct resource *resource = defined(kinds, definition);

	if (resource != NULL)
		resource->served = false;
	return resource;
}
