#include "policy/bundle.h"

#include "base/buf.h"
#include "base/digest.h"
#include "policy/host.h"

struct bundle {
	struct bundle_file files[BUNDLE_FILES_MAX];
	size_t count;
};

static const char *const known_names[] = {"contract.lua", "parameters.lua", "status.lua", "job.lua",
					  "examples.lua"};
#define KNOWN_NAMES "contract.lua, parameters.lua, status.lua, job.lua and examples.lua"

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known_names); i++)
		if (streq(name, known_names[i]))
			return true;
	return false;
}

static int check_name(const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t stem = strspn(name, allowed), len = strlen(name);

	if (len > BUNDLE_NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "%.80s...: a file name has at most %d bytes, found %zu", name,
			       BUNDLE_NAME_MAX, len);
	if (stem == 0 || !streq(name + stem, ".lua"))
		return err_set(err, ERR_INVALID,
			       "%s: not a policy file; expected " KNOWN_NAMES
			       ", or a module NAME.lua with NAME of a-z, 0-9, '_' and '-'",
			       name);
	return 0;
}

static int check_text(const char *name, const char *text, struct err *err)
{
	if (text == NULL)
		return err_set(err, ERR_INVALID, "%s: expected the text of the file, a string",
			       name);
	if (has_prefix(text, "\xEF\xBB\xBF"))
		return err_set(err, ERR_INVALID,
			       "%s:1: starts with a byte order mark; save it as UTF-8 without one",
			       name);
	return 0;
}

static void add_file(struct bundle *bundle, const char *name, const char *text)
{
	struct bundle_file *file = &bundle->files[bundle->count++];

	snprintf(file->name, sizeof(file->name), "%s", name);
	file->text = xstrdup(text);
	file->len = strlen(text);
}

/* ---- modules that nobody requires ---- */

static bool mentions(const char *text, const char *module, char quote)
{
	char quoted[BUNDLE_NAME_MAX + 3];

	snprintf(quoted, sizeof(quoted), "%c%s%c", quote, module, quote);
	return strstr(text, quoted) != NULL;
}

static bool is_required(const struct bundle *bundle, const struct bundle_file *module)
{
	char name[BUNDLE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(module->name) - strlen(".lua")),
		 module->name);
	for (size_t i = 0; i < bundle->count; i++) {
		const char *text = bundle->files[i].text;

		if (&bundle->files[i] != module &&
		    (mentions(text, name, '"') || mentions(text, name, '\'')))
			return true;
	}
	return false;
}

static int check_modules(const struct bundle *bundle, struct err *err)
{
	for (size_t i = 0; i < bundle->count; i++) {
		const struct bundle_file *file = &bundle->files[i];

		if (!is_known(file->name) && !is_required(bundle, file))
			return err_set(err, ERR_INVALID,
				       "%s: no other file says require \"%.*s\"; the names of "
				       "hooks are " KNOWN_NAMES,
				       file->name, (int)(strlen(file->name) - strlen(".lua")),
				       file->name);
	}
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct bundle_file *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void add_missing(struct bundle *bundle)
{
	for (size_t i = 0; i < default_bundle_count; i++)
		if (bundle_find(bundle, default_bundle[i].name) == NULL)
			add_file(bundle, default_bundle[i].name, default_bundle[i].text);
}

/* ---- making one ---- */

static int fill(struct bundle *bundle, const struct json *files, struct err *err)
{
	size_t room = BUNDLE_FILES_MAX - default_bundle_count, total = 0;

	if (json_type(files) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "expected an object of files, found %s",
			       json_type_name(json_type(files)));
	if (json_len(files) > room)
		return err_set(err, ERR_LIMIT, "expected at most %zu files, found %zu", room,
			       json_len(files));
	for (const struct json *f = json_first(files); f != NULL; f = json_next(f)) {
		const char *name = json_key(f), *text = json_str(f);

		if (check_name(name, err) < 0 || check_text(name, text, err) < 0)
			return -1;
		total += strlen(text);
		if (total > POLICY_BUNDLE_MAX)
			return err_set(err, ERR_LIMIT, "%s: the files hold more than %d bytes",
				       name, POLICY_BUNDLE_MAX);
		add_file(bundle, name, text);
	}
	return check_modules(bundle, err);
}

struct bundle *bundle_new(const struct json *files, struct err *err)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	if (fill(bundle, files, err) < 0) {
		bundle_free(bundle);
		return NULL;
	}
	add_missing(bundle);
	qsort(bundle->files, bundle->count, sizeof(bundle->files[0]), compare_files);
	return bundle;
}

struct bundle *bundle_new_default(void)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	add_missing(bundle);
	qsort(bundle->files, bundle->count, sizeof(bundle->files[0]), compare_files);
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	for (size_t i = 0; i < bundle->count; i++)
		free(bundle->files[i].text);
	free(bundle);
}

const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->count; i++)
		if (streq(bundle->files[i].name, name))
			return &bundle->files[i];
	return NULL;
}

size_t bundle_len(const struct bundle *bundle)
{
	return bundle->count;
}

const struct bundle_file *bundle_at(const struct bundle *bundle, size_t i)
{
	return &bundle->files[i];
}

/* Lengths go in as well, so that no text can pass for the end of another file. */
void bundle_digest(const struct bundle *bundle, char out[BUNDLE_DIGEST_MAX])
{
	auto_buf struct buf all = BUF_INIT(SIZE_MAX / 2);
	char sum[DIGEST_HEX_LEN + 1];

	for (size_t i = 0; i < bundle->count; i++)
		buf_addf(&all, "%s %zu %s\n", bundle->files[i].name, bundle->files[i].len,
			 bundle->files[i].text);
	digest_sha256(all.data, all.len, sum);
	snprintf(out, BUNDLE_DIGEST_MAX, "sha256:%.12s", sum);
}
