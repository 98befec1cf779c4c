/*
 * coverage.h - which lines of a bundle's files have run.
 */
#ifndef POLICY_COVERAGE_H
#define POLICY_COVERAGE_H

#include "base/json.h"
#include "policy/bundle.h"

struct coverage;

/* Nothing has run yet. The bundle is borrowed. */
struct coverage *coverage_new(const struct bundle *bundle);
void coverage_free(struct coverage *coverage); /* NULL is fine */

/* The line of that file runs. A file or line that the bundle does not have is passed over. */
void coverage_mark(struct coverage *coverage, const char *file, int line);

/* {"contract.lua": [1, 2, 7], ...}: the files of which something has run, their lines in order. */
struct json *coverage_lines(const struct coverage *coverage);

#endif
