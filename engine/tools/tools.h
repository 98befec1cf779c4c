/*
 * tools.h - the sub-commands of kserve-controller that try policies out, without a cluster.
 *
 * Results go to stdout, what is wrong to stderr as "path:line: message".
 */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

#include "base/base.h"

/* The first word belongs to a tool. */
bool tools_know(const char *word);

/* argv[1] is that word. Returns the exit status: 0, 1 (something is wrong with the policies or the
 * runs; diff: they differ) or 2 (wrong use, a file cannot be read; diff: or any other failure). */
int tools_main(int argc, char *const *argv);

/* A line for each of them, for --help. */
void tools_help(FILE *out);

#endif
