/*
 * shape.h - dimensions of a tensor.
 */
#ifndef RUNNER_SHAPE_H
#define RUNNER_SHAPE_H

#include "base/json.h"

enum { SHAPE_RANK_MAX = 8 };

/* -1 stands for any. rank 0: not given. */
struct shape {
	int64_t dims[SHAPE_RANK_MAX];
	size_t rank;
};

/* Read an array of 2 to SHAPE_RANK_MAX dimensions, each -1 or positive; false if it is none. */
bool shape_read(const struct json *array, struct shape *out);

/* Fit the rows into a wanted shape: rank 0 gives [count, width]; a first -1 is the count, one
 * other -1 is what the width leaves. Fails where the numbers do not fit. */
int shape_fit(const struct shape *wanted, size_t count, size_t width, struct shape *out,
	      struct err *err);

#endif
