/*
 * lint_parser.h - for lint_expr.c and lint_parse.c alone: a parser by recursive descent.
 *
 * At what cannot be Lua it stops: nothing more is read, so every loop and every recursion ends.
 */
#ifndef POLICY_LINT_PARSER_H
#define POLICY_LINT_PARSER_H

#include "policy/lint_parse.h"

struct parser {
	struct scope *scope;
	struct lex lex;
	struct token now, ahead;
	struct chunk *chunk;
	int depth;     /* of statements and expressions */
	int functions; /* around the current place */
};

struct token parser_next(struct parser *p);
bool parser_is(const struct parser *p, const char *text);
bool parser_take(struct parser *p, const char *text);
void parser_expect(struct parser *p, const char *text);
struct token parser_name(struct parser *p);
void parser_stop(struct parser *p);

/* Around each statement and expression; false at the limit. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

struct value parser_expression(struct parser *p);

/* The first value, and how many there are. */
struct value parser_expressions(struct parser *p, int *count);

/* A name or (expression) with all that is behind it. The place at its end is not used yet. */
struct place parser_suffixed(struct parser *p);

/* From the parameters to the end. */
struct value parser_function(struct parser *p, bool method);

#endif
