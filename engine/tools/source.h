/*
 * source.h - the files of a bundle, from where an author has them.
 *
 * A path is a folder (as policy/folder.h reads it), a .lua file, or a YAML or JSON file that holds
 * one ConfigMap, as `kubectl get configmap -o yaml` prints it ("-": standard input).
 */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include "base/json.h"

struct source {
	const char *name;   /* of the whole: the (first) path; borrowed */
	struct json *files; /* from name to text, as for bundle_new() */
	struct json *paths; /* from name to where it is: "policies/contract.lua" */
};

/* A folder or a file with a ConfigMap, or any number of .lua files. -1: "path: what is wrong". Only
 * what is read is looked at, not whether it is a bundle. */
int source_read(const char *const *paths, size_t count, struct source *out, struct err *err);

/* No files: the built-in bundle. */
struct source source_built_in(void);

/* The data of a ConfigMap. name is borrowed. */
int source_configmap(const struct json *configmap, const char *name, struct source *out,
		     struct err *err);
void source_done(struct source *source);

bool source_is_lua(const char *path);

/* "policies/contract.lua:3: message" for a message of the bundle that starts with
 * "contract.lua:3:"; any other behind the name of the source. Yours. */
char *source_place(const struct source *source, const char *message);

#endif
