#include "base/yaml.h"

#include <errno.h>

#include <yaml.h>

#include "base/scan.h"

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one; deleted when the next is read */
	int depth;
	struct err *err;
};

static int fail(struct reader *r, const yaml_mark_t *at, const char *problem)
{
	return err_set(r->err, ERR_INVALID, "line %zu, column %zu: %s", at->line + 1,
		       at->column + 1, problem);
}

static int next(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (yaml_parser_parse(&r->parser, &r->event))
		return 0;
	if (r->parser.error == YAML_READER_ERROR) /* it reads ahead and knows no line */
		return err_set(r->err, ERR_INVALID, "byte %zu: %s", r->parser.problem_offset + 1,
			       r->parser.problem);
	return fail(r, &r->parser.problem_mark,
		    r->parser.problem != NULL ? r->parser.problem : "not YAML");
}

/* ---- scalars ---- */

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (streq(text, words[i]))
			return true;
	return false;
}

static bool is_json_number(const char *text)
{
	struct scan s;

	scan_init(&s, text, strlen(text));
	return scan_next(&s) == SCAN_NUMBER && s.span_len == strlen(text);
}

/* 0x1F and 0o17 of the core schema. */
static bool is_based(const char *text)
{
	const char *digits = has_prefix(text, "0x")   ? "0123456789abcdefABCDEF"
			     : has_prefix(text, "0o") ? "01234567"
						      : "";

	return *digits != '\0' && text[2] != '\0' && text[2 + strspn(text + 2, digits)] == '\0';
}

static bool parse_based(const char *text, int64_t *out)
{
	if (!is_based(text))
		return false;
	errno = 0;
	*out = strtoll(text + 2, NULL, text[1] == 'x' ? 16 : 8);
	return errno == 0;
}

static const char *skip_exponent(const char *p)
{
	const char *digits = p + 1;
	size_t count;

	if (*p != 'e' && *p != 'E')
		return p;
	digits += *digits == '+' || *digits == '-';
	count = strspn(digits, "0123456789");
	return count > 0 ? digits + count : p;
}

/* A number to YAML that JSON cannot write, or we cannot: 0644, .5, 1., .inf, 0x10000000000000000.
 * Readers differ on the first. */
static bool is_odd_number(const char *text)
{
	static const char *const specials[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
	const char *p = text + (*text == '+' || *text == '-');
	size_t before = strspn(p, "0123456789");
	size_t after = p[before] == '.' ? strspn(p + before + 1, "0123456789") : 0;

	if (is_based(text) || is_one_of(p, specials, ARRAY_LEN(specials)))
		return true;
	return before + after > 0 &&
	       *skip_exponent(p + before + (p[before] == '.') + after) == '\0';
}

static struct json *plain_scalar(struct reader *r, const char *text)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};
	const char *unsigned_text = text + (*text == '+');
	int64_t n;

	if (is_one_of(text, nulls, ARRAY_LEN(nulls)))
		return json_null();
	if (is_one_of(text, trues, ARRAY_LEN(trues)))
		return json_bool(true);
	if (is_one_of(text, falses, ARRAY_LEN(falses)))
		return json_bool(false);
	if (is_json_number(unsigned_text) && !has_prefix(text, "+-"))
		return json_number(unsigned_text);
	if (parse_based(text, &n))
		return json_int(n);
	if (!is_odd_number(text))
		return json_string(text);
	fail(r, &r->event.start_mark,
	     "expected a JSON number or a quoted string, found a number that readers of YAML "
	     "differ on");
	return NULL;
}

static const char *scalar_text(struct reader *r)
{
	const char *text = (const char *)r->event.data.scalar.value;

	if (strlen(text) == r->event.data.scalar.length)
		return text;
	fail(r, &r->event.start_mark, "a NUL character is not supported");
	return NULL;
}

static struct json *scalar(struct reader *r)
{
	const char *text = scalar_text(r);

	if (text == NULL)
		return NULL;
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return plain_scalar(r, text);
	return json_string(text);
}

/* ---- collections ---- */

/* What libyaml can express and we refuse: anchors make cycles, tags make types. */
static const char *unsupported(const yaml_event_t *event)
{
	if (event->type == YAML_ALIAS_EVENT)
		return "aliases (*name) are not supported: write the value out";
	if ((event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL) ||
	    (event->type == YAML_SEQUENCE_START_EVENT &&
	     event->data.sequence_start.anchor != NULL) ||
	    (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.anchor != NULL))
		return "anchors (&name) are not supported: write the value out";
	if ((event->type == YAML_SCALAR_EVENT && event->data.scalar.tag != NULL) ||
	    (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.tag != NULL) ||
	    (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag != NULL))
		return "tags (!name) are not supported";
	return NULL;
}

static struct json *value(struct reader *r);

static struct json *sequence(struct reader *r)
{
	auto_json struct json *array = json_array();

	for (;;) {
		struct json *item;

		if (next(r) < 0)
			return NULL;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return steal(array);
		item = value(r);
		if (item == NULL)
			return NULL;
		json_append(array, item);
	}
}

static int mapping_key(struct reader *r, const struct json *object, char **key)
{
	const char *problem = unsupported(&r->event);
	const char *text;

	if (problem != NULL)
		return fail(r, &r->event.start_mark, problem);
	if (r->event.type != YAML_SCALAR_EVENT)
		return fail(r, &r->event.start_mark, "expected a key, found a collection");
	text = scalar_text(r);
	if (text == NULL)
		return -1;
	if (json_get(object, text) != NULL)
		return fail(r, &r->event.start_mark, "expected each key once, found one twice");
	if (streq(text, "<<") && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return fail(r, &r->event.start_mark, "merge keys (<<) are not supported");
	*key = xstrdup(text);
	return 0;
}

static struct json *mapping(struct reader *r)
{
	auto_json struct json *object = json_object();

	for (;;) {
		auto_free char *key = NULL;
		struct json *member;

		if (next(r) < 0)
			return NULL;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return steal(object);
		if (mapping_key(r, object, &key) < 0 || next(r) < 0)
			return NULL;
		member = value(r);
		if (member == NULL)
			return NULL;
		json_set(object, key, member);
	}
}

/* The value that starts with the current event; its last event is current afterwards. */
static struct json *value(struct reader *r)
{
	const char *problem = unsupported(&r->event);
	struct json *result;

	if (problem == NULL && r->event.type != YAML_SCALAR_EVENT && r->depth == SCAN_DEPTH_MAX)
		problem = "expected at most 64 levels of nesting, found more";
	if (problem != NULL) {
		fail(r, &r->event.start_mark, problem);
		return NULL;
	}
	if (r->event.type == YAML_SCALAR_EVENT)
		return scalar(r);
	r->depth++;
	result = r->event.type == YAML_SEQUENCE_START_EVENT ? sequence(r) : mapping(r);
	r->depth--;
	return result;
}

/* The next document is added to documents; 1: there was one, 0: the end, -1: failure. */
static int document(struct reader *r, struct json *documents)
{
	struct json *root;

	if (next(r) < 0)
		return -1;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return 0;
	if (next(r) < 0 || (root = value(r)) == NULL)
		return -1;
	json_append(documents, root);
	return next(r) < 0 ? -1 : 1;
}

struct json *yaml_parse_all(const char *text, size_t len, struct err *err)
{
	auto_json struct json *documents = json_array();
	struct reader r = {.err = err};
	int more;

	if (len > YAML_MAX) {
		err_set(err, ERR_LIMIT, "expected at most %d bytes of YAML, found %zu", YAML_MAX,
			len);
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	more = next(&r) < 0 ? -1 : 1; /* the start of the stream */
	while (more > 0)
		more = document(&r, documents);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return more < 0 ? NULL : steal(documents);
}

struct json *yaml_parse(const char *text, size_t len, struct err *err)
{
	auto_json struct json *documents = yaml_parse_all(text, len, err);

	if (documents == NULL)
		return NULL;
	if (json_len(documents) != 1) {
		err_set(err, ERR_INVALID, "expected one YAML document, found %zu",
			json_len(documents));
		return NULL;
	}
	return json_copy(json_first(documents));
}
