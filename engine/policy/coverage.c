#include "policy/coverage.h"

struct file_lines {
	const char *name;
	int count;
	bool *seen; /* by line - 1 */
	bool any;
};

struct coverage {
	size_t count;
	struct file_lines *last; /* asked for: a script stays in one file for many lines */
	struct file_lines files[BUNDLE_FILES_MAX];
};

static int count_lines(const struct bundle_file *file)
{
	int lines = 1;

	for (size_t i = 0; i < file->len; i++)
		lines += file->text[i] == '\n';
	return lines;
}

struct coverage *coverage_new(const struct bundle *bundle)
{
	struct coverage *coverage = xcalloc(1, sizeof(*coverage));

	coverage->count = bundle_len(bundle);
	for (size_t i = 0; i < coverage->count; i++) {
		struct file_lines *file = &coverage->files[i];

		file->name = bundle_at(bundle, i)->name;
		file->count = count_lines(bundle_at(bundle, i));
		file->seen = xcalloc((size_t)file->count, sizeof(*file->seen));
	}
	coverage->last = coverage->files;
	return coverage;
}

void coverage_free(struct coverage *coverage)
{
	if (coverage == NULL)
		return;
	for (size_t i = 0; i < coverage->count; i++)
		free(coverage->files[i].seen);
	free(coverage);
}

static struct file_lines *find(struct coverage *coverage, const char *name)
{
	for (size_t i = 0; i < coverage->count; i++)
		if (streq(coverage->files[i].name, name))
			return &coverage->files[i];
	return NULL;
}

void coverage_mark(struct coverage *coverage, const char *name, int line)
{
	struct file_lines *file = coverage->last;

	if (!streq(file->name, name))
		file = find(coverage, name);
	if (file == NULL || line < 1 || line > file->count)
		return;
	file->seen[line - 1] = true;
	file->any = true;
	coverage->last = file;
}

struct json *coverage_lines(const struct coverage *coverage)
{
	struct json *all = json_object();

	for (size_t i = 0; i < coverage->count; i++) {
		const struct file_lines *file = &coverage->files[i];
		struct json *lines;

		if (!file->any)
			continue;
		lines = json_array();
		for (int line = 1; line <= file->count; line++)
			if (file->seen[line - 1])
				json_append(lines, json_int(line));
		json_set(all, file->name, lines);
	}
	return all;
}
