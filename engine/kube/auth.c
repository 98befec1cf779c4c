#include "kube/auth.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "net/child.h"

#include <sys/queue.h>

enum {
	TOKEN_MAX = 1 << 20,
	TOKEN_FILE_MS = 60000, /* the kubelet rotates long before a token expires */
	PLUGIN_OUTPUT_MAX = 1 << 20,
	PLUGIN_TIMEOUT_MS = 60000,
};

struct auth_call {
	TAILQ_ENTRY(auth_call) link;
	struct auth *auth;
	auth_done_fn *done;
	void *arg;
	struct err err;
};

struct auth {
	struct loop *loop;
	struct http *http;
	const struct kube_config *config;
	TAILQ_HEAD(, auth_call) calls;
	struct child *plugin; /* while it runs */

	bool known;       /* there is an answer, which may be "no header" */
	bool refused;     /* but the server does not accept it */
	char *header;     /* or NULL */
	int64_t read_at;  /* when the token file was read; monotonic */
	int64_t expires;  /* wall clock; 0: never */
	char *cert, *key; /* of the plugin */
};

/* ---- the answer ---- */

/* The header is passed on to libcurl as one line: nothing may break out of it. */
static int set_token(struct auth *auth, const char *token, size_t len, struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		if (token[i] <= ' ' || token[i] > '~')
			return err_set(
			    err, ERR_RETRY,
			    "expected a token of printable characters, found another one "
			    "at position %zu",
			    i + 1);
	}
	if (len == 0)
		return err_set(err, ERR_RETRY, "expected a token, found nothing");
	free(auth->header);
	auth->header = xasprintf("Authorization: Bearer %.*s", (int)len, token);
	return 0;
}

static int set_basic(struct auth *auth, struct err *err)
{
	const char *password = auth->config->password;
	auto_free char *pair =
	    xasprintf("%s:%s", auth->config->username, password == NULL ? "" : password);
	auto_buf struct buf text = BUF_INIT(TOKEN_MAX);

	if (base64_encode(pair, strlen(pair), &text) < 0)
		return err_set(err, ERR_RETRY, "username and password: expected less than %d bytes",
			       TOKEN_MAX);
	free(auth->header);
	auth->header = xasprintf("Authorization: Basic %s", text.data);
	return 0;
}

static int read_token_file(struct auth *auth, struct err *err)
{
	const char *path = auth->config->token_file;
	auto_buf struct buf text = BUF_INIT(TOKEN_MAX);
	size_t start, len;

	if (file_read(path, &text, err) < 0)
		return err_wrap(err, "token file");
	start = strspn(text.data, " \t\r\n");
	for (len = text.len; len > start && strchr(" \t\r\n", text.data[len - 1]) != NULL;)
		len--;
	if (set_token(auth, text.data + start, len - start, err) < 0)
		return err_wrap(err, "token file %s", path);
	return 0;
}

/* All sources but the plugin. */
static int look_up(struct auth *auth, struct err *err)
{
	const struct kube_config *config = auth->config;
	int result = 0;

	if (config->token_file != NULL) {
		result = read_token_file(auth, err);
		/* As client-go: a file that cannot be read does not make the last token wrong. */
		if (result < 0 && auth->header != NULL && !auth->refused)
			result = 0;
		auth->read_at = time_mono_ms();
	} else if (config->token != NULL) {
		result = set_token(auth, config->token, strlen(config->token), err);
	} else if (config->username != NULL) {
		result = set_basic(auth, err);
	}
	if (result == 0) {
		auth->known = true;
		auth->refused = false;
	}
	err->kind = result == 0 ? ERR_NONE : ERR_RETRY;
	return result;
}

static bool has_plugin(const struct auth *auth)
{
	return auth->config->token_file == NULL && auth->config->exec.argv != NULL;
}

static bool is_fresh(const struct auth *auth)
{
	if (!auth->known || auth->refused)
		return false;
	if (auth->config->token_file != NULL)
		return time_mono_ms() - auth->read_at < TOKEN_FILE_MS;
	return auth->expires == 0 || time_now_ms() < auth->expires;
}

/* ---- calls ---- */

static void call_free(struct auth_call *call)
{
	loop_undefer(call->auth->loop, call);
	TAILQ_REMOVE(&call->auth->calls, call, link);
	free(call);
}

static void deliver(void *arg)
{
	struct auth_call *call = arg;
	struct auth_call copy = *call;
	auto_free char *header = NULL; /* the callee may free the one of auth */
	bool failed = call->err.kind != ERR_NONE;

	if (!failed && call->auth->header != NULL)
		header = xstrdup(call->auth->header);
	call_free(call);
	copy.done(copy.arg, header, failed ? &copy.err : NULL);
}

/* The plugin has ended: every call that waits for it gets its answer in the next turn. */
static void deliver_all(struct auth *auth, const struct err *err)
{
	struct auth_call *call;

	TAILQ_FOREACH(call, &auth->calls, link)
	{
		if (err != NULL)
			call->err = *err;
		loop_undefer(auth->loop, call);
		loop_defer(auth->loop, deliver, call);
	}
}

/* ---- the exec plugin ---- */

static int set_certificate(struct auth *auth, const char *cert, const char *key, struct err *err)
{
	const struct kube_config *config = auth->config;

	if ((cert == NULL) != (key == NULL))
		return err_set(
		    err, ERR_RETRY,
		    "expected clientCertificateData and clientKeyData together, found only "
		    "one");
	if (cert == NULL ||
	    (auth->cert != NULL && streq(cert, auth->cert) && streq(key, auth->key)))
		return 0; /* new settings would throw the connections away */
	free(auth->cert);
	free(auth->key);
	auth->cert = xstrdup(cert);
	auth->key = xstrdup(key);
	http_set_tls(auth->http, &(struct http_tls){.ca = config->ca,
						    .cert = cert,
						    .key = key,
						    .server_name = config->server_name,
						    .insecure = config->insecure});
	return 0;
}

static int take_status(struct auth *auth, const struct json *status, struct err *err)
{
	const char *token = json_str(json_get(status, "token"));
	const char *cert = json_str(json_get(status, "clientCertificateData"));
	const char *key = json_str(json_get(status, "clientKeyData"));
	const char *expires = json_str(json_get(status, "expirationTimestamp"));
	int64_t expires_ms = 0;

	if (token == NULL && cert == NULL)
		return err_set(
		    err, ERR_RETRY,
		    "expected status.token or status.clientCertificateData, found neither");
	if (expires != NULL && !time_parse(expires, &expires_ms))
		return err_set(
		    err, ERR_RETRY,
		    "status.expirationTimestamp: expected an RFC 3339 time, found another "
		    "text");
	if (set_certificate(auth, cert, key, err) < 0)
		return -1;
	if (token != NULL) {
		if (set_token(auth, token, strlen(token), err) < 0)
			return err_wrap(err, "status.token");
	} else {
		free(auth->header);
		auth->header = NULL;
	}
	auth->expires = expires_ms;
	auth->known = true;
	auth->refused = false;
	return 0;
}

static int take_output(struct auth *auth, const char *out, size_t len, struct err *err)
{
	auto_json struct json *credential = json_parse(out, len, err);
	const char *version = auth->config->exec.api_version;

	if (credential == NULL)
		return -1;
	if (!streq(json_get_str(credential, "kind", ""), "ExecCredential") ||
	    !streq(json_get_str(credential, "apiVersion", ""), version))
		return err_set(err, ERR_RETRY,
			       "expected an ExecCredential of %s, found another object", version);
	return take_status(auth, json_get(credential, "status"), err);
}

static void plugin_done(void *arg, const char *out, size_t len, const struct err *child_err)
{
	struct auth *auth = arg;
	struct err err = child_err == NULL ? (struct err)ERR_INIT : *child_err;

	auth->plugin = NULL;
	if (child_err == NULL && take_output(auth, out, len, &err) < 0)
		err_wrap(&err, "%s", auth->config->exec.argv[0]);
	if (err.kind != ERR_NONE) {
		err_wrap(&err, "exec plugin");
		err.kind = ERR_RETRY;
	}
	deliver_all(auth, err.kind == ERR_NONE ? NULL : &err);
}

/* KUBERNETES_EXEC_INFO=...; yours. */
static char *exec_info(const struct kube_config *config)
{
	auto_json struct json *info = json_build(
	    "{'apiVersion': %s, 'kind': 'ExecCredential', 'spec': {'interactive': false}}",
	    config->exec.api_version);
	auto_free char *text = NULL;

	if (config->exec.cluster_info) {
		struct json *cluster = json_obj(json_obj(info, "spec"), "cluster");
		auto_buf struct buf ca = BUF_INIT(TOKEN_MAX * 2);

		json_set_str(cluster, "server", config->server);
		if (config->server_name != NULL)
			json_set_str(cluster, "tls-server-name", config->server_name);
		if (config->proxy != NULL)
			json_set_str(cluster, "proxy-url", config->proxy);
		if (config->insecure)
			json_set(cluster, "insecure-skip-tls-verify", json_bool(true));
		if (config->ca != NULL && base64_encode(config->ca, strlen(config->ca), &ca) == 0)
			json_set_str(cluster, "certificate-authority-data", ca.data);
	}
	text = json_print(info);
	return xasprintf("KUBERNETES_EXEC_INFO=%s", text);
}

static int start_plugin(struct auth *auth, struct err *err)
{
	const struct kube_exec *exec = &auth->config->exec;
	auto_free char *info = exec_info(auth->config);
	auto_free const char **env = NULL;
	size_t n = 0;
	struct child_spec spec = {
	    .argv = (const char *const *)exec->argv,
	    .max_output = PLUGIN_OUTPUT_MAX,
	    .timeout_ms = PLUGIN_TIMEOUT_MS,
	};

	while (exec->env != NULL && exec->env[n] != NULL)
		n++;
	env = xcalloc(n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = exec->env[i];
	env[n] = info;
	spec.env = env;
	auth->plugin = child_start(auth->loop, &spec, plugin_done, auth, err);
	if (auth->plugin != NULL)
		return 0;
	err->kind = ERR_RETRY;
	return err_wrap(err, "exec plugin");
}

/* ---- interface ---- */

static void attend(void *arg)
{
	struct auth_call *call = arg;
	struct auth *auth = call->auth;

	if (!is_fresh(auth) && has_plugin(auth)) {
		if (auth->plugin != NULL || start_plugin(auth, &call->err) == 0)
			return; /* deliver_all() goes on */
	} else if (!is_fresh(auth)) {
		look_up(auth, &call->err);
	}
	deliver(call);
}

struct auth *auth_new(struct loop *loop, struct http *http, const struct kube_config *config)
{
	struct auth *auth = xcalloc(1, sizeof(*auth));

	auth->loop = loop;
	auth->http = http;
	auth->config = config;
	TAILQ_INIT(&auth->calls);
	return auth;
}

void auth_free(struct auth *auth)
{
	struct auth_call *next;

	if (auth == NULL)
		return;
	for (struct auth_call *call = TAILQ_FIRST(&auth->calls); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		call_free(call);
	}
	if (auth->plugin != NULL)
		child_cancel(auth->plugin);
	free(auth->header);
	free(auth->cert);
	free(auth->key);
	free(auth);
}

struct auth_call *auth_start(struct auth *auth, auth_done_fn *done, void *arg)
{
	struct auth_call *call = xcalloc(1, sizeof(*call));

	call->auth = auth;
	call->done = done;
	call->arg = arg;
	TAILQ_INSERT_TAIL(&auth->calls, call, link);
	loop_defer(auth->loop, attend, call);
	return call;
}

void auth_cancel(struct auth_call *call)
{
	call_free(call);
}

void auth_refused(struct auth *auth)
{
	auth->refused = true;
}
