#include "spec/apisim/verbs.h"

#include "spec/apisim/status.h"
#include "spec/apisim/write.h"

static struct target target_of(const struct request *request)
{
	const struct route *route = &request->route;

	return (struct target){
	    .resource = request->resource,
	    .namespace = route->namespace,
	    .name = route->name,
	    .subresource = route->subresource,
	};
}

static enum table_include include_of(const struct request *request)
{
	auto_free char *value = query_get(request->query, "includeObject");

	if (value != NULL && streq(value, "None"))
		return TABLE_NONE;
	return value != NULL && streq(value, "Object") ? TABLE_OBJECT : TABLE_METADATA;
}

static struct json *write_options(struct request *request, struct write_options *out)
{
	auto_free char *dry_run = query_get(request->query, "dryRun");
	auto_free char *validation = query_get(request->query, "fieldValidation");

	if (dry_run != NULL && dry_run[0] != '\0' && !streq(dry_run, "All"))
		return status_bad_request("dryRun: Unsupported value: \"%s\": supported values: "
					  "\"All\"",
					  dry_run);
	out->dry_run = dry_run != NULL && dry_run[0] != '\0';
	out->warnings = request->warnings;
	out->unknown = SCHEMA_WARN; /* the server's own default */
	if (validation != NULL && streq(validation, "Strict"))
		out->unknown = SCHEMA_STRICT;
	else if (validation != NULL && streq(validation, "Ignore"))
		out->unknown = SCHEMA_IGNORE;
	return NULL;
}

static void take_blob(struct reply *reply, struct blob *blob_taken)
{
	buf_add(&reply->text, blob_taken->text, blob_taken->len);
	blob_unref(blob_taken);
}

static void take_json(struct reply *reply, struct json *value_taken)
{
	auto_free char *text = json_print(value_taken);

	buf_adds(&reply->text, text);
	json_free(value_taken);
}

/* ---- reading ---- */

static struct json *get(const struct request *request, struct reply *reply)
{
	const struct resource *resource = request->resource;
	struct object *object = store_find(resource, request->route.namespace, request->route.name);
	auto_json struct json *tree = NULL;

	if (object == NULL)
		return status_not_found(resource, request->route.name);
	if (table_accepted(request->accept)) {
		tree = object_tree(object);
		take_json(reply, table_of(resource, tree, include_of(request)));
		return NULL;
	}
	take_blob(reply, blob_ref(object->blob));
	return NULL;
}

static struct json *read_selectors(const struct request *request, struct selector **labels,
				   struct selector **fields)
{
	auto_free char *label_text = query_get(request->query, "labelSelector");
	auto_free char *field_text = query_get(request->query, "fieldSelector");
	struct err err = ERR_INIT;

	*fields = NULL;
	*labels = selector_labels(label_text, &err);
	if (*labels != NULL)
		*fields = selector_fields(field_text, request->resource, &err);
	if (*fields != NULL)
		return NULL;
	selector_free(*labels);
	return selector_refusal(request->resource, label_text, field_text, &err);
}

static int64_t query_number(const struct request *request, const char *key)
{
	auto_free char *text = query_get(request->query, key);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static struct json *list(struct server *server, const struct request *request, struct reply *reply)
{
	auto_free char *token = query_get(request->query, "continue");
	struct selector *labels, *fields;
	struct json *refused = read_selectors(request, &labels, &fields);
	struct list_query query = {
	    .resource = request->resource,
	    .namespace = request->route.namespace,
	    .labels = labels,
	    .fields = fields,
	    .token = token != NULL && token[0] != '\0' ? token : NULL,
	    .limit = query_number(request, "limit"),
	    .table = table_accepted(request->accept),
	    .include = include_of(request),
	};

	if (refused != NULL)
		return refused;
	refused = list_objects(server, &query, &reply->text);
	selector_free(labels);
	selector_free(fields);
	return refused;
}

struct json *verbs_watch(struct hub *hub, struct call *call, const struct request *request)
{
	auto_free char *version = query_get(request->query, "resourceVersion");
	struct selector *labels, *fields;
	struct json *refused = read_selectors(request, &labels, &fields);
	struct watch_query query = {
	    .resource = request->resource,
	    .namespace = request->route.namespace,
	    .name = request->route.name,
	    .labels_taken = labels,
	    .fields_taken = fields,
	    .version = version,
	    .initial = query_is_true(request->query, "sendInitialEvents"),
	    .bookmarks = query_is_true(request->query, "allowWatchBookmarks"),
	    .timeout_s = query_number(request, "timeoutSeconds"),
	    .table = table_accepted(request->accept),
	    .include = include_of(request),
	};

	return refused != NULL ? refused : hub_watch(hub, call, &query);
}

/* ---- writing ---- */

static struct json *create(struct server *server, struct request *request,
			   const struct write_options *options, struct reply *reply)
{
	const struct target target = target_of(request);
	struct blob *result = NULL;
	struct json *refused;

	if (target.name[0] != '\0')
		return status_new(
		    405, "MethodNotAllowed",
		    "the server does not allow this method on the requested resource");
	refused = write_create(server, &target, steal(request->body), options, &result);
	if (refused != NULL)
		return refused;
	reply->status = 201;
	take_blob(reply, result);
	return NULL;
}

static struct json *change(struct server *server, struct request *request,
			   const struct write_options *options, struct reply *reply)
{
	const struct target target = target_of(request);
	struct blob *result = NULL;
	struct json *refused;

	if (streq(request->verb, "update"))
		refused = write_update(server, &target, steal(request->body), options, &result);
	else
		refused = write_patch(server, &target, request->content_type, request->body,
				      options, &result);
	if (refused == NULL)
		take_blob(reply, result);
	return refused;
}

/* DeleteOptions may come as a body, as parameters, or both. */
static struct json *delete_options(struct request *request)
{
	auto_free char *policy = query_get(request->query, "propagationPolicy");
	struct json *options = request->body != NULL ? steal(request->body) : json_object();

	if (policy != NULL)
		json_set_str(options, "propagationPolicy", policy);
	return options;
}

static struct json *delete_one(struct server *server, const struct target *target,
			       const struct json *delete_opts, bool dry_run, struct reply *reply)
{
	struct blob *result = NULL;
	char uid[37] = "";
	struct json *refused = write_delete(server, target, delete_opts, dry_run, uid, &result);

	if (refused != NULL)
		return refused;
	if (result != NULL)
		take_blob(reply, result);
	else
		take_json(reply, status_deleted(target->resource, target->name, uid));
	return NULL;
}

/* The list as it was, then each object of it. */
static struct json *delete_all(struct server *server, struct request *request,
			       const struct json *delete_opts, bool dry_run, struct reply *reply)
{
	struct reply one = {.text = BUF_INIT(LIST_BYTES_MAX)};
	struct json *refused = list(server, request, reply);
	auto_json struct json *found = NULL;
	struct err err = ERR_INIT;

	if (refused != NULL)
		return refused;
	found = json_parse(reply->text.data, reply->text.len, &err);
	for (const struct json *i = json_first(json_get(found, "items")); i != NULL;
	     i = json_next(i)) {
		const struct json *metadata = json_get(i, "metadata");
		struct target target = target_of(request);

		target.namespace = json_get_str(metadata, "namespace", "");
		target.name = json_get_str(metadata, "name", "");
		json_free(delete_one(server, &target, delete_opts, dry_run, &one));
	}
	buf_done(&one.text);
	return NULL;
}

static struct json *delete_(struct server *server, struct request *request,
			    const struct write_options *options, struct reply *reply)
{
	const struct target target = target_of(request);
	auto_json struct json *opts = delete_options(request);
	bool dry_run = options->dry_run || json_len(json_get(opts, "dryRun")) > 0;

	if (streq(request->verb, "deletecollection"))
		return delete_all(server, request, opts, dry_run, reply);
	return delete_one(server, &target, opts, dry_run, reply);
}

static bool supported(const struct request *request)
{
	const char *subresource = request->route.subresource;
	bool scope = request->route.name[0] == '\0' ||
		     request->resource->namespaced == (request->route.namespace[0] != '\0');

	return scope && (subresource[0] == '\0' ||
			 (streq(subresource, "status") && request->resource->status));
}

struct json *verbs_do(struct server *server, struct request *request, struct reply *reply)
{
	struct write_options options = {0};
	struct json *refused;

	if (!supported(request))
		return status_new(404, "NotFound",
				  "the server could not find the requested resource");
	if (streq(request->verb, "get"))
		return get(request, reply);
	if (streq(request->verb, "list"))
		return list(server, request, reply);
	refused = write_options(request, &options);
	if (refused != NULL)
		return refused;
	if (has_prefix(request->verb, "delete"))
		return delete_(server, request, &options, reply);
	if (request->body == NULL)
		return status_bad_request(
		    "expected an object in the request's body, found nothing");
	if (streq(request->verb, "create"))
		return create(server, request, &options, reply);
	return change(server, request, &options, reply);
}
