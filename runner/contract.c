#include "runner/contract.h"

#include "base/buf.h"
#include "base/file.h"
#include "runner/field.h"
#include "runner/http.h"

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

/* host/path, the form of the specification's examples, means http. */
static char *with_scheme(const char *url)
{
	const char *slash = strchr(url, '/');

	if (slash != NULL && slash > url && slash[-1] == ':' && slash[1] == '/')
		return xstrdup(url);
	return xasprintf("http://%s", url);
}

static int read_kserve(struct contract *contract, struct err *err)
{
	static const char *const known[] = {"modelName",      "modelUrl", "modelVersion",
					    "modelInputName", "shape",    NULL};
	const struct json *kserve, *shape;
	const char *url, *ignored;

	if (field_object(contract->root, "", "kserve", &kserve, err) < 0 ||
	    field_needed(kserve, "kserve", "modelUrl", &url, err) < 0 ||
	    field_string(kserve, "kserve", "modelInputName", &contract->input_name, err) < 0 ||
	    field_string(kserve, "kserve", "modelName", &ignored, err) < 0 ||
	    field_string(kserve, "kserve", "modelVersion", &ignored, err) < 0)
		return -1;
	contract->model_url = with_scheme(url);
	if (http_url_check(contract->model_url, err) < 0)
		return err_wrap(err, "kserve.modelUrl");
	shape = json_get(kserve, "shape");
	if (shape != NULL && !shape_read(shape, &contract->shape))
		return err_set(err, ERR_INVALID,
			       "kserve.shape: expected 2 to %d dimensions, each -1 or more than 0, "
			       "such as [-1, 512, 1]",
			       SHAPE_RANK_MAX);
	field_warn_unknown(kserve, "kserve", known);
	return 0;
}

static int read_parameters(struct contract *contract, struct err *err)
{
	const struct json *parameters = json_get(contract->root, "parameters");
	const char *ignored;

	if (parameters == NULL || json_type(parameters) == JSON_NULL)
		return 0;
	if (field_object(contract->root, "", "parameters", &contract->parameters, err) < 0)
		return -1;
	for (const struct json *c = json_first(parameters); c != NULL; c = json_next(c))
		if (field_string(parameters, "parameters", json_key(c), &ignored, err) < 0)
			return -1;
	return 0;
}

static int read_root(struct contract *contract, struct err *err)
{
	static const char *const known[] = {"jobId",  "jobName",    "kserve", "input",
					    "output", "parameters", NULL};

	if (json_type(contract->root) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "expected an object, found %s",
			       json_type_name(json_type(contract->root)));
	if (field_string(contract->root, "", "jobId", &contract->job_id, err) < 0 ||
	    field_string(contract->root, "", "jobName", &contract->job_name, err) < 0 ||
	    read_kserve(contract, err) < 0 || read_parameters(contract, err) < 0 ||
	    section_read(contract->root, "input", SIDE_INPUT, &contract->input, err) < 0 ||
	    section_read(contract->root, "output", SIDE_OUTPUT, &contract->output, err) < 0)
		return -1;
	field_warn_unknown(contract->root, "", known);
	return 0;
}

int contract_parse(const char *text, size_t len, struct contract *out, struct err *err)
{
	struct contract contract = {.root = json_parse(text, len, err)};

	if (contract.root == NULL)
		return -1;
	if (read_root(&contract, err) < 0) {
		contract_done(&contract);
		return -1;
	}
	*out = contract;
	return 0;
}

int contract_load(const char *path, struct contract *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(CONTRACT_MAX);

	if (file_read(path, &text, err) < 0)
		return -1;
	if (contract_parse(text.data, text.len, out, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}

void contract_done(struct contract *contract)
{
	section_done(&contract->input);
	section_done(&contract->output);
	json_free(contract->root);
	free(contract->model_url);
	*contract = (struct contract){0};
}
