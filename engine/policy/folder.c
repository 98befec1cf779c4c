#include "policy/folder.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/utf8.h"
#include "policy/host.h"

static bool has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), wanted = strlen(suffix);

	return len > wanted && streq(text + len - wanted, suffix);
}

static bool is_file(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

int folder_add(struct json *files, const char *name, const char *path, size_t *room,
	       struct err *err)
{
	auto_buf struct buf text = BUF_INIT(*room);

	if (file_read(path, &text, err) < 0)
		return -1;
	if (memchr(text.data, '\0', text.len) != NULL || !utf8_valid(text.data, text.len))
		return err_set(err, ERR_INVALID, "%s: expected text in UTF-8", path);
	*room -= text.len;
	json_set_str(files, name, text.data);
	return 0;
}

/* For scandir(3). */
static int is_policy(const struct dirent *entry)
{
	return has_suffix(entry->d_name, ".lua") && !has_suffix(entry->d_name, "_spec.lua");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entries(struct json *files, const char *path, struct dirent **entries, int count,
		       struct err *err)
{
	size_t room = POLICY_BUNDLE_MAX;

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		auto_free char *file = xasprintf("%s/%s", path, name);

		if (is_file(file) && folder_add(files, name, file, &room, err) < 0)
			return -1;
	}
	if (json_first(files) == NULL)
		return err_set(err, ERR_NOT_FOUND,
			       "%s: expected policy files such as "
			       "contract.lua, found none",
			       path);
	return 0;
}

struct json *folder_read(const char *path, struct err *err)
{
	auto_json struct json *files = json_object();
	struct dirent **entries;
	int count = scandir(path, &entries, is_policy, compare_names), failed;

	if (count < 0) {
		err_set(err, errno == EACCES ? ERR_DENIED : ERR_NOT_FOUND,
			"%s: expected a folder of policy files: %s", path, strerror(errno));
		return NULL;
	}
	failed = add_entries(files, path, entries, count, err);
	while (count > 0)
		free(entries[--count]);
	free(entries);
	return failed ? NULL : steal(files);
}
