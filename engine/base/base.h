/*
 * base.h - what every file of this project may use: cleanup attributes, allocation that
 * cannot fail, and a list of functions that must not be used.
 *
 * Ownership in all headers: a returned `const T *` is borrowed and valid until its owner next
 * changes; a returned `T *` is yours to free; a parameter whose name ends in `_taken` belongs to
 * the callee from the call on, also when the call fails.
 *
 * Out of memory ends the process with abort(3): every input has a hard maximum, all state of a
 * run lives in Kubernetes objects, so a restart is always safe.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The version of the build, as text. */
#define VERSION TEXT_OF(PROJECT_VERSION)
#define TEXT_OF(tokens) TEXT_OF_TOKENS(tokens)
#define TEXT_OF_TOKENS(tokens) #tokens

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

/* Like malloc(3) and friends, but they never return NULL: they abort instead. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list args) PRINTF_LIKE(1, 0);

static inline void cleanup_free(void *variable)
{
	void *memory;

	memcpy(&memory, variable, sizeof(memory));
	free(memory);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file(FILE *const *file)
{
	if (*file != NULL)
		fclose(*file);
}

/* auto_free char *s = ...;  freed when s goes out of scope. Not in code that can raise a Lua error.
 */
#define auto_free __attribute__((cleanup(cleanup_free)))
#define auto_close __attribute__((cleanup(cleanup_close)))
#define auto_file __attribute__((cleanup(cleanup_file)))

/* return steal(s);  hands the value out and leaves NULL behind, so that the cleanup does nothing.
 */
#define steal(pointer)                                                                             \
	(__extension__({                                                                           \
		__typeof__(&(pointer)) stolen_from = &(pointer);                                   \
		__typeof__(pointer) stolen = *stolen_from;                                         \
		*stolen_from = NULL;                                                               \
		stolen;                                                                            \
	}))

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Unbounded or stateful; use buf, xasprintf, snprintf, gmtime_r instead. */
#undef sprintf /* a macro with clang and FORTIFY */
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gmtime localtime ctime

#endif
