/*
 * list.h - lists in pages, and objects, as JSON or as a Table.
 *
 * A page after the first shows the state of the first one's version, which is put together from
 * the present state and the history; 410 when the history does not reach back so far.
 */
#ifndef APISIM_LIST_H
#define APISIM_LIST_H

#include "base/buf.h"
#include "spec/apisim/select.h"
#include "spec/apisim/server.h"
#include "spec/apisim/table.h"

enum { LIST_BYTES_MAX = 1 << 30 };

struct list_query {
	struct resource *resource;
	const char *namespace; /* "": all */
	const struct selector *labels, *fields;
	const char *token; /* the continue parameter, or NULL */
	int64_t limit;     /* 0: none */
	bool table;
	enum table_include include;
};

/* NULL and the reply's text in out, or a Status. */
struct json *list_objects(const struct server *server, const struct list_query *query,
			  struct buf *out);

/* One object as a Table; yours. */
struct json *table_of(const struct resource *resource, const struct json *object,
		      enum table_include include);

/* A label or field parameter that is wrong; yours. */
struct json *selector_refusal(const struct resource *resource, const char *labels,
			      const char *fields, const struct err *err);

#endif
