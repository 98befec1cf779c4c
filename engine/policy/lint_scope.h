/*
 * lint_scope.h - for lint*.c alone: what a name in a Lua source stands for, and what is wrong with
 * that.
 *
 * Everything that is made lives until scope_done(), so that a value may outlive its block.
 */
#ifndef POLICY_LINT_SCOPE_H
#define POLICY_LINT_SCOPE_H

#include "base/json.h"
#include "policy/lint_lex.h"

enum { LINT_FINDINGS_MAX = 100 }; /* of one file; the rest is dropped */

enum value_type {
	VALUE_UNKNOWN,
	VALUE_NONE, /* nil, true, false, a number */
	VALUE_STRING,
	VALUE_FUNCTION,
	VALUE_TABLE,
	VALUE_LOCAL, /* whatever that local is */
};

/* What an expression is, as far as its text shows it. */
struct value {
	enum value_type type;
	int line;
	int parameters; /* VALUE_FUNCTION; -1: any number */
	struct token text;
	struct table *table;
	struct local *local;
};

struct field {
	struct token name;
	struct value value;
	struct field *next;
};

struct table {
	struct field *fields; /* the last one first */
	bool open;            /* it may have others */
	struct table *made_before;
};

enum local_kind { LOCAL_VARIABLE, LOCAL_FUNCTION, LOCAL_LOOP, LOCAL_PARAMETER };

struct local {
	struct token name;
	enum local_kind kind;
	bool used;
	struct value value;
	struct local *outer; /* the next one that is visible */
	struct local *made_before;
};

/* What can stand on the left of an assignment. */
struct place {
	enum { PLACE_NONE, PLACE_LOCAL, PLACE_GLOBAL, PLACE_FIELD, PLACE_MEMBER } type;
	struct token name;   /* of the global, the field */
	struct local *local; /* itself; of a field: that holds the table, or NULL */
	struct token owner;  /* PLACE_MEMBER: the library */
};

struct finding {
	int line;
	char *message;
};

struct scope {
	const struct json *names; /* from each global to an object of its members */
	struct json *required;    /* from each module to the line that first requires it */
	struct finding findings[LINT_FINDINGS_MAX]; /* in no order */
	size_t found;
	bool own_env;         /* it uses _ENV: its globals are unknown */
	bool requires_others; /* by a name that its text does not show */
	bool silent;          /* what else is found would be guesses */
	struct local *visible, *locals;
	struct table *tables;
};

void scope_done(struct scope *scope);

void scope_found(struct scope *scope, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

struct local *scope_add(struct scope *scope, const struct token *name, enum local_kind kind);
struct table *scope_table(struct scope *scope);

/* Leave a block: scope->visible was `before` at its start. */
void scope_leave(struct scope *scope, struct local *before);

struct place scope_find(struct scope *scope, const struct token *name);

/* place.NAME; the place itself is used for it. */
struct place scope_field(struct scope *scope, const struct place *place, const struct token *name);

/* The place is read; called or indexed: not as a whole. */
void scope_use(struct scope *scope, const struct place *place, bool as_whole);
void scope_assign(struct scope *scope, const struct place *place, const struct value *value);
void scope_add_field(struct table *table, const struct token *name, const struct value *value);

/* "; did you mean 'x'?", or nothing: the closest of the keys of `known` and the visible locals.
 * Yours. */
char *scope_guess(const struct scope *scope, const struct token *name, const struct json *known,
		  bool locals);

#endif
