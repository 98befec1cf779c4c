#include "base/buf.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/utf8.h"

enum { TEMPLATE_MAX = 64 << 20, TEMPLATE_VALUES_MAX = 16 };

/* ---- making ---- */

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

/* ---- changing ---- */

void json_set(struct json *object, const char *key, struct json *value_taken)
{
	if (json_type(object) != JSON_OBJECT)
		json_free(value_taken);
	else if (json_get(object, key) != NULL)
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
