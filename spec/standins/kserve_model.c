/*
 * kserve_model.c - a stand-in of a KServe predictor that speaks the Open Inference Protocol (V2)
 * and the one before it (V1, /v1/models/<name>:predict).
 *
 * Protocol: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
 * Errors are {"error": "..."} with the statuses of KServe's own server: 404 unknown model, 503 not
 * ready, 400 invalid input, 500 whatever the model itself raises, 501 versions. Its models
 * are those of parts/models.h.
 */
#include "base/timefmt.h"
#include "spec/standins/parts/models.h"
#include "spec/standins/parts/standin.h"

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
	if (!model->any_values && !list_numbers(tensor.data, numbers, &count)) {
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
	if (count_elements(&tensor, instances, 0, &tensor.count) < 0 && !model->any_values) {
		err_set(err, ERR_RETRY, "expected instances of one length");
		return NULL;
	}
	numbers = xcalloc(tensor.count + 1, sizeof(*numbers));
	if (!model->any_values && !list_numbers(instances, numbers, &count)) {
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
	const struct model *model = model_find(rest, name_len);
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
	const struct model *model = model_find(rest, name_len);
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
