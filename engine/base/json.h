/*
 * json.h - JSON values: strict parse, exact numbers, a small builder. json*.c are the only users of
 * cJSON.
 *
 * Numbers keep the text they were written with: 9007199254740993, 1e400 and 0.10 print as they
 * were read (a double would change all three). json_int64() reads an integer or says that it is
 * none. Parsing is strict (see scan.h) and refuses duplicate keys. Keys are case-sensitive.
 *
 * Every function that reads accepts NULL for a missing value, so that lookups chain:
 *
 *	const char *name = json_str(json_at(run, "metadata", "name"));
 *
 * json_build() makes a value from a template; single quotes stand for double quotes:
 *
 *	auto_json struct json *ref =
 *	    json_build("{'kind': 'Job', 'name': %s, 'uid': %s}", name, uid);
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"

struct json;

enum json_type {
	JSON_MISSING,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* Parse one JSON text; NULL on failure with "line L, column C: ..." in err. Nesting: scan.h. */
struct json *json_parse(const char *text, size_t len, struct err *err);

/* Compact text (of NULL: null); yours. */
char *json_print(const struct json *value);

void json_free(struct json *value);
static inline void cleanup_json(struct json **value)
{
	json_free(*value);
}
#define auto_json __attribute__((cleanup(cleanup_json)))

struct json *json_copy(const struct json *value);

/* Deep equality: the order of keys does not count, the text of numbers does. NULL equals NULL. */
bool json_equal(const struct json *a, const struct json *b);

/* ---- reading ---- */

enum json_type json_type(const struct json *value); /* JSON_MISSING for NULL */
const char *json_type_name(enum json_type type);    /* "object", "null", ... for messages */

/* The member of an object; NULL when absent or when value is no object. */
const struct json *json_get(const struct json *value, const char *key);

/* json_at(v, "a", "b"): the member b of member a. */
const struct json *json_at_keys(const struct json *value, ...) __attribute__((sentinel));
#define json_at(value, ...) json_at_keys(value, __VA_ARGS__, (char *)NULL)

/* The text of a string (borrowed), or of a number as it was written; else NULL. */
const char *json_str(const struct json *value);
const char *json_number_text(const struct json *value);

/* The string member key, or fallback when it is absent or no string. */
const char *json_get_str(const struct json *value, const char *key, const char *fallback);

/* True and *out set if value is an integer in range, written without point or exponent. */
bool json_int64(const struct json *value, int64_t *out);

/* The integer member key, or fallback. */
int64_t json_get_int(const struct json *value, const char *key, int64_t fallback);

bool json_is_true(const struct json *value);

/* Members of an array or object, in order: for (c = json_first(v); c != NULL; c = json_next(c)) */
const struct json *json_first(const struct json *value);
const struct json *json_next(const struct json *child);
const char *json_key(const struct json *child); /* NULL in an array */
size_t json_len(const struct json *value);

/* ---- making and changing ---- */

struct json *json_object(void);
struct json *json_array(void);
struct json *json_null(void);
struct json *json_bool(bool b);
struct json *json_int(int64_t n);
struct json *json_string(const char *text); /* invalid UTF-8 becomes U+FFFD */
struct json *json_number(const char *text); /* text must be a JSON number; it is kept as it is */

/*
 * A value from a template: JSON with ' for ", and
 *	%s  const char *          a string (NULL: null)
 *	%d  int64_t               an integer (cast it)
 *	%b  int                   true or false
 *	%j  const struct json *   a copy of the value (NULL: null), at most 16 of them
 * A template that is not JSON is a bug and aborts. A value may be of any depth, so what is built
 * may be too deep for json_parse().
 */
struct json *json_build(const char *template, ...);

/* Add or replace a member. A replaced one keeps its place. What is no object stays as it is. */
void json_set(struct json *object, const char *key, struct json *value_taken);
void json_set_str(struct json *object, const char *key, const char *text);
void json_append(struct json *array, struct json *value_taken);

/* A member to change in place; NULL when absent. json_obj adds an empty object when absent. */
struct json *json_mut(struct json *value, const char *key);
struct json *json_obj(struct json *object, const char *key);
struct json *json_mut_first(struct json *value);
struct json *json_mut_next(struct json *child);

/* Remove a member; json_take hands it out, NULL when absent. */
void json_remove(struct json *object, const char *key);
struct json *json_take(struct json *object, const char *key);

/* Apply an RFC 7386 merge patch in place. */
void json_merge_patch(struct json *target, const struct json *patch);

#endif
