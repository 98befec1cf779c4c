/*
 * view.h - what a pass looks at: a run and what belongs to it, from the stores that keep them.
 *
 * Objects are cut down before they are stored (reduce.h), and so is what a policy sees of them.
 */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include "control/names.h"
#include "kube/store.h"

enum view_kind { VIEW_RUNS, VIEW_CONFIGS, VIEW_JOBS, VIEW_CRONJOBS, VIEW_PODS, VIEW_KINDS };

/* What is kept of each kind. */
struct view_source {
	const struct kind *kind;
	const char *selector; /* a label: those alone; NULL: all */
	void (*reduce)(struct json *object);
};
extern const struct view_source view_sources[VIEW_KINDS];

/* The trees are the caller's. The config has no status: what its runs look at does not change with
 * how many they are. */
struct view {
	struct json *run, *config;
	char *config_trouble; /* why the config cannot be read; NULL: it can, or is not there */
	struct json *job;     /* or CronJob */
	struct json *firing;  /* of a schedule: the Job whose failure is to be told, or NULL */
	struct json *pods;    /* of the firing, else of the Job */
};

/* False if there is no such run; then view is untouched. No store tells of config_trouble. */
bool view_look(struct store *const stores[VIEW_KINDS], const char *run_key, struct view *view);
void view_done(struct view *view);

#endif
