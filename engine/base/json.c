#include "base/json.h"

#include <errno.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/scan.h"
#include "base/utf8.h"

enum {
	TEMPLATE_MAX = 64 << 20,
	TEMPLATE_VALUES_MAX = 16,
	SEARCHED_KEYS_MAX = 32, /* from so many keys on, they are looked up by hash */
};

/* struct json is cJSON under a name of ours. Numbers are cJSON_Raw nodes: their text is printed
 * as it stands; no other use of Raw exists here. */
static cJSON *tree(const struct json *value)
{
	return (cJSON *)value;
}

static struct json *ours(cJSON *node)
{
	return (struct json *)node;
}

static cJSON *checked(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

/* ---- parsing ---- */

static cJSON *read_value(struct scan *s, enum scan_token token, struct err *err);

static cJSON *read_string(const struct scan *s)
{
	auto_free char *text = scan_text(s);

	return checked(cJSON_CreateString(text));
}

static cJSON *read_number(const struct scan *s)
{
	auto_free char *text = xstrndup(s->span, s->span_len);

	return checked(cJSON_CreateRaw(text));
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
		cJSON_AddItemToObject(object, key, value);
		if (keys != NULL)
			map_put(keys, key, value);
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
		return read_string(s);
	case SCAN_NUMBER:
		return read_number(s);
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

static void print_pretty(struct buf *b, const struct json *value, int indent)
{
	bool object = json_type(value) == JSON_OBJECT;
	auto_free char *scalar = NULL;

	if ((!object && json_type(value) != JSON_ARRAY) || json_first(value) == NULL) {
		scalar = json_print(value);
		buf_adds(b, scalar);
		return;
	}
	buf_adds(b, object ? "{" : "[");
	for (const struct json *c = json_first(value); c != NULL; c = json_next(c)) {
		buf_addf(b, "%s\n%*s", c == json_first(value) ? "" : ",", indent + 2, "");
		if (object) {
			buf_add_json(b, json_key(c), strlen(json_key(c)));
			buf_adds(b, ": ");
		}
		print_pretty(b, c, indent + 2);
	}
	buf_addf(b, "\n%*s%s", indent, "", object ? "}" : "]");
}

char *json_print_pretty(const struct json *value)
{
	struct buf b = BUF_INIT(TEMPLATE_MAX);

	print_pretty(&b, value, 0);
	buf_addc(&b, '\n');
	return buf_steal(&b);
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

/* ---- making and changing ---- */

struct json *json_object(void)
{
	return ours(checked(cJSON_CreateObject()));
}

struct json *json_array(void)
{
	return ours(checked(cJSON_CreateArray()));
}

struct json *json_null(void)
{
	return ours(checked(cJSON_CreateNull()));
}

struct json *json_bool(bool b)
{
	return ours(checked(cJSON_CreateBool(b)));
}

struct json *json_int(int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	return json_number(text);
}

struct json *json_string(const char *text)
{
	if (!utf8_valid(text, strlen(text)))
		return json_build("%s", text);
	return ours(checked(cJSON_CreateString(text)));
}

struct json *json_number(const char *text)
{
	return ours(checked(cJSON_CreateRaw(text)));
}

/* ---- templates ---- */

/* A value is first written as the number 0e<its index>, which no template and no %d writes, and
 * swapped for a copy when the text is parsed: so it may be of any depth, and is not parsed again.
 */
#define PLACEHOLDER "0e"

struct template
{
	struct buf text;
	const struct json *values[TEMPLATE_VALUES_MAX];
	size_t count;
};

static void expand(struct template *t, char directive, va_list *args)
{
	const char *text;

	switch (directive) {
	case 's':
		text = va_arg(*args, const char *);
		if (text != NULL)
			buf_add_json(&t->text, text, strlen(text));
		else
			buf_adds(&t->text, "null");
		return;
	case 'd':
		buf_addf(&t->text, "%lld", (long long)va_arg(*args, int64_t));
		return;
	case 'b':
		buf_adds(&t->text, va_arg(*args, int) ? "true" : "false");
		return;
	case 'j':
		if (t->count == TEMPLATE_VALUES_MAX)
			abort();
		buf_addf(&t->text, PLACEHOLDER "%zu", t->count);
		t->values[t->count++] = va_arg(*args, const struct json *);
		return;
	default:
		abort();
	}
}

static void become_copy(cJSON *node, const struct json *value)
{
	cJSON *copy =
	    checked(value != NULL ? cJSON_Duplicate(tree(value), true) : cJSON_CreateNull());

	cJSON_free(node->valuestring);
	node->type = copy->type;
	node->valuestring = steal(copy->valuestring);
	node->child = steal(copy->child);
	cJSON_Delete(copy);
}

static void put_values(cJSON *node, const struct template *t)
{
	const char *number = json_number_text(ours(node));

	if (number != NULL && has_prefix(number, PLACEHOLDER)) {
		become_copy(node, t->values[strtoul(number + strlen(PLACEHOLDER), NULL, 10)]);
		return;
	}
	for (cJSON *child = node->child; child != NULL; child = child->next)
		put_values(child, t);
}

struct json *json_build(const char *template, ...)
{
	struct template t = {.text = BUF_INIT(TEMPLATE_MAX)};
	struct err err = ERR_INIT;
	struct json *value;
	va_list args;

	va_start(args, template);
	for (const char *p = template; *p != '\0'; p++) {
		if (*p == '%')
			expand(&t, *++p, &args);
		else
			buf_addc(&t.text, *p == '\'' ? '"' : *p);
	}
	va_end(args);
	value = json_parse(t.text.data, t.text.len, &err);
	if (value == NULL) {
		fprintf(stderr, "json_build: %s in %s\n", err.msg, template);
		abort();
	}
	put_values(tree(value), &t);
	buf_done(&t.text);
	return value;
}

void json_set(struct json *object, const char *key, struct json *value_taken)
{
	if (json_get(object, key) != NULL)
		cJSON_ReplaceItemInObjectCaseSensitive(tree(object), key, tree(value_taken));
	else
		cJSON_AddItemToObject(tree(object), key, tree(value_taken));
}

void json_set_str(struct json *object, const char *key, const char *text)
{
	json_set(object, key, json_string(text));
}

void json_append(struct json *array, struct json *value_taken)
{
	cJSON_free(steal(tree(value_taken)->string));
	cJSON_AddItemToArray(tree(array), tree(value_taken));
}

struct json *json_mut(struct json *value, const char *key)
{
	return (struct json *)json_get(value, key);
}

struct json *json_obj(struct json *object, const char *key)
{
	if (json_type(json_get(object, key)) != JSON_OBJECT)
		json_set(object, key, json_object());
	return json_mut(object, key);
}

struct json *json_mut_first(struct json *value)
{
	return (struct json *)json_first(value);
}

struct json *json_mut_next(struct json *child)
{
	return (struct json *)json_next(child);
}

void json_remove(struct json *object, const char *key)
{
	json_free(json_take(object, key));
}

struct json *json_take(struct json *object, const char *key)
{
	if (json_type(object) != JSON_OBJECT)
		return NULL;
	return ours(cJSON_DetachItemFromObjectCaseSensitive(tree(object), key));
}

void json_merge_patch(struct json *target, const struct json *patch)
{
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p)) {
		if (json_type(p) == JSON_NULL)
			json_remove(target, json_key(p));
		else if (json_type(p) == JSON_OBJECT)
			json_merge_patch(json_obj(target, json_key(p)), p);
		else
			json_set(target, json_key(p), json_copy(p));
	}
}
