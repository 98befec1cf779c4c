#include "runner/model.h"

#include "runner/field.h"
#include "runner/headers.h"
#include "runner/protocol.h"

enum { BATCH_ROWS_MAX = 1000000, BATCH_BYTES_MAX = 256 << 20, SECONDS_MAX = 24 * 3600 };

/* host/path, the form of the specification's examples, means http. */
static char *with_scheme(const char *url)
{
	const char *slash = strchr(url, '/');

	if (slash != NULL && slash > url && slash[-1] == ':' && slash[1] == '/')
		return xstrdup(url);
	return xasprintf("http://%s", url);
}

static int read_url(const struct json *kserve, struct model *model, struct err *err)
{
	const char *url, *ignored;

	if (field_needed(kserve, "kserve", "modelUrl", &url, err) < 0 ||
	    field_string(kserve, "kserve", "modelName", &ignored, err) < 0)
		return -1;
	model->url = with_scheme(url);
	if (http_url_check(model->url, err) < 0)
		return err_wrap(err, "kserve.modelUrl");
	return protocol_choose(kserve, model->url, &model->protocol, err);
}

/* ---- inputs ---- */

static int check_datatype(const char *where, const char *datatype, struct err *err)
{
	static const char *const known[] = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64",
					    "INT8", "INT16", "INT32",  "INT64",  "FP16",
					    "BF16", "FP32",  "FP64",   "BYTES"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (streq(known[i], datatype))
			return 0;
	return err_set(err, ERR_INVALID,
		       "%s.datatype: expected FP32, INT64, BYTES, ..., found \"%s\"", where,
		       datatype);
}

static int read_columns(const struct json *input, const char *where, struct tensor *out,
			struct err *err)
{
	const struct json *columns = json_get(input, "columns");

	if (columns == NULL)
		return 0;
	for (const struct json *c = json_first(columns); c != NULL; c = json_next(c)) {
		int64_t index;

		if (json_str(c) == NULL && (!json_int64(c, &index) || index < 0))
			return err_set(err, ERR_INVALID,
				       "%s.columns: expected names or numbers from 0, found %s",
				       where, json_type_name(json_type(c)));
	}
	if (json_type(columns) != JSON_ARRAY || json_len(columns) == 0)
		return err_set(err, ERR_INVALID, "%s.columns: expected an array of columns", where);
	out->columns = columns;
	return 0;
}

static int read_tensor(const struct json *input, const char *where, const char *name_key,
		       struct tensor *out, struct err *err)
{
	const struct json *shape = json_get(input, "shape");

	if (field_string(input, where, name_key, &out->name, err) < 0 ||
	    field_string(input, where, "datatype", &out->datatype, err) < 0)
		return -1;
	if (*out->datatype == '\0')
		out->datatype = "FP32";
	if (check_datatype(where, out->datatype, err) < 0)
		return -1;
	if (shape != NULL && !shape_read(shape, &out->shape))
		return err_set(err, ERR_INVALID,
			       "%s.shape: expected 2 to %d dimensions, each -1 or more than 0, "
			       "such as [-1, 512, 1]",
			       where, SHAPE_RANK_MAX);
	return read_columns(input, where, out, err);
}

static int read_inputs(const struct json *kserve, struct model *model, struct err *err)
{
	const struct json *inputs = json_get(kserve, "inputs");

	if (inputs == NULL) {
		model->input_count = 1;
		return read_tensor(kserve, "kserve", "modelInputName", &model->inputs[0], err);
	}
	if (json_type(inputs) != JSON_ARRAY || json_len(inputs) == 0 ||
	    json_len(inputs) > INPUTS_MAX)
		return err_set(err, ERR_INVALID,
			       "kserve.inputs: expected 1 to %d inputs, found %zu", INPUTS_MAX,
			       json_len(inputs));
	for (const struct json *c = json_first(inputs); c != NULL; c = json_next(c)) {
		auto_free char *where = xasprintf("kserve.inputs[%zu]", model->input_count);

		if (read_tensor(c, where, "name", &model->inputs[model->input_count++], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the rest ---- */

static int read_batch(const struct json *kserve, struct model *model, struct err *err)
{
	const struct json *batch = json_get(kserve, "batch");
	int64_t rows = 0, bytes = 0, parallel = 1;

	if (batch != NULL && field_object(kserve, "kserve", "batch", &batch, err) < 0)
		return -1;
	if (field_int(batch, "kserve.batch", "rows", 1, BATCH_ROWS_MAX, &rows, err) < 0 ||
	    field_int(batch, "kserve.batch", "bytes", 1, BATCH_BYTES_MAX, &bytes, err) < 0 ||
	    field_int(batch, "kserve.batch", "parallel", 1, PARALLEL_MAX, &parallel, err) < 0)
		return -1;
	model->rows = (size_t)rows;
	model->bytes = (size_t)bytes;
	model->parallel = (size_t)parallel;
	return 0;
}

static int read_times(const struct json *kserve, struct model *model, struct err *err)
{
	int64_t timeout = 0, patience = 0;

	if (field_int(kserve, "kserve", "timeoutSeconds", 1, SECONDS_MAX, &timeout, err) < 0 ||
	    field_int(kserve, "kserve", "patienceSeconds", 1, SECONDS_MAX, &patience, err) < 0)
		return -1;
	model->timeout_ms = timeout * 1000;
	model->patience_ms = patience * 1000;
	return 0;
}

static int read_credentials(const struct json *kserve, struct model *model, struct err *err)
{
	const struct json *ref = json_get(kserve, "credentialsRef");

	model->secret = model->secret_namespace = "";
	if (headers_check(json_get(kserve, "headers"), "kserve", err) < 0)
		return -1;
	model->header_lines = json_get(kserve, "headers");
	if (ref == NULL)
		return 0;
	if (field_object(kserve, "kserve", "credentialsRef", &ref, err) < 0 ||
	    field_needed(ref, "kserve.credentialsRef", "name", &model->secret, err) < 0)
		return -1;
	return field_string(ref, "kserve.credentialsRef", "namespace", &model->secret_namespace,
			    err);
}

static int read_nonfinite(const struct json *kserve, struct model *model, struct err *err)
{
	static const char *const words[] = {
	    [NONFINITE_NULL] = "null", [NONFINITE_STRING] = "string", [NONFINITE_FAIL] = "fail"};
	const char *word;

	if (field_string(kserve, "kserve", "nonFinite", &word, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!streq(words[i], word))
			continue;
		model->nonfinite = (enum nonfinite)i;
		return 0;
	}
	return *word == '\0'
		   ? 0
		   : err_set(err, ERR_INVALID,
			     "kserve.nonFinite: expected null, string or fail, found \"%s\"", word);
}

int model_read(const struct json *kserve, struct model *out, struct err *err)
{
	static const char *const known[] = {
	    "modelName", "modelUrl",       "modelVersion",    "modelInputName",
	    "protocol",  "shape",          "datatype",        "inputs",
	    "columns",   "headers",        "batch",           "credentialsRef",
	    "nonFinite", "timeoutSeconds", "patienceSeconds", NULL};
	struct model model = {.url = NULL};

	if (read_url(kserve, &model, err) < 0 || read_inputs(kserve, &model, err) < 0 ||
	    read_batch(kserve, &model, err) < 0 || read_times(kserve, &model, err) < 0 ||
	    read_credentials(kserve, &model, err) < 0 || read_nonfinite(kserve, &model, err) < 0) {
		model_done(&model);
		return -1;
	}
	field_warn_unknown(kserve, "kserve", known);
	*out = model;
	return 0;
}

int model_open(struct model *model, struct fault *fault)
{
	if (*model->secret != '\0' &&
	    endpoint_load(model->secret_namespace, model->secret, &model->endpoint, fault) < 0)
		return err_wrap(&fault->err, "kserve.credentialsRef");
	http_header_set(&model->headers, "Content-Type", "application/json");
	if (model->endpoint.authorization != NULL)
		http_header_set(&model->headers, "Authorization", model->endpoint.authorization);
	headers_add(model->header_lines, &model->headers);
	return 0;
}

void model_done(struct model *model)
{
	endpoint_done(&model->endpoint);
	http_headers_done(&model->headers);
	free(model->url);
	*model = (struct model){.url = NULL};
}
