#include "spec/apisim/select.h"

#include <ctype.h>

enum op { EQUAL, NOT_EQUAL, IN, NOT_IN, EXISTS, NOT_EXISTS };

struct term {
	enum op op;
	char *key;
	char **values;
	size_t count;
};

struct selector {
	bool fields;
	struct term *terms;
	size_t count;
};

void selector_free(struct selector *selector)
{
	if (selector == NULL)
		return;
	for (size_t i = 0; i < selector->count; i++) {
		for (size_t k = 0; k < selector->terms[i].count; k++)
			free(selector->terms[i].values[k]);
		free(selector->terms[i].values);
		free(selector->terms[i].key);
	}
	free(selector->terms);
	free(selector);
}

static struct selector *selector_new(bool fields)
{
	struct selector *selector = xcalloc(1, sizeof(*selector));

	selector->fields = fields;
	selector->terms = xcalloc(SELECTOR_TERMS_MAX, sizeof(struct term));
	return selector;
}

static void skip_blank(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

/* A key or value: everything up to a blank or a sign of the grammar. */
static char *word(const char **at)
{
	size_t len = strcspn(*at, " \t\n=!,()");
	char *text = xstrndup(*at, len);

	*at += len;
	skip_blank(at);
	return text;
}

static void add_value(struct term *term, char *value_taken)
{
	term->values = xrealloc(term->values, (term->count + 1) * sizeof(char *));
	term->values[term->count++] = value_taken;
}

static int fail(struct err *err, const char *at, const char *expected)
{
	return err_set(err, ERR_INVALID, "unable to parse requirement: found '%.20s', expected: %s",
		       at, expected);
}

static bool take(const char **at, const char *sign)
{
	if (!has_prefix(*at, sign))
		return false;
	*at += strlen(sign);
	skip_blank(at);
	return true;
}

static int parse_set(const char **at, struct term *term, struct err *err)
{
	if (!take(at, "("))
		return fail(err, *at, "'('");
	do {
		add_value(term, word(at));
	} while (take(at, ","));
	return take(at, ")") ? 0 : fail(err, *at, "',', or ')'");
}

static int parse_operator(const char **at, struct term *term, struct err *err)
{
	if (take(at, "==") || take(at, "=")) {
		term->op = EQUAL;
	} else if (take(at, "!=")) {
		term->op = NOT_EQUAL;
	} else if (has_prefix(*at, "in") && strchr(" (\t", (*at)[2]) != NULL && (*at)[2] != '\0') {
		*at += 2;
		skip_blank(at);
		term->op = IN;
		return parse_set(at, term, err);
	} else if (has_prefix(*at, "notin") && strchr(" (\t", (*at)[5]) != NULL &&
		   (*at)[5] != '\0') {
		*at += 5;
		skip_blank(at);
		term->op = NOT_IN;
		return parse_set(at, term, err);
	} else {
		term->op = EXISTS;
		return 0;
	}
	add_value(term, word(at));
	return 0;
}

static int parse_term(const char **at, struct term *term, struct err *err)
{
	bool negated = take(at, "!");

	term->key = word(at);
	if (term->key[0] == '\0')
		return fail(err, *at, "identifier");
	if (negated) {
		term->op = NOT_EXISTS;
		return 0;
	}
	return parse_operator(at, term, err);
}

/* A field value may hold anything but commas, with backslash escapes. */
static char *field_value(const char **at)
{
	char *out = xmalloc(strlen(*at) + 1);
	size_t n = 0;

	for (; **at != '\0' && **at != ','; (*at)++) {
		if (**at == '\\' && (*at)[1] != '\0')
			(*at)++;
		out[n++] = **at;
	}
	out[n] = '\0';
	return out;
}

static int parse_field(const char **at, struct term *term, struct err *err)
{
	term->key = word(at);
	if (take(at, "==") || take(at, "="))
		term->op = EQUAL;
	else if (take(at, "!="))
		term->op = NOT_EQUAL;
	else
		return err_set(err, ERR_INVALID,
			       "invalid selector: '%.100s'; can't understand '%.100s'", *at,
			       term->key);
	add_value(term, field_value(at));
	return 0;
}

static struct selector *parse(const char *text, bool fields, struct err *err)
{
	struct selector *selector = selector_new(fields);
	const char *at = text != NULL ? text : "";
	int rc = 0;

	if (strlen(at) > SELECTOR_TEXT_MAX)
		rc = err_set(err, ERR_INVALID, "selector longer than %d bytes", SELECTOR_TEXT_MAX);
	skip_blank(&at);
	while (rc == 0 && *at != '\0') {
		struct term *term = &selector->terms[selector->count];

		if (selector->count == SELECTOR_TERMS_MAX) {
			rc = err_set(err, ERR_INVALID, "selector of more than %d terms",
				     SELECTOR_TERMS_MAX);
			break;
		}
		selector->count++;
		rc = fields ? parse_field(&at, term, err) : parse_term(&at, term, err);
		if (rc == 0 && *at != '\0' && (!take(&at, ",") || *at == '\0'))
			rc = fail(err, at, "',', or 'end of string'");
	}
	if (rc == 0)
		return selector;
	selector_free(selector);
	return NULL;
}

struct selector *selector_labels(const char *text, struct err *err)
{
	return parse(text, false, err);
}

/* What kinds can be selected by, beside their name and namespace. */
static const struct {
	const char *plural, *path;
} own_fields[] = {
    {"pods", "spec.nodeName"},
    {"pods", "spec.restartPolicy"},
    {"pods", "spec.schedulerName"},
    {"pods", "spec.serviceAccountName"},
    {"pods", "status.phase"},
    {"pods", "status.podIP"},
    {"events", "involvedObject.kind"},
    {"events", "involvedObject.namespace"},
    {"events", "involvedObject.name"},
    {"events", "involvedObject.uid"},
    {"events", "involvedObject.apiVersion"},
    {"events", "involvedObject.resourceVersion"},
    {"events", "involvedObject.fieldPath"},
    {"events", "reason"},
    {"events", "type"},
    {"events", "reportingComponent"},
    {"secrets", "type"},
    {"namespaces", "status.phase"},
};

static bool field_known(const struct resource *resource, const char *path, bool *has_own)
{
	*has_own = false;
	if (streq(path, "metadata.name") || streq(path, "metadata.namespace"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(own_fields); i++) {
		if (!streq(own_fields[i].plural, resource->plural))
			continue;
		*has_own = true;
		if (streq(own_fields[i].path, path))
			return true;
	}
	return false;
}

struct selector *selector_fields(const char *text, const struct resource *resource, struct err *err)
{
	struct selector *selector = parse(text, true, err);

	for (size_t i = 0; selector != NULL && i < selector->count; i++) {
		const char *path = selector->terms[i].key;
		bool has_own;

		if (field_known(resource, path, &has_own))
			continue;
		if (has_own)
			err_set(err, ERR_INVALID, "field label not supported: %s", path);
		else
			err_set(err, ERR_INVALID,
				"\"%s\" is not a known field selector: only \"metadata.name\","
				" \"metadata.namespace\"",
				path);
		selector_free(selector);
		return NULL;
	}
	return selector;
}

bool selector_all(const struct selector *selector)
{
	return selector->count == 0;
}

/* The text of the value at a dotted path, "" when absent: as the server compares fields. */
static const char *field_at(const struct json *object, const char *path)
{
	char part[64];
	const char *text;

	while (*path != '\0' && object != NULL) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(part))
			return "";
		memcpy(part, path, len);
		part[len] = '\0';
		object = json_get(object, part);
		path += len + (path[len] == '.');
	}
	text = json_type(object) == JSON_NUMBER ? json_number_text(object) : json_str(object);
	return text != NULL ? text : "";
}

static bool among(const struct term *term, const char *value)
{
	for (size_t i = 0; i < term->count; i++)
		if (streq(term->values[i], value))
			return true;
	return false;
}

static bool term_match(const struct term *term, const char *value)
{
	switch (term->op) {
	case EQUAL:
	case IN:
		return value != NULL && among(term, value);
	case NOT_EQUAL:
	case NOT_IN:
		return value == NULL || !among(term, value);
	case EXISTS:
		return value != NULL;
	case NOT_EXISTS:
		return value == NULL;
	}
	return false;
}

bool selector_match(const struct selector *selector, const struct json *object)
{
	const struct json *labels = json_at(object, "metadata", "labels");

	for (size_t i = 0; i < selector->count; i++) {
		const struct term *term = &selector->terms[i];
		const char *value = selector->fields ? field_at(object, term->key)
						     : json_str(json_get(labels, term->key));

		if (!term_match(term, value))
			return false;
	}
	return true;
}
