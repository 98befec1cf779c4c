/*
 * bundle.h - a set of policy files, checked by name and ready to be run.
 *
 * Files: contract.lua, parameters.lua, status.lua (a missing one comes from the default bundle,
 * which is built into the program), job.lua and examples.lua (optional), and modules for
 * `require`: NAME.lua, NAME of a-z, 0-9, '_' and '-'. A module that no other file requires is
 * refused by name: it is most often a misspelt hook.
 *
 * A bundle may be laid over another one: it then has the files of both, its own first. Files are
 * shared between bundles, so that this costs nothing.
 */
#ifndef POLICY_BUNDLE_H
#define POLICY_BUNDLE_H

#include "base/buf.h"
#include "base/json.h"

enum {
	BUNDLE_OWN_MAX = 60,    /* files of one bundle */
	BUNDLE_FILES_MAX = 128, /* of one that is laid over another, the default ones included */
	BUNDLE_NAME_MAX = 63,
	BUNDLE_CODE_MAX = 4 << 20, /* bytes of compiled code that are kept of a file */
	BUNDLE_DIGEST_MAX = 24,    /* "sha256:" and 12 hex digits */
};

struct bundle;

struct bundle_file {
	char name[BUNDLE_NAME_MAX + 1];
	char *text;
	size_t len;
	struct buf *code; /* the text as sandbox.c has compiled it; empty before */
	int bundles;      /* that hold it */
};

/* The built-in files: made from scripts/ by embed.awk. */
struct embedded_file {
	const char *name;
	const char *text;
};
extern const struct embedded_file default_bundle[];
extern const size_t default_bundle_count;

/* files: a JSON object from name to text, at most POLICY_BUNDLE_MAX bytes. NULL with err set:
 * "file: what is wrong with it". What it leaves out comes from the default bundle. */
struct bundle *bundle_new(const struct json *files, struct err *err);
struct bundle *bundle_new_default(void);
void bundle_free(struct bundle *bundle); /* NULL is fine */

/* The same, laid over base: what it leaves out comes from there, but for base's examples. */
struct bundle *bundle_new_over(const struct json *files, const struct bundle *base,
			       struct err *err);

/* Lay it over another base instead of the one before. */
void bundle_lay(struct bundle *bundle, const struct bundle *base);

/* Another number for each bundle, and after each bundle_lay(). */
uint64_t bundle_serial(const struct bundle *bundle);

/* The files that are its own, as bundle_new() takes them; and their bytes. */
struct json *bundle_files(const struct bundle *bundle);
size_t bundle_bytes(const struct bundle *bundle);

/* What require finds: a file of the bundle, or behind BUNDLE_DEFAULT one of the default bundle.
 * NULL when absent. */
#define BUNDLE_DEFAULT "default/"
const struct bundle_file *bundle_module(const struct bundle *bundle, const char *name);

/* NULL when absent. */
const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name);
size_t bundle_len(const struct bundle *bundle);
const struct bundle_file *bundle_at(const struct bundle *bundle, size_t i); /* by name */

/* SHA-256 over the names and texts of all files that are run, default ones included: also those
 * that another file requires. */
void bundle_digest(const struct bundle *bundle, char out[BUNDLE_DIGEST_MAX]);

#endif
