/*
 * numbers.h - numbers as an API server keeps them: those that are no int64_t become doubles, and
 * are written with as few digits as tell them apart.
 *
 * As https://pkg.go.dev/encoding/json does: exponents from 1e21 on and below 1e-6.
 */
#ifndef APISIM_NUMBERS_H
#define APISIM_NUMBERS_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Copy JSON text, its numbers rewritten; what is no JSON is copied as it is. INVALID for a number
 * that no double holds, or when out gets full.
 */
int numbers_rewrite(const char *text, size_t len, struct buf *out, struct err *err);

#endif
