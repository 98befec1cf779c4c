/*
 * pattern.h - the regular expressions of schemas and rules, for POSIX regcomp(3).
 *
 * kube-apiserver matches with RE2. Understood here: what both share, plus \d \D, \w \W \s \S and
 * (?:...), which are translated. Anything else (lazy repeats, flags, \b, \pL, back references) is
 * refused instead of meaning something else.
 *
 * The source: https://github.com/google/re2/wiki/Syntax
 */
#ifndef APISIM_PATTERN_H
#define APISIM_PATTERN_H

#include "base/err.h"

enum { PATTERN_MAX = 4096 }; /* bytes of a pattern */

struct pattern;

struct pattern *pattern_new(const char *text, struct err *err);
void pattern_free(struct pattern *pattern);

/* Is there a match anywhere in text? */
bool pattern_matches(const struct pattern *pattern, const char *text);

#endif
