#include <ctype.h>

#include "cel_token.h"
#include "cel_tree.h"

/* Recursive descent, one function per level of the grammar:
 * https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
struct parser {
	struct cel_reader r;
	int depth;
	bool uses_old_self;
};

static struct cel_node *expression(struct parser *p);

static struct cel_node *node_new(enum cel_op op, struct cel_node *kids_taken)
{
	struct cel_node *node = xcalloc(1, sizeof(*node));

	node->op = op;
	node->kids = kids_taken;
	return node;
}

/* NULL for NULL, so that a literal that could not be read goes through. */
static struct cel_node *literal(struct json *value_taken)
{
	struct cel_node *node;

	if (value_taken == NULL)
		return NULL;
	node = node_new(CEL_LITERAL, NULL);
	node->value = value_taken;
	return node;
}

/* ---- calls ---- */

/* Expressions up to the closing token; -1 on failure. */
static int arguments(struct parser *p, const char *close, struct cel_node **list)
{
	struct cel_node **tail = list;

	if (cel_accept(&p->r, close))
		return 0;
	for (;;) {
		*tail = expression(p);
		if (*tail == NULL)
			return -1;
		tail = &(*tail)->next;
		if (cel_accept(&p->r, close))
			return 0;
		if (!cel_accept(&p->r, ",")) {
			cel_fail(&p->r, "a comma or the end of the list");
			return -1;
		}
		if (streq(close, "]") && cel_accept(&p->r, close))
			return 0;
	}
}

static size_t count(const struct cel_node *list)
{
	size_t n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

static struct cel_node *has_macro(struct parser *p, struct cel_node *args_taken)
{
	if (args_taken == NULL || args_taken->next != NULL || args_taken->op != CEL_SELECT) {
		cel_node_free(args_taken);
		return cel_fail(&p->r, "has() around one field such as has(self.a) before this");
	}
	args_taken->op = CEL_HAS;
	return args_taken;
}

/* receiver.all(name, condition): the name becomes the node's text. */
static struct cel_node *list_macro(struct parser *p, enum cel_op op,
				   struct cel_node *receiver_taken, struct cel_node *args_taken)
{
	struct cel_node *node;

	if (args_taken == NULL || count(args_taken) != 2 || args_taken->op != CEL_NAME) {
		cel_node_free(receiver_taken);
		cel_node_free(args_taken);
		return cel_fail(
		    &p->r, "a variable and a condition, as in list.all(x, x > 0), before this");
	}
	node = node_new(op, receiver_taken);
	node->text = steal(args_taken->text);
	receiver_taken->next = steal(args_taken->next);
	cel_node_free(args_taken);
	return node;
}

static const struct {
	const char *name;
	size_t arguments; /* with the receiver */
	bool global;      /* can be called without a receiver */
} functions[] = {
    [CEL_SIZE] = {"size", 1, true},           [CEL_STARTS_WITH] = {"startsWith", 2, false},
    [CEL_ENDS_WITH] = {"endsWith", 2, false}, [CEL_CONTAINS] = {"contains", 2, false},
    [CEL_MATCHES] = {"matches", 2, true},     [CEL_LOWER_ASCII] = {"lowerAscii", 1, false},
};

static bool compile_pattern(struct parser *p, struct cel_node *call)
{
	struct err why = ERR_INIT;
	const char *text = json_str(call->kids->next->value);

	if (text == NULL) {
		cel_fail(&p->r, "matches() with a literal pattern before this");
		return false;
	}
	call->pattern = pattern_new(text, &why);
	if (call->pattern == NULL) {
		cel_fail(&p->r, "a valid pattern before this");
		err_wrap(p->r.err, "%s", why.msg);
	}
	return call->pattern != NULL;
}

/* name(args) or receiver.name(args); receiver may be NULL. */
static struct cel_node *call(struct parser *p, const char *name, struct cel_node *receiver_taken)
{
	auto_node struct cel_node *receiver = receiver_taken;
	auto_node struct cel_node *args = NULL;
	auto_node struct cel_node *node = NULL;
	size_t i = 0;

	if (arguments(p, ")", &args) < 0)
		return NULL;
	if (receiver == NULL && streq(name, "has"))
		return has_macro(p, steal(args));
	if (receiver != NULL && (streq(name, "all") || streq(name, "exists")))
		return list_macro(p, streq(name, "all") ? CEL_ALL : CEL_EXISTS, steal(receiver),
				  steal(args));
	while (i < ARRAY_LEN(functions) && !streq(name, functions[i].name))
		i++;
	if (i == ARRAY_LEN(functions) || (receiver == NULL && !functions[i].global) ||
	    count(args) + (receiver != NULL) != functions[i].arguments)
		return cel_fail(
		    &p->r, "a function that exists, with its number of arguments, before this");
	node = node_new(CEL_CALL, NULL);
	node->function = (enum cel_function)i;
	if (receiver != NULL)
		receiver->next = steal(args);
	node->kids = receiver != NULL ? steal(receiver) : steal(args);
	if (i == CEL_MATCHES && !compile_pattern(p, node))
		return NULL;
	return steal(node);
}

/* ---- the grammar, from the inside out ---- */

static struct cel_node *name_or_call(struct parser *p)
{
	const char *from = p->r.at;
	auto_free char *name = cel_identifier(&p->r);
	struct cel_node *node;

	if (name == NULL)
		return cel_fail(&p->r, "a value");
	if (streq(name, "true") || streq(name, "false"))
		return literal(json_bool(streq(name, "true")));
	if (streq(name, "null"))
		return literal(json_null());
	if (cel_is_reserved(name)) {
		p->r.at = from;
		return cel_fail(&p->r, "a name that is not reserved");
	}
	if (cel_accept(&p->r, "("))
		return call(p, name, NULL);
	p->uses_old_self |= streq(name, "oldSelf");
	node = node_new(CEL_NAME, NULL);
	node->text = steal(name);
	return node;
}

static struct cel_node *primary(struct parser *p)
{
	auto_node struct cel_node *node = NULL;

	cel_skip_blank(&p->r);
	if (*p->r.at == '\'' || *p->r.at == '"')
		return literal(cel_string(&p->r, false));
	if ((*p->r.at == 'r' || *p->r.at == 'R') && (p->r.at[1] == '\'' || p->r.at[1] == '"')) {
		p->r.at++;
		return literal(cel_string(&p->r, true));
	}
	if (isdigit((unsigned char)*p->r.at))
		return literal(cel_number(&p->r));
	if (cel_accept(&p->r, "(")) {
		node = expression(p);
		if (node != NULL && !cel_accept(&p->r, ")"))
			return cel_fail(&p->r, "a closing parenthesis");
		return steal(node);
	}
	if (cel_accept(&p->r, "[")) {
		node = node_new(CEL_LIST, NULL);
		return arguments(p, "]", &node->kids) < 0 ? NULL : steal(node);
	}
	return name_or_call(p);
}

/* .name or .name(...) behind node. */
static struct cel_node *select_or_call(struct parser *p, struct cel_node *node_taken)
{
	auto_node struct cel_node *node = node_taken;
	auto_free char *name = cel_identifier(&p->r);
	struct cel_node *select;

	if (name == NULL)
		return cel_fail(&p->r, "the name of a field");
	if (cel_is_keyword(name))
		return cel_fail(&p->r, "a field name that is no keyword before this");
	if (cel_accept(&p->r, "("))
		return call(p, name, steal(node));
	select = node_new(CEL_SELECT, steal(node));
	select->text = cel_unescape(name);
	return select;
}

static struct cel_node *member(struct parser *p)
{
	struct cel_node *node = primary(p);

	while (node != NULL) {
		if (cel_accept(&p->r, ".")) {
			node = select_or_call(p, node);
		} else if (cel_accept(&p->r, "[")) {
			struct cel_node *index = node_new(CEL_INDEX, node);

			node->next = expression(p);
			node = index;
			if (index->kids->next == NULL || !cel_accept(&p->r, "]")) {
				if (index->kids->next != NULL)
					cel_fail(&p->r, "a closing bracket");
				cel_node_free(index);
				return NULL;
			}
		} else {
			break;
		}
	}
	return node;
}

static struct cel_node *unary(struct parser *p)
{
	struct cel_node *node;
	bool odd = false;
	char sign;

	cel_skip_blank(&p->r);
	if (*p->r.at == '-' && isdigit((unsigned char)p->r.at[1]))
		return literal(cel_number(&p->r));
	sign = *p->r.at;
	if (sign != '!' && sign != '-')
		return member(p);
	for (char token[] = {sign, '\0'}; cel_accept(&p->r, token);)
		odd = !odd;
	node = member(p);
	if (node == NULL)
		return NULL;
	if (!odd) /* an even number of signs still wants a boolean or a number */
		node = node_new(sign == '!' ? CEL_NOT : CEL_NEGATE, node);
	return node_new(sign == '!' ? CEL_NOT : CEL_NEGATE, node);
}

/* "a" + "b" of two literals is one literal, so that a long pattern can be written on lines. */
static bool join_literals(enum cel_op op, struct cel_node *left, const struct cel_node *right)
{
	const char *a = json_str(left->value), *b = json_str(right->value);
	auto_free char *both = NULL;

	if (op != CEL_ADD || a == NULL || b == NULL)
		return false;
	both = xasprintf("%s%s", a, b);
	json_free(left->value);
	left->value = json_string(both);
	return true;
}

/* Operators by how tightly they bind, loosest first; longer tokens before their prefixes. */
static const struct {
	const char *token;
	int level;
	enum cel_op op;
} operators[] = {
    {"||", 0, CEL_OR},        {"&&", 1, CEL_AND},        {"==", 2, CEL_EQUAL},
    {"!=", 2, CEL_NOT_EQUAL}, {"<=", 2, CEL_LESS_EQUAL}, {">=", 2, CEL_GREATER_EQUAL},
    {"<", 2, CEL_LESS},       {">", 2, CEL_GREATER},     {"in", 2, CEL_IN},
    {"+", 3, CEL_ADD},        {"-", 3, CEL_SUBTRACT},    {"*", 4, CEL_MULTIPLY},
    {"/", 4, CEL_DIVIDE},     {"%", 4, CEL_MODULO},
};

static struct cel_node *binary(struct parser *p, int level)
{
	auto_node struct cel_node *left = level > 4 ? unary(p) : binary(p, level + 1);

	while (left != NULL && level <= 4) {
		struct cel_node *right, *node;
		size_t i = 0;

		while (i < ARRAY_LEN(operators) &&
		       (operators[i].level != level || !cel_accept(&p->r, operators[i].token)))
			i++;
		if (i == ARRAY_LEN(operators))
			break;
		right = binary(p, level + 1);
		if (right == NULL)
			return NULL;
		if (join_literals(operators[i].op, left, right)) {
			cel_node_free(right);
			continue;
		}
		node = node_new(operators[i].op, steal(left));
		node->kids->next = right;
		left = node;
	}
	return steal(left);
}

static struct cel_node *conditional(struct parser *p)
{
	auto_node struct cel_node *node = binary(p, 0);
	struct cel_node *condition = node;

	if (node == NULL || !cel_accept(&p->r, "?"))
		return steal(node);
	node = node_new(CEL_IF, condition);
	condition->next = binary(p, 0);
	if (condition->next == NULL)
		return NULL;
	if (!cel_accept(&p->r, ":"))
		return cel_fail(&p->r, "a colon of ?:");
	condition->next->next = expression(p);
	return condition->next->next != NULL ? steal(node) : NULL;
}

static struct cel_node *expression(struct parser *p)
{
	struct cel_node *node;

	if (p->depth == CEL_DEPTH_MAX) {
		err_set(p->r.err, ERR_LIMIT, "expected at most %d levels of nesting, found more",
			CEL_DEPTH_MAX);
		return NULL;
	}
	p->depth++;
	node = conditional(p);
	p->depth--;
	return node;
}

struct cel *cel_parse(const char *text, struct err *err)
{
	struct parser p = {.r = {.start = text, .at = text, .err = err}};
	auto_node struct cel_node *root = NULL;
	struct cel *cel;

	if (strlen(text) > CEL_TEXT_MAX) {
		err_set(err, ERR_LIMIT, "expected at most %d characters of a rule, found %zu",
			CEL_TEXT_MAX, strlen(text));
		return NULL;
	}
	root = expression(&p);
	if (root == NULL)
		return NULL;
	cel_skip_blank(&p.r);
	if (*p.r.at != '\0') {
		cel_fail(&p.r, "an operator or the end");
		return NULL;
	}
	if (cel_check_names(root, NULL, err) < 0)
		return NULL;
	cel = xcalloc(1, sizeof(*cel));
	cel->root = steal(root);
	cel->uses_old_self = p.uses_old_self;
	return cel;
}

void cel_free(struct cel *cel)
{
	if (cel == NULL)
		return;
	cel_node_free(cel->root);
	free(cel);
}

bool cel_uses_old_self(const struct cel *cel)
{
	return cel->uses_old_self;
}
