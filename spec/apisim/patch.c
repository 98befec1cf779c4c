#include "spec/apisim/patch.h"

#include <ctype.h>

enum { POINTER_MAX = 4096 };

static int malformed(struct err *err, const char *what)
{
	err_set(err, ERR_INVALID, "error decoding patch: %s", what);
	err->status = 400;
	return -1;
}

static int unfit(struct err *err, const char *op, const char *path, const char *why)
{
	err_set(err, ERR_INVALID, "%s operation does not apply: %s: %s", op, path, why);
	err->status = 422;
	return -1;
}

/* ---- JSON pointers (RFC 6901) ---- */

/* The next token of the pointer at *at, decoded into out; false where it is none. */
static bool next_token(const char **at, char *out)
{
	size_t n = 0;

	if (*(*at)++ != '/')
		return false;
	for (; **at != '\0' && **at != '/'; (*at)++) {
		char c = **at;

		if (c == '~') {
			(*at)++;
			if (**at != '0' && **at != '1')
				return false;
			c = **at == '0' ? '~' : '/';
		}
		if (n + 1 == POINTER_MAX)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* The index that token names in an array of len elements; -1 where it names none. */
static int64_t array_index(const char *token, size_t len)
{
	char *end;
	unsigned long long n;

	if (!isdigit((unsigned char)token[0]) || (token[0] == '0' && token[1] != '\0'))
		return -1;
	n = strtoull(token, &end, 10);
	return *end == '\0' && n < len ? (int64_t)n : -1;
}

static struct json *element(struct json *array, int64_t index)
{
	struct json *child = json_mut_first(array);

	while (index-- > 0)
		child = json_mut_next(child);
	return child;
}

static struct json *child_of(struct json *value, const char *token)
{
	int64_t index;

	if (json_type(value) == JSON_OBJECT)
		return json_mut(value, token);
	if (json_type(value) != JSON_ARRAY)
		return NULL;
	index = array_index(token, json_len(value));
	return index >= 0 ? element(value, index) : NULL;
}

/* The parent of what path names, with the last token in out; NULL where there is none. */
static struct json *parent_of(struct json *root, const char *path, char *out)
{
	struct json *value = root;

	for (;;) {
		if (!next_token(&path, out))
			return NULL;
		if (*path == '\0')
			return value;
		value = child_of(value, out);
		if (value == NULL)
			return NULL;
	}
}

static const struct json *value_at(struct json *root, const char *path)
{
	char token[POINTER_MAX] = "";
	struct json *value = root;

	while (*path != '\0' && value != NULL)
		value = next_token(&path, token) ? child_of(value, token) : NULL;
	return value;
}

/* ---- JSON patch ---- */

/* A copy of array with value before index (its length: at the end), or without that element. */
static struct json *rebuilt(const struct json *array, int64_t index, const struct json *value)
{
	struct json *out = json_array();
	int64_t i = 0;

	for (const struct json *c = json_first(array); c != NULL; c = json_next(c), i++) {
		if (i == index && value != NULL)
			json_append(out, json_copy(value));
		if (i != index || value != NULL)
			json_append(out, json_copy(c));
	}
	if (value != NULL && index == i)
		json_append(out, json_copy(value));
	return out;
}

/* Put replacement in place of the array at path. */
static void replace_at(struct json **root, const char *path, struct json *replacement_taken)
{
	char token[POINTER_MAX] = "";
	auto_free char *up = NULL;
	struct json *parent, *grown;
	int64_t index;

	if (*path == '\0') {
		json_free(*root);
		*root = replacement_taken;
		return;
	}
	parent = parent_of(*root, path, token);
	if (json_type(parent) == JSON_OBJECT) {
		json_set(parent, token, replacement_taken);
		return;
	}
	/* An array has no way to exchange an element: build it anew. */
	index = array_index(token, json_len(parent));
	grown = json_array();
	for (const struct json *c = json_first(parent); c != NULL; c = json_next(c)) {
		struct json *copy = index-- == 0 ? steal(replacement_taken) : json_copy(c);

		json_append(grown, copy);
	}
	up = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	replace_at(root, up, grown);
}

static int change_array(struct json **root, const char *path, const char *token,
			const struct json *array, const struct json *value, const char *op,
			struct err *err)
{
	auto_free char *up = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	size_t len = json_len(array);
	int64_t index = value != NULL && streq(token, "-")
			    ? (int64_t)len
			    : array_index(token, len + (value != NULL));

	if (index < 0)
		return unfit(err, op, path, "no such index");
	replace_at(root, up, rebuilt(array, index, value));
	return 0;
}

static int op_add(struct json **root, const char *path, const struct json *value, const char *op,
		  struct err *err)
{
	char token[POINTER_MAX] = "";
	struct json *parent;

	if (*path == '\0') {
		replace_at(root, path, json_copy(value));
		return 0;
	}
	parent = parent_of(*root, path, token);
	if (json_type(parent) == JSON_OBJECT) {
		json_set(parent, token, json_copy(value));
		return 0;
	}
	if (json_type(parent) != JSON_ARRAY)
		return unfit(err, op, path, "missing value");
	return change_array(root, path, token, parent, value, op, err);
}

static int op_remove(struct json **root, const char *path, const char *op, struct err *err)
{
	char token[POINTER_MAX] = "";
	struct json *parent = parent_of(*root, path, token);

	if (json_type(parent) == JSON_ARRAY)
		return change_array(root, path, token, parent, NULL, op, err);
	if (json_type(parent) != JSON_OBJECT || json_get(parent, token) == NULL)
		return unfit(err, op, path, "missing value");
	json_remove(parent, token);
	return 0;
}

static int op_replace(struct json **root, const char *path, const struct json *value,
		      struct err *err)
{
	if (value_at(*root, path) == NULL)
		return unfit(err, "replace", path, "missing value");
	replace_at(root, path, json_copy(value));
	return 0;
}

static int op_copy(struct json **root, const char *from, const char *path, bool move,
		   struct err *err)
{
	auto_json struct json *value = json_copy(value_at(*root, from));
	const char *op = move ? "move" : "copy";

	if (value == NULL)
		return unfit(err, op, from, "missing value");
	if (move && op_remove(root, from, op, err) < 0)
		return -1;
	return op_add(root, path, value, op, err);
}

static int apply_operation(struct json **root, const struct json *operation, struct err *err)
{
	const char *op = json_get_str(operation, "op", "");
	const char *path = json_get_str(operation, "path", NULL);
	const char *from = json_get_str(operation, "from", NULL);
	const struct json *value = json_get(operation, "value");
	bool move = streq(op, "move");

	if (path == NULL || (*path != '\0' && *path != '/') || strlen(path) >= POINTER_MAX)
		return malformed(err, "an operation needs a path");
	if (streq(op, "remove"))
		return op_remove(root, path, op, err);
	if (move || streq(op, "copy"))
		return from != NULL ? op_copy(root, from, path, move, err)
				    : malformed(err, "move and copy need from");
	if (value == NULL)
		return malformed(err, "an operation needs a known op and a value");
	if (streq(op, "add"))
		return op_add(root, path, value, op, err);
	if (streq(op, "replace"))
		return op_replace(root, path, value, err);
	if (!streq(op, "test"))
		return malformed(err, "unknown op");
	if (!json_equal(value_at(*root, path), value))
		return unfit(err, op, path, "test failed");
	return 0;
}

int patch_json(struct json **target, const struct json *patch, struct err *err)
{
	if (json_type(patch) != JSON_ARRAY)
		return malformed(err, "expected an array of operations");
	if (json_len(patch) > PATCH_OPERATIONS_MAX)
		return malformed(err, "too many operations");
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (apply_operation(target, p, err) < 0)
			return -1;
	return 0;
}

int patch_merge(struct json **target, const struct json *patch, struct err *err)
{
	if (json_type(patch) != JSON_OBJECT)
		return malformed(err, "expected an object");
	json_merge_patch(*target, patch);
	return 0;
}
