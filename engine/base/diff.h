/*
 * diff.h - where two JSON values differ.
 *
 *	a: {"spec": {"env": [{"name": "x", "value": "1"}]}}
 *	b: {"spec": {"env": [{"name": "x", "value": "2"}], "new": {"y": 1}}}
 *
 * differ at spec.env[x].value and at spec.new. A place is as deep as both sides go; list elements
 * are compared by position, and told by their name where b's, or else a's, has one that is a plain
 * word. A key that is none stands in quotes: labels["app.kubernetes.io/name"].
 */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H

#include "base/json.h"

enum { DIFF_PATH_MAX = 1024 }; /* bytes; a longer path is told by its beginning */

/* a or b is NULL where that side has nothing. False: stop. */
typedef bool diff_fn(void *arg, const char *path, const struct json *a, const struct json *b);

/* Call fn for each place where they differ, in b's order, what only a has last. */
void diff_each(const struct json *a, const struct json *b, diff_fn *fn, void *arg);

#endif
