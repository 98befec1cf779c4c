#include <errno.h>
#include <sys/stat.h>

#include "spec/podrunner/layout.h"

enum { FILE_MAX = 4 << 20 };

/* ---- files ---- */

/* Make every folder that leads to path, and path itself unless it is to be a file. */
static int make_folders(const char *path, bool is_file, struct err *err)
{
	auto_free char *part = xstrdup(path);

	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash == NULL && is_file)
			return 0;
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_set(err, ERR_RETRY, "%s: expected to make this folder: %m",
				       part);
		if (slash == NULL)
			return 0;
		*slash = '/';
	}
}

int layout_write(const char *dir, const char *path, const char *bytes, size_t len, struct err *err)
{
	auto_free char *whole = xasprintf("%s/%s", dir, path);
	auto_file FILE *file = NULL;

	if (*path == '/' || strstr(path, "..") != NULL)
		return err_set(err, ERR_INVALID, "%s: expected a relative path without ..", path);
	if (make_folders(whole, true, err) < 0)
		return -1;
	file = fopen(whole, "we");
	if (file == NULL || fwrite(bytes, 1, len, file) != len || fflush(file) != 0)
		return err_set(err, ERR_RETRY, "%s: expected to write this file: %m", whole);
	return 0;
}

/* ---- the sources of a volume ---- */

/* "ConfigMap" is "configmap" in what the kubelet says. */
static int missing(const char *kind, const char *name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
		       streq(kind, "Secret") ? "secret" : "configmap", name);
}

static int write_key(const char *dir, const struct json *object, const char *key, const char *path,
		     struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(FILE_MAX);

	if (!layout_value(object, key, &bytes))
		return err_set(err, ERR_NOT_FOUND, "references non-existent config key: %s", key);
	return layout_write(dir, path, bytes.data, bytes.len, err);
}

static int write_all_keys(const char *dir, const struct json *object, const char *member,
			  struct err *err)
{
	for (const struct json *c = json_first(json_get(object, member)); c; c = json_next(c))
		if (write_key(dir, object, json_key(c), json_key(c), err) < 0)
			return -1;
	return 0;
}

static int write_object(const char *dir, const char *kind, const char *name,
			const struct json *source, const struct layout_spec *spec, struct err *err)
{
	auto_free char *key = xasprintf("%s/%s", kind, name);
	const struct json *object = map_get(spec->objects, key);
	bool optional = json_is_true(json_get(source, "optional"));

	if (object == NULL)
		return optional ? 0 : missing(kind, name, err);
	if (json_get(source, "items") == NULL) {
		if (write_all_keys(dir, object, "data", err) < 0)
			return -1;
		return write_all_keys(dir, object, "binaryData", err);
	}
	for (const struct json *c = json_first(json_get(source, "items")); c; c = json_next(c))
		if (write_key(dir, object, json_get_str(c, "key", ""), json_get_str(c, "path", ""),
			      err) < 0 &&
		    !optional)
			return -1;
	return 0;
}

static int write_downward(const char *dir, const struct json *source, const struct json *pod,
			  struct err *err)
{
	for (const struct json *c = json_first(json_get(source, "items")); c; c = json_next(c)) {
		const char *path = json_get_str(json_get(c, "fieldRef"), "fieldPath", "");
		auto_free char *value = layout_field(pod, path);

		if (value == NULL)
			return err_set(err, ERR_INVALID, "unsupported fieldPath: %s", path);
		if (layout_write(dir, json_get_str(c, "path", ""), value, strlen(value), err) < 0)
			return -1;
	}
	return 0;
}

/* A volume, or one source of a projected volume: they have the same members. */
static int write_source(const char *dir, const struct json *source, const struct json *pod,
			const struct layout_spec *spec, struct err *err)
{
	const struct json *map = json_get(source, "configMap"),
			  *secret = json_get(source, "secret");
	const struct json *token = json_get(source, "serviceAccountToken");

	if (map != NULL)
		return write_object(dir, "ConfigMap", json_get_str(map, "name", ""), map, spec,
				    err);
	if (secret != NULL)
		return write_object(
		    dir, "Secret",
		    json_get_str(secret, "secretName", json_get_str(secret, "name", "")), secret,
		    spec, err);
	if (json_get(source, "downwardAPI") != NULL)
		return write_downward(dir, json_get(source, "downwardAPI"), pod, err);
	if (token != NULL)
		return layout_write(dir, json_get_str(token, "path", "token"),
				    spec->token == NULL ? "" : spec->token,
				    spec->token == NULL ? 0 : strlen(spec->token), err);
	return err_set(err, ERR_NOT_FOUND, "unsupported kind of volume");
}

static int link_host(const char *dir, const struct json *host, struct err *err)
{
	if (make_folders(dir, true, err) < 0)
		return -1;
	return symlink(json_get_str(host, "path", ""), dir) == 0
		   ? 0
		   : err_set(err, ERR_RETRY, "%s: %m", dir);
}

static int write_volume(const char *dir, const struct json *volume, const struct json *pod,
			const struct layout_spec *spec, struct err *err)
{
	const struct json *sources = json_at(volume, "projected", "sources");

	if (json_get(volume, "hostPath") != NULL)
		return link_host(dir, json_get(volume, "hostPath"), err);
	if (make_folders(dir, false, err) < 0)
		return -1;
	if (json_get(volume, "emptyDir") != NULL)
		return chmod(dir, 0777) < 0 ? err_set(err, ERR_RETRY, "%s: %m", dir) : 0;
	if (json_get(volume, "projected") == NULL)
		return write_source(dir, volume, pod, spec, err);
	for (const struct json *c = json_first(sources); c != NULL; c = json_next(c))
		if (write_source(dir, c, pod, spec, err) < 0)
			return -1;
	return 0;
}

int layout_volumes(const struct json *pod, const struct layout_spec *spec, struct layout *out,
		   struct err *err)
{
	if (make_folders(out->dir, false, err) < 0)
		return -1;
	for (const struct json *c = json_first(json_at(pod, "spec", "volumes")); c;
	     c = json_next(c)) {
		const char *name = json_get_str(c, "name", "-");
		auto_free char *dir = xasprintf("%s/volumes/%s", out->dir, name);

		if (write_volume(dir, c, pod, spec, err) < 0)
			return err_wrap(err, "MountVolume.SetUp failed for volume \"%s\" ", name);
	}
	return 0;
}
