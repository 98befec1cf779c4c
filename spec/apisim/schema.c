#include "schema.h"

#include "schema_tree.h"

enum { PATH_MAX_BYTES = 4096, MESSAGE_MAX = 1 << 20 };

/* ---- paths and lookups ---- */

static void path_add(struct buf *out, const struct path *path)
{
	if (path == NULL)
		return;
	path_add(out, path->up);
	if (path->key == NULL)
		buf_addf(out, "[%zu]", path->index);
	else
		buf_addf(out, "%s%s", out->len > 0 ? "." : "", path->key);
}

char *path_text(const struct path *path)
{
	struct buf out = BUF_INIT(PATH_MAX_BYTES);

	path_add(&out, path);
	return buf_steal(&out);
}

const struct json *schema_of_member(const struct json *node, const char *key)
{
	const struct json *property = json_at(node, "properties", key);
	const struct json *additional = json_get(node, "additionalProperties");

	if (property != NULL)
		return property;
	return json_type(additional) == JSON_OBJECT ? additional : NULL;
}

bool schema_keeps_unknown(const struct json *node)
{
	return json_is_true(json_get(node, "x-kubernetes-preserve-unknown-fields")) ||
	       json_is_true(json_get(node, "additionalProperties"));
}

bool schema_is_object_header(const char *key)
{
	return streq(key, "apiVersion") || streq(key, "kind") || streq(key, "metadata");
}

static bool same_list_keys(const struct json *keys, const struct json *a, const struct json *b)
{
	for (const struct json *key = json_first(keys); key != NULL; key = json_next(key))
		if (!json_equal(json_get(a, json_str(key)), json_get(b, json_str(key))))
			return false;
	return true;
}

const struct json *schema_counterpart(const struct json *node, const struct json *old,
				      const struct json *child)
{
	if (json_key(child) != NULL)
		return json_get(old, json_key(child));
	if (json_type(old) != JSON_ARRAY ||
	    !streq(json_get_str(node, "x-kubernetes-list-type", ""), "map"))
		return NULL;
	for (old = json_first(old); old != NULL; old = json_next(old))
		if (same_list_keys(json_get(node, "x-kubernetes-list-map-keys"), old, child))
			return old;
	return NULL;
}

/* ---- unknown fields ---- */

struct pruning {
	struct json *unknown; /* `unknown field "spec.foo"` */
};

static void prune(struct pruning *p, const struct json *node, struct json *value,
		  const struct path *up, bool whole_object)
{
	struct json *next;
	size_t index = 0;

	for (struct json *c = json_mut_first(value); c != NULL; c = next) {
		struct path path = {up, json_key(c), index++};
		const struct json *below = json_get(node, "items");

		next = json_mut_next(c);
		if (path.key != NULL) {
			if (whole_object && schema_is_object_header(path.key))
				continue;
			below = schema_of_member(node, path.key);
		}
		if (below != NULL) {
			prune(p, below, c, &path,
			      json_is_true(json_get(below, "x-kubernetes-embedded-resource")));
		} else if (path.key != NULL && !schema_keeps_unknown(node)) {
			auto_free char *text = path_text(&path);
			auto_free char *message = xasprintf("unknown field \"%s\"", text);

			json_append(p->unknown, json_string(message));
			json_remove(value, path.key);
		}
	}
}

static int report_unknown(const struct json *unknown, enum schema_unknown mode,
			  struct json *warnings, struct err *err)
{
	auto_buf struct buf all = BUF_INIT(MESSAGE_MAX);

	if (mode == SCHEMA_IGNORE || json_len(unknown) == 0)
		return 0;
	for (const struct json *u = json_first(unknown); u != NULL; u = json_next(u)) {
		if (mode == SCHEMA_WARN && warnings != NULL)
			json_append(warnings, json_copy(u));
		buf_addf(&all, "%s%s", all.len > 0 ? ", " : "", json_str(u));
	}
	if (mode == SCHEMA_WARN)
		return 0;
	err_set(err, ERR_INVALID, "strict decoding error: %s", all.data);
	err->status = 400;
	return -1;
}

/* ---- defaults ---- */

/* A null that is not allowed counts as absent, as on the server. */
static void fill(const struct json *node, struct json *value)
{
	const struct json *properties = json_get(node, "properties");
	struct json *next;

	for (struct json *c = json_mut_first(value); c != NULL; c = next) {
		const struct json *below = json_key(c) != NULL ? schema_of_member(node, json_key(c))
							       : json_get(node, "items");

		next = json_mut_next(c);
		if (below != NULL && json_key(c) != NULL && json_type(c) == JSON_NULL &&
		    !json_is_true(json_get(below, "nullable")))
			json_remove(value, json_key(c));
	}
	if (json_type(value) == JSON_OBJECT)
		for (const struct json *p = json_first(properties); p != NULL; p = json_next(p))
			if (json_get(p, "default") != NULL && json_get(value, json_key(p)) == NULL)
				json_set(value, json_key(p), json_copy(json_get(p, "default")));
	for (struct json *c = json_mut_first(value); c != NULL; c = json_mut_next(c)) {
		const struct json *below = json_key(c) != NULL ? schema_of_member(node, json_key(c))
							       : json_get(node, "items");

		if (below != NULL)
			fill(below, c);
	}
}

/* ---- findings ---- */

static const struct {
	const char *reason, *words;
	bool blocks; /* the rules are not evaluated */
} kinds[] = {
    [FINDING_INVALID] = {"FieldValueInvalid", "Invalid value", false},
    [FINDING_REQUIRED] = {"FieldValueRequired", "Required value", true},
    [FINDING_NOT_SUPPORTED] = {"FieldValueNotSupported", "Unsupported value", true},
    [FINDING_FORBIDDEN] = {"FieldValueForbidden", "Forbidden", false},
    [FINDING_DUPLICATE] = {"FieldValueDuplicate", "Duplicate value", false},
    [FINDING_TOO_LONG] = {"FieldValueTooLong", "Too long", true},
    [FINDING_TOO_MANY] = {"FieldValueTooMany", "Too many", true},
    [FINDING_TYPE] = {"FieldValueTypeInvalid", "Invalid value", true},
};

void finding_add(struct findings *f, enum finding kind, const char *field, const char *shown,
		 const char *detail)
{
	auto_free char *message = NULL;

	f->blocked |= kinds[kind].blocks;
	if (json_len(f->causes) >= SCHEMA_CAUSES_MAX)
		return;
	message = xasprintf("%s%s%s%s%s", kinds[kind].words, shown != NULL ? ": " : "",
			    shown != NULL ? shown : "", detail != NULL ? ": " : "",
			    detail != NULL ? detail : "");
	json_append(f->causes,
		    json_build("{'reason': %s, 'message': %s, 'field': %s}", kinds[kind].reason,
			       message, *field != '\0' ? field : "<nil>"));
}

char *schema_message(const struct json *causes)
{
	struct buf out = BUF_INIT(MESSAGE_MAX);
	bool several = json_len(causes) > 1;

	if (several)
		buf_addc(&out, '[');
	for (const struct json *c = json_first(causes); c != NULL; c = json_next(c))
		buf_addf(&out, "%s%s: %s", c == json_first(causes) ? "" : ", ",
			 json_get_str(c, "field", ""), json_get_str(c, "message", ""));
	if (several)
		buf_addc(&out, ']');
	return buf_steal(&out);
}

/* ---- admission ---- */

static int validate(const struct schema *schema, const struct json *object, const struct json *old,
		    struct json *causes, struct err *err)
{
	struct findings f = {.schema = schema, .causes = causes};
	auto_free char *message = NULL;

	schema_check_value(&f, schema->root, object, old, NULL);
	if (f.blocked)
		finding_add(
		    &f, FINDING_INVALID, "", "\"null\"",
		    "some validation rules were not checked because the object was invalid; "
		    "correct the existing errors to complete validation");
	else
		schema_check_rules(&f, schema->root, object, old, NULL);
	if (json_len(causes) == 0)
		return 0;
	message = schema_message(causes);
	err_set(err, ERR_INVALID, "%s", message);
	err->status = 422;
	return -1;
}

int schema_admit(const struct schema *schema, struct json *object, const struct json *old,
		 enum schema_unknown mode, struct json *warnings, struct json *causes,
		 struct err *err)
{
	auto_json struct json *unknown = json_array();
	auto_json struct json *own_causes = causes == NULL ? json_array() : NULL;
	struct pruning p = {.unknown = unknown};

	prune(&p, schema->root, object, NULL, true);
	if (report_unknown(unknown, mode, warnings, err) < 0)
		return -1;
	fill(schema->root, object);
	return validate(schema, object, old, causes != NULL ? causes : own_causes, err);
}
