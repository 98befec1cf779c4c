/*
 * folder.h - the policy files of a folder on a laptop: what a ConfigMap has as its data.
 */
#ifndef POLICY_FOLDER_H
#define POLICY_FOLDER_H

#include "base/json.h"

/*
 * A JSON object from name to text of all regular files NAME.lua, by name, for bundle_new(). Specs
 * (NAME_spec.lua), files of other kinds and folders inside are passed over. NULL with err set, the
 * path in its message: no such folder, no file in it, a file that is no UTF-8, or more than
 * POLICY_BUNDLE_MAX bytes.
 */
struct json *folder_read(const char *path, struct err *err);

/* Add one file, of at most *room bytes; what is left of them is told there. */
int folder_add(struct json *files, const char *name, const char *path, size_t *room,
	       struct err *err);

#endif
