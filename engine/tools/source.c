#include "tools/source.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/utf8.h"
#include "policy/host.h"
#include "tools/documents.h"

enum { SOURCE_FILES_MAX = 256 }; /* that are read; a bundle may have fewer */

bool source_is_lua(const char *path)
{
	size_t len = strlen(path), end = strlen(".lua");

	return len > end && streq(path + len - end, ".lua");
}

/* ---- one file ---- */

static int add_file(struct source *source, const char *name, const char *path, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(POLICY_BUNDLE_MAX);

	if (json_get(source->files, name) != NULL)
		return err_set(err, ERR_INVALID, "%s: the bundle has another file of this name, %s",
			       path, json_get_str(source->paths, name, ""));
	if (json_len(source->files) == SOURCE_FILES_MAX)
		return err_set(err, ERR_LIMIT, "%s: expected at most %d files, found more", path,
			       SOURCE_FILES_MAX);
	if (file_read(path, &text, err) < 0)
		return -1;
	if (!utf8_valid(text.data, text.len) || strlen(text.data) != text.len)
		return err_set(err, ERR_INVALID, "%s: expected UTF-8 text, found other bytes",
			       path);
	json_set_str(source->files, name, text.data);
	json_set_str(source->paths, name, path);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- a folder ---- */

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_entry(struct source *source, const char *folder, const char *name, struct err *err)
{
	size_t len = strlen(folder);
	bool slash = len > 0 && folder[len - 1] == '/';
	auto_free char *path = xasprintf("%s%s%s", folder, slash ? "" : "/", name);
	struct stat info;

	if (stat(path, &info) < 0)
		return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
	return S_ISREG(info.st_mode) ? add_file(source, name, path, err) : 0;
}

static int add_folder(struct source *source, const char *folder, struct err *err)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_shown, compare_names), failed = 0;

	if (count < 0)
		return err_set(err, ERR_NOT_FOUND, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!failed)
			failed = add_entry(source, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return failed;
}

/* ---- a ConfigMap ---- */

static int take_configmap(void *arg, const struct json *object, struct err *err)
{
	struct source *source = arg;

	if (!streq(json_get_str(object, "kind", ""), "ConfigMap"))
		return err_set(err, ERR_INVALID, "expected a ConfigMap, found kind %s",
			       json_get_str(object, "kind", "(none)"));
	if (source->files != NULL)
		return err_set(err, ERR_INVALID, "expected one ConfigMap, found several");
	source->files =
	    json_get(object, "data") != NULL ? json_copy(json_get(object, "data")) : json_object();
	if (json_type(source->files) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "data: expected an object, found %s",
			       json_type_name(json_type(source->files)));
	for (const struct json *f = json_first(source->files); f != NULL; f = json_next(f)) {
		auto_free char *path = xasprintf("%s: %s", source->name, json_key(f));

		json_set_str(source->paths, json_key(f), path);
	}
	return 0;
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

static int add_path(struct source *source, const char *path, struct err *err)
{
	struct stat info;

	if (source_is_lua(path))
		return add_file(source, base_name(path), path, err);
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		return add_folder(source, path, err);
	return add_configmap(source, path, err);
}

struct source source_built_in(void)
{
	return (struct source){"built-in", json_object(), json_object()};
}

int source_read(const char *const *paths, size_t count, struct source *out, struct err *err)
{
	*out = source_built_in();
	out->name = paths[0];
	for (size_t i = 0; i < count; i++) {
		if (add_path(out, paths[i], err) < 0) {
			source_done(out);
			return -1;
		}
	}
	return 0;
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
