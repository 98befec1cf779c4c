#include "base/utf8.h"
#include "cel_value.h"

struct scope {
	const char *name;
	const struct json *value;
	const struct scope *outer;
};

static const struct json *eval(struct evaluation *e, const struct cel_node *node,
			       const struct scope *scope);

/* ---- fields, elements, functions ---- */

static const struct json *member(struct evaluation *e, const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);

	if (json_type(object) != JSON_OBJECT)
		return cel_no_overload(e, "a field", object, NULL);
	if (value == NULL)
		err_set(e->err, ERR_INVALID, "no such key: %s", key);
	return value;
}

static const struct json *element(struct evaluation *e, const struct json *list,
				  const struct json *index)
{
	const struct json *c;
	int64_t n;

	if (json_type(list) == JSON_OBJECT && json_str(index) != NULL)
		return member(e, list, json_str(index));
	if (json_type(list) != JSON_ARRAY || !json_int64(index, &n))
		return cel_no_overload(e, "an index", list, index);
	c = n >= 0 ? json_first(list) : NULL;
	for (int64_t i = 0; c != NULL && i < n; i++)
		c = json_next(c);
	if (c == NULL)
		err_set(e->err, ERR_INVALID, "index out of bounds: %lld", (long long)n);
	return c;
}

static const struct json *in(struct evaluation *e, const struct json *value, const struct json *in)
{
	if (json_type(in) == JSON_OBJECT && json_str(value) != NULL)
		return cel_keep(e, json_bool(json_get(in, json_str(value)) != NULL));
	if (json_type(in) != JSON_ARRAY)
		return cel_no_overload(e, "in", value, in);
	for (const struct json *c = json_first(in); c != NULL; c = json_next(c))
		if (cel_equal(value, c))
			return cel_keep(e, json_bool(true));
	return cel_keep(e, json_bool(false));
}

static const struct json *size(struct evaluation *e, const struct json *value)
{
	const char *text = json_str(value);
	int64_t n = 0;

	if (text == NULL) {
		if (json_type(value) != JSON_ARRAY && json_type(value) != JSON_OBJECT)
			return cel_no_overload(e, "size", value, NULL);
		return cel_keep(e, json_int((int64_t)json_len(value)));
	}
	for (size_t len = strlen(text), step; len > 0; text += step, len -= step, n++)
		step = utf8_char(text, len) > 0 ? utf8_char(text, len) : 1;
	return cel_keep(e, json_int(n));
}

static const struct json *lower_ascii(struct evaluation *e, const char *text)
{
	auto_free char *lower = xstrdup(text);

	for (char *c = lower; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return cel_keep(e, json_string(lower));
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), want = strlen(end);

	return want <= len && streq(text + len - want, end);
}

static const struct json *call(struct evaluation *e, const struct cel_node *node,
			       const struct scope *scope)
{
	const struct json *receiver = eval(e, node->kids, scope), *argument = NULL;
	const char *text = json_str(receiver), *other;

	if (receiver == NULL)
		return NULL;
	if (node->kids->next != NULL && (argument = eval(e, node->kids->next, scope)) == NULL)
		return NULL;
	other = json_str(argument);
	if (node->function == CEL_SIZE)
		return size(e, receiver);
	if (text == NULL || (argument != NULL && other == NULL))
		return cel_no_overload(e, "a function of strings", receiver, argument);
	switch (node->function) {
	case CEL_STARTS_WITH:
		return cel_keep(e, json_bool(has_prefix(text, other)));
	case CEL_ENDS_WITH:
		return cel_keep(e, json_bool(ends_with(text, other)));
	case CEL_CONTAINS:
		return cel_keep(e, json_bool(strstr(text, other) != NULL));
	case CEL_MATCHES:
		return cel_keep(e, json_bool(pattern_matches(node->pattern, text)));
	case CEL_LOWER_ASCII:
	case CEL_SIZE:
		break;
	}
	return lower_ascii(e, text);
}

/* ---- logic ---- */

/* a && b and a || b: an error on one side counts only where the other side does not decide. */
static const struct json *logic(struct evaluation *e, const struct cel_node *node,
				const struct scope *scope)
{
	const struct json *sides[2];
	bool decides = node->op == CEL_OR;
	struct err first = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		sides[i] = eval(e, i == 0 ? node->kids : node->kids->next, scope);
		if (sides[i] != NULL && json_type(sides[i]) != JSON_BOOL)
			sides[i] = cel_no_overload(e, "logic", sides[i], NULL);
		if (sides[i] != NULL && json_is_true(sides[i]) == decides)
			return sides[i];
		if (i == 0)
			first = *e->err;
	}
	if (sides[0] == NULL)
		*e->err = first;
	return sides[0] != NULL && sides[1] != NULL ? sides[0] : NULL;
}

/* all and exists are chains of && and ||, with the same rule for errors. Over a map: its keys. */
static const struct json *quantifier(struct evaluation *e, const struct cel_node *node,
				     const struct scope *scope)
{
	const struct json *list = eval(e, node->kids, scope);
	bool decides = node->op == CEL_EXISTS, failed = false;

	if (list == NULL)
		return NULL;
	if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_OBJECT)
		return cel_no_overload(e, "all or exists", list, NULL);
	for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
		struct scope inner = {node->text, c, scope};
		const struct json *result;

		if (json_type(list) == JSON_OBJECT)
			inner.value = cel_keep(e, json_string(json_key(c)));
		result = eval(e, node->kids->next, &inner);
		if (result != NULL && json_type(result) != JSON_BOOL)
			result = cel_no_overload(e, "logic", result, NULL);
		if (result != NULL && json_is_true(result) == decides)
			return result;
		failed |= result == NULL;
	}
	return failed ? NULL : cel_keep(e, json_bool(!decides));
}

static const struct json *conditional(struct evaluation *e, const struct cel_node *node,
				      const struct scope *scope)
{
	const struct json *condition = eval(e, node->kids, scope);

	if (condition == NULL)
		return NULL;
	if (json_type(condition) != JSON_BOOL)
		return cel_no_overload(e, "?:", condition, NULL);
	return eval(e, json_is_true(condition) ? node->kids->next : node->kids->next->next, scope);
}

/* ---- expressions ---- */

static const struct json *name(struct evaluation *e, const char *text, const struct scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		if (scope->value != NULL && streq(scope->name, text))
			return scope->value;
	err_set(e->err, ERR_INVALID, "undeclared reference to '%s'", text);
	return NULL;
}

static const struct json *list(struct evaluation *e, const struct cel_node *node,
			       const struct scope *scope)
{
	struct json *result = json_array();

	cel_keep(e, result);
	for (const struct cel_node *kid = node->kids; kid != NULL; kid = kid->next) {
		const struct json *value = eval(e, kid, scope);

		if (value == NULL)
			return NULL;
		json_append(result, json_copy(value));
	}
	return result;
}

/* The operators with one or two operands that are always all evaluated. */
static const struct json *operation(struct evaluation *e, const struct cel_node *node,
				    const struct scope *scope)
{
	const struct json *a = eval(e, node->kids, scope), *b = NULL;

	if (a == NULL ||
	    (node->kids->next != NULL && (b = eval(e, node->kids->next, scope)) == NULL))
		return NULL;
	switch ((int)node->op) {
	case CEL_SELECT:
		return member(e, a, node->text);
	case CEL_HAS:
		if (json_type(a) != JSON_OBJECT)
			return cel_no_overload(e, "has", a, NULL);
		return cel_keep(e, json_bool(json_get(a, node->text) != NULL));
	case CEL_INDEX:
		return element(e, a, b);
	case CEL_NOT:
		if (json_type(a) != JSON_BOOL)
			return cel_no_overload(e, "!", a, NULL);
		return cel_keep(e, json_bool(!json_is_true(a)));
	case CEL_NEGATE:
		return cel_arithmetic(e, CEL_SUBTRACT, cel_keep(e, json_int(0)), a);
	case CEL_EQUAL:
	case CEL_NOT_EQUAL:
		return cel_keep(e, json_bool(cel_equal(a, b) == (node->op == CEL_EQUAL)));
	case CEL_IN:
		return in(e, a, b);
	default:
		return node->op < CEL_EQUAL ? cel_arithmetic(e, node->op, a, b)
					    : cel_compare(e, node->op, a, b);
	}
}

static const struct json *eval(struct evaluation *e, const struct cel_node *node,
			       const struct scope *scope)
{
	if (++e->steps > CEL_STEPS_MAX) {
		err_set(e->err, ERR_LIMIT, "the rule takes more than %d steps", CEL_STEPS_MAX);
		return NULL;
	}
	switch ((int)node->op) {
	case CEL_LITERAL:
		return node->value;
	case CEL_NAME:
		return name(e, node->text, scope);
	case CEL_LIST:
		return list(e, node, scope);
	case CEL_CALL:
		return call(e, node, scope);
	case CEL_ALL:
	case CEL_EXISTS:
		return quantifier(e, node, scope);
	case CEL_AND:
	case CEL_OR:
		return logic(e, node, scope);
	case CEL_IF:
		return conditional(e, node, scope);
	default:
		return operation(e, node, scope);
	}
}

static const struct json *evaluate(struct evaluation *e, const struct cel *cel,
				   const struct json *self, const struct json *old_self)
{
	struct scope old_scope = {"oldSelf", old_self, NULL};
	struct scope scope = {"self", self, &old_scope};

	return eval(e, cel->root, &scope);
}

int cel_eval_bool(const struct cel *cel, const struct json *self, const struct json *old_self,
		  bool *result, struct err *err)
{
	auto_json struct json *kept = json_array();
	struct evaluation e = {.kept = kept, .err = err};
	const struct json *value = evaluate(&e, cel, self, old_self);

	if (value == NULL)
		return -1;
	if (json_type(value) != JSON_BOOL)
		return err_set(err, ERR_INVALID, "expected a rule that is true or false, found %s",
			       json_type_name(json_type(value)));
	*result = json_is_true(value);
	return 0;
}

char *cel_eval_string(const struct cel *cel, const struct json *self, const struct json *old_self,
		      struct err *err)
{
	auto_json struct json *kept = json_array();
	struct evaluation e = {.kept = kept, .err = err};
	const struct json *value = evaluate(&e, cel, self, old_self);

	if (value != NULL && json_str(value) == NULL)
		err_set(err, ERR_INVALID, "expected a string, found %s",
			json_type_name(json_type(value)));
	return json_str(value) != NULL ? xstrdup(json_str(value)) : NULL;
}
