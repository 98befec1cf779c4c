/*
 * err.h - one way to fail.
 *
 * A function that can fail takes `struct err *err` as its last argument, returns 0 or -1 (or NULL
 * for a pointer), and leaves its out-parameters untouched when it fails. The struct is a value in
 * the caller's frame: nothing to free.
 *
 *	struct err err = ERR_INIT;
 *
 *	if (config_load(path, &config, &err) < 0)
 *		return err_wrap(&err, "kubeconfig %s", path);
 *
 * A message says what was expected, what was found and where; it never holds a secret. Lower
 * floors do not log: they return the error, and control/ or main decides.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

/* The kind tells what the caller does about it, not what went wrong. */
enum err_kind {
	ERR_NONE = 0,
	ERR_RETRY,     /* may work later, unchanged: network, 429, 5xx */
	ERR_CONFLICT,  /* the object is not what we thought (409): observe again */
	ERR_GONE,      /* the version is too old (410): list again */
	ERR_NOT_FOUND, /* 404 */
	ERR_DENIED,    /* 401, 403: somebody must grant it */
	ERR_INVALID,   /* the input is wrong (400, 422): somebody must change it */
	ERR_LIMIT,     /* a limit was reached: size, depth, time, memory */
	ERR_BUG,       /* cannot happen */
};

enum { ERR_MSG_MAX = 1024 }; /* longer messages are cut, always on a UTF-8 boundary */

struct err {
	enum err_kind kind;
	int status;       /* the HTTP status where there was one, else 0 */
	int64_t retry_ms; /* what the server asked for (Retry-After), else 0 */
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.kind = ERR_NONE                                                                   \
	}

/* Set the error. Returns -1, so that `return err_set(...)` fails in one line. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "context: " in front of the message of an error that is set. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "Retry", "Conflict", ...: for logs and metrics. */
const char *err_kind_name(enum err_kind kind);

#endif
