#include "schema_tree.h"

static enum finding reason_of(const struct json *rule)
{
	static const struct {
		const char *reason;
		enum finding kind;
	} reasons[] = {{"FieldValueForbidden", FINDING_FORBIDDEN},
		       {"FieldValueRequired", FINDING_REQUIRED},
		       {"FieldValueDuplicate", FINDING_DUPLICATE}};
	const char *reason = json_get_str(rule, "reason", "");

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (streq(reason, reasons[i].reason))
			return reasons[i].kind;
	return FINDING_INVALID;
}

static char *message_of(const struct findings *f, const struct json *rule, const struct json *value,
			const struct json *old)
{
	const char *expression = json_get_str(rule, "messageExpression", NULL);
	struct err ignored = ERR_INIT;
	char *message = NULL;

	if (expression != NULL)
		message =
		    cel_eval_string(map_get(f->schema->rules, expression), value, old, &ignored);
	if (message == NULL && json_get_str(rule, "message", NULL) != NULL)
		message = xstrdup(json_get_str(rule, "message", NULL));
	if (message == NULL)
		message = xasprintf("failed rule: %s", json_get_str(rule, "rule", ""));
	return message;
}

static void check_rule(struct findings *f, const struct json *node, const struct json *rule,
		       const struct json *value, const struct json *old, const struct path *path)
{
	const char *text = json_get_str(rule, "rule", "");
	const struct cel *cel = map_get(f->schema->rules, text);
	auto_free char *shown = xasprintf("\"%s\"", json_get_str(node, "type", ""));
	auto_free char *here = path_text(path);
	auto_free char *field = xasprintf("%s%s", here, json_get_str(rule, "fieldPath", ""));
	auto_free char *message = NULL;
	struct err why = ERR_INIT;
	enum finding kind = FINDING_INVALID;
	bool holds;

	if (cel_uses_old_self(cel) ? old == NULL : old != NULL && json_equal(value, old))
		return;
	if (cel_eval_bool(cel, value, old, &holds, &why) < 0) {
		message = xasprintf("%s evaluating rule: %s", why.msg,
				    json_get_str(rule, "message", text));
		finding_add(f, FINDING_INVALID, here, shown, message);
		return;
	}
	if (holds)
		return;
	kind = reason_of(rule);
	message = message_of(f, rule, value, old);
	finding_add(f, kind, *here == '\0' && *field == '.' ? field + 1 : field,
		    kind == FINDING_INVALID || kind == FINDING_DUPLICATE ? shown : NULL, message);
}

void schema_check_rules(struct findings *f, const struct json *node, const struct json *value,
			const struct json *old, const struct path *path)
{
	const struct json *rules = json_get(node, "x-kubernetes-validations");
	size_t index = 0;

	if (json_type(value) == JSON_NULL)
		return;
	for (const struct json *rule = json_first(rules); rule != NULL; rule = json_next(rule))
		check_rule(f, node, rule, value, old, path);
	if (json_type(value) != JSON_OBJECT && json_type(value) != JSON_ARRAY)
		return;
	for (const struct json *c = json_first(value); c != NULL; c = json_next(c)) {
		struct path below = {path, json_key(c), index++};
		const struct json *schema = json_key(c) != NULL
						? schema_of_member(node, json_key(c))
						: json_get(node, "items");

		if (schema != NULL)
			schema_check_rules(f, schema, c, schema_counterpart(node, old, c), &below);
	}
}
