/*
 * model.h - what the contract says about the model: its member `kserve`.
 *
 *	{"modelUrl": "host/v2/models/m/infer", "modelInputName": "x",
 *	 "protocol": "v2", "shape": [-1, 512, 1], "datatype": "FP32",
 *	 "inputs": [{"name": "ids", "datatype": "INT64", "shape": [-1, 16], "columns": ["a", "b"]}],
 *	 "headers": ["Host: model.example.com"], "credentialsRef": {"name": "s", "namespace": "n"},
 *	 "batch": {"rows": 1000, "bytes": 1048576, "parallel": 4},
 *	 "timeoutSeconds": 120, "patienceSeconds": 300, "nonFinite": "null"}
 *
 * Only modelUrl is required; without a scheme it is http. modelName is accepted and not used. The
 * protocol is what `protocol` names, else v1 for a URL that ends with :predict and v2 for one that
 * ends with /infer, else what modelVersion names, else v2.
 */
#ifndef RUNNER_MODEL_H
#define RUNNER_MODEL_H

#include "base/json.h"
#include "runner/endpoint.h"
#include "runner/http.h"
#include "runner/shape.h"

enum { INPUTS_MAX = 64, BATCH_ROWS = 1000, BATCH_BYTES = 1 << 20, PARALLEL_MAX = 16 };

/* An input tensor of V2. */
struct tensor {
	const char *name, *datatype;
	struct shape shape;
	const struct json *columns; /* names or numbers from 0; NULL: all values of a row */
};

/* What becomes of NaN and Infinity in a reply, which are no JSON, and of null in their place. */
enum nonfinite { NONFINITE_NULL, NONFINITE_STRING, NONFINITE_FAIL };

struct protocol;

struct model {
	char *url;
	const struct protocol *protocol;
	struct tensor inputs[INPUTS_MAX];
	size_t input_count;
	const struct json *header_lines;       /* an array, or NULL */
	const char *secret, *secret_namespace; /* "" : none */
	int64_t timeout_ms, patience_ms;       /* 0: the defaults */
	size_t rows, bytes;                    /* of one request; 0: the defaults */
	size_t parallel;
	enum nonfinite nonfinite;

	/* set by model_open */
	struct endpoint endpoint;
	struct http_headers headers;
};

/* Values are borrowed from kserve. */
int model_read(const struct json *kserve, struct model *out, struct err *err);

/* Read the credentials, make the headers. */
int model_open(struct model *model, struct fault *fault);
void model_done(struct model *model);

#endif
