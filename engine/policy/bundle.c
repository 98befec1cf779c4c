#include "policy/bundle.h"

#include "base/buf.h"
#include "base/digest.h"
#include "policy/host.h"

struct entry {
	struct bundle_file *file;
	bool own; /* not from the base */
};

struct bundle {
	struct entry entries[BUNDLE_FILES_MAX]; /* by name */
	size_t count;
	uint64_t serial;
};

#define EXAMPLES "examples.lua"

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

static void add_entry(struct bundle *bundle, struct bundle_file *file, bool own)
{
	file->bundles++;
	bundle->entries[bundle->count++] = (struct entry){.file = file, .own = own};
}

static void drop_entry(struct entry *entry)
{
	if (--entry->file->bundles > 0)
		return;
	free(entry->file->text);
	buf_done(entry->file->code);
	free(entry->file->code);
	free(entry->file);
}

static void add_file(struct bundle *bundle, const char *name, const char *text)
{
	struct bundle_file *file = xcalloc(1, sizeof(*file));

	snprintf(file->name, sizeof(file->name), "%s", name);
	file->text = xstrdup(text);
	file->len = strlen(text);
	file->code = xmalloc(sizeof(*file->code));
	*file->code = (struct buf)BUF_INIT(BUNDLE_CODE_MAX);
	add_entry(bundle, file, true);
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
		const char *text = bundle->entries[i].file->text;

		if (bundle->entries[i].file != module &&
		    (mentions(text, name, '"') || mentions(text, name, '\'')))
			return true;
	}
	return false;
}

static int check_modules(const struct bundle *bundle, struct err *err)
{
	for (size_t i = 0; i < bundle->count; i++) {
		const struct bundle_file *file = bundle->entries[i].file;

		if (bundle->entries[i].own && !is_known(file->name) && !is_required(bundle, file))
			return err_set(err, ERR_INVALID,
				       "%s: no other file says require \"%.*s\"; the names of "
				       "hooks are " KNOWN_NAMES,
				       file->name, (int)(strlen(file->name) - strlen(".lua")),
				       file->name);
	}
	return 0;
}

/* ---- making one ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->file->name, right->file->name);
}

static int fill(struct bundle *bundle, const struct json *files, struct err *err)
{
	size_t total = 0;

	if (json_type(files) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "expected an object of files, found %s",
			       json_type_name(json_type(files)));
	if (json_len(files) > BUNDLE_OWN_MAX)
		return err_set(err, ERR_LIMIT, "expected at most %d files, found %zu",
			       BUNDLE_OWN_MAX, json_len(files));
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
	return 0;
}

void bundle_lay(struct bundle *bundle, const struct bundle *base)
{
	static uint64_t serials;
	size_t own = 0;

	bundle->serial = ++serials;
	for (size_t i = 0; i < bundle->count; i++) {
		if (bundle->entries[i].own)
			bundle->entries[own++] = bundle->entries[i];
		else
			drop_entry(&bundle->entries[i]);
	}
	bundle->count = own;
	for (size_t i = 0; i < base->count; i++) {
		struct bundle_file *file = base->entries[i].file;

		if (!streq(file->name, EXAMPLES) && bundle_find(bundle, file->name) == NULL)
			add_entry(bundle, file, false);
	}
	qsort(bundle->entries, bundle->count, sizeof(bundle->entries[0]), compare_entries);
}

/* Every bundle shares these files; they are never freed. */
static const struct bundle *defaults(void)
{
	static struct bundle all;

	for (size_t i = all.count; i < default_bundle_count; i++)
		add_file(&all, default_bundle[i].name, default_bundle[i].text);
	return &all;
}

struct bundle *bundle_new_default(void)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	bundle_lay(bundle, defaults());
	return bundle;
}

/* A bundle of its own has no use for a module that none of its files requires; one that is laid
 * over another may replace a module of that. */
struct bundle *bundle_new(const struct json *files, struct err *err)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	if (fill(bundle, files, err) < 0 || check_modules(bundle, err) < 0) {
		bundle_free(bundle);
		return NULL;
	}
	bundle_lay(bundle, defaults());
	return bundle;
}

struct bundle *bundle_new_over(const struct json *files, const struct bundle *base, struct err *err)
{
	struct bundle *bundle = xcalloc(1, sizeof(*bundle));

	if (fill(bundle, files, err) == 0) {
		bundle_lay(bundle, base);
		if (check_modules(bundle, err) == 0)
			return bundle;
	}
	bundle_free(bundle);
	return NULL;
}

void bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	for (size_t i = 0; i < bundle->count; i++)
		drop_entry(&bundle->entries[i]);
	free(bundle);
}

/* ---- reading ---- */

uint64_t bundle_serial(const struct bundle *bundle)
{
	return bundle->serial;
}

struct json *bundle_files(const struct bundle *bundle)
{
	struct json *files = json_object();

	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->entries[i].own)
			json_set_str(files, bundle->entries[i].file->name,
				     bundle->entries[i].file->text);
	return files;
}

size_t bundle_bytes(const struct bundle *bundle)
{
	size_t bytes = 0;

	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->entries[i].own)
			bytes += bundle->entries[i].file->len;
	return bytes;
}

const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->count; i++)
		if (streq(bundle->entries[i].file->name, name))
			return bundle->entries[i].file;
	return NULL;
}

size_t bundle_len(const struct bundle *bundle)
{
	return bundle->count;
}

const struct bundle_file *bundle_at(const struct bundle *bundle, size_t i)
{
	return bundle->entries[i].file;
}

const struct bundle_file *bundle_module(const struct bundle *bundle, const char *name)
{
	if (has_prefix(name, BUNDLE_DEFAULT))
		return bundle_find(defaults(), name + strlen(BUNDLE_DEFAULT));
	return bundle_find(bundle, name);
}

static void add_texts(struct buf *all, const struct bundle *bundle, bool *defaults_named)
{
	for (size_t i = 0; i < bundle->count; i++) {
		const struct bundle_file *file = bundle->entries[i].file;

		buf_addf(all, "%s %zu %s\n", file->name, file->len, file->text);
		*defaults_named = *defaults_named || strstr(file->text, BUNDLE_DEFAULT) != NULL;
	}
}

/* Lengths go in as well, so that no text can pass for the end of another file. */
void bundle_digest(const struct bundle *bundle, char out[BUNDLE_DIGEST_MAX])
{
	auto_buf struct buf all = BUF_INIT(SIZE_MAX / 2);
	char sum[DIGEST_HEX_LEN + 1];
	bool defaults_named = false;

	add_texts(&all, bundle, &defaults_named);
	if (defaults_named)
		add_texts(&all, defaults(), &defaults_named);
	digest_sha256(all.data, all.len, sum);
	snprintf(out, BUNDLE_DIGEST_MAX, "sha256:%.12s", sum);
}
