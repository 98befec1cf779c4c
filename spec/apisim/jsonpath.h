/*
 * jsonpath.h - the part of kubectl's JSONPath that printer columns use: .a.b  ['a']  [0]  [-1]
 * [*]  [?(@.type=="Ready")]  with == and != on strings, numbers and booleans. A backslash takes a
 * dot into a key (.metadata.labels.app\.kubernetes\.io/name).
 *
 * The source: https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
#ifndef APISIM_JSONPATH_H
#define APISIM_JSONPATH_H

#include "base/json.h"

enum { JSONPATH_MAX = 1024 }; /* characters of a path */

/* 0 if the path is one that this module reads. */
int jsonpath_check(const char *path, struct err *err);

/* The first value that path finds in root (borrowed), NULL when there is none. */
const struct json *jsonpath_first(const char *path, const struct json *root);

#endif
