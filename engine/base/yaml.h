/*
 * yaml.h - YAML text to JSON values, with the YAML 1.2 core schema. The only user of libyaml.
 *
 * Plain scalars become null, booleans and numbers as the core schema says (so yes, on and 1e are
 * strings; 0x1F and 0o17 become decimal numbers, .inf, .nan, .5 and 0644 are refused); quoted ones
 * are always strings. Refused, with line and column: aliases and anchors, tags, merge keys,
 * duplicate keys, keys that are not scalars, nesting deeper than 64; with the number of the byte:
 * what is not UTF-8; text over YAML_MAX.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/json.h"

enum { YAML_MAX = 4 << 20 };

/* Every document of the text as one array (empty for an empty text); NULL on failure. */
struct json *yaml_parse_all(const char *text, size_t len, struct err *err);

/* Exactly one document; NULL on failure. */
struct json *yaml_parse(const char *text, size_t len, struct err *err);

/* The value in block style with a newline at its end, as kubectl prints it; yours. Strings stand in
 * quotes where a reader of YAML 1.1 or 1.2 might take them for something else. */
char *yaml_print(const struct json *value);

#endif
