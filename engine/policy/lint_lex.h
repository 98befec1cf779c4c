/*
 * lint_lex.h - the tokens of Lua 5.4 (https://www.lua.org/manual/5.4/manual.html#3.1), for lint.h.
 *
 * It takes what the real lexer takes, and is not meant to refuse what that refuses: numbers and
 * escapes are stepped over. No text makes it read past its end.
 */
#ifndef POLICY_LINT_LEX_H
#define POLICY_LINT_LEX_H

#include "base/base.h"

enum lex_type {
	LEX_END, /* of the text, and of what cannot be a token */
	LEX_NAME,
	LEX_WORD, /* a reserved one */
	LEX_STRING,
	LEX_NUMBER,
	LEX_SYMBOL,
};

struct token {
	enum lex_type type;
	const char *text; /* in the source; of a string without its quotes, escapes as written */
	size_t len;
	int line;
};

struct lex {
	const char *at, *end;
	int line;
};

void lex_init(struct lex *lex, const char *text, size_t len);
struct token lex_next(struct lex *lex);

/* The token is this reserved word or symbol. */
bool token_is(const struct token *token, const char *text);

#endif
