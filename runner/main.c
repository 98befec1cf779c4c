/*
 * main.c - the runner: options, signals, exit codes, the termination message. What it does is in
 * run.c. stdout stays empty but for --check and --dry-run; logs are JSON lines on stderr.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "runner/http.h"
#include "runner/run.h"

static const char usage[] =
    "usage: kserve-runner [--contract PATH] [--check | --dry-run]\n"
    "\n"
    "Runs one inference: reads the input, asks the model, stores the output.\n"
    "\n"
    "  --contract PATH         the contract (default /tmp/contract.json; - is standard input)\n"
    "  --check                 check contract, Secrets, input and output, and stop\n"
    "  --dry-run               read rows, make the first request, print its size and stop\n"
    "  --termination-log PATH  the result as one line of JSON (default /dev/termination-log)\n"
    "  --help, --version\n"
    "\n"
    "Environment:\n"
    "  pod_uid                    the uid of the pod, stored with the output\n"
    "  job_name                   the name of the Job, the same for every pod of it\n"
    "  KSERVE_CONTRACT            as --contract\n"
    "  KSERVE_TERMINATION_LOG     as --termination-log\n"
    "  KSERVE_SERVICEACCOUNT_DIR  token, ca.crt and namespace of the service account\n"
    "  KSERVE_CALL_TIMEOUT        how long one call may take (default 120s)\n"
    "  KSERVE_PATIENCE            how long the model may be unavailable (default 5m)\n"
    "  KSERVE_RETRY_DELAY         what the waits between tries begin with (default 1s)\n"
    "  KSERVE_LOG_LEVEL           debug, info, warn or error (default info)\n"
    "\n"
    "Exit codes: 0 done, 2 contract, 3 input, 4 inference, 5 output (13, 14, 15: another try "
    "would\n"
    "not help), 6 rows failed, 7 interrupted, 8 Secret, 70 internal.\n";

struct options {
	const char *contract, *termination_log;
	enum run_mode mode;
};

static void on_signal(int signo UNUSED)
{
	http_stop = 1;
}

static const char *abort_log; /* where on_abort writes */

/* No memory, or a bug: there is no more than this to be said, safely for a signal handler. */
static void on_abort(int signo UNUSED)
{
	static const char text[] =
	    "{\"v\":1,\"result\":\"failed\",\"exit\":70,\"reason\":\"Internal\",\"message\":\"the "
	    "runner "
	    "has aborted: out of memory or a bug, its log tells; with less batch.rows, batch.bytes "
	    "or batch.parallel it needs less memory\",\"retryable\":true}\n";
	int fd = open(abort_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ssize_t written = fd >= 0 ? write(fd, text, sizeof(text) - 1) : -1;

	(void)written;
	_exit(EXIT_INTERNAL);
}

static void catch_signals(const struct options *options)
{
	struct sigaction action = {.sa_handler = on_signal};

	abort_log = options->termination_log;
	if (options->mode == RUN_WHOLE)
		signal(SIGABRT, on_abort);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
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

static int run_whole(const struct options *options)
{
	struct report report = {.phase = PHASE_CONTRACT};
	struct fault fault = FAULT_INIT;

	run(options->contract, RUN_WHOLE, &report, &fault);
	return finish(options, &report, &fault);
}

/* For people: what is wrong goes to stderr in one line. */
static int try_out(const struct options *options)
{
	struct report report = {.phase = PHASE_CONTRACT};
	struct fault fault = FAULT_INIT;
	int code;

	log_setup(LOG_WARN, LOG_JSON);
	run(options->contract, options->mode, &report, &fault);
	code = report_exit(&report, &fault);
	if (code != 0)
		fprintf(stderr, "kserve-runner: %s: %s\n", reason_name(fault.reason),
			fault.err.msg);
	return code;
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
					      {"dry-run", no_argument, NULL, 'd'},
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
			options.mode = RUN_CHECK;
		else if (option == 'd')
			options.mode = RUN_DRY;
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
	catch_signals(&options);
	return options.mode == RUN_WHOLE ? run_whole(&options) : try_out(&options);
}
