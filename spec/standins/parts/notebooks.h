/*
 * notebooks.h - what the stock notebooks of finops-database-handler do, without Python.
 *
 * A notebook is started as `python3 notebook.py HOST PORT USER PASSWORD KEY=VALUE...`. It prints
 * its result, or dies with a traceback. Kept as the real ones have it: an argument is cut at its
 * second "=", an empty value counts as missing, a missing argument prints a line in front of the
 * result, table names go into the SQL as they are, rows stored before a failure stay stored.
 * Not kept: numbers print with the digits that they were stored with, instead of as doubles.
 */
#ifndef STANDINS_NOTEBOOKS_H
#define STANDINS_NOTEBOOKS_H

#include "base/buf.h"
#include "spec/standins/parts/tables.h"

struct notebook {
	const char *name;
	void (*run)(struct tables *tables, char *const *args, size_t count, struct buf *out,
		    struct buf *traceback);
};

extern const struct notebook notebooks[];
extern const size_t notebook_count;

/* NULL when absent. */
const struct notebook *notebook_find(const char *name);

#endif
