#include "tools/source.h"

#include <sys/stat.h>

#include "policy/folder.h"
#include "policy/host.h"
#include "tools/documents.h"

bool source_is_lua(const char *path)
{
	size_t len = strlen(path), end = strlen(".lua");

	return len > end && streq(path + len - end, ".lua");
}

/* ---- .lua files ---- */

static int add_script(struct source *source, const char *path, size_t *room, struct err *err)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	if (json_get(source->files, name) != NULL)
		return err_set(err, ERR_INVALID, "%s: the bundle has another file of this name, %s",
			       path, json_get_str(source->paths, name, ""));
	json_set_str(source->paths, name, path);
	return folder_add(source->files, name, path, room, err);
}

static int add_folder(struct source *source, const char *folder, struct err *err)
{
	size_t len = strlen(folder);

	json_free(source->files);
	source->files = folder_read(folder, err);
	while (len > 1 && folder[len - 1] == '/')
		len--;
	for (const struct json *f = json_first(source->files); f != NULL; f = json_next(f)) {
		auto_free char *path = xasprintf("%.*s/%s", (int)len, folder, json_key(f));

		json_set_str(source->paths, json_key(f), path);
	}
	return source->files != NULL ? 0 : -1;
}

/* ---- a ConfigMap ---- */

static int take_data(struct source *source, const struct json *data, struct err *err)
{
	if (data != NULL && json_type(data) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "data: expected an object, found %s",
			       json_type_name(json_type(data)));
	source->files = data != NULL ? json_copy(data) : json_object();
	for (const struct json *f = json_first(data); f != NULL; f = json_next(f)) {
		auto_free char *path = xasprintf("%s: %s", source->name, json_key(f));

		json_set_str(source->paths, json_key(f), path);
	}
	return 0;
}

static int take_configmap(void *arg, const struct json *object, struct err *err)
{
	struct source *source = arg;

	if (!streq(json_get_str(object, "kind", ""), "ConfigMap"))
		return err_set(err, ERR_INVALID, "expected a ConfigMap, found kind %s",
			       json_get_str(object, "kind", "(none)"));
	if (source->files != NULL)
		return err_set(err, ERR_INVALID, "expected one ConfigMap, found several");
	return take_data(source, json_get(object, "data"), err);
}

static int add_configmap(struct source *source, const char *path, struct err *err)
{
	json_free(steal(source->files));
	if (documents_read(path, take_configmap, source, err) < 0)
		return -1;
	if (source->files == NULL)
		return err_set(err, ERR_INVALID, "%s: expected a ConfigMap, found nothing", path);
	return 0;
}

/* ---- all of them ---- */

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int add_path(struct source *source, const char *path, size_t *room, struct err *err)
{
	if (is_folder(path))
		return add_folder(source, path, err);
	return source_is_lua(path) ? add_script(source, path, room, err)
				   : add_configmap(source, path, err);
}

struct source source_built_in(void)
{
	return (struct source){"built-in", json_object(), json_object()};
}

int source_read(const char *const *paths, size_t count, struct source *out, struct err *err)
{
	size_t room = POLICY_BUNDLE_MAX;

	*out = source_built_in();
	out->name = paths[0];
	for (size_t i = 0; i < count; i++) {
		if (add_path(out, paths[i], &room, err) < 0) {
			source_done(out);
			return -1;
		}
	}
	return 0;
}

int source_configmap(const struct json *configmap, const char *name, struct source *out,
		     struct err *err)
{
	*out = (struct source){.name = name, .paths = json_object()};
	if (take_data(out, json_get(configmap, "data"), err) == 0)
		return 0;
	source_done(out);
	return err_wrap(err, "%s", name);
}

void source_done(struct source *source)
{
	json_free(source->files);
	json_free(source->paths);
	*source = (struct source){0};
}

char *source_place(const struct source *source, const char *message)
{
	size_t len = strcspn(message, ":");
	auto_free char *file = xstrndup(message, len);
	const char *path = json_str(json_get(source->paths, file));

	if (path != NULL)
		return xasprintf("%s%s", path, message + len);
	return xasprintf("%s: %s", source->name, message);
}
