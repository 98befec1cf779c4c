#include "spec/apisim/write.h"

#include "base/timefmt.h"
#include "spec/apisim/admit.h"
#include "spec/apisim/patch.h"
#include "spec/apisim/status.h"

static bool is(const struct resource *resource, const char *plural)
{
	return streq(resource->plural, plural) && !kinds_custom(resource);
}

static const char *metadata_str(const struct json *object, const char *key)
{
	return json_get_str(json_get(object, "metadata"), key, "");
}

/* ---- what create and update have in common ---- */

static struct json *check_type(const struct resource *resource, struct json *object)
{
	auto_free char *wanted = xasprintf(
	    "%s%s%s", resource->group, resource->group[0] != '\0' ? "/" : "", resource->version);
	const char *version, *kind;

	if (json_type(object) != JSON_OBJECT)
		return status_bad_request("expected an object in the request's body, found %s",
					  json_type_name(json_type(object)));
	version = json_get_str(object, "apiVersion", wanted);
	kind = json_get_str(object, "kind", resource->kind);
	if (!streq(version, wanted))
		return status_bad_request("the API version in the data (%s) does not match the "
					  "expected API version (%s)",
					  version, wanted);
	if (!streq(kind, resource->kind))
		return status_bad_request("%s in version \"%s\" cannot be handled as a %s: no kind "
					  "\"%s\" is registered for this path",
					  kind, resource->version, resource->kind, kind);
	json_set_str(object, "apiVersion", wanted);
	json_set_str(object, "kind", resource->kind);
	if (json_get(object, "metadata") != NULL &&
	    json_type(json_get(object, "metadata")) != JSON_OBJECT)
		return status_bad_request("metadata: expected an object");
	json_remove(json_obj(object, "metadata"), "managedFields");
	json_remove(json_obj(object, "metadata"), "selfLink");
	return NULL;
}

/* Schema, defaults and validation. */
static struct json *admit(const struct server *server, const struct resource *resource,
			  struct json *object, const struct json *old,
			  const struct write_options *options)
{
	auto_json struct json *causes = json_array();
	const char *name = metadata_str(object, "name");
	struct err err = ERR_INIT;

	admit_check_metadata(resource, object, causes);
	if (json_len(causes) > 0)
		return status_invalid(resource, name, causes);
	if (resource->schema != NULL) {
		if (schema_admit(resource->schema, object, old, options->unknown, options->warnings,
				 causes, &err) == 0)
			return NULL;
		if (err.status == 400)
			return status_bad_request(
			    "%s in version \"%s\" cannot be handled as a %s: %s", resource->kind,
			    resource->version, resource->kind, err.msg);
		return status_invalid(resource, name, causes);
	}
	admit_defaults(resource, object, old);
	if (is(resource, "customresourcedefinitions"))
		kinds_admit_definition(server->kinds, object, causes);
	else
		admit_check(resource, object, old, causes);
	return json_len(causes) > 0 ? status_invalid(resource, name, causes) : NULL;
}

/* ---- create ---- */

static struct json *check_namespace(const struct server *server, const struct target *target,
				    const char *name)
{
	struct resource *namespaces = kinds_find(server->kinds, "", "v1", "namespaces");
	auto_json struct json *tree = NULL;
	auto_free char *why = NULL;
	struct object *found;

	if (!target->resource->namespaced)
		return NULL;
	found = store_find(namespaces, "", target->namespace);
	if (found == NULL)
		return status_not_found(namespaces, target->namespace);
	tree = object_tree(found);
	if (metadata_str(tree, "deletionTimestamp")[0] == '\0')
		return NULL;
	why = xasprintf("unable to create new content in namespace %s because it is being "
			"terminated",
			target->namespace);
	return status_forbidden(target->resource, name, why);
}

static struct json *settle_name(const struct target *target, struct json *metadata)
{
	auto_json struct json *causes = NULL;
	const char *base = json_get_str(metadata, "generateName", "");
	char suffix[6];

	if (target->resource->namespaced) {
		const char *namespace = json_get_str(metadata, "namespace", target->namespace);

		if (!streq(namespace, target->namespace))
			return status_bad_request("the namespace of the provided object does not "
						  "match the namespace sent on the request");
		json_set_str(metadata, "namespace", target->namespace);
	} else {
		json_remove(metadata, "namespace");
	}
	if (json_get_str(metadata, "name", "")[0] != '\0')
		return NULL;
	if (base[0] != '\0') {
		/* 63 less the suffix, as the server's name generator. */
		auto_free char *name = NULL;

		random_suffix(suffix);
		name = xasprintf("%.58s%s", base, suffix);
		json_set_str(metadata, "name", name);
		return NULL;
	}
	causes = json_array();
	status_cause(causes, "FieldValueRequired", "metadata.name",
		     "Required value: name or generateName is required");
	return status_invalid(target->resource, "", causes);
}

static void stamp_new(const struct resource *resource, struct json *object)
{
	struct json *metadata = json_obj(object, "metadata");
	char uid[37], now[32];

	random_uid(uid);
	json_set_str(metadata, "uid", uid);
	json_set_str(metadata, "creationTimestamp", server_now(now));
	json_remove(metadata, "deletionTimestamp");
	json_remove(metadata, "deletionGracePeriodSeconds");
	json_remove(metadata, "generation");
	if (resource->generation)
		json_set(metadata, "generation", json_int(1));
	if (resource->status)
		json_remove(object, "status");
}

/* The text of what was written; a CRD takes effect. */
static struct blob *commit(struct server *server, struct resource *resource, struct json *object,
			   const struct json *old, const struct write_options *options)
{
	struct blob *blob;

	if (options->dry_run)
		return blob_new(object);
	blob = blob_ref(store_put(server->store, resource, object, old)->blob);
	if (is(resource, "customresourcedefinitions"))
		kinds_define(server->kinds, object);
	return blob;
}

struct json *write_create(struct server *server, const struct target *target,
			  struct json *object_taken, const struct write_options *options,
			  struct blob **result)
{
	auto_json struct json *object = object_taken;
	struct json *refused = check_type(target->resource, object);
	const char *name;

	if (refused == NULL)
		refused = settle_name(target, json_mut(object, "metadata"));
	if (refused != NULL)
		return refused;
	name = metadata_str(object, "name");
	refused = check_namespace(server, target, name);
	if (refused != NULL)
		return refused;
	if (metadata_str(object, "resourceVersion")[0] != '\0')
		return status_new(500, "",
				  "resourceVersion should not be set on objects to be created");
	stamp_new(target->resource, object);
	refused = admit(server, target->resource, object, NULL, options);
	if (refused != NULL)
		return refused;
	name = metadata_str(object, "name");
	if (store_find(target->resource, target->resource->namespaced ? target->namespace : "",
		       name) != NULL)
		return status_exists(target->resource, name);
	*result = commit(server, target->resource, object, NULL, options);
	return NULL;
}

/* ---- update ---- */

static struct json *check_version(const struct target *target, const struct json *object,
				  const struct json *old, bool patch)
{
	const char *version = metadata_str(object, "resourceVersion");
	const char *uid = metadata_str(object, "uid");
	const char *plural = target->resource->plural;
	bool unconditional = !kinds_custom(target->resource) && !streq(plural, "leases") &&
			     !streq(plural, "customresourcedefinitions");
	auto_json struct json *causes = json_array();
	auto_free char *why = NULL;

	if (!streq(metadata_str(object, "name"), target->name))
		return status_bad_request("the name of the object (%s) does not match the name on "
					  "the URL (%s)",
					  metadata_str(object, "name"), target->name);
	if (uid[0] != '\0' && !streq(uid, metadata_str(old, "uid"))) {
		why = xasprintf("Precondition failed: UID in precondition: %s, UID in object meta: "
				"%s",
				uid, metadata_str(old, "uid"));
		return status_conflict(target->resource, target->name, why);
	}
	if (version[0] != '\0' && !streq(version, metadata_str(old, "resourceVersion")))
		return status_conflict(target->resource, target->name,
				       "the object has been modified; please apply your changes to "
				       "the latest version and try again");
	if (version[0] != '\0' || unconditional || patch)
		return NULL;
	status_cause(causes, "FieldValueInvalid", "metadata.resourceVersion",
		     "Invalid value: 0x0: must be specified for an update");
	return status_invalid(target->resource, target->name, causes);
}

static void keep(struct json *to, const struct json *from, const char *key)
{
	if (json_get(from, key) != NULL)
		json_set(to, key, json_copy(json_get(from, key)));
	else
		json_remove(to, key);
}

static void keep_system_metadata(struct json *object, const struct json *old)
{
	static const char *const keys[] = {
	    "namespace",
	    "uid",
	    "creationTimestamp",
	    "deletionTimestamp",
	    "generation",
	    "resourceVersion",
	    "deletionGracePeriodSeconds",
	    "generateName",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keep(json_obj(object, "metadata"), json_get(old, "metadata"), keys[i]);
}

/* Through /status everything but the status stays, through the object itself the status. */
static void keep_other_part(const struct target *target, struct json *object,
			    const struct json *old)
{
	bool custom = kinds_custom(target->resource);

	if (streq(target->subresource, "status")) {
		for (const struct json *c = json_first(object); c != NULL;) {
			auto_free char *key = xstrdup(json_key(c));

			c = json_next(c);
			if (!streq(key, "status") && (custom || !streq(key, "metadata")))
				json_remove(object, key);
		}
		for (const struct json *c = json_first(old); c != NULL; c = json_next(c))
			if (!streq(json_key(c), "status") && json_get(object, json_key(c)) == NULL)
				json_set(object, json_key(c), json_copy(c));
	} else if (target->resource->status) {
		keep(object, old, "status");
	}
}

static bool spec_changed(const struct resource *resource, const struct json *object,
			 const struct json *old)
{
	if (!kinds_custom(resource))
		return !json_equal(json_get(object, "spec"), json_get(old, "spec"));
	for (int pass = 0; pass < 2; pass++) {
		const struct json *a = pass == 0 ? object : old, *b = pass == 0 ? old : object;

		for (const struct json *c = json_first(a); c != NULL; c = json_next(c)) {
			if (streq(json_key(c), "metadata") ||
			    (resource->status && streq(json_key(c), "status")))
				continue;
			if (!json_equal(c, json_get(b, json_key(c))))
				return true;
		}
	}
	return false;
}

static bool ready_to_go(const struct json *object)
{
	const struct json *metadata = json_get(object, "metadata");

	return json_get(metadata, "deletionTimestamp") != NULL &&
	       json_len(json_get(metadata, "finalizers")) == 0;
}

static struct json *update(struct server *server, const struct target *target,
			   struct object *stored, struct json *object, const struct json *old,
			   const struct write_options *options, struct blob **result)
{
	struct json *refused;

	keep_system_metadata(object, old);
	keep_other_part(target, object, old);
	refused = admit(server, target->resource, object, old, options);
	if (refused != NULL)
		return refused;
	if (target->resource->generation && spec_changed(target->resource, object, old))
		json_set(json_obj(object, "metadata"), "generation",
			 json_int(json_get_int(json_get(old, "metadata"), "generation", 0) + 1));
	if (json_equal(object, old)) {
		*result = blob_ref(stored->blob); /* the server writes nothing then */
		return NULL;
	}
	if (ready_to_go(object) && !options->dry_run && !is(target->resource, "namespaces")) {
		*result = blob_new(object);
		store_remove(server->store, stored, object);
		return NULL;
	}
	*result = commit(server, target->resource, object, old, options);
	return NULL;
}

static struct object *find(const struct target *target)
{
	const struct resource *resource = target->resource;

	return store_find(resource, resource->namespaced ? target->namespace : "", target->name);
}

struct json *write_update(struct server *server, const struct target *target,
			  struct json *object_taken, const struct write_options *options,
			  struct blob **result)
{
	auto_json struct json *object = object_taken;
	auto_json struct json *old = NULL;
	struct json *refused = check_type(target->resource, object);
	struct object *stored;

	if (refused != NULL)
		return refused;
	stored = find(target);
	if (stored == NULL)
		return status_not_found(target->resource, target->name);
	old = object_tree(stored);
	refused = check_version(target, object, old, false);
	if (refused != NULL)
		return refused;
	return update(server, target, stored, object, old, options, result);
}

static struct json *apply(const struct target *target, const char *type, struct json **object,
			  const struct json *patch)
{
	bool custom = kinds_custom(target->resource);
	struct json *refused;
	struct err err = ERR_INIT;
	int rc;

	if (has_prefix(type, "application/json-patch+json"))
		rc = patch_json(object, patch, &err);
	else if (has_prefix(type, "application/merge-patch+json"))
		rc = patch_merge(object, patch, &err);
	else if (has_prefix(type, "application/strategic-merge-patch+json") && !custom)
		rc = patch_strategic(object, patch, &err);
	else
		return status_new(
		    415, "UnsupportedMediaType",
		    "the body of the request was in an unknown format - accepted media "
		    "types include: application/json-patch+json, "
		    "application/merge-patch+json%s",
		    custom ? "" : ", application/strategic-merge-patch+json");
	if (rc == 0)
		return NULL;
	if (err.status != 422)
		return status_bad_request("%s", err.msg);
	/* The server does not say which operation: no more do we. */
	refused = status_new(422, "Invalid",
			     "the server rejected our request due to an error in our request");
	json_set(refused, "details", json_object());
	return refused;
}

struct json *write_patch(struct server *server, const struct target *target, const char *type,
			 const struct json *patch, const struct write_options *options,
			 struct blob **result)
{
	auto_json struct json *object = NULL;
	auto_json struct json *old = NULL;
	struct object *stored = find(target);
	struct json *refused;

	if (stored == NULL)
		return status_not_found(target->resource, target->name);
	old = object_tree(stored);
	object = json_copy(old);
	refused = apply(target, type, &object, patch);
	if (refused == NULL)
		refused = check_type(target->resource, object);
	if (refused == NULL)
		refused = check_version(target, object, old, true);
	if (refused != NULL)
		return refused;
	return update(server, target, stored, object, old, options, result);
}
