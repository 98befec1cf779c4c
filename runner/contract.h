/*
 * contract.h - what the controller asks the runner to do: /tmp/contract.json.
 *
 *	{"jobId": "...", "jobName": "...",
 *	 "kserve": {"modelUrl": "host/v2/models/m/infer", "modelInputName": "x"},
 *	 "input": {"krateo": {...}}, "output": {"krateo": {...}},
 *	 "parameters": {"name": "value"}}
 *
 * modelUrl is required; without a scheme it is http. kserve.modelName and modelVersion are
 * accepted and not used. kserve.shape is ours and optional: the shape of the model's input, such
 * as [-1, 512, 1]; see kserve.h. At most 1 MiB, as a ConfigMap. JSON is strict; a message tells
 * the line and column, or the path of the field.
 */
#ifndef RUNNER_CONTRACT_H
#define RUNNER_CONTRACT_H

#include "base/json.h"
#include "runner/provider.h"

enum { CONTRACT_MAX = 1 << 20, SHAPE_RANK_MAX = 8 };

/* Dimensions of a tensor; -1 stands for any. rank 0: not given. */
struct shape {
	int64_t dims[SHAPE_RANK_MAX];
	size_t rank;
};

struct contract {
	struct json *root; /* owns what is borrowed below */
	const char *job_id, *job_name;
	char *model_url;
	const char *input_name;
	struct shape shape;
	const struct json *parameters; /* an object of strings, or NULL */
	struct section input, output;
};

int contract_parse(const char *text, size_t len, struct contract *out, struct err *err);
int contract_load(const char *path, struct contract *out, struct err *err);
void contract_done(struct contract *contract);
#define auto_contract __attribute__((cleanup(contract_done)))

/* Read an array of 2 to SHAPE_RANK_MAX dimensions, each -1 or positive; false if it is none. */
bool shape_read(const struct json *array, struct shape *out);

#endif
