#include "runner/contract.h"

#include "base/buf.h"
#include "base/file.h"
#include "runner/field.h"

static int read_runner(struct contract *contract, struct err *err)
{
	static const char *const known[] = {"maxFailedRows", "onEmpty", NULL};
	const struct json *runner = json_get(contract->root, "runner");
	const char *on_empty = "";

	if (runner == NULL || json_type(runner) == JSON_NULL)
		return 0;
	if (field_object(contract->root, "", "runner", &runner, err) < 0 ||
	    field_int(runner, "runner", "maxFailedRows", 0, INT64_MAX, &contract->max_failed_rows,
		      err) < 0 ||
	    field_string(runner, "runner", "onEmpty", &on_empty, err) < 0)
		return -1;
	if (!streq(on_empty, "") && !streq(on_empty, "succeed") && !streq(on_empty, "fail"))
		return err_set(err, ERR_INVALID,
			       "runner.onEmpty: expected succeed or fail, found \"%s\"", on_empty);
	contract->fail_if_empty = streq(on_empty, "fail");
	field_warn_unknown(runner, "runner", known);
	return 0;
}

/* Where values are a flat list, nothing tells which are missing. */
static int check_failed_rows(const struct contract *contract, struct err *err)
{
	if (contract->max_failed_rows == 0 || contract->output.layout == LAYOUT_ROWS)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "runner.maxFailedRows: expected 0, found %lld: it needs the layout rows in %s",
	    (long long)contract->max_failed_rows, contract->output.where);
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

/* They become a part of headers and of the names of objects. */
static int read_ids(struct contract *contract, struct err *err)
{
	static const char *const names[] = {"jobId", "jobName"};
	const char **const ids[] = {&contract->job_id, &contract->job_name};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (field_string(contract->root, "", names[i], ids[i], err) < 0)
			return -1;
		if (strlen(*ids[i]) > CONTRACT_ID_MAX || !http_header_valid(names[i], *ids[i]))
			return err_set(err, ERR_INVALID,
				       "%s: expected at most %d bytes of text on one line, found "
				       "another",
				       names[i], CONTRACT_ID_MAX);
	}
	return 0;
}

static int read_root(struct contract *contract, struct err *err)
{
	static const char *const known[] = {"jobId",  "jobName",    "kserve", "input",
					    "output", "parameters", "runner", NULL};
	const struct json *kserve;

	if (json_type(contract->root) != JSON_OBJECT)
		return err_set(err, ERR_INVALID, "expected an object, found %s",
			       json_type_name(json_type(contract->root)));
	if (read_ids(contract, err) < 0 ||
	    field_object(contract->root, "", "kserve", &kserve, err) < 0 ||
	    model_read(kserve, &contract->model, err) < 0 || read_parameters(contract, err) < 0 ||
	    section_read(contract->root, "input", SIDE_INPUT, &contract->input, err) < 0 ||
	    section_read(contract->root, "output", SIDE_OUTPUT, &contract->output, err) < 0 ||
	    read_runner(contract, err) < 0 || check_failed_rows(contract, err) < 0)
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
	model_done(&contract->model);
	json_free(contract->root);
	*contract = (struct contract){0};
}

const char *contract_run_key(const struct contract *contract)
{
	const char *job = getenv("job_name");

	if (job != NULL && *job != '\0')
		return job;
	return *contract->job_name != '\0' ? contract->job_name : contract->job_id;
}
