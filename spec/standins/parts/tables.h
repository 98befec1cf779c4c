/*
 * tables.h - the database behind the notebooks: tables in memory, as JSON.
 *
 * A table is {"columns": ["name", ...], "rows": [[cell, ...], ...]}. Numbers keep their digits.
 * From the start there are
 *
 *	kserve_controller_input  the 150 iris flowers, 4 features each
 *	azuretoolkit             timestamp, average, resourceid: 512 hours of "sample_vm"
 *	exact_numbers            4 columns of numbers that a double or a float would change
 *	empty_table              4 columns, no row
 */
#ifndef STANDINS_TABLES_H
#define STANDINS_TABLES_H

#include "base/json.h"

enum { TABLES_FILE_MAX = 64 << 20 };

struct tables;

struct tables *tables_new(void);
void tables_free(struct tables *tables);

/* NULL when absent. */
const struct json *tables_get(const struct tables *tables, const char *name);

/* Add or replace a table; INVALID if the value is none. */
int tables_put(struct tables *tables, const char *name, struct json *table_taken, struct err *err);

/*
 * One row of an output table, which is made when absent: jobuid, poduid, prediction, counter.
 * All four are the primary key; predictions are compared as doubles. CONFLICT if the key exists.
 */
int tables_insert(struct tables *tables, const char *name, const char *jobuid, const char *poduid,
		  const char *prediction, int64_t counter, struct err *err);

/* The position of a column, -1 when absent. */
int tables_column(const struct json *table, const char *name);

/* All tables from and to a file. A file that is not there is no error for load. */
int tables_load(struct tables *tables, const char *path, struct err *err);
int tables_save(const struct tables *tables, const char *path, struct err *err);

#endif
