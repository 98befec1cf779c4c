#include "base/diff.h"

#include <ctype.h>

#include "base/buf.h"

struct walk {
	struct buf path;
	diff_fn *fn;
	void *arg;
};

static bool is_word(const char *key)
{
	if (*key == '\0')
		return false;
	for (; *key != '\0'; key++)
		if (!isalnum((unsigned char)*key) && *key != '_' && *key != '-')
			return false;
	return true;
}

static void add_key(struct walk *walk, const char *key)
{
	if (is_word(key)) {
		buf_addf(&walk->path, "%s%s", walk->path.len > 0 ? "." : "", key);
		return;
	}
	buf_addc(&walk->path, '[');
	buf_add_json(&walk->path, key, strlen(key));
	buf_addc(&walk->path, ']');
}

static void add_index(struct walk *walk, size_t i, const struct json *a, const struct json *b)
{
	const char *name = json_get_str(b, "name", json_get_str(a, "name", NULL));

	if (name != NULL && is_word(name))
		buf_addf(&walk->path, "[%s]", name);
	else
		buf_addf(&walk->path, "[%zu]", i);
}

static void cut(struct walk *walk, size_t len)
{
	walk->path.len = len;
	walk->path.data[len] = '\0';
	walk->path.full = false;
}

static bool walk_values(struct walk *walk, const struct json *a, const struct json *b);

static bool walk_member(struct walk *walk, const char *key, const struct json *a,
			const struct json *b)
{
	size_t len = walk->path.len;
	bool go_on;

	add_key(walk, key);
	go_on = walk_values(walk, a, b);
	cut(walk, len);
	return go_on;
}

/* The member of object with m's key. *at walks along with m, so that members in the same order are
 * not searched for. */
static const struct json *counterpart(const struct json *object, const struct json *m,
				      const struct json **at)
{
	const struct json *found = *at;

	if (found == NULL || !streq(json_key(found), json_key(m)))
		found = json_get(object, json_key(m));
	if (found != NULL)
		*at = json_next(found);
	return found;
}

static bool walk_objects(struct walk *walk, const struct json *a, const struct json *b)
{
	const struct json *at = json_first(a);

	for (const struct json *m = json_first(b); m != NULL; m = json_next(m))
		if (!walk_member(walk, json_key(m), counterpart(a, m, &at), m))
			return false;
	at = json_first(b);
	for (const struct json *m = json_first(a); m != NULL; m = json_next(m))
		if (counterpart(b, m, &at) == NULL && !walk_member(walk, json_key(m), m, NULL))
			return false;
	return true;
}

static bool walk_arrays(struct walk *walk, const struct json *a, const struct json *b)
{
	const struct json *x = json_first(a), *y = json_first(b);

	for (size_t i = 0; x != NULL || y != NULL; i++) {
		size_t len = walk->path.len;
		bool go_on;

		add_index(walk, i, x, y);
		go_on = walk_values(walk, x, y);
		cut(walk, len);
		if (!go_on)
			return false;
		x = x != NULL ? json_next(x) : NULL;
		y = y != NULL ? json_next(y) : NULL;
	}
	return true;
}

static bool walk_values(struct walk *walk, const struct json *a, const struct json *b)
{
	if (json_type(a) == JSON_OBJECT && json_type(b) == JSON_OBJECT)
		return walk_objects(walk, a, b);
	if (json_type(a) == JSON_ARRAY && json_type(b) == JSON_ARRAY)
		return walk_arrays(walk, a, b);
	return json_equal(a, b) || walk->fn(walk->arg, walk->path.data, a, b);
}

void diff_each(const struct json *a, const struct json *b, diff_fn *fn, void *arg)
{
	struct walk walk = {.path = BUF_INIT(DIFF_PATH_MAX), .fn = fn, .arg = arg};

	walk_values(&walk, a, b);
	buf_done(&walk.path);
}
