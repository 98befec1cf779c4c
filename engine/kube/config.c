#include "kube/config.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/yaml.h"

enum { PEM_MAX = 1 << 20, EXEC_WORDS_MAX = 1000 };

/* The part of the kubeconfig that is read: its value, and its path for messages. */
struct place {
	const struct json *value;
	const char *path;
	const char *dir; /* where relative file names start */
};

/* ---- fields ---- */

static int expect(const struct json *value, enum json_type type, const char *path, struct err *err)
{
	if (json_type(value) == type)
		return 0;
	return err_set(err, ERR_INVALID, "%s: expected %s %s, found %s", path,
		       type == JSON_ARRAY || type == JSON_OBJECT ? "an" : "a", json_type_name(type),
		       json_type_name(json_type(value)));
}

static bool is_absent(const struct json *value)
{
	return value == NULL || json_type(value) == JSON_NULL;
}

/* A string member; *out stays NULL when it is absent or empty, as kubectl sees it. */
static int read_text(const struct place *in, const char *key, char **out, struct err *err)
{
	const struct json *value = json_get(in->value, key);
	auto_free char *path = xasprintf("%s.%s", in->path, key);

	if (is_absent(value))
		return 0;
	if (expect(value, JSON_STRING, path, err) < 0)
		return -1;
	if (*json_str(value) != '\0')
		*out = xstrdup(json_str(value));
	return 0;
}

static int read_bool(const struct place *in, const char *key, bool *out, struct err *err)
{
	const struct json *value = json_get(in->value, key);
	auto_free char *path = xasprintf("%s.%s", in->path, key);

	if (is_absent(value))
		return 0;
	if (expect(value, JSON_BOOL, path, err) < 0)
		return -1;
	*out = json_is_true(value);
	return 0;
}

static char *resolve(const char *dir, const char *name)
{
	return name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", dir, name);
}

static int read_file_name(const struct place *in, const char *key, char **out, struct err *err)
{
	auto_free char *name = NULL;

	if (read_text(in, key, &name, err) < 0)
		return -1;
	if (name != NULL)
		*out = resolve(in->dir, name);
	return 0;
}

/* A PEM text: inline as base64 in KEY-data, which wins, or in the file KEY. */
static int read_pem(const struct place *in, const char *key, char **out, struct err *err)
{
	auto_free char *data_key = xasprintf("%s-data", key);
	auto_free char *data = NULL, *file = NULL;
	auto_buf struct buf pem = BUF_INIT(PEM_MAX);

	if (read_text(in, data_key, &data, err) < 0 || read_file_name(in, key, &file, err) < 0)
		return -1;
	if (data == NULL && file == NULL)
		return 0;
	if (data != NULL) {
		key = data_key;
		if (base64_decode(data, strlen(data), &pem, err) < 0)
			return err_wrap(err, "%s.%s", in->path, key);
	} else if (file_read(file, &pem, err) < 0) {
		return err_wrap(err, "%s.%s", in->path, key);
	}
	if (strlen(pem.data) != pem.len || strstr(pem.data, "-----BEGIN ") == NULL)
		return err_set(err, ERR_INVALID, "%s.%s: expected a PEM text, found none", in->path,
			       key);
	*out = buf_steal(&pem);
	return 0;
}

/* ---- the exec plugin ---- */

static int check_exec(const struct place *in, const struct kube_exec *exec, struct err *err)
{
	const char *mode = json_get_str(in->value, "interactiveMode", "");
	const char *version = exec->api_version == NULL ? "nothing" : exec->api_version;

	if (streq(mode, "Always"))
		return err_set(
		    err, ERR_INVALID,
		    "%s.interactiveMode: expected Never or IfAvailable, as nobody is here "
		    "to answer, found Always",
		    in->path);
	if (!streq(version, "client.authentication.k8s.io/v1") &&
	    !streq(version, "client.authentication.k8s.io/v1beta1"))
		return err_set(
		    err, ERR_INVALID,
		    "%s.apiVersion: expected client.authentication.k8s.io/v1 or v1beta1, "
		    "found %s",
		    in->path, version);
	return 0;
}

static int read_argv(const struct place *in, struct kube_exec *exec, struct err *err)
{
	const struct json *args = json_get(in->value, "args");
	auto_free char *path = xasprintf("%s.args", in->path);
	auto_free char *command = NULL;
	size_t n = 0;

	if (read_text(in, "command", &command, err) < 0)
		return -1;
	if (command == NULL)
		return err_set(err, ERR_INVALID, "%s.command: expected a program, found nothing",
			       in->path);
	if (!is_absent(args) && expect(args, JSON_ARRAY, path, err) < 0)
		return -1;
	if (json_len(args) > EXEC_WORDS_MAX)
		return err_set(err, ERR_LIMIT, "%s: expected at most %d words, found %zu", path,
			       EXEC_WORDS_MAX, json_len(args));
	exec->argv = xcalloc(json_len(args) + 2, sizeof(*exec->argv));
	exec->argv[n++] = strchr(command, '/') != NULL ? resolve(in->dir, command) : steal(command);
	for (const struct json *arg = json_first(args); arg != NULL; arg = json_next(arg)) {
		if (expect(arg, JSON_STRING, path, err) < 0)
			return -1;
		exec->argv[n++] = xstrdup(json_str(arg));
	}
	return 0;
}

static int read_env(const struct place *in, struct kube_exec *exec, struct err *err)
{
	const struct json *env = json_get(in->value, "env");
	auto_free char *path = xasprintf("%s.env", in->path);
	size_t n = 0;

	if (!is_absent(env) && expect(env, JSON_ARRAY, path, err) < 0)
		return -1;
	if (json_len(env) > EXEC_WORDS_MAX)
		return err_set(err, ERR_LIMIT, "%s: expected at most %d variables, found %zu", path,
			       EXEC_WORDS_MAX, json_len(env));
	exec->env = xcalloc(json_len(env) + 1, sizeof(*exec->env));
	for (const struct json *var = json_first(env); var != NULL; var = json_next(var)) {
		const char *name = json_get_str(var, "name", "");
		const char *value = json_get_str(var, "value", NULL);

		if (*name == '\0' || strchr(name, '=') != NULL || value == NULL)
			return err_set(
			    err, ERR_INVALID,
			    "%s: expected objects with the strings name and value, found "
			    "another",
			    path);
		exec->env[n++] = xasprintf("%s=%s", name, value);
	}
	return 0;
}

static int read_exec(const struct place *user, struct kube_exec *exec, struct err *err)
{
	auto_free char *path = xasprintf("%s.exec", user->path);
	struct place in = {json_get(user->value, "exec"), path, user->dir};

	if (is_absent(in.value))
		return 0;
	if (expect(in.value, JSON_OBJECT, path, err) < 0 || read_argv(&in, exec, err) < 0 ||
	    read_env(&in, exec, err) < 0 ||
	    read_text(&in, "apiVersion", &exec->api_version, err) < 0 ||
	    read_bool(&in, "provideClusterInfo", &exec->cluster_info, err) < 0)
		return -1;
	return check_exec(&in, exec, err);
}

/* ---- clusters, users, contexts ---- */

/* What would change who we are, and what we cannot do: better refused than ignored. */
static int refuse_unsupported(const struct place *user, struct err *err)
{
	static const struct {
		const char *key, *instead;
	} table[] = {
	    {"auth-provider", "an exec plugin (kubectl has no auth-provider since 1.26)"},
	    {"as", "no impersonation"},
	    {"as-uid", "no impersonation"},
	    {"as-groups", "no impersonation"},
	    {"as-user-extra", "no impersonation"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!is_absent(json_get(user->value, table[i].key)))
			return err_set(err, ERR_INVALID, "%s: expected %s, found %s", user->path,
				       table[i].instead, table[i].key);
	}
	return 0;
}

static int read_user(const struct place *in, struct kube_config *c, struct err *err)
{
	if (refuse_unsupported(in, err) < 0 ||
	    read_pem(in, "client-certificate", &c->cert, err) < 0 ||
	    read_pem(in, "client-key", &c->key, err) < 0 ||
	    read_text(in, "token", &c->token, err) < 0 ||
	    read_file_name(in, "tokenFile", &c->token_file, err) < 0 ||
	    read_text(in, "username", &c->username, err) < 0 ||
	    read_text(in, "password", &c->password, err) < 0 || read_exec(in, &c->exec, err) < 0)
		return -1;
	if ((c->cert == NULL) != (c->key == NULL))
		return err_set(
		    err, ERR_INVALID,
		    "%s: expected client-certificate and client-key together, found only "
		    "one",
		    in->path);
	return 0;
}

static int read_cluster(const struct place *in, struct kube_config *c, struct err *err)
{
	size_t len;

	if (read_text(in, "server", &c->server, err) < 0 ||
	    read_pem(in, "certificate-authority", &c->ca, err) < 0 ||
	    read_text(in, "tls-server-name", &c->server_name, err) < 0 ||
	    read_text(in, "proxy-url", &c->proxy, err) < 0 ||
	    read_bool(in, "insecure-skip-tls-verify", &c->insecure, err) < 0)
		return -1;
	if (c->server == NULL ||
	    (!has_prefix(c->server, "https://") && !has_prefix(c->server, "http://")))
		return err_set(err, ERR_INVALID,
			       "%s.server: expected an http or https URL, found %s", in->path,
			       c->server == NULL ? "nothing" : "another text");
	if (c->insecure && c->ca != NULL)
		return err_set(err, ERR_INVALID,
			       "%s: expected certificate-authority or insecure-skip-tls-verify, "
			       "found both",
			       in->path);
	for (len = strlen(c->server); len > 0 && c->server[len - 1] == '/'; len--)
		c->server[len - 1] = '\0';
	return 0;
}

/* "a, b": the names of a list, for messages. */
static char *names_of(const struct json *list)
{
	auto_buf struct buf text = BUF_INIT(500); /* what does not fit is left out */

	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		const char *name = json_get_str(item, "name", NULL);

		if (name != NULL && text.len + strlen(name) + 2 <= text.max)
			buf_addf(&text, "%s%s", text.len == 0 ? "" : ", ", name);
	}
	return text.len == 0 ? xstrdup("none") : buf_steal(&text);
}

/* The object in member key of the list's item that is called name. A missing one is an error. */
static const struct json *find(const struct json *root, const char *list_name, const char *name,
			       const char *key, struct err *err)
{
	const struct json *list = json_get(root, list_name);
	auto_free char *names = NULL, *path = NULL;

	if (!is_absent(list) && expect(list, JSON_ARRAY, list_name, err) < 0)
		return NULL;
	for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
		if (!streq(json_get_str(item, "name", ""), name))
			continue;
		path = xasprintf("%s[%s].%s", list_name, name, key);
		if (expect(json_get(item, key), JSON_OBJECT, path, err) < 0)
			return NULL;
		return json_get(item, key);
	}
	names = names_of(list);
	err_set(err, ERR_INVALID, "%s: expected one called \"%s\", found: %s", list_name, name,
		names);
	return NULL;
}

static int read_context(const struct json *root, const char *dir, const char *name,
			struct kube_config *c, struct err *err)
{
	auto_free char *path = xasprintf("contexts[%s].context", name);
	auto_free char *cluster = NULL, *user = NULL, *cluster_path = NULL, *user_path = NULL;
	struct place in = {find(root, "contexts", name, "context", err), path, dir};
	struct place in_cluster = {.dir = dir}, in_user = {.dir = dir};

	if (in.value == NULL || read_text(&in, "cluster", &cluster, err) < 0 ||
	    read_text(&in, "user", &user, err) < 0 ||
	    read_text(&in, "namespace", &c->namespace, err) < 0)
		return -1;
	if (cluster == NULL)
		return err_set(err, ERR_INVALID, "%s.cluster: expected a name, found nothing",
			       path);
	cluster_path = xasprintf("clusters[%s].cluster", cluster);
	in_cluster.path = cluster_path;
	in_cluster.value = find(root, "clusters", cluster, "cluster", err);
	if (in_cluster.value == NULL || read_cluster(&in_cluster, c, err) < 0)
		return -1;
	if (user == NULL)
		return 0;
	user_path = xasprintf("users[%s].user", user);
	in_user.path = user_path;
	in_user.value = find(root, "users", user, "user", err);
	return in_user.value == NULL ? -1 : read_user(&in_user, c, err);
}

int kube_config_parse(const char *text, size_t len, const char *dir, const char *context,
		      struct kube_config *out, struct err *err)
{
	auto_json struct json *root = yaml_parse(text, len, err);
	struct kube_config c = {0};

	if (root == NULL || expect(root, JSON_OBJECT, "the document", err) < 0)
		return -1;
	if (context == NULL)
		context = json_get_str(root, "current-context", "");
	if (*context == '\0') {
		auto_free char *names = names_of(json_get(root, "contexts"));

		return err_set(
		    err, ERR_INVALID,
		    "current-context: expected the name of a context, found nothing; give "
		    "one of: %s",
		    names);
	}
	if (read_context(root, dir, context, &c, err) < 0) {
		kube_config_done(&c);
		return -1;
	}
	*out = c;
	return 0;
}

static void words_free(char **words)
{
	for (char **word = words; word != NULL && *word != NULL; word++)
		free(*word);
	free(words);
}

void kube_config_done(struct kube_config *config)
{
	free(config->server);
	free(config->proxy);
	free(config->namespace);
	free(config->ca);
	free(config->cert);
	free(config->key);
	free(config->server_name);
	free(config->token);
	free(config->token_file);
	free(config->username);
	free(config->password);
	words_free(config->exec.argv);
	words_free(config->exec.env);
	free(config->exec.api_version);
	*config = (struct kube_config){0};
}
