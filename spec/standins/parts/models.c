#include "spec/standins/parts/models.h"

#include "spec/standins/parts/iris.h"

enum { HISTORY = 512, HORIZON = 96, DAY = 24 };

static struct json *shape_of(const int64_t *shape, size_t dims)
{
	struct json *list = json_array();

	for (size_t i = 0; i < dims; i++)
		json_append(list, json_int(shape[i]));
	return list;
}

static struct json *output_tensor(const char *name, const char *datatype, const int64_t *shape,
				  size_t dims, struct json *data_taken)
{
	struct json *tensor = json_build("{'name': %s, 'datatype': %s}", name, datatype);

	json_set(tensor, "shape", shape_of(shape, dims));
	json_set(tensor, "data", data_taken);
	return tensor;
}

static struct json *run_iris(const struct tensor *input, const char *const *numbers,
			     struct err *err)
{
	struct json *classes;

	if (input->dims != 2 || input->shape[1] != IRIS_FEATURES) {
		err_set(err, ERR_RETRY,
			"X has %lld features, but NearestCentroid is expecting 4 "
			"features as input.",
			(long long)(input->dims == 2 ? input->shape[1] : 0));
		return NULL;
	}
	classes = json_array();
	for (int64_t i = 0; i < input->shape[0]; i++)
		json_append(classes, json_int(iris_classify(numbers + i * IRIS_FEATURES)));
	return output_tensor("output-0", "INT64", input->shape, 1, classes);
}

static struct json *run_forecast(const struct tensor *input, const char *const *numbers,
				 struct err *err)
{
	const int64_t shape[] = {input->shape[0], HORIZON, 1};
	struct json *data;

	if (input->dims != 3 || input->shape[1] != HISTORY || input->shape[2] != 1) {
		auto_json struct json *found = shape_of(input->shape, input->dims);
		auto_free char *text = json_print(found);

		err_set(err, ERR_INVALID,
			"[request id: <id_unknown>] unexpected shape for input 'past_values' for "
			"model 'granite-timeseries-ttm-r2'. Expected [-1,512,1], got %s",
			text);
		return NULL;
	}
	data = json_array();
	for (int64_t i = 0; i < shape[0]; i++)
		for (int64_t hour = 0; hour < HORIZON; hour++)
			json_append(data,
				    json_number(numbers[i * HISTORY + HISTORY - DAY + hour % DAY]));
	return output_tensor("forecast_output", "FP32", shape, 3, data);
}

static struct json *run_echo(const struct tensor *input, const char *const *numbers UNUSED,
			     struct err *err UNUSED)
{
	return output_tensor(input->name, input->datatype, input->shape, input->dims,
			     json_copy(input->data));
}

static const struct model models[] = {
    {"sklearn-iris", "sklearn", NULL, false,
     "{'inputs': [{'name': 'input-0', 'datatype': 'FP32', 'shape': [-1, 4]}],"
     " 'outputs': [{'name': 'output-0', 'datatype': 'INT64', 'shape': [-1]}]}",
     run_iris},
    {"granite-timeseries-ttm-r2", "pytorch_libtorch", "past_values", false,
     "{'inputs': [{'name': 'past_values', 'datatype': 'FP32', 'shape': [-1, 512, 1]}],"
     " 'outputs': [{'name': 'forecast_output', 'datatype': 'FP32', 'shape': [-1, 96, -1]}]}",
     run_forecast},
    {"echo", "echo", NULL, true, "{'inputs': [], 'outputs': []}", run_echo},
};

const struct model *model_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		if (strlen(models[i].name) == len && strncmp(models[i].name, name, len) == 0)
			return &models[i];
	return NULL;
}
