/* Where the configuration comes from; config.c says what it means. */
#include "kube/config.h"

#include "base/file.h"
#include "base/yaml.h"

#define ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

enum { SMALL_FILE_MAX = 1 << 20 };

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || *value == '\0' ? NULL : value;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static int load_file(const char *path, const char *context, struct kube_config *out,
		     struct err *err)
{
	auto_buf struct buf text = BUF_INIT(YAML_MAX);
	auto_free char *dir = folder_of(path);

	/* No file is no kubeconfig: the kind NOT_FOUND means an object to our callers. */
	if (file_read(path, &text, err) < 0) {
		err_wrap(err, "kubeconfig");
		err->kind = ERR_INVALID;
		return -1;
	}
	if (kube_config_parse(text.data, text.len, dir, context, out, err) < 0)
		return err_wrap(err, "kubeconfig %s", path);
	return 0;
}

int kube_config_load(const char *path, const char *context, struct kube_config *out,
		     struct err *err)
{
	const char *list = env("KUBECONFIG"), *home = env("HOME");
	auto_free char *chosen = NULL;

	if (path != NULL)
		return load_file(path, context, out, err);
	if (list != NULL && list[strspn(list, ":")] != '\0') {
		list += strspn(list, ":");
		chosen = xstrndup(list, strcspn(list, ":"));
		return load_file(chosen, context, out, err);
	}
	if (env("KUBERNETES_SERVICE_HOST") != NULL)
		return kube_config_in_cluster(NULL, out, err);
	if (home == NULL)
		return err_set(err, ERR_INVALID,
			       "expected a kubeconfig: set KUBECONFIG or HOME, or run in a pod");
	chosen = xasprintf("%s/.kube/config", home);
	return load_file(chosen, context, out, err);
}

/* A file of the service account without its last newline; NULL on failure. */
static char *account_file(const char *dir, const char *name, struct err *err)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_buf struct buf text = BUF_INIT(SMALL_FILE_MAX);

	if (file_read(path, &text, err) < 0) {
		err_wrap(err, "service account (is automountServiceAccountToken false?)");
		err->kind = ERR_INVALID;
		return NULL;
	}
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (text.len > 0)
		return buf_steal(&text);
	err_set(err, ERR_INVALID, "service account: %s: expected a text, found an empty file",
		path);
	return NULL;
}

int kube_config_in_cluster(const char *dir, struct kube_config *out, struct err *err)
{
	const char *host = env("KUBERNETES_SERVICE_HOST"), *port = env("KUBERNETES_SERVICE_PORT");
	struct kube_config c = {0};
	auto_free char *token = NULL;
	bool ipv6;

	if (host == NULL || port == NULL)
		return err_set(
		    err, ERR_INVALID,
		    "expected KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT in the "
		    "environment, as in a pod; found %s",
		    host == NULL ? "no host" : "no port");
	if (dir == NULL)
		dir = ACCOUNT_DIR;
	token = account_file(dir, "token", err); /* read again and again later: see auth.h */
	c.ca = token == NULL ? NULL : account_file(dir, "ca.crt", err);
	c.namespace = c.ca == NULL ? NULL : account_file(dir, "namespace", err);
	if (c.namespace == NULL) {
		kube_config_done(&c);
		return -1;
	}
	ipv6 = strchr(host, ':') != NULL;
	c.server = xasprintf("https://%s%s%s:%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
	c.token_file = xasprintf("%s/token", dir);
	*out = c;
	return 0;
}
