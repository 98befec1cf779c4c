#include "schema_tree.h"

/* Reading a schema: what schema.h promises to refuse is found here, once, so that the files that
 * apply a schema need not doubt it. The nesting is bounded by what json_parse() takes. */
struct reading {
	struct schema *schema;
	struct findings findings;
};

static void read_node(struct reading *r, const struct json *node, const struct path *path,
		      bool root);

static void complain(struct reading *r, enum finding kind, const struct path *path,
		     const char *shown, const char *detail)
{
	auto_free char *field = path_text(path);

	finding_add(&r->findings, kind, field, shown, detail);
}

/* ---- keywords ---- */

/* The keywords that are understood, and the type their value has; documentation has none. */
static const struct {
	const char *word;
	enum json_type type;
} keywords[] = {
    {"type", JSON_STRING},
    {"properties", JSON_OBJECT},
    {"additionalProperties", JSON_MISSING},
    {"items", JSON_OBJECT},
    {"required", JSON_ARRAY},
    {"enum", JSON_ARRAY},
    {"nullable", JSON_BOOL},
    {"default", JSON_MISSING},
    {"minimum", JSON_NUMBER},
    {"maximum", JSON_NUMBER},
    {"minLength", JSON_NUMBER},
    {"maxLength", JSON_NUMBER},
    {"pattern", JSON_STRING},
    {"format", JSON_STRING},
    {"minItems", JSON_NUMBER},
    {"maxItems", JSON_NUMBER},
    {"minProperties", JSON_NUMBER},
    {"maxProperties", JSON_NUMBER},
    {"description", JSON_STRING},
    {"title", JSON_STRING},
    {"example", JSON_MISSING},
    {"externalDocs", JSON_OBJECT},
    {"x-kubernetes-preserve-unknown-fields", JSON_BOOL},
    {"x-kubernetes-int-or-string", JSON_BOOL},
    {"x-kubernetes-embedded-resource", JSON_BOOL},
    {"x-kubernetes-list-type", JSON_STRING},
    {"x-kubernetes-list-map-keys", JSON_ARRAY},
    {"x-kubernetes-map-type", JSON_STRING},
    {"x-kubernetes-validations", JSON_ARRAY},
};

static void check_keywords(struct reading *r, const struct json *node, const struct path *path)
{
	for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
		struct path below = {path, json_key(c), 0};
		size_t i = 0;

		while (i < ARRAY_LEN(keywords) && !streq(keywords[i].word, json_key(c)))
			i++;
		if (i == ARRAY_LEN(keywords))
			complain(r, FINDING_FORBIDDEN, &below, NULL,
				 "this keyword is not supported");
		else if (keywords[i].type != JSON_MISSING && keywords[i].type != json_type(c))
			complain(r, FINDING_TYPE, &below, NULL, json_type_name(keywords[i].type));
	}
}

/* Structural: every node says its type. */
static void check_type(struct reading *r, const struct json *node, const struct path *path,
		       bool root)
{
	static const char *const types[] = {"object",  "array",  "string",
					    "integer", "number", "boolean"};
	const char *type = json_get_str(node, "type", NULL);
	struct path below = {path, "type", 0};
	size_t i = 0;

	if (root && (type == NULL || !streq(type, "object"))) {
		complain(r, FINDING_INVALID, &below, NULL, "must be object at the root");
		return;
	}
	if (type == NULL) {
		if (!json_is_true(json_get(node, "x-kubernetes-int-or-string")) &&
		    !json_is_true(json_get(node, "x-kubernetes-preserve-unknown-fields")))
			complain(r, FINDING_REQUIRED, &below, NULL,
				 "must not be empty for specified object fields");
		return;
	}
	while (i < ARRAY_LEN(types) && !streq(types[i], type))
		i++;
	if (i == ARRAY_LEN(types))
		complain(r, FINDING_NOT_SUPPORTED, &below, NULL,
			 "expected object, array, string, integer, number or boolean");
	else if (streq(type, "array") && json_get(node, "items") == NULL)
		complain(r, FINDING_REQUIRED, &(struct path){path, "items", 0}, NULL, NULL);
}

/* ---- patterns and rules ---- */

static void free_pattern(void *pattern)
{
	pattern_free(pattern);
}

static void free_rule(void *rule)
{
	cel_free(rule);
}

static void read_pattern(struct reading *r, const struct json *node, const struct path *path)
{
	const char *text = json_get_str(node, "pattern", NULL);
	struct path below = {path, "pattern", 0};
	struct err err = ERR_INIT;
	struct pattern *pattern;

	if (text == NULL || map_get(r->schema->patterns, text) != NULL)
		return;
	pattern = pattern_new(text, &err);
	if (pattern != NULL)
		map_put(r->schema->patterns, text, pattern);
	else
		complain(r, FINDING_INVALID, &below, NULL, err.msg);
}

static void read_expression(struct reading *r, const struct json *rule, const char *key,
			    const struct path *path)
{
	const char *text = json_get_str(rule, key, NULL);
	struct path below = {path, key, 0};
	struct err err = ERR_INIT;
	struct cel *cel;

	if (text == NULL || map_get(r->schema->rules, text) != NULL)
		return;
	cel = cel_parse(text, &err);
	if (cel != NULL) {
		map_put(r->schema->rules, text, cel);
	} else {
		err_wrap(&err, "compilation failed");
		complain(r, FINDING_INVALID, &below, NULL, err.msg);
	}
}

static void read_rules(struct reading *r, const struct json *node, const struct path *up)
{
	static const char *const known[] = {"rule", "message", "messageExpression", "reason",
					    "fieldPath"};
	struct path list = {up, "x-kubernetes-validations", 0}, path = {&list, NULL, 0};

	for (const struct json *rule = json_first(json_get(node, list.key)); rule != NULL;
	     rule = json_next(rule), path.index++) {
		if (json_get_str(rule, "rule", NULL) == NULL)
			complain(r, FINDING_REQUIRED, &(struct path){&path, "rule", 0}, NULL,
				 "rule is not specified");
		for (const struct json *c = json_first(rule); c != NULL; c = json_next(c)) {
			size_t i = 0;

			while (i < ARRAY_LEN(known) && !streq(known[i], json_key(c)))
				i++;
			if (i == ARRAY_LEN(known) || json_type(c) != JSON_STRING)
				complain(r, FINDING_FORBIDDEN,
					 &(struct path){&path, json_key(c), 0}, NULL,
					 "not supported");
		}
		read_expression(r, rule, "rule", &path);
		read_expression(r, rule, "messageExpression", &path);
	}
}

/* ---- the tree ---- */

static void read_properties(struct reading *r, const struct json *node, const struct path *up)
{
	for (const struct json *p = json_first(json_get(node, "properties")); p != NULL;
	     p = json_next(p)) {
		auto_free char *bracketed = xasprintf("properties[%s]", json_key(p));

		read_node(r, p, &(struct path){up, bracketed, 0}, false);
	}
}

/* A default must be valid itself: it is not checked again where it is filled in. */
static void check_default(struct reading *r, const struct json *node, const struct path *path)
{
	const struct json *value = json_get(node, "default");
	struct path below = {path, "default", 0};

	if (value != NULL)
		schema_check_value(&r->findings, node, value, NULL, &below);
}

static void read_children(struct reading *r, const struct json *node, const struct path *path)
{
	const struct json *additional = json_get(node, "additionalProperties");
	struct path below = {path, "additionalProperties", 0};

	read_properties(r, node, path);
	if (json_get(node, "items") != NULL)
		read_node(r, json_get(node, "items"), &(struct path){path, "items", 0}, false);
	if (additional != NULL && json_get(node, "properties") != NULL)
		complain(r, FINDING_FORBIDDEN, &below, NULL,
			 "additionalProperties and properties are mutual exclusive");
	if (json_type(additional) == JSON_OBJECT)
		read_node(r, additional, &below, false);
}

static void read_node(struct reading *r, const struct json *node, const struct path *path,
		      bool root)
{
	size_t before = json_len(r->findings.causes);

	if (json_type(node) != JSON_OBJECT) {
		complain(r, FINDING_TYPE, path, NULL, "expected a schema, which is an object");
		return;
	}
	check_keywords(r, node, path);
	check_type(r, node, path, root);
	read_pattern(r, node, path);
	read_rules(r, node, path);
	read_children(r, node, path);
	if (json_len(r->findings.causes) == before)
		check_default(r, node, path);
}

struct schema *schema_new(const struct json *version, struct json *causes, struct err *err)
{
	auto_json struct json *own_causes = causes == NULL ? json_array() : NULL;
	struct schema *schema = xcalloc(1, sizeof(*schema));
	struct reading r = {.schema = schema};
	struct path path = {NULL, "schema", 0}, root = {&path, "openAPIV3Schema", 0};
	auto_free char *message = NULL;
	size_t before;

	schema->root = json_copy(json_at(version, "schema", "openAPIV3Schema"));
	schema->patterns = map_new(free_pattern);
	schema->rules = map_new(free_rule);
	r.findings =
	    (struct findings){.schema = schema, .causes = causes != NULL ? causes : own_causes};
	before = json_len(r.findings.causes);
	if (schema->root == NULL)
		complain(&r, FINDING_REQUIRED, &root, NULL, "schemas are required");
	else
		read_node(&r, schema->root, &root, true);
	if (json_len(r.findings.causes) == before)
		return schema;
	message = schema_message(r.findings.causes);
	err_set(err, ERR_INVALID, "%s", message);
	err->status = 422;
	schema_free(schema);
	return NULL;
}

void schema_free(struct schema *schema)
{
	if (schema == NULL)
		return;
	json_free(schema->root);
	map_free(schema->patterns);
	map_free(schema->rules);
	free(schema);
}
