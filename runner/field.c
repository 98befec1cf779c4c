#include "runner/field.h"

#include "base/log.h"

static char *path_of(const char *where, const char *key)
{
	return xasprintf("%s%s%s", where, *where != '\0' ? "." : "", key);
}

static int mismatch(const struct json *found, const char *where, const char *key, const char *type,
		    struct err *err)
{
	auto_free char *path = path_of(where, key);

	return err_set(err, ERR_INVALID, "%s: expected %s, found %s", path, type,
		       json_type_name(json_type(found)));
}

int field_string(const struct json *object, const char *where, const char *key, const char **out,
		 struct err *err)
{
	const struct json *value = json_get(object, key);

	if (value == NULL || json_type(value) == JSON_NULL) {
		*out = "";
		return 0;
	}
	if (json_type(value) != JSON_STRING)
		return mismatch(value, where, key, "a string", err);
	*out = json_str(value);
	return 0;
}

int field_needed(const struct json *object, const char *where, const char *key, const char **out,
		 struct err *err)
{
	const struct json *value = json_get(object, key);
	auto_free char *path = NULL;

	if (json_type(value) != JSON_STRING)
		return mismatch(value, where, key, "a string", err);
	if (*json_str(value) == '\0') {
		path = path_of(where, key);
		return err_set(err, ERR_INVALID, "%s: expected a string, found \"\"", path);
	}
	*out = json_str(value);
	return 0;
}

int field_object(const struct json *object, const char *where, const char *key,
		 const struct json **out, struct err *err)
{
	const struct json *value = json_get(object, key);

	if (json_type(value) != JSON_OBJECT)
		return mismatch(value, where, key, "an object", err);
	*out = value;
	return 0;
}

int field_int(const struct json *object, const char *where, const char *key, int64_t min,
	      int64_t max, int64_t *out, struct err *err)
{
	const struct json *value = json_get(object, key);
	auto_free char *path = NULL;
	int64_t number;

	if (value == NULL || json_type(value) == JSON_NULL)
		return 0;
	if (json_type(value) != JSON_NUMBER)
		return mismatch(value, where, key, "an integer", err);
	if (!json_int64(value, &number) || number < min || number > max) {
		path = path_of(where, key);
		return err_set(err, ERR_INVALID,
			       "%s: expected an integer from %lld to %lld, found %s", path,
			       (long long)min, (long long)max, json_number_text(value));
	}
	*out = number;
	return 0;
}

int field_bool(const struct json *object, const char *where, const char *key, bool *out,
	       struct err *err)
{
	const struct json *value = json_get(object, key);

	if (value == NULL || json_type(value) == JSON_NULL)
		return 0;
	if (json_type(value) != JSON_BOOL)
		return mismatch(value, where, key, "true or false", err);
	*out = json_is_true(value);
	return 0;
}

static bool is_known(const char *key, const char *const *known)
{
	while (*known != NULL && !streq(*known, key))
		known++;
	return *known != NULL;
}

void field_warn_unknown(const struct json *object, const char *where, const char *const *known)
{
	for (const struct json *c = json_first(object); c != NULL; c = json_next(c)) {
		auto_free char *path = path_of(where, json_key(c));

		if (!is_known(json_key(c), known))
			log_warn("unknown field of the contract ignored", "field", path);
	}
}
