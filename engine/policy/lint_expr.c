#include "policy/lint_parser.h"

static const struct value unknown = {.type = VALUE_UNKNOWN};

/* ---- tokens ---- */

struct token parser_next(struct parser *p)
{
	struct token was = p->now;

	p->now = p->ahead;
	p->ahead = lex_next(&p->lex);
	return was;
}

bool parser_is(const struct parser *p, const char *text)
{
	return token_is(&p->now, text);
}

bool parser_take(struct parser *p, const char *text)
{
	if (!parser_is(p, text))
		return false;
	parser_next(p);
	return true;
}

void parser_stop(struct parser *p)
{
	p->scope->silent = true;
	p->lex.at = p->lex.end;
	p->now = p->ahead = (struct token){.type = LEX_END, .text = "", .line = p->now.line};
}

void parser_expect(struct parser *p, const char *text)
{
	if (!parser_take(p, text))
		parser_stop(p);
}

struct token parser_name(struct parser *p)
{
	if (p->now.type != LEX_NAME)
		parser_stop(p);
	return parser_next(p);
}

bool parser_enter(struct parser *p)
{
	if (p->depth++ < LINT_DEPTH_MAX)
		return true;
	if (p->now.type != LEX_END)
		scope_found(p->scope, p->now.line,
			    "nested more than %d levels deep: not checked from here on",
			    LINT_DEPTH_MAX);
	parser_stop(p);
	return false;
}

void parser_leave(struct parser *p)
{
	p->depth--;
}

/* ---- expressions ---- */

struct value parser_expressions(struct parser *p, int *count)
{
	struct value first = parser_expression(p);

	for (*count = 1; parser_take(p, ","); ++*count)
		parser_expression(p);
	return first;
}

static void table_item(struct parser *p, struct table *table)
{
	struct value value;
	struct token key;

	if (p->now.type == LEX_NAME && token_is(&p->ahead, "=")) {
		key = parser_next(p);
		parser_next(p);
		value = parser_expression(p);
		scope_add_field(table, &key, &value);
	} else if (parser_take(p, "[")) {
		table->open = true;
		parser_expression(p);
		parser_expect(p, "]");
		parser_expect(p, "=");
		parser_expression(p);
	} else {
		parser_expression(p);
	}
}

static struct value table_constructor(struct parser *p)
{
	struct value value = {
	    .type = VALUE_TABLE, .line = p->now.line, .table = scope_table(p->scope)};

	parser_expect(p, "{");
	while (!parser_is(p, "}") && p->now.type != LEX_END) {
		table_item(p, value.table);
		if (!parser_take(p, ",") && !parser_take(p, ";"))
			break;
	}
	parser_expect(p, "}");
	return value;
}

static bool starts_arguments(const struct parser *p)
{
	return parser_is(p, "(") || parser_is(p, "{") || p->now.type == LEX_STRING;
}

static struct value arguments(struct parser *p, int *count)
{
	struct value first = unknown;

	*count = 1;
	if (p->now.type == LEX_STRING) {
		first = (struct value){.type = VALUE_STRING, .text = p->now};
		parser_next(p);
	} else if (parser_is(p, "{")) {
		first = table_constructor(p);
	} else {
		parser_expect(p, "(");
		if (!parser_is(p, ")"))
			first = parser_expressions(p, count);
		parser_expect(p, ")");
	}
	return first;
}

static void note_require(struct parser *p, const struct value *module, int line)
{
	auto_free char *text =
	    xstrndup(module->text.text != NULL ? module->text.text : "", module->text.len);

	if (module->type != VALUE_STRING)
		p->scope->requires_others = true;
	else if (json_get(p->scope->required, text) == NULL)
		json_set(p->scope->required, text, json_int(line));
}

static void call(struct parser *p, const struct place *place)
{
	bool requires = place->type == PLACE_GLOBAL && place->name.len == strlen("require") &&
			memcmp(place->name.text, "require", place->name.len) == 0;
	int line = p->now.line, count;
	struct value first;

	scope_use(p->scope, place, false);
	first = arguments(p, &count);
	if (requires)
		note_require(p, &first, line);
}

static void open_table(const struct place *place)
{
	if (place->type == PLACE_LOCAL && place->local->value.table != NULL)
		place->local->value.table->open = true;
}

/* One of .name [index] :method(...) (...) behind place, which becomes what it leads to. */
static bool suffix(struct parser *p, struct place *place)
{
	static const struct place nowhere = {.type = PLACE_NONE};
	struct token field;
	int count;

	if (parser_take(p, ".")) {
		field = parser_name(p);
		*place = scope_field(p->scope, place, &field);
		return true;
	}
	if (starts_arguments(p)) {
		call(p, place);
	} else if (parser_take(p, "[")) {
		scope_use(p->scope, place, false);
		open_table(place);
		parser_expression(p);
		parser_expect(p, "]");
	} else if (parser_take(p, ":")) {
		field = parser_name(p);
		*place = scope_field(p->scope, place, &field);
		scope_use(p->scope, place, false);
		open_table(place);
		arguments(p, &count);
	} else {
		return false;
	}
	*place = nowhere;
	return true;
}

struct place parser_suffixed(struct parser *p)
{
	struct place place = {.type = PLACE_NONE};
	struct token token;

	if (parser_take(p, "(")) {
		parser_expression(p);
		parser_expect(p, ")");
	} else {
		token = parser_name(p);
		place = scope_find(p->scope, &token);
	}
	while (suffix(p, &place))
		;
	return place;
}

static struct value plain(struct parser *p, enum value_type type)
{
	struct token token = parser_next(p);

	return (struct value){.type = type, .line = token.line, .text = token};
}

static bool is_constant(const struct parser *p)
{
	return p->now.type == LEX_NUMBER || parser_is(p, "nil") || parser_is(p, "true") ||
	       parser_is(p, "false");
}

static struct value operand(struct parser *p)
{
	bool changed = false;
	struct value value;
	struct place place;

	while (parser_take(p, "not") || parser_take(p, "-") || parser_take(p, "~") ||
	       parser_take(p, "#"))
		changed = true;
	if (is_constant(p)) {
		value = plain(p, VALUE_NONE);
	} else if (p->now.type == LEX_STRING) {
		value = plain(p, VALUE_STRING);
	} else if (parser_is(p, "...")) {
		value = plain(p, VALUE_UNKNOWN);
	} else if (parser_is(p, "{")) {
		value = table_constructor(p);
	} else if (parser_take(p, "function")) {
		value = parser_function(p, false);
	} else {
		place = parser_suffixed(p);
		scope_use(p->scope, &place, true);
		value =
		    (struct value){.type = place.type == PLACE_LOCAL ? VALUE_LOCAL : VALUE_UNKNOWN,
				   .line = p->now.line,
				   .local = place.local};
	}
	return changed ? unknown : value;
}

static bool take_operator(struct parser *p)
{
	static const char *const operators[] = {
	    "+",  "-",  "*",  "/",  "//", "%",  "^", "&",  "|",   "~", "<<",
	    ">>", "..", "==", "~=", "<",  "<=", ">", ">=", "and", "or"};

	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (parser_take(p, operators[i]))
			return true;
	return false;
}

struct value parser_expression(struct parser *p)
{
	struct value value = unknown;

	if (parser_enter(p)) {
		value = operand(p);
		while (take_operator(p)) {
			operand(p);
			value = unknown;
		}
	}
	parser_leave(p);
	return value;
}
