#include "runner/run.h"

#include "base/log.h"
#include "runner/http.h"
#include "runner/pool.h"
#include "runner/protocol.h"

/* What is open during a run. */
struct job {
	struct contract contract;
	struct storage *input, *output;
	struct reader reader;
	struct rows rows;
	struct report *report;
};

/* ---- steps; each returns 0 or -1 with fault set ---- */

static int open_one(struct job *job, enum phase phase, const struct section *section,
		    struct storage **out, struct fault *fault)
{
	report_enter(job->report, phase);
	*out = section->provider->open(&job->contract, section, fault);
	return *out != NULL ? 0 : -1;
}

static int look(struct job *job, enum phase phase, const struct section *section,
		struct storage *storage, struct fault *fault)
{
	report_enter(job->report, phase);
	return section->provider->preflight != NULL ? section->provider->preflight(storage, fault)
						    : 0;
}

static int open_all(struct job *job, struct fault *fault)
{
	struct contract *contract = &job->contract;

	if (open_one(job, PHASE_INPUT, &contract->input, &job->input, fault) < 0 ||
	    open_one(job, PHASE_OUTPUT, &contract->output, &job->output, fault) < 0)
		return -1;
	report_enter(job->report, PHASE_INFERENCE);
	if (model_open(&contract->model, fault) < 0 ||
	    look(job, PHASE_INPUT, &contract->input, job->input, fault) < 0 ||
	    look(job, PHASE_OUTPUT, &contract->output, job->output, fault) < 0)
		return -1;
	report_enter(job->report, PHASE_INPUT);
	return 0;
}

static int load(const char *path, struct job *job, struct fault *fault)
{
	if (http_setup(&fault->err) < 0 || pool_setup(&fault->err) < 0) {
		fault_as(fault,
			 fault->err.kind == ERR_BUG ? REASON_INTERNAL : REASON_CONTRACT_INVALID);
		return -1;
	}
	if (contract_load(path, &job->contract, &fault->err) < 0) {
		fault_as(fault, REASON_CONTRACT_INVALID);
		return -1;
	}
	log_info("run started", "version", VERSION, "job", contract_run_key(&job->contract),
		 "jobId", job->contract.job_id);
	return 0;
}

static const char *identity(const struct job *job)
{
	const struct provider *provider = job->contract.input.provider;

	return provider->identity != NULL ? provider->identity(job->input) : NULL;
}

/* Leave out the rows whose results an earlier attempt has stored. */
static int skip_done(struct job *job, struct fault *fault)
{
	int64_t done = 0;

	report_enter(job->report, PHASE_OUTPUT);
	if (job->contract.output.provider->begin(job->output, identity(job), &done, fault) < 0)
		return -1;
	report_enter(job->report, PHASE_INPUT);
	while (job->rows.first < done && !job->reader.ended) {
		int64_t left = done - job->rows.first;
		struct rows skipped;

		if (reader_fill(&job->reader, &job->rows,
				left < BATCH_ROWS ? (size_t)left : BATCH_ROWS, SIZE_MAX, fault) < 0)
			return -1;
		rows_take(&job->rows, &skipped);
		rows_done(&skipped);
	}
	job->report->rows_in = job->report->rows_resumed = job->rows.first;
	return 0;
}

static void begin_reading(struct job *job)
{
	const struct model *model = &job->contract.model;

	job->rows = (struct rows)ROWS_INIT(model->protocol->rule(model));
	reader_init(&job->reader, &job->contract.input, job->input);
}

static struct pool pool_of(struct job *job)
{
	return (struct pool){.contract = &job->contract,
			     .reader = &job->reader,
			     .output = job->output,
			     .report = job->report};
}

static int empty(struct job *job, struct fault *fault)
{
	report_enter(job->report, PHASE_INPUT);
	return fault_set(fault, REASON_INPUT_EMPTY,
			 job->contract.fail_if_empty ? ERR_INVALID : ERR_NONE,
			 "empty input: nothing to predict");
}

/* Not one row has a prediction: what the first was refused with stands for all. */
static int all_failed(const struct report *report, struct fault *fault)
{
	fault->err = report->failures[0].why;
	return fault_as(fault, REASON_MODEL_REJECTED);
}

static int commit(struct job *job, struct fault *fault)
{
	struct report *report = job->report;

	report_enter(report, PHASE_OUTPUT);
	if (job->contract.output.provider->commit(job->output, fault) < 0)
		return -1;
	report->rows_stored = report->rows_out;
	if (report->rows_failed > job->contract.max_failed_rows)
		return fault_set(fault, REASON_ROWS_FAILED, ERR_INVALID,
				 "%lld of %lld rows failed, and %lld may; the others are stored",
				 (long long)report->rows_failed, (long long)report->rows_in,
				 (long long)job->contract.max_failed_rows);
	fault_set(fault, REASON_COMPLETED, ERR_NONE, "%lld rows in, %lld values stored",
		  (long long)report->rows_in, (long long)report->rows_stored);
	return 0;
}

static int do_whole(struct job *job, struct fault *fault)
{
	struct pool pool = pool_of(job);

	if (skip_done(job, fault) < 0 || pool_first(&pool, &job->rows, fault) < 0)
		return -1;
	if (job->rows.count == 0 && job->report->rows_resumed == 0)
		return empty(job, fault);
	if (job->rows.count > 0 && pool_run(&pool, &job->rows, fault) < 0)
		return -1;
	if (http_stop)
		return fault_set(fault, REASON_INTERRUPTED, ERR_RETRY,
				 "interrupted before the output");
	if (job->report->rows_failed > 0 && job->report->rows_out == 0)
		return all_failed(job->report, fault);
	return commit(job, fault);
}

static int do_dry(struct job *job, struct fault *fault)
{
	struct pool pool = pool_of(job);
	const struct model *model = &job->contract.model;
	auto_free char *url = http_url_safe(model->url);
	auto_buf struct buf body = BUF_INIT(SIZE_MAX / 2);

	if (pool_first(&pool, &job->rows, fault) < 0)
		return -1;
	if (job->rows.count == 0)
		return empty(job, fault);
	if (model->protocol->request(model, &job->rows, 0, job->rows.count, &body, fault) < 0)
		return -1;
	printf("the first request would be a POST of %zu bytes to %s: protocol %s, %zu rows of %zu "
	       "values\n",
	       body.len, url, model->protocol->name, job->rows.count, job->rows.width);
	return fault_set(fault, REASON_COMPLETED, ERR_NONE, "dry run: nothing sent to the model");
}

static int do_all(const char *path, enum run_mode mode, struct job *job, struct fault *fault)
{
	if (load(path, job, fault) < 0 || open_all(job, fault) < 0)
		return -1;
	if (mode == RUN_CHECK) {
		printf("the contract is good: %s to %s, protocol %s\n", job->contract.input.where,
		       job->contract.output.where, job->contract.model.protocol->name);
		fault_set(fault, REASON_COMPLETED, ERR_NONE, "checked");
		return 0;
	}
	begin_reading(job);
	return mode == RUN_DRY ? do_dry(job, fault) : do_whole(job, fault);
}

static void close_all(struct job *job, bool undo)
{
	const struct provider *input = job->contract.input.provider,
			      *output = job->contract.output.provider;

	reader_done(&job->reader);
	rows_done(&job->rows);
	if (input == NULL || output == NULL)
		return; /* there is no contract */
	if (job->input != NULL)
		input->close(job->input);
	if (job->output != NULL && undo && output->abort != NULL)
		output->abort(job->output);
	if (job->output != NULL)
		output->close(job->output);
	contract_done(&job->contract);
}

int run(const char *contract, enum run_mode mode, struct report *report, struct fault *fault)
{
	static const struct row_rule nothing;
	struct job job = {.rows = ROWS_INIT(nothing), .report = report};
	int rc = do_all(contract, mode, &job, fault);

	report_enter(report, report->phase);
	close_all(&job, rc < 0 && mode == RUN_WHOLE && fault->err.kind != ERR_RETRY &&
			    fault->reason != REASON_ROWS_FAILED);
	return rc;
}
