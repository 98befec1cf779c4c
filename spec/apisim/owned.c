#include "spec/apisim/owned.h"

#include "spec/apisim/write.h"

const char *controller_uid(const struct json *object, const char *kind)
{
	const struct json *references = json_at(object, "metadata", "ownerReferences");

	for (const struct json *r = json_first(references); r != NULL; r = json_next(r))
		if (json_is_true(json_get(r, "controller")) &&
		    streq(json_get_str(r, "kind", ""), kind))
			return json_get_str(r, "uid", NULL);
	return NULL;
}

struct json *controller_reference(const char *api_version, const char *kind,
				  const struct json *owner)
{
	const struct json *metadata = json_get(owner, "metadata");

	return json_build("[{'apiVersion':%s,'kind':%s,'name':%s,'uid':%s,'controller':true,"
			  "'blockOwnerDeletion':true}]",
			  api_version, kind, json_get_str(metadata, "name", ""),
			  json_get_str(metadata, "uid", ""));
}

static struct json *condition(struct json *conditions, const char *type)
{
	for (struct json *c = json_mut_first(conditions); c != NULL; c = json_mut_next(c))
		if (streq(json_get_str(c, "type", ""), type))
			return c;
	return NULL;
}

bool condition_true(const struct json *status, const char *type)
{
	struct json *c = condition((struct json *)json_get(status, "conditions"), type);

	return streq(json_get_str(c, "status", ""), "True");
}

void condition_set(struct json *status, const char *type, bool value, const char *reason,
		   const char *message)
{
	struct json *c = condition(json_mut(status, "conditions"), type);
	char now[32];

	server_now(now);
	if (json_get(status, "conditions") == NULL)
		json_set(status, "conditions", json_array());
	if (c == NULL) {
		json_append(json_mut(status, "conditions"), json_build("{'type':%s}", type));
		c = condition(json_mut(status, "conditions"), type);
	}
	json_set_str(c, "status", value ? "True" : "False");
	json_set_str(c, "lastProbeTime", now);
	json_set_str(c, "lastTransitionTime", now);
	json_set_str(c, "reason", reason);
	json_set_str(c, "message", message);
}

void emit_event(struct server *server, const struct json *object, const char *component,
		const char *type, const char *reason, const char *message)
{
	const struct json *metadata = json_get(object, "metadata");
	const char *name = json_get_str(metadata, "name", "");
	const struct write_options options = {.dry_run = false};
	struct target target = {.namespace = json_get_str(metadata, "namespace", ""), .name = ""};
	auto_free char *event_name = NULL;
	struct blob *blob = NULL;
	char suffix[6], now[32];

	target.resource = kinds_find(server->kinds, "", "v1", "events");
	target.subresource = "";
	random_suffix(suffix);
	event_name =
	    xasprintf("%s.%llx%s", name, (unsigned long long)store_version(server->store), suffix);
	server_now(now);
	json_free(write_create(
	    server, &target,
	    json_build("{'metadata':{'name':%s},'involvedObject':{'apiVersion':%s,'kind':%s,"
		       "'namespace':%s,'name':%s,'uid':%s,'resourceVersion':%s},'type':%s,"
		       "'reason':%s,'message':%s,'count':1,'firstTimestamp':%s,"
		       "'lastTimestamp':%s,'source':{'component':%s},'reportingComponent':%s,"
		       "'reportingInstance':'','eventTime':null}",
		       event_name, json_get_str(object, "apiVersion", ""),
		       json_get_str(object, "kind", ""), target.namespace, name,
		       json_get_str(metadata, "uid", ""),
		       json_get_str(metadata, "resourceVersion", ""), type, reason, message, now,
		       now, component, component),
	    &options, &blob));
	blob_unref(blob);
}
