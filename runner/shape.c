#include "runner/shape.h"

bool shape_read(const struct json *array, struct shape *out)
{
	struct shape shape = {.rank = 0};

	if (json_type(array) != JSON_ARRAY)
		return false;
	for (const struct json *c = json_first(array); c != NULL; c = json_next(c)) {
		int64_t dim;

		if (shape.rank == SHAPE_RANK_MAX || !json_int64(c, &dim) || dim < -1 || dim == 0)
			return false;
		shape.dims[shape.rank++] = dim;
	}
	if (shape.rank < 2)
		return false;
	*out = shape;
	return true;
}

int shape_fit(const struct shape *wanted, size_t count, size_t width, struct shape *out,
	      struct err *err)
{
	struct shape shape = *wanted;
	int64_t *open = NULL, product = 1;

	if (wanted->rank == 0) {
		*out = (struct shape){.dims = {(int64_t)count, (int64_t)width}, .rank = 2};
		return 0;
	}
	if (shape.dims[0] == -1)
		shape.dims[0] = (int64_t)count;
	if (shape.dims[0] != (int64_t)count)
		return err_set(err, ERR_INVALID, "the model wants %lld rows, found %zu",
			       (long long)shape.dims[0], count);
	for (size_t i = 1; i < shape.rank; i++) {
		if (shape.dims[i] == -1) {
			shape.dims[i] = 1;
			open = open == NULL ? &shape.dims[i] : open;
		}
		if (__builtin_mul_overflow(product, shape.dims[i], &product))
			return err_set(err, ERR_INVALID, "the model wants more values than exist");
	}
	if (open != NULL && (int64_t)width % product == 0) {
		*open = (int64_t)width / product;
		product = (int64_t)width;
	}
	if (product != (int64_t)width)
		return err_set(err, ERR_INVALID, "the model wants rows of %lld values, found %zu",
			       (long long)product, width);
	*out = shape;
	return 0;
}
