/*
 * lint_parse.h - for lint.c alone: walk through a Lua 5.4 source
 * (https://www.lua.org/manual/5.4/manual.html#9) and tell lint_scope.h about its names.
 *
 * Operators bind as they like here: what stands between them counts, not their order.
 */
#ifndef POLICY_LINT_PARSE_H
#define POLICY_LINT_PARSE_H

#include "policy/lint_scope.h"

enum { LINT_DEPTH_MAX = 200 }; /* of statements and expressions in one another, as in Lua itself */

struct chunk {
	bool returns;          /* there is a return outside of functions */
	struct value returned; /* by the one at the end; VALUE_UNKNOWN if there is none */
};

/* The source was accepted by Lua. For any other text: whatever was found up to where it stops to
 * be Lua. */
void lint_parse(struct scope *scope, const char *text, size_t len, struct chunk *chunk);

/* What the value is, by way of the locals that hold it. */
const struct value *lint_resolve(const struct value *value);

#endif
