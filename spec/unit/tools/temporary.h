/*
 * temporary.h - for the tests of engine/tools: files in a folder that is gone afterwards.
 */
#ifndef SPEC_TOOLS_TEMPORARY_H
#define SPEC_TOOLS_TEMPORARY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

/* cmocka's setup and teardown: *state is the path of an empty folder. */
static inline int folder_setup(void **state)
{
	char *path = xstrdup("/tmp/tools-XXXXXX");

	*state = path;
	return mkdtemp(path) != NULL ? 0 : -1;
}

static inline int folder_teardown(void **state)
{
	auto_free char *command = xasprintf("rm -rf '%s'", (char *)*state);
	int status = system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */

	free(*state);
	return status;
}

/* Write folder/name; its path, yours. */
static inline char *file_with(const char *folder, const char *name, const void *bytes, size_t len)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

static inline char *file_of(const char *folder, const char *name, const char *text)
{
	return file_with(folder, name, text, strlen(text));
}

#endif
