/*
 * kept.h - states as they are once a file has run, so that the next evaluation need not run it again.
 *
 * A file gets nothing of a request, no clock and no chance: whenever it runs in a new state, it leaves
 * the same one behind. That state is kept, and a later evaluation goes back to it; its function then
 * finds it as if the file had just run, with what that took of the budget.
 *
 * The last KEPT_MAX are kept, of prepared states alone (sandbox_prepare), and none that has logged,
 * since it would log each time.
 */
#ifndef POLICY_KEPT_H
#define POLICY_KEPT_H

#include "policy/sandbox_state.h"

enum { KEPT_MAX = 8 }; /* of ARENA_WARM bytes at most */

/* file has just run in the box, which is at rest. */
void kept_add(const struct sandbox *box, const char *file);

/* Be as after file has run with these limits; false if that is not known. */
bool kept_recall(struct sandbox *box, const char *file);

#endif
