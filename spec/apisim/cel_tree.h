/*
 * cel_tree.h - what cel_parse.c gives to cel_eval.c. Private to the cel*.c files.
 */
#ifndef APISIM_CEL_TREE_H
#define APISIM_CEL_TREE_H

#include "cel.h"
#include "pattern.h"

enum cel_op {
	CEL_LITERAL, /* value */
	CEL_NAME,    /* text */
	CEL_LIST,    /* kids: the elements */
	CEL_SELECT,  /* kid . text */
	CEL_HAS,     /* has(kid . text) */
	CEL_INDEX,   /* kid [ kid ] */
	CEL_CALL,    /* function index; kids: receiver and arguments */
	CEL_ALL,     /* kid.all(text, kid) */
	CEL_EXISTS,
	CEL_NOT,
	CEL_NEGATE,
	CEL_MULTIPLY, /* from here on: kid op kid */
	CEL_DIVIDE,
	CEL_MODULO,
	CEL_ADD,
	CEL_SUBTRACT,
	CEL_EQUAL,
	CEL_NOT_EQUAL,
	CEL_LESS,
	CEL_LESS_EQUAL,
	CEL_GREATER,
	CEL_GREATER_EQUAL,
	CEL_IN,
	CEL_AND,
	CEL_OR,
	CEL_IF, /* kid ? kid : kid */
};

enum cel_function {
	CEL_SIZE,
	CEL_STARTS_WITH,
	CEL_ENDS_WITH,
	CEL_CONTAINS,
	CEL_MATCHES,
	CEL_LOWER_ASCII,
};

struct cel_node {
	enum cel_op op;
	enum cel_function function;
	char *text;
	struct json *value;
	struct pattern *pattern; /* of matches() */
	struct cel_node *kids, *next;
};

void cel_node_free(struct cel_node *node);
static inline void cleanup_node(struct cel_node **node)
{
	cel_node_free(*node);
}
#define auto_node __attribute__((cleanup(cleanup_node)))

/* The variables of the macros around an expression. */
struct cel_names {
	const char *name;
	const struct cel_names *outer;
};

/* -1 where a name is neither one of these nor self or oldSelf. */
int cel_check_names(const struct cel_node *node, const struct cel_names *names, struct err *err);

struct cel {
	struct cel_node *root;
	bool uses_old_self;
};

#endif
