#include "spec/podrunner/layout.h"

enum { VALUE_MAX = 1 << 20 };

/* ---- the list of variables ---- */

/* The last one of a name wins, in the place of the first. */
static int set_variable(struct layout *out, const char *name, const char *value, struct err *err)
{
	size_t len = strlen(name), at = 0;

	while (at < out->env_count &&
	       !(strncmp(out->env[at], name, len) == 0 && out->env[at][len] == '='))
		at++;
	if (at == LAYOUT_ENV_MAX)
		return err_set(err, ERR_INVALID, "expected at most %d variables, found more",
			       LAYOUT_ENV_MAX);
	if (at == out->env_count)
		out->env_count++;
	free(out->env[at]);
	out->env[at] = xasprintf("%s=%s", name, value);
	return 0;
}

static const char *get_variable(const struct layout *layout, const char *name, size_t len)
{
	for (size_t i = 0; i < layout->env_count; i++)
		if (strncmp(layout->env[i], name, len) == 0 && layout->env[i][len] == '=')
			return layout->env[i] + len + 1;
	return NULL;
}

/* $(NAME) becomes the variable's value, $$ becomes $; an unknown name stays as it is. */
static char *expand(const struct layout *layout, const char *text)
{
	auto_buf struct buf out = BUF_INIT(VALUE_MAX);

	while (*text != '\0') {
		size_t len = text[0] == '$' && text[1] == '(' ? strcspn(text + 2, ")") : 0;
		const char *value = len > 0 ? get_variable(layout, text + 2, len) : NULL;

		if (value != NULL && text[2 + len] == ')') {
			buf_adds(&out, value);
			text += len + 3;
			continue;
		}
		if (text[0] == '$' && text[1] == '$')
			text++;
		buf_addc(&out, *text++);
	}
	return buf_steal(&out);
}

/* ---- where values come from ---- */

/* A key of a ConfigMap or Secret; NULL without an error when it is optional and missing. */
static char *value_of_key(const char *kind, const struct json *ref, const char *namespace,
			  const struct layout_spec *spec, struct err *err)
{
	const char *name = json_get_str(ref, "name", ""), *key = json_get_str(ref, "key", "");
	auto_free char *id = xasprintf("%s/%s", kind, name);
	const struct json *object = map_get(spec->objects, id);
	auto_buf struct buf value = BUF_INIT(VALUE_MAX);

	if (object != NULL && layout_value(object, key, &value))
		return buf_steal(&value);
	if (json_is_true(json_get(ref, "optional")))
		return NULL;
	if (object == NULL)
		err_set(err, ERR_INVALID, "%s \"%s\" not found",
			streq(kind, "Secret") ? "secret" : "configmap", name);
	else
		err_set(err, ERR_INVALID, "couldn't find key %s in %s %s/%s", key, kind, namespace,
			name);
	return NULL;
}

static char *value_from(const struct json *pod, const struct json *from,
			const struct layout_spec *spec, struct err *err)
{
	const char *namespace = json_get_str(json_get(pod, "metadata"), "namespace", "");
	const char *field = json_get_str(json_get(from, "fieldRef"), "fieldPath", NULL);
	char *value = NULL;

	if (json_get(from, "configMapKeyRef") != NULL)
		return value_of_key("ConfigMap", json_get(from, "configMapKeyRef"), namespace, spec,
				    err);
	if (json_get(from, "secretKeyRef") != NULL)
		return value_of_key("Secret", json_get(from, "secretKeyRef"), namespace, spec, err);
	if (field != NULL)
		value = layout_field(pod, field);
	if (value == NULL)
		err_set(err, ERR_INVALID, "unsupported valueFrom: %s", field == NULL ? "-" : field);
	return value;
}

static int set_from_object(struct layout *out, const char *kind, const struct json *ref,
			   const char *prefix, const struct layout_spec *spec, struct err *err)
{
	auto_free char *id = xasprintf("%s/%s", kind, json_get_str(ref, "name", ""));
	const struct json *object = map_get(spec->objects, id);

	if (ref == NULL || (object == NULL && json_is_true(json_get(ref, "optional"))))
		return 0;
	if (object == NULL)
		return err_set(err, ERR_INVALID, "%s \"%s\" not found",
			       streq(kind, "Secret") ? "secret" : "configmap",
			       json_get_str(ref, "name", ""));
	for (const struct json *c = json_first(json_get(object, "data")); c; c = json_next(c)) {
		auto_buf struct buf value = BUF_INIT(VALUE_MAX);
		auto_free char *name = xasprintf("%s%s", prefix, json_key(c));

		if (layout_value(object, json_key(c), &value) &&
		    set_variable(out, name, value.data, err) < 0)
			return -1;
	}
	return 0;
}

/* The Pod may say otherwise. */
static int set_brought(const struct layout_spec *spec, struct layout *out, struct err *err)
{
	for (const char *const *v = spec->env; v != NULL && *v != NULL; v++) {
		size_t len = strcspn(*v, "=");
		auto_free char *name = xstrndup(*v, len);

		if (set_variable(out, name, *v + len + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int set_declared(const struct json *pod, const struct json *container,
			const struct layout_spec *spec, struct layout *out, struct err *err)
{
	for (const struct json *c = json_first(json_get(container, "envFrom")); c;
	     c = json_next(c)) {
		const char *prefix = json_get_str(c, "prefix", "");

		if (set_from_object(out, "ConfigMap", json_get(c, "configMapRef"), prefix, spec,
				    err) < 0 ||
		    set_from_object(out, "Secret", json_get(c, "secretRef"), prefix, spec, err) < 0)
			return -1;
	}
	for (const struct json *c = json_first(json_get(container, "env")); c; c = json_next(c)) {
		const struct json *from = json_get(c, "valueFrom");
		auto_free char *value = from == NULL ? expand(out, json_get_str(c, "value", ""))
						     : value_from(pod, from, spec, err);

		if (value == NULL && err->kind != ERR_NONE)
			return -1;
		if (value != NULL &&
		    set_variable(out, json_get_str(c, "name", "-"), value, err) < 0)
			return -1;
	}
	return 0;
}

/* A kubelet gives host and port. An http URL goes into the host as a whole: our runner reads that,
 * and nothing else could say that there is no TLS. */
static int set_api_server(struct layout *out, const char *url, struct err *err)
{
	auto_free char *host = xstrdup(url);
	const char *port = "443";
	char *colon;

	if (has_prefix(url, "https://")) {
		memmove(host, url + 8, strlen(url + 8) + 1);
		host[strcspn(host, "/")] = '\0';
		colon = strrchr(host, ':');
		if (colon != NULL && strchr(colon, ']') == NULL) {
			*colon = '\0';
			port = colon + 1;
		}
		if (host[0] == '[' && host[strlen(host) - 1] == ']') {
			host[strlen(host) - 1] = '\0';
			memmove(host, host + 1, strlen(host));
		}
	}
	if (set_variable(out, "KUBERNETES_SERVICE_HOST", host, err) < 0)
		return -1;
	return set_variable(out, "KUBERNETES_SERVICE_PORT", port, err);
}

/* ---- the command ---- */

static int add_arguments(struct layout *out, const struct json *list, struct err *err)
{
	for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
		if (out->argc == LAYOUT_ARGS_MAX)
			return err_set(err, ERR_INVALID,
				       "expected at most %d arguments, found more",
				       LAYOUT_ARGS_MAX);
		out->argv[out->argc++] = expand(out, json_str(c) == NULL ? "" : json_str(c));
	}
	return 0;
}

static int make_command(const struct json *container, const struct layout_spec *spec,
			struct layout *out, struct err *err)
{
	const struct json *command = json_get(container, "command");

	if (json_len(command) == 0) {
		if (spec->binary == NULL)
			return err_set(err, ERR_INVALID, "no command specified");
		out->argv[out->argc++] = xstrdup(spec->binary);
	}
	if (add_arguments(out, command, err) < 0)
		return -1;
	return add_arguments(out, json_get(container, "args"), err);
}

int layout_environment(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		       struct err *err)
{
	const struct json *container = layout_container(pod);
	const char *name = json_get_str(json_get(pod, "metadata"), "name", "");

	if (set_variable(out, "PATH",
			 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", err) < 0 ||
	    set_variable(out, "HOME", "/", err) < 0 || set_brought(spec, out, err) < 0 ||
	    set_variable(out, "HOSTNAME", name, err) < 0 ||
	    set_api_server(out, spec->api_url, err) < 0 ||
	    set_declared(pod, container, spec, out, err) < 0)
		return -1;
	return make_command(container, spec, out, err);
}
