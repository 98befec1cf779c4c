/*
 * schema_tree.h - what the schema*.c files share. Private to them.
 */
#ifndef APISIM_SCHEMA_TREE_H
#define APISIM_SCHEMA_TREE_H

#include "base/buf.h"
#include "base/map.h"
#include "cel.h"
#include "pattern.h"
#include "schema.h"

struct schema {
	struct json *root;    /* the openAPIV3Schema */
	struct map *patterns; /* text -> struct pattern */
	struct map *rules;    /* text -> struct cel; messageExpressions too */
};

/* Where we are in the object; the root is NULL. key is NULL for an element of an array. */
struct path {
	const struct path *up;
	const char *key;
	size_t index;
};

/* As the server writes it: spec.parameters.a, status.conditions[0].type; yours. */
char *path_text(const struct path *path);

/* The schema of the members and elements of a value with this schema; NULL: there is none. */
const struct json *schema_of_member(const struct json *node, const char *key);

/* Does anything go in this object: x-kubernetes-preserve-unknown-fields, additionalProperties:
 * true? */
bool schema_keeps_unknown(const struct json *node);

/* apiVersion, kind and metadata of a whole object (the root, an embedded resource). */
bool schema_is_object_header(const char *key);

/* The member of old that corresponds to value's child: the same key, or in a list of type map
 * the element with the same keys. NULL: none. */
const struct json *schema_counterpart(const struct json *node, const struct json *old,
				      const struct json *child);

struct findings {
	const struct schema *schema;
	struct json *causes;
	bool blocked; /* a finding that keeps the rules from being evaluated */
};

enum finding {
	FINDING_INVALID,
	FINDING_REQUIRED,
	FINDING_NOT_SUPPORTED,
	FINDING_FORBIDDEN,
	FINDING_DUPLICATE,
	FINDING_TOO_LONG,
	FINDING_TOO_MANY,
	FINDING_TYPE,
};

/* Add one cause. field NULL: the text of path. shown is the bad value as the message shows it
 * (quotes included), or NULL; detail may be NULL. */
void finding_add(struct findings *f, enum finding kind, const char *field, const char *shown,
		 const char *detail);

/* schema_check.c: types, limits, enums, formats, list types. */
void schema_check_value(struct findings *f, const struct json *node, const struct json *value,
			const struct json *old, const struct path *path);

/* schema_rules.c: x-kubernetes-validations. */
void schema_check_rules(struct findings *f, const struct json *node, const struct json *value,
			const struct json *old, const struct path *path);

#endif
