/*
 * csv_field.h - one field of CSV (RFC 4180), read and written. Pure; for format_csv.c.
 */
#ifndef RUNNER_CSV_FIELD_H
#define RUNNER_CSV_FIELD_H

#include "base/buf.h"

/*
 * The field at `at`, without its quotes, takes the place of what is in out; end is that of the
 * record, without its line end. Returns where the field ends: at the delimiter behind it, or at end.
 * *quoted tells whether it had quotes. *problem is what is wrong with it and stays as it is if
 * nothing is.
 */
const char *csv_read(const char *at, const char *end, char delimiter, struct buf *out, bool *quoted,
		     const char **problem);

/* True if the field is a JSON number with nothing but blanks around it; *text is the number. */
bool csv_is_number(const struct buf *cell, const char **text, size_t *len);

/* Add the text, with quotes around it if it needs them, or always. */
void csv_add(const char *text, bool always, char delimiter, struct buf *out);

#endif
