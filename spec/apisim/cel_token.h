/*
 * cel_token.h - the characters of an expression: names, strings, numbers. Private to cel_parse.c.
 */
#ifndef APISIM_CEL_TOKEN_H
#define APISIM_CEL_TOKEN_H

#include "cel.h"

struct cel_reader {
	const char *start, *at;
	struct err *err;
};

/* Always NULL; err becomes `line 1, column 7: expected EXPECTED, found 'rest'`. */
void *cel_fail(struct cel_reader *r, const char *expected);

void cel_skip_blank(struct cel_reader *r); /* and comments */

/* Take token if it comes next; one that ends in a letter must not go on as a word. */
bool cel_accept(struct cel_reader *r, const char *token);

/* The identifier that comes next, yours; NULL: there is none. */
char *cel_identifier(struct cel_reader *r);

/* true, false, null and in are no names at all; namespace, if and others may only name fields. */
bool cel_is_keyword(const char *name);
bool cel_is_reserved(const char *name);

/* The property that an identifier stands for: Kubernetes writes namespace as __namespace__ and a-b
 * as a__dash__b (https://kubernetes.io/docs/reference/using-api/cel/#escaping); yours. */
char *cel_unescape(const char *name);

/* The literal that comes next (at its quote, or at its first digit or sign); NULL on failure. */
struct json *cel_string(struct cel_reader *r, bool raw);
struct json *cel_number(struct cel_reader *r);

#endif
