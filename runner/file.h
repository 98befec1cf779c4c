/*
 * file.h - the provider "file": files on a volume of the pod.
 *
 *	"file": {"path": "/data/in/2026-*.csv"}                          as input
 *	"file": {"path": "/data/out/{job}.jsonl", "overwrite": false}    as output
 *
 * Paths are absolute and without "..". That of an input may be a pattern (glob(7)): the files are
 * read in the order of their names, each as a whole text of its format.
 *
 * In the path of an output, {job} stands for the name of the Job, of which each firing of a
 * schedule has its own. Results go to ".NAME.part" beside the file, are synced, and get their name
 * by a rename, so that nobody ever sees a part of them. A file that is there is refused unless
 * overwrite says otherwise, and so is one that is no regular file; a symbolic link is never
 * followed. Another pod that writes the same part is waited for by the next attempt (flock(2)).
 *
 * ".NAME.run" tells which run has written the file: {"run", "rows", "bytes", "inode"}. So an
 * attempt of the same Job after one that succeeded and could not tell finds its work done.
 */
#ifndef RUNNER_FILE_H
#define RUNNER_FILE_H

#include "runner/report.h"

/* ---- the output ---- */

struct file_output;

/* run names the run, the same for each of its attempts. Copied. NULL on failure. */
struct file_output *file_output_new(const char *path, const char *run, bool overwrite);
void file_output_free(struct file_output *out);

/* The functions of provider.h. Reasons: OutputConflict, OutputRejected, OutputUnavailable,
 * OutputAmbiguous. */
int file_output_preflight(struct file_output *out, struct fault *fault);
int file_output_begin(struct file_output *out, int64_t *rows_done, struct fault *fault);
int file_output_write(struct file_output *out, const char *bytes, size_t len, int64_t rows,
		      struct fault *fault);
int file_output_commit(struct file_output *out, struct fault *fault);
void file_output_abort(struct file_output *out);

/* What errno says about a file: "PATH: expected to VERB it: ...". Returns -1. */
int file_fault(struct fault *fault, enum reason reason, const char *path, const char *verb);

#endif
