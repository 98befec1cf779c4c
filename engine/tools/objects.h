/*
 * objects.h - the runs of some files, and what belongs to them, found and cut down as the
 * controller does it (control/view.h).
 *
 * Kept are InferenceRun, InferenceConfig, Job, CronJob and Pod. ConfigMaps are passed over, since
 * they say nothing that a policy sees; objects of other kinds as well, with a note on stderr. A run
 * that has no uid gets one of zeros: the API server would give it another.
 */
#ifndef TOOLS_OBJECTS_H
#define TOOLS_OBJECTS_H

#include "control/view.h"

struct objects;

struct objects *objects_new(void);
void objects_free(struct objects *objects); /* NULL is fine */

/* Add those of a file ("-": standard input). namespace is that of objects which name none. An
 * object that is there already is an error. */
int objects_read(struct objects *objects, const char *path, const char *namespace, struct err *err);

/* The keys ("namespace/name") of the runs, in the order of the files: a list of strings. */
const struct json *objects_runs(const struct objects *objects);

/* What belongs to this run, which is there; end it with view_done(). */
void objects_look(const struct objects *objects, const char *run_key, struct view *view);

#endif
