/*
 * contract.h - what the controller asks the runner to do: /tmp/contract.json.
 *
 *	{"jobId": "...", "jobName": "...",
 *	 "kserve": {"modelUrl": "host/v2/models/m/infer", "modelInputName": "x"},
 *	 "input": {"krateo": {...}}, "output": {"krateo": {...}},
 *	 "parameters": {"name": "value"},
 *	 "runner": {"maxFailedRows": 0, "onEmpty": "succeed"}}
 *
 * kserve is described in model.h, input and output in provider.h; runner is ours and optional, and
 * so is job_name in the environment. At most 1 MiB, as a ConfigMap. JSON is strict; a message tells
 * the line and column, or the path of the field.
 */
#ifndef RUNNER_CONTRACT_H
#define RUNNER_CONTRACT_H

#include "base/json.h"
#include "runner/model.h"
#include "runner/provider.h"

enum { CONTRACT_MAX = 1 << 20, CONTRACT_ID_MAX = 1024 };

struct contract {
	struct json *root;             /* owns what is borrowed below */
	const char *job_id, *job_name; /* at most CONTRACT_ID_MAX bytes, without line ends */
	struct model model;
	const struct json *parameters; /* an object of strings, or NULL */
	struct section input, output;
	int64_t max_failed_rows;
	bool fail_if_empty;
};

int contract_parse(const char *text, size_t len, struct contract *out, struct err *err);
int contract_load(const char *path, struct contract *out, struct err *err);
void contract_done(struct contract *contract);
#define auto_contract __attribute__((cleanup(contract_done)))

/*
 * What names the output of this run, the same for every attempt: the name of the Job (job_name in
 * the environment; each firing of a schedule has its own), else jobName, else jobId. Borrowed.
 */
const char *contract_run_key(const struct contract *contract);

#endif
