#include "runner/format.h"

#include "runner/field.h"

static const struct format *const formats[] = {&json_format, &jsonl_format, &csv_format};

static const struct format *by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (streq(formats[i]->name, name))
			return formats[i];
	return NULL;
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len > tail && streq(text + len - tail, suffix);
}

static const struct format *by_path(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		for (const char *const *suffix = formats[i]->suffixes; *suffix != NULL; suffix++)
			if (ends_with(path, *suffix))
				return formats[i];
	return NULL;
}

static int unknown(const char *where, const char *name, struct err *err)
{
	auto_buf struct buf names = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", formats[i]->name);
	return err_set(err, ERR_INVALID, "%s.format: expected one of %s, found \"%s\"", where,
		       names.data, name);
}

int format_choose(const struct json *settings, const char *where, const char *path,
		  const struct format **out, struct err *err)
{
	const struct format *found = NULL;
	const char *name;

	if (field_string(settings, where, "format", &name, err) < 0)
		return -1;
	if (*name != '\0') {
		found = by_name(name);
		if (found == NULL)
			return unknown(where, name, err);
	} else if (path != NULL) {
		found = by_path(path);
	}
	if (found == NULL)
		found = &json_format;
	if (found->check != NULL && found->check(settings, where, err) < 0)
		return -1;
	*out = found;
	return 0;
}
