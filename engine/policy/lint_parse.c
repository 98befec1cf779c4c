#include "policy/lint_parser.h"

static const struct value unknown = {.type = VALUE_UNKNOWN};

static void block(struct parser *p);

static void block_to(struct parser *p, const char *end)
{
	block(p);
	parser_expect(p, end);
}

static int parameters(struct parser *p)
{
	int count = 0;

	parser_expect(p, "(");
	while (!parser_is(p, ")") && p->now.type != LEX_END) {
		struct token token;

		if (parser_take(p, "...")) {
			count = -1;
			break;
		}
		token = parser_name(p);
		scope_add(p->scope, &token, LOCAL_PARAMETER);
		count++;
		if (!parser_take(p, ","))
			break;
	}
	parser_expect(p, ")");
	return count;
}

struct value parser_function(struct parser *p, bool method)
{
	static const struct token self = {LEX_NAME, "self", strlen("self"), 0};
	struct value value = {.type = VALUE_FUNCTION, .line = p->now.line};
	struct local *before = p->scope->visible;

	if (method)
		scope_add(p->scope, &self, LOCAL_PARAMETER);
	value.parameters = parameters(p);
	if (method && value.parameters >= 0)
		value.parameters++;
	p->functions++;
	block_to(p, "end");
	p->functions--;
	scope_leave(p->scope, before);
	return value;
}

static void if_statement(struct parser *p)
{
	do {
		parser_expression(p);
		parser_expect(p, "then");
		block(p);
	} while (parser_take(p, "elseif"));
	if (parser_take(p, "else"))
		block(p);
	parser_expect(p, "end");
}

static void while_statement(struct parser *p)
{
	parser_expression(p);
	parser_expect(p, "do");
	block_to(p, "end");
}

static void do_statement(struct parser *p)
{
	block_to(p, "end");
}

/* <const> or <close>; the second is used by its end. */
static bool attribute(struct parser *p)
{
	struct token word;

	if (!parser_take(p, "<"))
		return false;
	word = parser_name(p);
	parser_expect(p, ">");
	return word.len == strlen("close") && memcmp(word.text, "close", word.len) == 0;
}

/* Names that become visible after the expressions that follow them. */
static struct local *names(struct parser *p, enum local_kind kind, int *count)
{
	*count = 0;
	do {
		struct token token = parser_name(p);
		struct local *local = scope_add(p->scope, &token, kind);

		if (kind == LOCAL_VARIABLE)
			local->used = attribute(p);
		++*count;
	} while (parser_take(p, ","));
	return p->scope->visible;
}

static void for_statement(struct parser *p)
{
	struct local *before = p->scope->visible, *last;
	int count;

	last = names(p, LOCAL_LOOP, &count);
	p->scope->visible = before;
	if (!parser_take(p, "="))
		parser_expect(p, "in");
	parser_expressions(p, &count);
	p->scope->visible = last;
	parser_expect(p, "do");
	block_to(p, "end");
	scope_leave(p->scope, before);
}

static void function_statement(struct parser *p)
{
	struct token token = parser_name(p);
	struct place place = scope_find(p->scope, &token);
	struct value value;
	bool method = false;

	while (!method && (parser_is(p, ".") || parser_is(p, ":"))) {
		method = parser_is(p, ":");
		parser_next(p);
		token = parser_name(p);
		place = scope_field(p->scope, &place, &token);
	}
	value = parser_function(p, method);
	scope_assign(p->scope, &place, &value);
}

static void local_function(struct parser *p)
{
	struct token token = parser_name(p);
	struct local *local = scope_add(p->scope, &token, LOCAL_FUNCTION);

	local->value = parser_function(p, false);
}

static void local_statement(struct parser *p)
{
	struct local *before = p->scope->visible, *last;
	struct value first = unknown;
	int count, values = 0;

	last = names(p, LOCAL_VARIABLE, &count);
	p->scope->visible = before;
	if (parser_take(p, "="))
		first = parser_expressions(p, &values);
	p->scope->visible = last;
	if (count == 1 && values == 1)
		last->value = first;
}

static void local_any(struct parser *p)
{
	if (parser_take(p, "function"))
		local_function(p);
	else
		local_statement(p);
}

static void repeat_statement(struct parser *p);

static void goto_statement(struct parser *p)
{
	parser_name(p);
}

static void break_statement(struct parser *p UNUSED)
{
}

static void label(struct parser *p)
{
	parser_name(p);
	parser_expect(p, "::");
}

/* A call, or an assignment to one or more places. */
static void other_statement(struct parser *p)
{
	struct place *places = NULL;
	struct value value;
	size_t len = 0;
	int count;

	do {
		places = xrealloc(places, (len + 1) * sizeof(*places));
		places[len++] = parser_suffixed(p);
	} while (parser_take(p, ","));
	if (parser_take(p, "=")) {
		value = parser_expressions(p, &count);
		for (size_t i = 0; i < len; i++)
			scope_assign(p->scope, &places[i],
				     len == 1 && count == 1 ? &value : &unknown);
	} else if (places[0].type != PLACE_NONE) {
		parser_stop(p); /* not a call */
	}
	free(places);
}

static void statement(struct parser *p)
{
	static const struct {
		const char *word;
		void (*parse)(struct parser *p);
	} statements[] = {{"if", if_statement},         {"while", while_statement},
			  {"do", do_statement},         {"for", for_statement},
			  {"repeat", repeat_statement}, {"function", function_statement},
			  {"local", local_any},         {"goto", goto_statement},
			  {"break", break_statement},   {"::", label}};
	void (*parse)(struct parser * p) = other_statement;

	if (parser_enter(p)) {
		for (size_t i = 0; i < ARRAY_LEN(statements) && parse == other_statement; i++)
			if (parser_take(p, statements[i].word))
				parse = statements[i].parse;
		parse(p);
	}
	parser_leave(p);
}

/* `return M` at the end of a file hands M out: nothing is added to it any more. */
static bool returns_local(struct parser *p, struct value *value)
{
	struct place place;

	if (p->now.type != LEX_NAME || (p->ahead.type != LEX_END && !token_is(&p->ahead, ";")))
		return false;
	place = scope_find(p->scope, &p->now);
	if (place.type != PLACE_LOCAL)
		return false;
	place.local->used = true;
	*value = (struct value){.type = VALUE_LOCAL, .line = p->now.line, .local = place.local};
	parser_next(p);
	return true;
}

static bool at_block_end(const struct parser *p)
{
	return p->now.type == LEX_END || parser_is(p, "end") || parser_is(p, "else") ||
	       parser_is(p, "elseif") || parser_is(p, "until");
}

static void return_statement(struct parser *p)
{
	int line = p->now.line, count = 0;
	struct value value = {.type = VALUE_NONE, .line = line};

	if (p->functions > 0 || !returns_local(p, &value))
		if (!at_block_end(p) && !parser_is(p, ";"))
			value = parser_expressions(p, &count);
	parser_take(p, ";");
	if (p->functions > 0)
		return;
	p->chunk->returns = true;
	if (p->now.type == LEX_END && count <= 1)
		p->chunk->returned = value;
}

static void statements(struct parser *p)
{
	bool dead = false;

	while (!at_block_end(p)) {
		bool jumps = parser_is(p, "break") || parser_is(p, "goto");

		if (parser_take(p, ";"))
			continue;
		if (dead && !parser_is(p, "::"))
			scope_found(p->scope, p->now.line,
				    "never reached: it stands behind break or goto");
		if (parser_take(p, "return")) {
			return_statement(p);
			return;
		}
		statement(p);
		dead = jumps;
	}
}

static void block(struct parser *p)
{
	struct local *before = p->scope->visible;

	statements(p);
	scope_leave(p->scope, before);
}

/* Its condition sees the names of its block. */
static void repeat_statement(struct parser *p)
{
	struct local *before = p->scope->visible;

	statements(p);
	parser_expect(p, "until");
	parser_expression(p);
	scope_leave(p->scope, before);
}

void lint_parse(struct scope *scope, const char *text, size_t len, struct chunk *chunk)
{
	struct parser p = {.scope = scope, .chunk = chunk};

	*chunk = (struct chunk){0};
	lex_init(&p.lex, text, len);
	p.ahead = lex_next(&p.lex);
	parser_next(&p);
	block(&p);
}

const struct value *lint_resolve(const struct value *value)
{
	for (int steps = 0; value->type == VALUE_LOCAL; steps++) {
		if (steps == LINT_DEPTH_MAX)
			return &unknown;
		value = &value->local->value;
	}
	return value;
}
