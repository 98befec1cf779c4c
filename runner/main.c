/*
 * main.c - the runner: one inference from contract to termination message.
 *
 * contract -> Secrets -> input -> inference -> output. Everything that can be checked is checked
 * before the model is asked. stdout stays empty; logs are JSON lines on stderr.
 */
#include <getopt.h>
#include <signal.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/contract.h"
#include "runner/http.h"
#include "runner/kserve.h"
#include "runner/reader.h"
#include "runner/report.h"

static const char usage[] =
    "usage: kserve-runner [--contract PATH] [--check]\n"
    "\n"
    "Runs one inference: reads the input, asks the model, stores the output.\n"
    "\n"
    "  --contract PATH         the contract (default /tmp/contract.json; - is standard input)\n"
    "  --check                 check the contract and stop\n"
    "  --termination-log PATH  the result as one line of JSON (default /dev/termination-log)\n"
    "  --help, --version\n"
    "\n"
    "Environment:\n"
    "  pod_uid                    the uid of the pod, stored with the output\n"
    "  KSERVE_CONTRACT            as --contract\n"
    "  KSERVE_TERMINATION_LOG     as --termination-log\n"
    "  KSERVE_SERVICEACCOUNT_DIR  token, ca.crt and namespace of the service account\n"
    "  KSERVE_CALL_TIMEOUT        how long one call may take (default 120s)\n"
    "  KSERVE_RETRY_DELAY         the wait before the second try; it doubles (default 1s)\n"
    "  KSERVE_LOG_LEVEL           debug, info, warn or error (default info)\n"
    "\n"
    "Exit codes: 0 done, 2 contract, 3 input, 4 inference, 5 output, 7 interrupted, 70 internal.\n";

struct options {
	const char *contract, *termination_log;
	bool check;
};

/* What is open during a run. */
struct run {
	struct contract contract;
	struct storage *input, *output;
	struct reader reader; /* of input */
	struct rows rows;
	struct buf predictions;
	size_t count;
};

static void on_signal(int signo UNUSED)
{
	http_stop = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- steps; each returns 0 or -1 with fault set ---- */

static int open_both(struct run *run, struct report *report, struct fault *fault)
{
	const struct section *input = &run->contract.input, *output = &run->contract.output;

	run->input = input->provider->open(&run->contract, input, fault);
	if (run->input == NULL)
		return -1;
	report->phase = PHASE_OUTPUT;
	run->output = output->provider->open(&run->contract, output, fault);
	if (run->output == NULL)
		return -1;
	report->phase = PHASE_INPUT;
	return 0;
}

static int do_input(struct run *run, struct report *report, struct fault *fault)
{
	if (open_both(run, report, fault) < 0)
		return -1;
	reader_init(&run->reader, &run->contract.input, run->input);
	if (reader_fill(&run->reader, &run->rows, SIZE_MAX, SIZE_MAX, fault) < 0)
		return -1;
	report->rows_in = (int64_t)run->rows.count;
	return 0;
}

static int do_inference(struct run *run, struct report *report, struct fault *fault)
{
	if (kserve_infer(&run->contract, &run->rows, &run->predictions, &run->count, fault) < 0)
		return -1;
	report->rows_out = (int64_t)run->count;
	return 0;
}

static int do_output(struct run *run, struct report *report, struct fault *fault)
{
	const struct provider *provider = run->contract.output.provider;
	int64_t rows_done;

	if (provider->begin(run->output, &rows_done, fault) < 0 ||
	    provider->write(run->output, run->predictions.data, run->predictions.len,
			    report->rows_in, fault) < 0 ||
	    provider->commit(run->output, fault) < 0)
		return -1;
	report->rows_stored = (int64_t)run->count;
	return 0;
}

typedef int step_fn(struct run *run, struct report *report, struct fault *fault);

static int do_step(enum phase phase, step_fn *step, struct run *run, struct report *report,
		   struct fault *fault)
{
	int64_t start = time_mono_ms();
	int rc;

	report->phase = phase;
	if (http_stop)
		return fault_set(fault, REASON_INTERRUPTED, ERR_RETRY, "interrupted before the %s",
				 phase_name(phase));
	rc = step(run, report, fault);
	report->ms[phase] = time_mono_ms() - start;
	log_debug("step done", "phase", phase_name(phase), "ms", log_num(report->ms[phase]));
	return rc;
}

static int do_all(const struct options *options, struct run *run, struct report *report,
		  struct fault *fault)
{
	if (http_setup(&fault->err) < 0)
		return fault_as(fault, fault->err.kind == ERR_BUG ? REASON_INTERNAL
								  : REASON_CONTRACT_INVALID);
	if (contract_load(options->contract, &run->contract, &fault->err) < 0)
		return fault_as(fault, REASON_CONTRACT_INVALID);
	log_info("run started", "version", VERSION, "job", run->contract.job_name, "jobId",
		 run->contract.job_id);
	if (do_step(PHASE_INPUT, do_input, run, report, fault) < 0)
		return -1;
	if (run->rows.count == 0) {
		fault_set(fault, REASON_INPUT_EMPTY, ERR_NONE, "empty input: nothing to predict");
		return 0;
	}
	if (do_step(PHASE_INFERENCE, do_inference, run, report, fault) < 0 ||
	    do_step(PHASE_OUTPUT, do_output, run, report, fault) < 0)
		return -1;
	fault_set(fault, REASON_COMPLETED, ERR_NONE, "%lld rows in, %lld values stored",
		  (long long)report->rows_in, (long long)report->rows_stored);
	return 0;
}

static void close_all(struct run *run)
{
	if (run->input != NULL)
		run->contract.input.provider->close(run->input);
	if (run->output != NULL)
		run->contract.output.provider->close(run->output);
	reader_done(&run->reader);
	rows_done(&run->rows);
	buf_done(&run->predictions);
	contract_done(&run->contract);
}

/* Tell the result to the kubelet and to the log; returns the exit code. */
static int finish(const struct options *options, const struct report *report,
		  const struct fault *fault)
{
	auto_free char *text = report_text(report, fault);
	int code = report_exit(report, fault);
	struct err err = ERR_INIT;

	log_write(code == 0 ? LOG_INFO : LOG_ERROR, code == 0 ? "run succeeded" : "run failed",
		  "phase", phase_name(report->phase), "reason", reason_name(fault->reason),
		  "message", fault->err.msg, "exit", log_num(code), (char *)NULL);
	if (report_write(options->termination_log, text, &err) < 0)
		log_warn(err.msg);
	return code;
}

static int run(const struct options *options)
{
	static const struct row_rule numbers = {.leaves = LEAF_NUMBER, .even = true};
	struct run run = {.rows = ROWS_INIT(numbers), .predictions = BUF_INIT(HTTP_REPLY_MAX)};
	struct report report = {.phase = PHASE_CONTRACT};
	struct fault fault = FAULT_INIT;
	int code;

	catch_signals();
	do_all(options, &run, &report, &fault);
	code = finish(options, &report, &fault);
	close_all(&run);
	return code;
}

static int check(const struct options *options)
{
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	if (contract_load(options->contract, &contract, &err) == 0)
		return 0;
	fprintf(stderr, "kserve-runner: %s\n", err.msg);
	return PHASE_CONTRACT;
}

/* ---- the command line ---- */

static const char *from_env(const char *variable, const char *fallback)
{
	const char *value = getenv(variable);

	return value != NULL && *value != '\0' ? value : fallback;
}

static int set_log_level(struct err *err)
{
	const char *word = from_env("KSERVE_LOG_LEVEL", "info");
	enum log_level level;

	if (!log_level_parse(word, &level))
		return err_set(
		    err, ERR_INVALID,
		    "environment variable KSERVE_LOG_LEVEL: expected debug, info, warn or "
		    "error, found \"%s\"",
		    word);
	log_setup(level, LOG_JSON);
	return 0;
}

static int refuse(const struct options *options, const struct err *err)
{
	struct report report = {.phase = PHASE_CONTRACT};
	struct fault fault = {.reason = REASON_CONTRACT_INVALID, .err = *err};

	return finish(options, &report, &fault);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"contract", required_argument, NULL, 'c'},
					      {"check", no_argument, NULL, 'k'},
					      {"termination-log", required_argument, NULL, 't'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'v'},
					      {0}};
	struct options options = {
	    .contract = from_env("KSERVE_CONTRACT", "/tmp/contract.json"),
	    .termination_log = from_env("KSERVE_TERMINATION_LOG", "/dev/termination-log"),
	};
	struct err err = ERR_INIT;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'c')
			options.contract = optarg;
		else if (option == 't')
			options.termination_log = optarg;
		else if (option == 'k')
			options.check = true;
		else if (option == 'h')
			return fputs(usage, stdout), 0;
		else if (option == 'v')
			return puts("kserve-runner " VERSION), 0;
		else
			err_set(&err, ERR_INVALID, "unknown option %s: see --help",
				argv[optind - 1]);
	}
	if (err.kind == ERR_NONE && optind < argc)
		err_set(&err, ERR_INVALID, "expected no argument, found \"%s\": see --help",
			argv[optind]);
	if (err.kind == ERR_NONE)
		set_log_level(&err);
	if (err.kind != ERR_NONE)
		return refuse(&options, &err);
	return options.check ? check(&options) : run(&options);
}
