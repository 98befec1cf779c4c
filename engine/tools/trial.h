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

/* One run, as it was before it was started (for status: as it is now, and not finished yet). */
struct trial {
	struct view view;
	struct observed observed;
};

void trial_begin(struct trial *trial, const struct objects *objects, const char *run_key,
		 const struct args *args, const char *digest, bool started);
void trial_end(struct trial *trial);

/* The controller's question; NULL with err set to why there is none: the config is missing, ... */
struct json *trial_question(const struct trial *trial, struct err *err);

/* Ask one hook. Returns its result, {"ok"} or {"error"} with "usage" (policy/host.h); yours; NULL
 * with err set. */
struct json *trial_ask(const struct trial *trial, struct asker *asker, const char *hook,
		       struct err *err);

/* What the plan says in the run's status: "ConfigNotFound: ...", or NULL. Yours. */
char *trial_verdict(const struct plan *plan);

#endif
