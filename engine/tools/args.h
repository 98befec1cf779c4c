/*
 * args.h - the words and flags of a tool. Pure. They are those of kubectl where it has them:
 *
 *	-f FILE        objects, may be repeated ("-": standard input); --filename
 *	-o FORMAT      --output
 *	-n NAMESPACE   of objects that name none (default: default); --namespace
 *	--sa-runner NAME   as the controller's
 *
 * A value follows as the next word, behind '=', or directly behind a one-letter flag.
 */
#ifndef TOOLS_ARGS_H
#define TOOLS_ARGS_H

#include "base/err.h"

enum { ARGS_MAX = 64 }; /* of words, and of files */

enum args_output { ARGS_TEXT, ARGS_YAML, ARGS_JSON };

/* All strings are borrowed from argv. */
struct args {
	const char *words[ARGS_MAX];
	size_t word_count;
	const char *files[ARGS_MAX];
	size_t file_count;
	enum args_output output;
	const char *namespace;
	const char *service_account; /* NULL: none */
	bool help;
};

/* argv[0] is the first word that counts. */
int args_parse(int argc, char *const *argv, struct args *out, struct err *err);

#endif
