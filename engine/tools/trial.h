/*
 * trial.h - what the tools for runs share: the files are read, each run becomes what the
 * controller would look at, and the questions are those that it would ask (control/decide.h).
 */
#ifndef TOOLS_TRIAL_H
#define TOOLS_TRIAL_H

#include "control/decide.h"
#include "tools/args.h"
#include "tools/asker.h"
#include "tools/objects.h"
#include "tools/source.h"

/* The policies of one side, ready to be asked. */
struct policies_at {
	struct source source;
	struct asker *asker;
};

/* Exit statuses. */
enum { TOOL_GOOD, TOOL_WRONG, TOOL_FAILED };

/* path NULL: the built-in ones. TOOL_GOOD, or with "path:line: message" TOOL_WRONG if they are
 * refused, TOOL_FAILED if they cannot be read. */
int policies_open(struct policies_at *policies, const char *path, struct err *err);
void policies_close(struct policies_at *policies);

/* The objects of every -f; NULL with err set: a file cannot be read, or there is no run. */
struct objects *trial_objects(const struct args *args, struct err *err);

/* One run, as it was before it was started; or started: as it is now, and not finished yet. */
struct trial {
	struct view view;
	struct observed observed;
	char *bundle;      /* that judges it: "", or the key of the config's own policies */
	struct source own; /* those; no files: there are none */
	char *digest;
};

/* policies: whose digest the manifest shall have. -1: the policies of the run's config are not
 * among the files, or are refused. End it with trial_end() in any case. */
int trial_begin(struct trial *trial, const struct objects *objects, const char *run_key,
		const struct args *args, const struct policies_at *policies, bool started,
		struct err *err);
void trial_end(struct trial *trial);

/* Ask what the controller would ask, or of that one hook alone (hook NULL: all). A status that the
 * controller would not take is an error here. Returns the
 * results by hook (policy/host.h); yours. NULL with err set: nothing is asked, since the config is
 * missing,
 * ...; or the worker could not be asked. */
struct json *trial_ask(const struct trial *trial, struct asker *asker, const char *hook,
		       struct err *err);

/* "file:line: message" for an error of a hook; yours. */
char *trial_error(const struct trial *trial, const struct policies_at *policies,
		  const struct json *error);

/* What the plan says in the run's status: "ConfigNotFound: ...", or NULL. Yours. */
char *trial_verdict(const struct plan *plan);

#endif
