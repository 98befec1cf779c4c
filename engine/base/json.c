#include "base/json.h"

#include <errno.h>

#include "base/json_tree.h"
#include "base/map.h"
#include "base/scan.h"

enum { SEARCHED_KEYS_MAX = 32 }; /* from so many keys on, they are looked up by hash */

/* ---- parsing ---- */

static cJSON *read_value(struct scan *s, enum scan_token token, struct err *err);

/* cJSON_CreateString() and cJSON_CreateRaw() would copy it. */
static cJSON *text_node(int type, char *text_taken)
{
	cJSON *node = checked(cJSON_CreateNull());

	node->type = type;
	node->valuestring = text_taken;
	return node;
}

/* Whoever writes an object must not make us compare each of its keys with each. */
static struct map *index_keys(const cJSON *object)
{
	struct map *keys = map_new(NULL);

	for (cJSON *member = object->child; member != NULL; member = member->next)
		map_put(keys, member->string, member);
	return keys;
}

static cJSON *read_object(struct scan *s, struct err *err)
{
	cJSON *object = checked(cJSON_CreateObject());
	struct map *keys = NULL;
	enum scan_token token;

	for (size_t count = 0; (token = scan_next(s)) == SCAN_KEY; count++) {
		auto_free char *key = scan_text(s);
		cJSON *value;

		if (count == SEARCHED_KEYS_MAX)
			keys = index_keys(object);
		if (keys != NULL ? map_get(keys, key) != NULL
				 : cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
			s->problem = "expected each key once, found one twice";
			break;
		}
		value = read_value(s, scan_next(s), err);
		if (value == NULL)
			break;
		value->string = steal(key);
		cJSON_AddItemToArray(object, value); /* ToObject() would copy the key */
		if (keys != NULL)
			map_put(keys, value->string, value);
	}
	map_free(keys);
	if (token == SCAN_OBJECT_END)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *read_array(struct scan *s, struct err *err)
{
	cJSON *array = checked(cJSON_CreateArray());
	enum scan_token token;

	while ((token = scan_next(s)) != SCAN_ARRAY_END) {
		cJSON *value = read_value(s, token, err);

		if (value == NULL) {
			cJSON_Delete(array);
			return NULL;
		}
		cJSON_AddItemToArray(array, value);
	}
	return array;
}

static cJSON *read_value(struct scan *s, enum scan_token token, struct err *err)
{
	switch (token) {
	case SCAN_OBJECT:
		return read_object(s, err);
	case SCAN_ARRAY:
		return read_array(s, err);
	case SCAN_STRING:
		return text_node(cJSON_String, scan_text(s));
	case SCAN_NUMBER:
		return text_node(cJSON_Raw, xstrndup(s->span, s->span_len));
	case SCAN_TRUE:
		return checked(cJSON_CreateTrue());
	case SCAN_FALSE:
		return checked(cJSON_CreateFalse());
	case SCAN_NULL:
		return checked(cJSON_CreateNull());
	case SCAN_ERROR:
	case SCAN_END:
	case SCAN_OBJECT_END:
	case SCAN_ARRAY_END:
	case SCAN_KEY:
		break;
	}
	return NULL;
}

struct json *json_parse(const char *text, size_t len, struct err *err)
{
	struct scan s;
	cJSON *value;

	scan_init(&s, text, len);
	value = read_value(&s, scan_next(&s), err);
	if (value != NULL && scan_next(&s) == SCAN_END)
		return ours(value);
	cJSON_Delete(value);
	scan_fail(&s, err);
	return NULL;
}

char *json_print(const struct json *value)
{
	char *text = value != NULL ? cJSON_PrintUnformatted(tree(value)) : xstrdup("null");

	if (text == NULL)
		abort();
	return text;
}

void json_free(struct json *value)
{
	cJSON_Delete(tree(value));
}

struct json *json_copy(const struct json *value)
{
	return value != NULL ? ours(checked(cJSON_Duplicate(tree(value), true))) : NULL;
}

bool json_equal(const struct json *a, const struct json *b)
{
	const char *text;

	if (json_type(a) != json_type(b))
		return false;
	switch (json_type(a)) {
	case JSON_MISSING:
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return json_is_true(a) == json_is_true(b);
	case JSON_NUMBER:
		return streq(json_number_text(a), json_number_text(b));
	case JSON_STRING:
		text = json_str(a);
		return streq(text, json_str(b));
	case JSON_ARRAY:
		if (json_len(a) != json_len(b))
			return false;
		for (a = json_first(a), b = json_first(b); a != NULL;
		     a = json_next(a), b = json_next(b))
			if (!json_equal(a, b))
				return false;
		return true;
	case JSON_OBJECT:
		if (json_len(a) != json_len(b))
			return false;
		for (a = json_first(a); a != NULL; a = json_next(a))
			if (!json_equal(a, json_get(b, json_key(a))))
				return false;
		return true;
	}
	return false;
}

/* ---- reading ---- */

enum json_type json_type(const struct json *value)
{
	if (value == NULL)
		return JSON_MISSING;
	switch (tree(value)->type & 0xFF) {
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_True:
	case cJSON_False:
		return JSON_BOOL;
	case cJSON_Raw:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	default:
		return JSON_OBJECT;
	}
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
	    [JSON_MISSING] = "nothing", [JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
	    [JSON_NUMBER] = "number",   [JSON_STRING] = "string", [JSON_ARRAY] = "array",
	    [JSON_OBJECT] = "object",
	};

	return names[type];
}

const struct json *json_get(const struct json *value, const char *key)
{
	if (json_type(value) != JSON_OBJECT)
		return NULL;
	return ours(cJSON_GetObjectItemCaseSensitive(tree(value), key));
}

const struct json *json_at_keys(const struct json *value, ...)
{
	const char *key;
	va_list args;

	va_start(args, value);
	while (value != NULL && (key = va_arg(args, const char *)) != NULL)
		value = json_get(value, key);
	va_end(args);
	return value;
}

const char *json_str(const struct json *value)
{
	return json_type(value) == JSON_STRING ? tree(value)->valuestring : NULL;
}

const char *json_number_text(const struct json *value)
{
	return json_type(value) == JSON_NUMBER ? tree(value)->valuestring : NULL;
}

const char *json_get_str(const struct json *value, const char *key, const char *fallback)
{
	const char *text = json_str(json_get(value, key));

	return text != NULL ? text : fallback;
}

bool json_int64(const struct json *value, int64_t *out)
{
	const char *text = json_number_text(value);
	char *end;
	long long n;

	if (text == NULL)
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*out = n;
	return true;
}

int64_t json_get_int(const struct json *value, const char *key, int64_t fallback)
{
	int64_t n;

	return json_int64(json_get(value, key), &n) ? n : fallback;
}

bool json_is_true(const struct json *value)
{
	return value != NULL && cJSON_IsTrue(tree(value));
}

const struct json *json_first(const struct json *value)
{
	return value != NULL ? ours(tree(value)->child) : NULL;
}

const struct json *json_next(const struct json *child)
{
	return ours(tree(child)->next);
}

const char *json_key(const struct json *child)
{
	return tree(child)->string;
}

size_t json_len(const struct json *value)
{
	size_t n = 0;

	for (const struct json *c = json_first(value); c != NULL; c = json_next(c))
		n++;
	return n;
}
