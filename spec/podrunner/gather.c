#include "spec/podrunner/gather.h"

#include "spec/podrunner/layout.h"

enum { TOKEN_SECONDS = 86400 };

struct gather {
	struct client *client;
	char *namespace, *name, *uid, *account;
	struct json *needs;
	const struct json *at; /* the need whose object is on its way; NULL: the token */
	struct map *objects;
	struct client_call *call;
	gather_done_fn *done;
	void *arg;
};

static void get_next(struct gather *gather);

static void free_json(void *value)
{
	json_free(value);
}

/* ---- ConfigMaps and Secrets ---- */

static void on_object(void *arg, const struct json *object, const struct err *err)
{
	struct gather *gather = arg;
	const char *kind = json_get_str(gather->at, "kind", "");
	auto_free char *key = xasprintf("%s/%s", kind, json_get_str(gather->at, "name", ""));

	gather->call = NULL;
	if (err != NULL && err->kind != ERR_NOT_FOUND) {
		gather->done(gather->arg, NULL, NULL, err);
		return;
	}
	if (object != NULL) {
		struct json *copy = json_copy(object);

		json_set_str(copy, "kind", kind);
		map_put(gather->objects, key, copy);
	}
	gather->at = json_next(gather->at);
	get_next(gather);
}

static void get_object(struct gather *gather)
{
	static const struct kind config_map = {"", "v1", "configmaps", "ConfigMap"};
	static const struct kind secret = {"", "v1", "secrets", "Secret"};
	bool is_secret = streq(json_get_str(gather->at, "kind", ""), "Secret");
	auto_free char *path = client_path(is_secret ? &secret : &config_map, gather->namespace,
					   json_get_str(gather->at, "name", ""), NULL);

	gather->call = client_get(gather->client, path, on_object, gather);
}

/* ---- the token ---- */

static void on_token(void *arg, const struct json *object, const struct err *err)
{
	struct gather *gather = arg;
	const char *token = json_get_str(json_get(object, "status"), "token", NULL);

	gather->call = NULL;
	if (err != NULL && err->kind == ERR_RETRY)
		gather->done(gather->arg, NULL, NULL, err);
	else
		gather->done(gather->arg, gather->objects, token, NULL);
}

/* https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
static void get_token(struct gather *gather)
{
	static const struct kind account = {"", "v1", "serviceaccounts", "ServiceAccount"};
	auto_free char *path = client_path(&account, gather->namespace, gather->account, "token");
	auto_json struct json *request =
	    json_build("{'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest',"
		       " 'spec': {'expirationSeconds': %d, 'boundObjectRef': {'apiVersion': 'v1',"
		       " 'kind': 'Pod', 'name': %s, 'uid': %s}}}",
		       (int64_t)TOKEN_SECONDS, gather->name, gather->uid);

	gather->call = client_create(gather->client, path, request, on_token, gather);
}

/* ---- the whole ---- */

static void get_next(struct gather *gather)
{
	if (gather->at != NULL)
		get_object(gather);
	else
		get_token(gather);
}

struct gather *gather_start(struct client *client, const struct json *pod, gather_done_fn *done,
			    void *arg)
{
	const struct json *metadata = json_get(pod, "metadata"), *spec = json_get(pod, "spec");
	struct gather *gather = xcalloc(1, sizeof(*gather));

	gather->client = client;
	gather->namespace = xstrdup(json_get_str(metadata, "namespace", "default"));
	gather->name = xstrdup(json_get_str(metadata, "name", ""));
	gather->uid = xstrdup(json_get_str(metadata, "uid", ""));
	gather->account = xstrdup(json_get_str(spec, "serviceAccountName", "default"));
	gather->needs = layout_needs(pod);
	gather->at = json_first(gather->needs);
	gather->objects = map_new(free_json);
	gather->done = done;
	gather->arg = arg;
	get_next(gather);
	return gather;
}

void gather_free(struct gather *gather)
{
	if (gather == NULL)
		return;
	client_cancel(gather->call);
	json_free(gather->needs);
	map_free(gather->objects);
	free(gather->namespace);
	free(gather->name);
	free(gather->uid);
	free(gather->account);
	free(gather);
}
