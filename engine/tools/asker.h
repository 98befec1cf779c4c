/*
 * asker.h - the controller's policy worker for programs that can wait: policy/host.h on a loop of
 * its own. Walls, limits and answers are the same; what hangs is ended by its deadline.
 */
#ifndef TOOLS_ASKER_H
#define TOOLS_ASKER_H

#include "base/json.h"

struct asker;

/* With the built-in bundle in force. */
struct asker *asker_new(void);
void asker_free(struct asker *asker); /* NULL is fine */

/* name: "" is the bundle in force; others, the policies of configs, are laid over it (host.h). */

/* Check a bundle and put it in force. -1: "file:line: message". */
int asker_load(struct asker *asker, const char *name, const struct json *files, struct err *err);
bool asker_has(const struct asker *asker, const char *name);

/* The results of policy_eval(), by hook; yours; NULL: the worker could not be asked. */
struct json *asker_eval(struct asker *asker, const char *name, const struct json *question,
			struct err *err);

/* Valid until the next call. */
const char *asker_digest(const struct asker *asker, const char *name);

#endif
