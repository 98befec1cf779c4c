/*
 * json_tree.h - for json.c and json_make.c alone: struct json is cJSON under a name of ours.
 *
 * Numbers are cJSON_Raw nodes: their text is printed as it stands; no other use of Raw exists.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <cjson/cJSON.h>

#include "base/json.h"

static inline cJSON *tree(const struct json *value)
{
	return (cJSON *)value;
}

static inline struct json *ours(cJSON *node)
{
	return (struct json *)node;
}

static inline cJSON *checked(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

#endif
