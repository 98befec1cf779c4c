/*
 * gather.h - get from the API server what a Pod needs: ConfigMaps, Secrets and a token.
 */
#ifndef PODRUNNER_GATHER_H
#define PODRUNNER_GATHER_H

#include "base/map.h"
#include "kube/client.h"

struct gather;

/* The objects for layout.h (those that do not exist are left out), and a token; token is NULL if
 * the API server gives none: it has no TokenRequest, or no such account. Borrowed until
 * gather_free. err NULL on success. */
typedef void gather_done_fn(void *arg, const struct map *objects, const char *token,
			    const struct err *err);

/* done may call gather_free. */
struct gather *gather_start(struct client *client, const struct json *pod, gather_done_fn *done,
			    void *arg);

/* Cancels it if it is not done; NULL is fine. */
void gather_free(struct gather *gather);

#endif
