/*
 * models.h - the models of kserve_model:
 *
 *	sklearn-iris               [n,4] -> INT64 [n]: the class of the nearest centroid (right for
 *	                           139 of the 150 flowers). Takes a tensor of any name, as KServe's
 *	                           scikit-learn server does.
 *	granite-timeseries-ttm-r2  past_values [n,512,1] -> forecast_output [n,96,1]: each hour
 *	                           repeats the one a day before, digit by digit
 *	echo                       any tensor -> the same tensor, digit by digit
 */
#ifndef STANDINS_MODELS_H
#define STANDINS_MODELS_H

#include "base/json.h"

enum { DIMS_MAX = 8 };

struct tensor {
	const char *name, *datatype;
	const struct json *data;
	int64_t shape[DIMS_MAX];
	size_t dims, count;
};

struct model {
	const char *name, *platform;
	const char *input_name; /* NULL: any */
	bool any_values;        /* takes also what is no number */
	const char *metadata;   /* inputs and outputs, as GET /v2/models/<name> tells them */
	/* The output tensor; NULL with err set: INVALID is a 400, any other kind a 500. */
	struct json *(*run)(const struct tensor *input, const char *const *numbers,
			    struct err *err);
};

/* The model of the name that is so long; NULL: there is none. */
const struct model *model_find(const char *name, size_t len);

#endif
