#include "jsonpath.h"

#include <ctype.h>

#include "base/buf.h"

/* A path is short and a document small: each evaluation walks the text again. With root NULL the
 * walk only checks the syntax. */
struct walk {
	const char *start, *at;
	struct err *err;
};

static int fail(const struct walk *w, const char *expected)
{
	return err_set(w->err, ERR_INVALID, "expected %s, found '%s' in the path '%s'", expected,
		       w->at, w->start);
}

/* The characters of a key up to the next . [ or end; a backslash takes the next one as it is. */
static int plain_key(struct walk *w, struct buf *key)
{
	while (*w->at != '\0' && strchr(".[", *w->at) == NULL) {
		if (*w->at == '\\' && w->at[1] != '\0')
			w->at++;
		buf_addc(key, *w->at++);
	}
	return key->len > 0 ? 0 : fail(w, "a key");
}

static int quoted(struct walk *w, struct buf *text)
{
	char quote = *w->at;

	if (quote != '\'' && quote != '"')
		return fail(w, "a quoted text");
	for (w->at++; *w->at != quote; w->at++) {
		if (*w->at == '\0')
			return fail(w, "a closing quote");
		if (*w->at == '\\' && w->at[1] != '\0')
			w->at++;
		buf_addc(text, *w->at);
	}
	w->at++;
	return 0;
}

static int expect(struct walk *w, const char *token, const char *name)
{
	if (!has_prefix(w->at, token))
		return fail(w, name);
	w->at += strlen(token);
	return 0;
}

/* ---- filters: [?(@.a.b=="text")] ---- */

struct filter {
	struct buf path; /* below the element */
	bool equal;
	struct buf operand;
	bool is_text; /* the operand was quoted */
};

static int read_operand(struct walk *w, struct filter *f)
{
	f->is_text = *w->at == '"' || *w->at == '\'';
	if (f->is_text)
		return quoted(w, &f->operand);
	while (isalnum((unsigned char)*w->at) || (*w->at != '\0' && strchr("+-.", *w->at) != NULL))
		buf_addc(&f->operand, *w->at++);
	return f->operand.len > 0 ? 0 : fail(w, "a text, a number, true or false");
}

static int read_filter(struct walk *w, struct filter *f)
{
	while (*w->at != '\0' && strchr("=!<> )", *w->at) == NULL)
		buf_addc(&f->path, *w->at++);
	w->at += strspn(w->at, " ");
	f->equal = *w->at == '=';
	if (!has_prefix(w->at, "==") && !has_prefix(w->at, "!="))
		return fail(w, "== or !=");
	w->at += 2;
	w->at += strspn(w->at, " ");
	if (read_operand(w, f) < 0)
		return -1;
	w->at += strspn(w->at, " ");
	return expect(w, ")]", ")]");
}

static bool filter_holds(const struct filter *f, const struct json *element)
{
	const struct json *value =
	    f->path.len > 0 ? jsonpath_first(f->path.data, element) : element;
	auto_free char *printed = NULL;

	if (value == NULL || (json_str(value) != NULL) != f->is_text)
		return false;
	printed = json_str(value) != NULL ? xstrdup(json_str(value)) : json_print(value);
	return streq(printed, f->operand.data) == f->equal;
}

/* ---- steps ---- */

static const struct json *rest_of(const char *path, const struct json *value);

static const struct json *nth(const struct json *array, long n)
{
	const struct json *c = json_type(array) == JSON_ARRAY ? json_first(array) : NULL;

	if (n < 0)
		n += (long)json_len(array);
	if (n < 0)
		return NULL;
	while (c != NULL && n-- > 0)
		c = json_next(c);
	return c;
}

/* The first element for which the rest of the path finds something. */
static const struct json *any(const struct walk *w, const struct filter *f,
			      const struct json *value)
{
	if (json_type(value) != JSON_ARRAY && json_type(value) != JSON_OBJECT)
		return NULL;
	for (const struct json *c = json_first(value); c != NULL; c = json_next(c)) {
		const struct json *found =
		    f == NULL || filter_holds(f, c) ? rest_of(w->at, c) : NULL;

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* Behind "[?(@": *done where the filter walked the rest of the path itself. */
static int filter_step(struct walk *w, const struct json **value, bool *done)
{
	struct filter f = {.path = BUF_INIT(JSONPATH_MAX), .operand = BUF_INIT(JSONPATH_MAX)};
	int result = read_filter(w, &f);

	if (result == 0 && *value != NULL) {
		*value = any(w, &f, *value);
		*done = true;
	}
	buf_done(&f.path);
	buf_done(&f.operand);
	return result;
}

/* Behind "[". */
static int bracket_step(struct walk *w, const struct json **value, bool *done)
{
	auto_buf struct buf key = BUF_INIT(JSONPATH_MAX);
	char *end;
	long n;

	if (has_prefix(w->at, "?(@")) {
		w->at += 3;
		return filter_step(w, value, done);
	}
	if (has_prefix(w->at, "*]")) {
		w->at += 2;
		*done = *value != NULL;
		*value = any(w, NULL, *value);
		return 0;
	}
	if (*w->at == '\'' || *w->at == '"') {
		if (quoted(w, &key) < 0)
			return -1;
		*value = json_get(*value, key.data);
		return expect(w, "]", "]");
	}
	n = strtol(w->at, &end, 10);
	if (end == w->at || isspace((unsigned char)*w->at))
		return fail(w, "an index, a quoted key, * or ?(@");
	w->at = end;
	*value = nth(*value, n);
	return expect(w, "]", "]");
}

static int step(struct walk *w, const struct json **value, bool *done)
{
	auto_buf struct buf key = BUF_INIT(JSONPATH_MAX);

	if (*w->at == '[') {
		w->at++;
		return bracket_step(w, value, done);
	}
	if (expect(w, ".", "a dot or a bracket") < 0)
		return -1;
	if (*w->at == '\0' && w->at == w->start + 1)
		return 0; /* "." alone is the root */
	if (*w->at == '[')
		return 0; /* .[0] is [0] */
	if (plain_key(w, &key) < 0)
		return -1;
	if (!streq(key.data, "*")) {
		*value = json_get(*value, key.data);
		return 0;
	}
	*done = *value != NULL;
	*value = any(w, NULL, *value);
	return 0;
}

static int walk(struct walk *w, const struct json **value)
{
	bool done = false;

	while (!done && *w->at != '\0')
		if (step(w, value, &done) < 0)
			return -1;
	return 0;
}

static const struct json *rest_of(const char *path, const struct json *value)
{
	struct err ignored = ERR_INIT;
	struct walk w = {.start = path, .at = path, .err = &ignored};

	return walk(&w, &value) < 0 ? NULL : value;
}

int jsonpath_check(const char *path, struct err *err)
{
	struct walk w = {.start = path, .at = path, .err = err};
	const struct json *nothing = NULL;

	if (strlen(path) > JSONPATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "expected a path of at most %d characters, found %zu", JSONPATH_MAX,
			       strlen(path));
	return walk(&w, &nothing);
}

const struct json *jsonpath_first(const char *path, const struct json *root)
{
	return strlen(path) <= JSONPATH_MAX ? rest_of(path, root) : NULL;
}
