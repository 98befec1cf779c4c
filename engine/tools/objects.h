/*
 * objects.h - the runs of some files, and what belongs to them, found and cut down as the
 * controller does it (control/view.h).
 *
 * Kept are InferenceRun, InferenceConfig, Job, CronJob and Pod, and of ConfigMaps those with the
 * policies of a config (control/bundles.h). Objects of other kinds are passed over with a note on
 * stderr.
 *
 * People write such files, too, and leave out what a cluster fills in: a run without a uid gets one
 * of zeros, as the names of what `render` prints say, a Job one of its own; a run that does not say
 * when it was created is created now; a Pod without an owner belongs to the Job of its namespace
 * that its label batch.kubernetes.io/job-name names, if that has no uid either.
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

/* The ConfigMap of a config's own policies, yours; NULL if it is not there. */
struct json *objects_policies(const struct objects *objects, const char *key);

#endif
