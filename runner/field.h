/*
 * field.h - typed members of a JSON object, for what people write by hand: a message names the
 * field, what was expected and what was found ("kserve.modelUrl: expected a string, found number").
 *
 * where is the path of the object; "" at the root.
 */
#ifndef RUNNER_FIELD_H
#define RUNNER_FIELD_H

#include "base/json.h"

/* A string; "" when absent or null. Borrowed from object. */
int field_string(const struct json *object, const char *where, const char *key, const char **out,
		 struct err *err);

/* As field_string, but absent, null and "" fail. */
int field_needed(const struct json *object, const char *where, const char *key, const char **out,
		 struct err *err);

/* An object; fails when absent. */
int field_object(const struct json *object, const char *where, const char *key,
		 const struct json **out, struct err *err);

/* An integer from min to max; *out stays when it is absent or null. */
int field_int(const struct json *object, const char *where, const char *key, int64_t min,
	      int64_t max, int64_t *out, struct err *err);

/* true or false; *out stays when it is absent or null. */
int field_bool(const struct json *object, const char *where, const char *key, bool *out,
	       struct err *err);

/* Log a warning for each member that is not in the NULL-terminated list: perhaps a typo. */
void field_warn_unknown(const struct json *object, const char *where, const char *const *known);

#endif
