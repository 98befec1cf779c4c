/*
 * lint.h - what is wrong with the files of a bundle, told without running them.
 *
 * Lua's own compiler comes first. Of a file that it takes, these are findings: a global that
 * policies do not have ("did you mean"), an assignment to one, a member that a library does not
 * have, a local or loop variable that is never used (unless its name starts with '_'; parameters
 * may go unused), a statement that is never reached, a `require` of a file that is not there, a
 * module that nobody requires, a hook's file that does not return its function, and one whose
 * function wants more arguments than it gets. What only running would show is left to eval_check().
 *
 * The names that a script has are those of stdlib.h, the hooks those of eval.h.
 */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "base/json.h"

/*
 * files: as for bundle_new(), which is asked as well. Returns a list, empty if all is well, in the
 * order of the files and lines; yours:
 *	[{"file": "contract.lua", "line": 3,
 *	  "message": "unknown global 'jsn'; did you mean 'json'?"}]
 * line 0 means the file as a whole, file "" the bundle.
 */
struct json *lint_files(const struct json *files);

#endif
