/*
 * cel.h - the part of the Common Expression Language that our validation rules use.
 *
 * Supported: null, booleans, integers, doubles, strings (also r"raw"), lists; self, oldSelf and
 * the variables of macros; a.b, a["b"], a[0]; has(a.b); size(x), x.size(), startsWith, endsWith,
 * contains, matches; all, exists; ! - * / % + == != < <= > >= in && || ?:. A field whose name is a
 * reserved word is written as on the server: self.__namespace__.
 *
 * Types are not checked: a rule that names a field which the schema lacks is refused by the server
 * and fails here when it is evaluated. As on the server, && and || forgive an error on one side
 * when the other side decides; any other error (no such key, overload, overflow, index) is a
 * failure of the rule; integers have 64 bits.
 *
 * Sources: https://github.com/google/cel-spec/blob/master/doc/langdef.md and
 * https://kubernetes.io/docs/reference/using-api/cel/
 */
#ifndef APISIM_CEL_H
#define APISIM_CEL_H

#include "base/json.h"

struct cel;

/* Expressions longer than CEL_TEXT_MAX, nested deeper than CEL_DEPTH_MAX, or that take more than
 * CEL_STEPS_MAX steps to evaluate are refused: LIMIT. */
enum { CEL_TEXT_MAX = 8192, CEL_DEPTH_MAX = 64, CEL_STEPS_MAX = 100000 };

/* NULL with `line 1, column 7: expected ..., found ...` in err. */
struct cel *cel_parse(const char *text, struct err *err);
void cel_free(struct cel *cel);
static inline void cleanup_cel(struct cel **cel)
{
	cel_free(*cel);
}
#define auto_cel __attribute__((cleanup(cleanup_cel)))

/* The expression names oldSelf: a transition rule, which is evaluated on updates only. */
bool cel_uses_old_self(const struct cel *cel);

/* 0 and *result; -1 where evaluation fails or the result is no boolean. old_self may be NULL. */
int cel_eval_bool(const struct cel *cel, const struct json *self, const struct json *old_self,
		  bool *result, struct err *err);

/* The same for a messageExpression, whose result must be a string; yours, NULL on failure. */
char *cel_eval_string(const struct cel *cel, const struct json *self, const struct json *old_self,
		      struct err *err);

#endif
