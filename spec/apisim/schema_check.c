#include <ctype.h>

#include "base/timefmt.h"
#include "base/utf8.h"
#include "schema_tree.h"

enum { SHOWN_MAX = 1 << 16 };

/* One value at one place; what a check needs. */
struct place {
	struct findings *f;
	const struct json *node, *value;
	const struct path *path;
};

/* "NAME in body should ...": the name is the path without a leading dot. */
static void complain_as(const struct place *at, enum finding kind, const char *problem)
{
	auto_free char *field = path_text(at->path);
	auto_free char *shown = json_print(at->value);
	auto_free char *detail = xasprintf("%s in body %s", field, problem);

	finding_add(at->f, kind, field, shown, detail);
}

static void complain(const struct place *at, const char *problem)
{
	complain_as(at, FINDING_INVALID, problem);
}

/* ---- type ---- */

static const char *type_of(const struct json *value)
{
	double real;
	int64_t n;

	if (json_type(value) != JSON_NUMBER)
		return json_type_name(json_type(value));
	real = strtod(json_number_text(value), NULL);
	if (json_int64(value, &n) || (real > -9e15 && real < 9e15 && real == (double)(int64_t)real))
		return "integer";
	return "number";
}

static bool type_fits(const struct json *node, const struct json *value)
{
	const char *want = json_get_str(node, "type", NULL), *have = type_of(value);

	if (json_type(value) == JSON_NULL)
		return json_is_true(json_get(node, "nullable"));
	if (json_is_true(json_get(node, "x-kubernetes-int-or-string")))
		return streq(have, "integer") || streq(have, "string");
	return want == NULL || streq(want, have) ||
	       (streq(want, "number") && streq(have, "integer"));
}

static void complain_type(const struct place *at)
{
	bool either = json_is_true(json_get(at->node, "x-kubernetes-int-or-string"));
	const char *want = either ? "integer,string" : json_get_str(at->node, "type", "");
	auto_free char *field = path_text(at->path);
	auto_free char *shown = xasprintf("\"%s\"", type_of(at->value));
	auto_free char *detail = xasprintf("%s in body must be of type %s: %s", field, want, shown);

	finding_add(at->f, FINDING_TYPE, field, shown, detail);
}

/* ---- enum ---- */

static void check_enum(const struct place *at)
{
	const struct json *words = json_get(at->node, "enum");
	auto_buf struct buf detail = BUF_INIT(SHOWN_MAX);
	auto_free char *field = NULL, *shown = NULL;

	for (const struct json *w = json_first(words); w != NULL; w = json_next(w)) {
		auto_free char *text = json_print(w);

		if (json_equal(w, at->value))
			return;
		buf_addf(&detail, "%s%s", detail.len == 0 ? "supported values: " : ", ", text);
	}
	if (words == NULL)
		return;
	field = path_text(at->path);
	shown = json_print(at->value);
	finding_add(at->f, FINDING_NOT_SUPPORTED, field, shown, detail.data);
}

/* ---- strings ---- */

static int64_t count_characters(const char *text)
{
	int64_t n = 0;

	for (size_t len = strlen(text), step; len > 0; text += step, len -= step, n++)
		step = utf8_char(text, len) > 0 ? utf8_char(text, len) : 1;
	return n;
}

static bool is_base64(const char *text)
{
	size_t digits = 0, padding;

	while (isalnum((unsigned char)text[digits]) ||
	       (text[digits] != '\0' && strchr("+/", text[digits])))
		digits++;
	padding = strspn(text + digits, "=");
	return text[digits + padding] == '\0' && padding <= 2 && (digits + padding) % 4 == 0;
}

static bool format_fits(const char *format, const char *text)
{
	int64_t ms;

	if (streq(format, "date-time"))
		return time_parse(text, &ms);
	if (streq(format, "byte"))
		return is_base64(text);
	return true;
}

static void check_string(const struct place *at)
{
	const char *text = json_str(at->value);
	const char *pattern = json_get_str(at->node, "pattern", NULL);
	const char *format = json_get_str(at->node, "format", "");
	int64_t max = json_get_int(at->node, "maxLength", INT64_MAX), n = count_characters(text);

	if (n > max) {
		auto_free char *field = path_text(at->path);
		auto_free char *detail =
		    xasprintf("may not be more than %lld bytes", (long long)max);

		finding_add(at->f, FINDING_TOO_LONG, field, NULL, detail);
	}
	if (n < json_get_int(at->node, "minLength", 0)) {
		auto_free char *why = xasprintf("should be at least %lld chars long",
						(long long)json_get_int(at->node, "minLength", 0));

		complain(at, why);
	}
	if (pattern != NULL && !pattern_matches(map_get(at->f->schema->patterns, pattern), text)) {
		auto_free char *why = xasprintf("should match '%s'", pattern);

		complain(at, why);
	}
	if (!format_fits(format, text)) {
		auto_free char *shown = json_print(at->value);
		auto_free char *why = xasprintf("must be of type %s: %s", format, shown);

		complain_as(at, FINDING_TYPE, why);
	}
}

/* ---- numbers ---- */

/* Less than 0, 0, more: exact for integers. */
static int compare_numbers(const struct json *a, const struct json *b)
{
	int64_t x, y;
	double real = strtod(json_number_text(a), NULL), limit = strtod(json_number_text(b), NULL);

	if (json_int64(a, &x) && json_int64(b, &y))
		return (x > y) - (x < y);
	return (real > limit) - (real < limit);
}

static void check_number(const struct place *at)
{
	const struct json *min = json_get(at->node, "minimum"),
			  *max = json_get(at->node, "maximum");

	if (min != NULL && compare_numbers(at->value, min) < 0) {
		auto_free char *why =
		    xasprintf("should be greater than or equal to %s", json_number_text(min));

		complain(at, why);
	}
	if (max != NULL && compare_numbers(at->value, max) > 0) {
		auto_free char *why =
		    xasprintf("should be less than or equal to %s", json_number_text(max));

		complain(at, why);
	}
}

/* ---- arrays and objects ---- */

static void check_count(const struct place *at, const char *least, const char *most,
			const char *what)
{
	int64_t n = (int64_t)json_len(at->value), max = json_get_int(at->node, most, INT64_MAX);
	int64_t min = json_get_int(at->node, least, 0);

	if (n > max) {
		auto_free char *field = path_text(at->path);
		auto_free char *shown = xasprintf("%lld", (long long)n);
		auto_free char *detail = xasprintf("must have at most %lld items", (long long)max);

		finding_add(at->f, FINDING_TOO_MANY, field, shown, detail);
	}
	if (n < min) {
		auto_free char *why =
		    xasprintf("should have at least %lld %s", (long long)min, what);

		complain(at, why);
	}
}

/* What makes an element unique in its list: itself in a set, its keys in a map. */
static struct json *identity(const struct json *node, const struct json *element)
{
	const char *type = json_get_str(node, "x-kubernetes-list-type", "");
	struct json *id;

	if (streq(type, "set"))
		return json_copy(element);
	if (!streq(type, "map") || json_type(element) != JSON_OBJECT)
		return NULL;
	id = json_object();
	for (const struct json *k = json_first(json_get(node, "x-kubernetes-list-map-keys"));
	     k != NULL; k = json_next(k))
		if (json_get(element, json_str(k)) != NULL)
			json_set(id, json_str(k), json_copy(json_get(element, json_str(k))));
	return id;
}

/* Go's %#v of a map of strings, or the value itself. */
static char *show_identity(const struct json *id)
{
	auto_buf struct buf out = BUF_INIT(SHOWN_MAX);

	if (json_type(id) != JSON_OBJECT)
		return json_print(id);
	buf_adds(&out, "map[string]interface {}{");
	for (const struct json *c = json_first(id); c != NULL; c = json_next(c)) {
		auto_free char *text = json_print(c);

		buf_addf(&out, "%s\"%s\":%s", c == json_first(id) ? "" : ", ", json_key(c), text);
	}
	buf_adds(&out, "}");
	return buf_steal(&out);
}

static void check_unique(const struct place *at)
{
	struct map *seen = map_new(NULL);
	size_t index = 0;

	for (const struct json *c = json_first(at->value); c != NULL; c = json_next(c), index++) {
		struct path path = {at->path, NULL, index};
		auto_json struct json *id = identity(at->node, c);
		auto_free char *text = id != NULL ? json_print(id) : NULL;

		if (text == NULL)
			break;
		if (map_get(seen, text) != NULL) {
			auto_free char *field = path_text(&path);
			auto_free char *shown = show_identity(id);

			finding_add(at->f, FINDING_DUPLICATE, field, shown, NULL);
		}
		map_put(seen, text, at->f);
	}
	map_free(seen);
}

static void check_required(const struct place *at)
{
	const struct json *required = json_get(at->node, "required");

	for (const struct json *r = json_first(required); r != NULL; r = json_next(r)) {
		struct path path = {at->path, json_str(r), 0};
		auto_free char *field = NULL;

		if (json_get(at->value, json_str(r)) != NULL)
			continue;
		field = path_text(&path);
		finding_add(at->f, FINDING_REQUIRED, field, NULL, NULL);
	}
}

static void check_children(const struct place *at, const struct json *old)
{
	size_t index = 0;

	for (const struct json *c = json_first(at->value); c != NULL; c = json_next(c)) {
		struct path path = {at->path, json_key(c), index++};
		const struct json *below = json_key(c) != NULL
					       ? schema_of_member(at->node, json_key(c))
					       : json_get(at->node, "items");

		if (below != NULL)
			schema_check_value(at->f, below, c, schema_counterpart(at->node, old, c),
					   &path);
	}
}

void schema_check_value(struct findings *f, const struct json *node, const struct json *value,
			const struct json *old, const struct path *path)
{
	struct place at = {f, node, value, path};

	/* Ratcheting (KEP-4008): what an update leaves as it was is not judged again. */
	if (old != NULL && json_equal(old, value))
		return;
	if (!type_fits(node, value)) {
		complain_type(&at);
		return;
	}
	check_enum(&at);
	if (json_type(value) == JSON_STRING) {
		check_string(&at);
	} else if (json_type(value) == JSON_NUMBER) {
		check_number(&at);
	} else if (json_type(value) == JSON_ARRAY) {
		check_count(&at, "minItems", "maxItems", "items");
		check_unique(&at);
		check_children(&at, old);
	} else if (json_type(value) == JSON_OBJECT) {
		check_count(&at, "minProperties", "maxProperties", "properties");
		check_required(&at);
		check_children(&at, old);
	}
}
