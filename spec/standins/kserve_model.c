/*
 * kserve_model.c - a stand-in of a KServe predictor that speaks the Open Inference Protocol (V2)
 * and the one before it (V1, /v1/models/<name>:predict).
 *
 * Protocol: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
 * Errors are {"error": "..."} with the statuses of KServe's own server: 404 unknown model, 503 not
 * ready, 400 invalid input, 500 whatever the model itself raises, 501 versions. Its models:
 *
 *	sklearn-iris               [n,4] -> INT64 [n]: the class of the nearest centroid (right for
 *	                           139 of the 150 flowers). Takes a tensor of any name, as KServe's
 *	                           scikit-learn server does.
 *	granite-timeseries-ttm-r2  past_values [n,512,1] -> forecast_output [n,96,1]: each hour
 *	                           repeats the one a day before, digit by digit
 *	echo                       any tensor -> the same tensor, digit by digit
 */
#include "base/timefmt.h"
#include "spec/standins/parts/iris.h"
#include "spec/standins/parts/standin.h"

enum { DIMS_MAX = 8, HISTORY = 512, HORIZON = 96, DAY = 24 };

struct tensor {
	const char *name, *datatype;
	const struct json *data;
	int64_t shape[DIMS_MAX];
	size_t dims, count;
};

struct model {
	const char *name, *platform;
	const char *input_name; /* NULL: any */
	const char *metadata;   /* inputs and outputs, as GET /v2/models/<name> tells them */
	/* The output tensor; NULL with err set: INVALID is a 400, any other kind a 500. */
	struct json *(*run)(const struct tensor *input, const char *const *numbers,
			    struct err *err);
};

struct server {
	int64_t ready_at; /* on the monotonic clock */
	int64_t answered;
};

/* ---- reading a tensor ---- */

static int read_shape(const struct json *shape, struct tensor *tensor, struct err *err)
{
	tensor->count = 1;
	if (json_type(shape) != JSON_ARRAY || json_len(shape) > DIMS_MAX)
		return err_set(err, ERR_INVALID,
			       "input '%s': expected a shape of at most %d integers", tensor->name,
			       DIMS_MAX);
	for (const struct json *c = json_first(shape); c != NULL; c = json_next(c)) {
		int64_t n;

		if (!json_int64(c, &n) || n < 0 || n > STANDIN_BODY_MAX)
			return err_set(err, ERR_INVALID,
				       "input '%s': expected a shape of integers from 0",
				       tensor->name);
		tensor->shape[tensor->dims++] = n;
		tensor->count *= (size_t)n;
		if (tensor->count > STANDIN_BODY_MAX)
			return err_set(err, ERR_INVALID, "input '%s': the shape is too large",
				       tensor->name);
	}
	return 0;
}

/* Count the elements; nested lists must follow the shape. -1 if they do not. */
static int count_elements(const struct tensor *tensor, const struct json *list, size_t depth,
			  size_t *count)
{
	for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
		if (json_type(c) != JSON_ARRAY) {
			*count += 1;
			continue;
		}
		if (depth + 1 >= tensor->dims || (int64_t)json_len(list) != tensor->shape[depth] ||
		    (int64_t)json_len(c) != tensor->shape[depth + 1] ||
		    count_elements(tensor, c, depth + 1, count) < 0)
			return -1;
	}
	return 0;
}

static int read_tensor(const struct json *input, struct tensor *tensor, struct err *err)
{
	size_t count = 0;

	tensor->name = json_get_str(input, "name", NULL);
	tensor->datatype = json_get_str(input, "datatype", NULL);
	tensor->data = json_get(input, "data");
	if (tensor->name == NULL || tensor->datatype == NULL ||
	    json_type(tensor->data) != JSON_ARRAY)
		return err_set(err, ERR_INVALID,
			       "expected an input with name, shape, datatype and data");
	if (read_shape(json_get(input, "shape"), tensor, err) < 0)
		return -1;
	if (count_elements(tensor, tensor->data, 0, &count) < 0)
		return err_set(err, ERR_INVALID,
			       "input '%s': the nested data do not follow the shape", tensor->name);
	if (count != tensor->count)
		return err_set(err, ERR_INVALID,
			       "input '%s': cannot reshape array of size %zu into a shape of %zu "
			       "elements",
			       tensor->name, count, tensor->count);
	return 0;
}

/* The elements' texts in row-major order; false if one is no number. */
static bool list_numbers(const struct json *list, const char **numbers, size_t *count)
{
	for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
		if (json_type(c) == JSON_ARRAY) {
			if (!list_numbers(c, numbers, count))
				return false;
			continue;
		}
		numbers[*count] = json_number_text(c);
		if (numbers[(*count)++] == NULL)
			return false;
	}
	return true;
}

/* ---- the models ---- */

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
    {"sklearn-iris", "sklearn", NULL,
     "{'inputs': [{'name': 'input-0', 'datatype': 'FP32', 'shape': [-1, 4]}],"
     " 'outputs': [{'name': 'output-0', 'datatype': 'INT64', 'shape': [-1]}]}",
     run_iris},
    {"granite-timeseries-ttm-r2", "pytorch_libtorch", "past_values",
     "{'inputs': [{'name': 'past_values', 'datatype': 'FP32', 'shape': [-1, 512, 1]}],"
     " 'outputs': [{'name': 'forecast_output', 'datatype': 'FP32', 'shape': [-1, 96, -1]}]}",
     run_forecast},
    {"echo", "echo", NULL, "{'inputs': [], 'outputs': []}", run_echo},
};

static const struct model *find_model(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		if (strlen(models[i].name) == len && strncmp(models[i].name, name, len) == 0)
			return &models[i];
	return NULL;
}

/* ---- inference ---- */

static struct json *infer(const struct model *model, const struct json *request, struct err *err)
{
	const struct json *input = json_first(json_get(request, "inputs"));
	auto_free const char **numbers = NULL;
	struct tensor tensor = {0};
	size_t count = 0;

	if (input == NULL) {
		err_set(err, ERR_INVALID, "expected \"inputs\", a list of at least one tensor");
		return NULL;
	}
	if (read_tensor(input, &tensor, err) < 0)
		return NULL;
	if (model->input_name != NULL && !streq(tensor.name, model->input_name)) {
		err_set(err, ERR_INVALID,
			"[request id: <id_unknown>] unexpected inference input '%s' for model '%s'",
			tensor.name, model->name);
		return NULL;
	}
	numbers = xcalloc(tensor.count + 1, sizeof(*numbers));
	if (model->run != run_echo && !list_numbers(tensor.data, numbers, &count)) {
		err_set(err, ERR_INVALID, "input '%s': expected numbers", tensor.name);
		return NULL;
	}
	return model->run(&tensor, numbers, err);
}

static void answer_infer(struct server *server, const struct model *model,
			 const struct serve_request *request, struct standin_reply *reply)
{
	size_t len;
	const char *body = serve_body(request, &len);
	struct err err = ERR_INIT;
	auto_json struct json *parsed = json_parse(body, len, &err);
	auto_json struct json *output = NULL, *answer = NULL;
	auto_free char *id =
	    xasprintf("00000000-0000-4000-8000-%012llx", (unsigned long long)++server->answered);

	if (parsed == NULL) {
		standin_error(reply, 400, "Unrecognized request format: %s", err.msg);
		return;
	}
	output = infer(model, parsed, &err);
	if (output == NULL) {
		standin_error(reply, err.kind == ERR_INVALID ? 400 : 500, "%s", err.msg);
		return;
	}
	answer = json_build("{'model_name': %s, 'model_version': null, 'id': %s, 'outputs': [%j]}",
			    model->name, json_get_str(parsed, "id", id), output);
	standin_json(reply, 200, answer);
}

/* ---- V1 ---- */

/* The instances are the rows of one tensor, and predictions the data of the output. */
static struct json *predict(const struct model *model, const struct json *instances,
			    struct err *err)
{
	struct tensor tensor = {.name = "", .datatype = "FP32", .data = instances, .dims = 2};
	auto_free const char **numbers = NULL;
	size_t count = 0;

	if (json_type(instances) != JSON_ARRAY) {
		err_set(err, ERR_INVALID, "Expected \"instances\" to be a list");
		return NULL;
	}
	tensor.shape[0] = (int64_t)json_len(instances);
	tensor.shape[1] = (int64_t)json_len(json_first(instances));
	if (count_elements(&tensor, instances, 0, &tensor.count) < 0 && model->run != run_echo) {
		err_set(err, ERR_RETRY, "expected instances of one length");
		return NULL;
	}
	numbers = xcalloc(tensor.count + 1, sizeof(*numbers));
	if (model->run != run_echo && !list_numbers(instances, numbers, &count)) {
		err_set(err, ERR_RETRY, "expected numbers");
		return NULL;
	}
	return model->run(&tensor, numbers, err);
}

static void answer_predict(const struct model *model, const struct serve_request *request,
			   struct standin_reply *reply)
{
	size_t len;
	const char *body = serve_body(request, &len);
	struct err err = ERR_INIT;
	auto_json struct json *parsed = json_parse(body, len, &err);
	auto_json struct json *output = NULL, *answer = NULL;

	if (parsed != NULL)
		output = predict(model, json_get(parsed, "instances"), &err);
	if (output == NULL) {
		standin_error(reply, err.kind == ERR_INVALID ? 400 : 500, "%s", err.msg);
		return;
	}
	answer = json_build("{'predictions': %j}", json_get(output, "data"));
	standin_json(reply, 200, answer);
}

/* rest is what follows /v1/models/, for example "echo:predict". */
static void answer_v1(const struct server *server, const struct serve_request *request,
		      const char *rest, struct standin_reply *reply)
{
	size_t name_len = strcspn(rest, ":");
	const struct model *model = find_model(rest, name_len);
	auto_json struct json *state = NULL;

	if (model == NULL) {
		standin_error(reply, 404, "Model with name %.*s does not exist.", (int)name_len,
			      rest);
	} else if (time_mono_ms() < server->ready_at) {
		standin_error(reply, 503, "Model with name %s is not ready.", model->name);
	} else if (streq(rest + name_len, ":predict") && streq(serve_method(request), "POST")) {
		answer_predict(model, request, reply);
	} else if (rest[name_len] == '\0' && streq(serve_method(request), "GET")) {
		state = json_build("{'name': %s, 'ready': true}", model->name);
		standin_json(reply, 200, state);
	} else {
		standin_error(reply, 405, "Method Not Allowed");
	}
}

/* ---- routes ---- */

static void answer_metadata(const struct model *model, struct standin_reply *reply)
{
	auto_json struct json *metadata = json_build(model->metadata);

	json_set_str(metadata, "name", model->name);
	json_set_str(metadata, "platform", model->platform);
	json_set(metadata, "versions", json_array());
	standin_json(reply, 200, metadata);
}

/* rest is what follows /v2/models/, for example "echo/infer". */
static void answer_model(struct server *server, const struct serve_request *request,
			 const char *rest, struct standin_reply *reply)
{
	size_t name_len = strcspn(rest, "/");
	const struct model *model = find_model(rest, name_len);
	const char *verb = rest + name_len;
	bool post = streq(serve_method(request), "POST");

	if (model == NULL)
		standin_error(reply, 404, "Model with name %.*s does not exist.", (int)name_len,
			      rest);
	else if (has_prefix(verb, "/versions/"))
		standin_error(reply, 501, "Model versioning not supported yet.");
	else if (post != streq(verb, "/infer"))
		standin_error(reply, 405, "Method Not Allowed");
	else if (time_mono_ms() < server->ready_at)
		standin_error(reply, 503, "Model with name %s is not ready.", model->name);
	else if (streq(verb, "/infer"))
		answer_infer(server, model, request, reply);
	else if (streq(verb, ""))
		answer_metadata(model, reply);
	else if (streq(verb, "/ready"))
		standin_text(reply, 200, "");
	else
		standin_error(reply, 404, "Not Found");
}

static void answer(void *arg, const struct serve_request *request, struct standin_reply *reply)
{
	struct server *server = arg;
	const char *path = serve_path(request);
	bool ready = time_mono_ms() >= server->ready_at;
	auto_json struct json *state = json_build("{'ready': %b}", ready);

	if (has_prefix(path, "/v2/models/"))
		answer_model(server, request, path + strlen("/v2/models/"), reply);
	else if (has_prefix(path, "/v1/models/"))
		answer_v1(server, request, path + strlen("/v1/models/"), reply);
	else if (streq(path, "/v2/health/ready"))
		standin_json(reply, ready ? 200 : 503, state);
	else if (streq(path, "/v2/health/live"))
		standin_text(reply, 200, "");
	else
		standin_error(reply, 404, "Not Found");
}

/* ---- the program ---- */

static int option(void *arg, const char *name, const char *value, struct err *err)
{
	struct server *server = arg;
	int64_t ms;

	if (!streq(name, "--not-ready"))
		return err_set(err, ERR_INVALID, "%s: unknown option; see --help", name);
	if (duration_parse(value, &ms, err) < 0)
		return -1;
	server->ready_at = time_mono_ms() + ms;
	return 0;
}

int main(int argc, char **argv)
{
	struct server server = {0};
	struct standin standin = {
	    .name = "kserve_model",
	    .options = "  --not-ready DURATION answer 503 for so long, as a cold start does (0)\n",
	    .option = option,
	    .answer = answer,
	    .arg = &server,
	};

	return standin_main(&standin, argc, argv);
}
