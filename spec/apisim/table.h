/*
 * table.h - meta.k8s.io/v1 Table replies, what `kubectl get` prints.
 *
 * The source:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables A
 * custom resource has the columns of its CRD (additionalPrinterColumns; Name comes first, and Age
 * is the only other one where there are none). Pods, jobs, cronjobs, configmaps, secrets, events,
 * namespaces, leases, serviceaccounts, deployments, services and customresourcedefinitions have
 * the columns that kubectl's users know; any other kind has Name and Created At, as on a server.
 * A column of type date is the time since then in kubectl's words (5m, 2d3h), a missing value is
 * null, which kubectl prints as <none>.
 */
#ifndef APISIM_TABLE_H
#define APISIM_TABLE_H

#include "base/json.h"

/* The query parameter includeObject: what each row carries under "object". */
enum table_include {
	TABLE_METADATA, /* a PartialObjectMetadata: the default */
	TABLE_NONE,
	TABLE_OBJECT,
};

struct table_request {
	const char *group, *resource; /* "" and "pods"; "ai.krateo.io" and "inferenceruns" */
	const struct json *columns;   /* a custom resource: additionalPrinterColumns; may be NULL */
	bool custom;                  /* it is a custom resource */
	enum table_include include;
	int64_t now_ms;
};

/*
 * The Table of objects. `list_metadata` (NULL: none) becomes its metadata: resourceVersion,
 * continue, remainingItemCount of the list; for one object give its resourceVersion. For a watch
 * event make a Table of one object; the server leaves columnDefinitions out after the first event,
 * kubectl does not mind. Yours.
 */
struct json *table_make(const struct table_request *request, const struct json *const objects[],
			size_t count, const struct json *list_metadata);

/* True where the Accept header asks for a Table: some `as=Table;v=v1;g=meta.k8s.io` in it. */
bool table_accepted(const char *accept);

#endif
