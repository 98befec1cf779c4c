#include "policy/lint_lex.h"

#include <ctype.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* In Lua a letter is one of ASCII, whatever the locale. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static char peek(const struct lex *lex, size_t ahead)
{
	return (size_t)(lex->end - lex->at) > ahead ? lex->at[ahead] : '\0';
}

/* \r\n and \n\r are one line. */
static void skip_newline(struct lex *lex)
{
	char other = *lex->at == '\n' ? '\r' : '\n';

	lex->at += peek(lex, 1) == other ? 2 : 1;
	lex->line++;
}

static void skip_char(struct lex *lex)
{
	if (is_newline(*lex->at))
		skip_newline(lex);
	else
		lex->at++;
}

static void skip_blank(struct lex *lex)
{
	while (lex->at < lex->end && isspace((unsigned char)*lex->at))
		skip_char(lex);
}

/* ---- long brackets ---- */

/* The length of "[==[" at the current place, 0 if there is none. */
static size_t long_bracket(const struct lex *lex, size_t from)
{
	size_t n = from + 1;

	if (peek(lex, from) != '[')
		return 0;
	while (peek(lex, n) == '=')
		n++;
	return peek(lex, n) == '[' ? n + 1 - from : 0;
}

static bool closes(const struct lex *lex, size_t bracket)
{
	if (peek(lex, 0) != ']' || peek(lex, bracket - 1) != ']')
		return false;
	for (size_t i = 1; i + 1 < bracket; i++)
		if (peek(lex, i) != '=')
			return false;
	return true;
}

/* Over the bracket at the current place and up to behind its end; false if it has none. */
static bool long_text(struct lex *lex, size_t bracket, struct token *token)
{
	lex->at += bracket;
	token->text = lex->at;
	for (; lex->at < lex->end; skip_char(lex)) {
		if (!closes(lex, bracket))
			continue;
		token->len = (size_t)(lex->at - token->text);
		lex->at += bracket;
		return true;
	}
	return false;
}

static void skip_comment(struct lex *lex)
{
	size_t bracket = long_bracket(lex, 2);
	struct token ignored;

	lex->at += 2;
	if (bracket > 0) {
		long_text(lex, bracket, &ignored);
		return;
	}
	while (lex->at < lex->end && !is_newline(*lex->at))
		lex->at++;
}

/* ---- tokens ---- */

static bool short_text(struct lex *lex, struct token *token)
{
	char quote = *lex->at++;

	token->text = lex->at;
	while (lex->at < lex->end && *lex->at != quote) {
		if (is_newline(*lex->at))
			return false;
		if (*lex->at++ != '\\' || lex->at == lex->end)
			continue;
		if (*lex->at == 'z') {
			lex->at++;
			skip_blank(lex);
		} else {
			skip_char(lex);
		}
	}
	token->len = (size_t)(lex->at - token->text);
	if (lex->at == lex->end)
		return false;
	lex->at++;
	return true;
}

static void number(struct lex *lex)
{
	const char *exponent = peek(lex, 0) == '0' && (peek(lex, 1) | 0x20) == 'x' ? "pP" : "eE";

	while (lex->at < lex->end) {
		char c = *lex->at;

		if (c == exponent[0] || c == exponent[1])
			lex->at += peek(lex, 1) == '+' || peek(lex, 1) == '-' ? 2 : 1;
		else if (is_digit(c) || is_letter(c) || c == '.')
			lex->at++;
		else
			break;
	}
}

static enum lex_type name_or_word(const struct token *token)
{
	static const char *const words[] = {
	    "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
	    "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
	    "repeat",   "return", "then", "true", "until",  "while"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == token->len &&
		    memcmp(words[i], token->text, token->len) == 0)
			return LEX_WORD;
	return LEX_NAME;
}

static size_t symbol(const struct lex *lex)
{
	/* The longest first. */
	static const char *const symbols[] = {"...", "..", "==", "~=", "<=", ">=", "//", "::", "<<",
					      ">>",  "+",  "-",  "*",  "/",  "%",  "^",  "#",  "&",
					      "~",   "|",  "<",  ">",  "=",  "(",  ")",  "{",  "}",
					      "[",   "]",  ";",  ":",  ",",  "."};
	size_t left = (size_t)(lex->end - lex->at);

	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		size_t len = strlen(symbols[i]);

		if (len <= left && memcmp(symbols[i], lex->at, len) == 0)
			return len;
	}
	return 0;
}

static bool text_token(struct lex *lex, struct token *token)
{
	size_t bracket = long_bracket(lex, 0);

	token->type = LEX_STRING;
	return bracket > 0 ? long_text(lex, bracket, token) : short_text(lex, token);
}

void lex_init(struct lex *lex, const char *text, size_t len)
{
	*lex = (struct lex){text, text + len, 1};
}

struct token lex_next(struct lex *lex)
{
	struct token token;

	for (skip_blank(lex); peek(lex, 0) == '-' && peek(lex, 1) == '-'; skip_blank(lex))
		skip_comment(lex);
	token = (struct token){.text = lex->at, .line = lex->line};
	if (lex->at == lex->end)
		return token;
	if (*lex->at == '"' || *lex->at == '\'' || long_bracket(lex, 0) > 0) {
		if (text_token(lex, &token))
			return token;
		lex->at = lex->end;
		return (struct token){.text = lex->at, .line = lex->line};
	}
	if (is_letter(*lex->at)) {
		while (lex->at < lex->end && (is_letter(*lex->at) || is_digit(*lex->at)))
			lex->at++;
		token.len = (size_t)(lex->at - token.text);
		token.type = name_or_word(&token);
		return token;
	}
	if (is_digit(*lex->at) || (*lex->at == '.' && is_digit(peek(lex, 1)))) {
		token.type = LEX_NUMBER;
		number(lex);
	} else {
		token.type = LEX_SYMBOL;
		lex->at += symbol(lex);
	}
	token.len = (size_t)(lex->at - token.text);
	if (token.len == 0) { /* no token starts so */
		token.type = LEX_END;
		lex->at = lex->end;
	}
	return token;
}

bool token_is(const struct token *token, const char *text)
{
	return (token->type == LEX_WORD || token->type == LEX_SYMBOL) &&
	       strlen(text) == token->len && memcmp(token->text, text, token->len) == 0;
}
