/*
 * status.h - meta.k8s.io/v1 Status objects in the words of kube-apiserver.
 *
 * In apisim a function that can refuse a request returns such an object (yours), or NULL where
 * all went well. The source: apimachinery, pkg/api/errors/errors.go.
 */
#ifndef APISIM_STATUS_H
#define APISIM_STATUS_H

#include "spec/apisim/objects.h"

/* reason may be "". */
struct json *status_new(int code, const char *reason, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with details {name, group, kind}. */
struct json *status_about(int code, const char *reason, const struct resource *resource,
			  const char *name, const char *fmt, ...) PRINTF_LIKE(5, 6);

struct json *status_not_found(const struct resource *resource, const char *name);
struct json *status_exists(const struct resource *resource, const char *name);
struct json *status_conflict(const struct resource *resource, const char *name, const char *why);
struct json *status_forbidden(const struct resource *resource, const char *name, const char *why);
struct json *status_bad_request(const char *fmt, ...) PRINTF_LIKE(1, 2);
struct json *status_expired(void);

/* 422; causes is an array of {reason, message, field}; it must not be empty. */
struct json *status_invalid(const struct resource *resource, const char *name,
			    const struct json *causes);

/* Add a cause; reason is "FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden", ... */
void status_cause(struct json *causes, const char *reason, const char *field, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* What a deletion answers. */
struct json *status_deleted(const struct resource *resource, const char *name, const char *uid);

int status_code(const struct json *status);

#endif
