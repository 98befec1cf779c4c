#include "kube/client_call.h"

#define JSON_BODY "Content-Type: application/json"

static bool is_collection(const char *path)
{
	bool named_group = has_prefix(path, "/apis/");
	size_t segments = 0, len = strcspn(path, "?");

	for (size_t i = 0; i < len; i++)
		segments += path[i] == '/';
	segments -= named_group ? 3 : 2; /* /apis/GROUP/VERSION or /api/VERSION */
	if (segments > 2 && strstr(path, "/namespaces/") != NULL)
		segments -= 2;
	return segments == 1;
}

static const struct client_verb *get_or_list(const char *path)
{
	static const struct client_verb list = {"list", "GET", NULL}, get = {"get", "GET", NULL};

	return is_collection(path) ? &list : &get;
}

struct client_call *client_get(struct client *c, const char *path, client_done_fn *done, void *arg)
{
	return client_start(c, &(struct client_request){.verb = get_or_list(path),
							.path = path,
							.timeout_ms = CLIENT_TIMEOUT_MS,
							.done = done,
							.arg = arg});
}

struct client_call *client_get_text(struct client *c, const char *path, client_text_fn *done,
				    void *arg)
{
	return client_start(c, &(struct client_request){.verb = get_or_list(path),
							.path = path,
							.timeout_ms = CLIENT_TIMEOUT_MS,
							.text_done = done,
							.arg = arg});
}

struct client_call *client_stream(struct client *c, const char *path, int64_t timeout_ms,
				  line_fn *line, client_done_fn *done, void *arg)
{
	static const struct client_verb watch = {"watch", "GET", NULL};

	return client_start(c, &(struct client_request){.verb = &watch,
							.path = path,
							.timeout_ms = timeout_ms,
							.line = line,
							.done = done,
							.arg = arg});
}

static struct client_call *start(struct client *c, const struct client_verb *verb, const char *path,
				 const struct json *body, client_done_fn *done, void *arg)
{
	return client_start(c, &(struct client_request){.verb = verb,
							.path = path,
							.body = body,
							.timeout_ms = CLIENT_TIMEOUT_MS,
							.done = done,
							.arg = arg});
}

struct client_call *client_create(struct client *c, const char *path, const struct json *object,
				  client_done_fn *done, void *arg)
{
	static const struct client_verb create = {"create", "POST", JSON_BODY};

	return start(c, &create, path, object, done, arg);
}

struct client_call *client_replace(struct client *c, const char *path, const struct json *object,
				   client_done_fn *done, void *arg)
{
	static const struct client_verb update = {"update", "PUT", JSON_BODY};

	return start(c, &update, path, object, done, arg);
}

struct client_call *client_patch(struct client *c, const char *path, enum patch_type type,
				 const struct json *patch, client_done_fn *done, void *arg)
{
	static const struct client_verb verbs[] = {
	    [PATCH_MERGE] = {"patch", "PATCH", "Content-Type: application/merge-patch+json"},
	    [PATCH_JSON] = {"patch", "PATCH", "Content-Type: application/json-patch+json"},
	};

	return start(c, &verbs[type], path, patch, done, arg);
}

static struct client_call *start_delete(struct client *c, const char *path, const char *uid,
					const char *resource_version, struct json *options_taken,
					client_done_fn *done, void *arg)
{
	static const struct client_verb delete = {"delete", "DELETE", JSON_BODY};
	auto_json struct json *options = options_taken;
	struct json *preconditions = json_obj(options, "preconditions");

	if (uid != NULL)
		json_set_str(preconditions, "uid", uid);
	if (resource_version != NULL)
		json_set_str(preconditions, "resourceVersion", resource_version);
	return start(c, &delete, path, options, done, arg);
}

struct client_call *client_delete(struct client *c, const char *path, const char *uid,
				  const char *resource_version, client_done_fn *done, void *arg)
{
	return start_delete(c, path, uid, resource_version,
			    json_build("{'apiVersion': 'v1', 'kind': 'DeleteOptions',"
				       " 'propagationPolicy': 'Background'}"),
			    done, arg);
}

struct client_call *client_delete_now(struct client *c, const char *path, const char *uid,
				      client_done_fn *done, void *arg)
{
	return start_delete(c, path, uid, NULL,
			    json_build("{'apiVersion': 'v1', 'kind': 'DeleteOptions',"
				       " 'gracePeriodSeconds': 0}"),
			    done, arg);
}
