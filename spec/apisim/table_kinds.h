/*
 * table_kinds.h - the columns of the built-in kinds, as the printers of kube-apiserver have them
 * (kubernetes, pkg/printers/internalversion/printers.go, v1.32). Private to table.c.
 */
#ifndef APISIM_TABLE_KINDS_H
#define APISIM_TABLE_KINDS_H

#include "table.h"

struct table_column {
	const char *name, *type, *format; /* name NULL: the end of the list */
	int priority;                     /* 1: only with -o wide */
};

enum { TABLE_COLUMNS_MAX = 12 };

struct table_kind {
	const char *group, *resource;
	struct table_column columns[TABLE_COLUMNS_MAX];
	void (*cells)(struct json *cells, const struct json *object, int64_t now_ms);
};

/* NULL: it has only the columns that every kind has. */
const struct table_kind *table_kind_find(const char *group, const char *resource);

/* The time from an RFC 3339 time (a string) to now in kubectl's words: 5m, 2d3h; `<unknown>` where
 * there is none, `<invalid>` where it is none or lies ahead; yours. */
char *table_age(const struct json *time, int64_t now_ms);

/* The same words for a span. */
char *table_duration(int64_t ms);

#endif
