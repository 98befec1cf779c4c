#include "cel_tree.h"

void cel_node_free(struct cel_node *node)
{
	while (node != NULL) {
		struct cel_node *next = node->next;

		cel_node_free(node->kids);
		free(node->text);
		json_free(node->value);
		pattern_free(node->pattern);
		free(node);
		node = next;
	}
}

static bool is_declared(const char *name, const struct cel_names *names)
{
	for (; names != NULL; names = names->outer)
		if (streq(names->name, name))
			return true;
	return streq(name, "self") || streq(name, "oldSelf");
}

int cel_check_names(const struct cel_node *node, const struct cel_names *names, struct err *err)
{
	struct cel_names inner = {node->text, names};

	if (node->op == CEL_NAME && !is_declared(node->text, names))
		return err_set(err, ERR_INVALID, "undeclared reference to '%s'", node->text);
	for (const struct cel_node *kid = node->kids; kid != NULL; kid = kid->next) {
		bool body = (node->op == CEL_ALL || node->op == CEL_EXISTS) && kid != node->kids;

		if (cel_check_names(kid, body ? &inner : names, err) < 0)
			return -1;
	}
	return 0;
}
