#include "runner/provider.h"

#include "runner/field.h"
#include "runner/http_storage.h"

static const struct provider *const providers[] = {&krateo_provider, &file_provider, &http_provider,
						   &s3_provider};

static void unknown(const struct json *section, const char *where, struct err *err)
{
	const struct json *first = json_first(section);
	auto_buf struct buf names = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(providers); i++)
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", providers[i]->name);
	err_set(err, ERR_INVALID, "%s: expected a storage provider (%s), found %s%s", where,
		names.data, first != NULL ? "only " : "none", first != NULL ? json_key(first) : "");
}

/* The one provider that the object names; a second one would be ignored in silence. */
static const struct provider *find(const struct json *section, const char *where, struct err *err)
{
	const struct provider *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		if (json_get(section, providers[i]->name) == NULL)
			continue;
		if (found != NULL) {
			err_set(err, ERR_INVALID,
				"%s: expected one storage provider, found %s and %s", where,
				found->name, providers[i]->name);
			return NULL;
		}
		found = providers[i];
	}
	if (found == NULL)
		unknown(section, where, err);
	return found;
}

static int choose_layout(struct section *section, struct err *err)
{
	static const char *const names[] = {
	    [LAYOUT_FLAT] = "flat", [LAYOUT_ROWS] = "rows", [LAYOUT_TENSORS] = "tensors"};
	const char *name;

	if (field_string(section->settings, section->where, "layout", &name, err) < 0)
		return -1;
	section->layout = section->provider->whole ? LAYOUT_FLAT : LAYOUT_ROWS;
	if (*name == '\0')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		section->layout = (enum layout)i;
		if (streq(name, names[i]))
			return 0;
	}
	return err_set(err, ERR_INVALID, "%s.layout: expected flat, rows or tensors, found \"%s\"",
		       section->where, name);
}

static int read_layout(struct section *section, struct err *err)
{
	if (choose_layout(section, err) < 0)
		return -1;
	if (section->format->uneven || section->layout == LAYOUT_ROWS)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "%s.format: expected json or jsonl, found %s: it has room for the layout rows "
	    "only",
	    section->where, section->format->name);
}

static size_t add_members(const char **known, const char *const *members, size_t max)
{
	size_t count = 0;

	while (count < max && members[count] != NULL) {
		known[count] = members[count];
		count++;
	}
	return count;
}

static void warn_of_typos(const struct section *section)
{
	const struct provider *provider = section->provider;
	const struct format *format = section->format;
	const char *known[2 + ARRAY_LEN(provider->members) + ARRAY_LEN(format->members) + 1] = {
	    "format", "layout"};
	size_t count = 2;

	count += add_members(known + count, provider->members, ARRAY_LEN(provider->members));
	add_members(known + count, format->members, ARRAY_LEN(format->members));
	field_warn_unknown(section->settings, section->where, known);
}

static int read_section(struct section *section, struct err *err)
{
	const struct provider *provider = section->provider;
	const char *path;

	if (provider->check(section, err) < 0)
		return -1;
	path = provider->path != NULL ? provider->path(section->settings) : NULL;
	if (format_choose(section->settings, section->where, path, &section->format, err) < 0)
		return -1;
	warn_of_typos(section);
	return section->side == SIDE_OUTPUT ? read_layout(section, err) : 0;
}

int section_read(const struct json *root, const char *key, enum side side, struct section *out,
		 struct err *err)
{
	struct section section = {.side = side};
	const struct json *object;

	if (field_object(root, "", key, &object, err) < 0)
		return -1;
	section.provider = find(object, key, err);
	if (section.provider == NULL)
		return -1;
	section.settings = json_get(object, section.provider->name);
	section.where = xasprintf("%s.%s", key, section.provider->name);
	if (read_section(&section, err) < 0) {
		section_done(&section);
		return -1;
	}
	*out = section;
	return 0;
}

void section_done(struct section *section)
{
	free(section->where);
	*section = (struct section){.provider = NULL};
}
