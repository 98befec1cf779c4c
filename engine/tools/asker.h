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

/* Check a bundle and put it in force. -1: "file:line: message". */
int asker_load(struct asker *asker, const struct json *files, struct err *err);

/* The results of policy_eval(), by hook; yours; NULL: the worker could not be asked. */
struct json *asker_eval(struct asker *asker, const struct json *question, struct err *err);

const char *asker_digest(const struct asker *asker);

#endif
