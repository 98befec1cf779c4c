/*
 * route.h - what the path and the query of a request mean.
 *
 * The source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
#ifndef APISIM_ROUTE_H
#define APISIM_ROUTE_H

#include "base/base.h"

enum route_kind {
	ROUTE_UNKNOWN,
	ROUTE_VERSION,    /* /version */
	ROUTE_HEALTH,     /* /healthz, /livez, /readyz */
	ROUTE_API,        /* /api */
	ROUTE_APIS,       /* /apis */
	ROUTE_GROUP,      /* /apis/<group> */
	ROUTE_RESOURCES,  /* /api/v1, /apis/<group>/<version> */
	ROUTE_OPENAPI_V2, /* /openapi/v2 */
	ROUTE_CONTROL,    /* /apisim/<name> */
	ROUTE_OBJECTS,    /* a collection (name "") or an object */
};

enum { ROUTE_PART_MAX = 254 };

struct route {
	enum route_kind kind;
	char group[ROUTE_PART_MAX];
	char version[ROUTE_PART_MAX];
	char namespace[ROUTE_PART_MAX]; /* "": all, or none */
	char plural[ROUTE_PART_MAX];
	char name[ROUTE_PART_MAX];
	char subresource[ROUTE_PART_MAX];
};

/* path is as sent, percent-encoded, without the query. */
struct route route_parse(const char *path);

/* The decoded value of the first parameter key in a query; yours, NULL when absent. */
char *query_get(const char *query, const char *key);
bool query_is_true(const char *query, const char *key);

#endif
