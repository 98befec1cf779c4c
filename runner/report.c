#include "runner/report.h"

#include <errno.h>
#include <fcntl.h>

#include "base/json.h"
#include "base/timefmt.h"
#include "base/utf8.h"

enum { MESSAGE_MAX = 512, FAILURE_MAX = 120 };

int fault_set(struct fault *fault, enum reason reason, enum err_kind kind, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	fault->reason = reason;
	return err_set(&fault->err, kind, "%s", text);
}

int fault_as(struct fault *fault, enum reason reason)
{
	fault->reason = reason;
	return -1;
}

const char *reason_name(enum reason reason)
{
	static const char *const names[] = {
	    [REASON_COMPLETED] = "Completed",
	    [REASON_INPUT_EMPTY] = "InputEmpty",
	    [REASON_ROWS_FAILED] = "RowsFailed",
	    [REASON_INTERRUPTED] = "Interrupted",
	    [REASON_INTERNAL] = "Internal",
	    [REASON_CONTRACT_INVALID] = "ContractInvalid",
	    [REASON_SECRET_NOT_FOUND] = "SecretNotFound",
	    [REASON_SECRET_FORBIDDEN] = "SecretForbidden",
	    [REASON_SECRET_INVALID] = "SecretInvalid",
	    [REASON_SECRET_UNAVAILABLE] = "SecretUnavailable",
	    [REASON_NOTEBOOK_FAILED] = "NotebookFailed",
	    [REASON_NOTEBOOK_MISSING] = "NotebookMissing",
	    [REASON_ARG_TOO_LONG] = "ArgTooLong",
	    [REASON_INPUT_UNAVAILABLE] = "InputUnavailable",
	    [REASON_INPUT_REJECTED] = "InputRejected",
	    [REASON_INPUT_NOT_JSON] = "InputNotJSON",
	    [REASON_INPUT_INVALID] = "InputInvalid",
	    [REASON_MODEL_UNAVAILABLE] = "ModelUnavailable",
	    [REASON_MODEL_REJECTED] = "ModelRejected",
	    [REASON_MODEL_REPLY_INVALID] = "ModelReplyInvalid",
	    [REASON_MODEL_TIMEOUT] = "ModelTimeout",
	    [REASON_NON_FINITE] = "NonFinite",
	    [REASON_SHAPE_MISMATCH] = "ShapeMismatch",
	    [REASON_OUTPUT_UNAVAILABLE] = "OutputUnavailable",
	    [REASON_OUTPUT_REJECTED] = "OutputRejected",
	    [REASON_OUTPUT_CONFLICT] = "OutputConflict",
	    [REASON_OUTPUT_AMBIGUOUS] = "OutputAmbiguous",
	};

	return names[reason];
}

const char *phase_name(enum phase phase)
{
	static const char *const names[] = {
	    [PHASE_CONTRACT] = "contract",
	    [PHASE_INPUT] = "input",
	    [PHASE_INFERENCE] = "inference",
	    [PHASE_OUTPUT] = "output",
	};

	return names[phase];
}

void report_enter(struct report *report, enum phase phase)
{
	int64_t now = time_mono_ms();

	if (report->since > 0)
		report->ms[report->phase] += now - report->since;
	report->since = now;
	report->phase = phase;
}

void report_failure(struct report *report, int64_t row, const struct err *why)
{
	if (report->rows_failed < FAILURES_MAX) {
		report->failures[report->rows_failed].row = row + 1;
		report->failures[report->rows_failed].why = *why;
	}
	report->rows_failed++;
}

static bool succeeded(const struct fault *fault)
{
	return fault->reason == REASON_COMPLETED ||
	       (fault->reason == REASON_INPUT_EMPTY && fault->err.kind == ERR_NONE);
}

int report_exit(const struct report *report, const struct fault *fault)
{
	if (succeeded(fault))
		return 0;
	if (fault->reason == REASON_INTERRUPTED)
		return EXIT_INTERRUPTED;
	if (fault->reason == REASON_INTERNAL)
		return EXIT_INTERNAL;
	if (fault->reason == REASON_ROWS_FAILED)
		return EXIT_ROWS_FAILED;
	if (fault->reason == REASON_SECRET_NOT_FOUND || fault->reason == REASON_SECRET_FORBIDDEN ||
	    fault->reason == REASON_SECRET_INVALID)
		return EXIT_SECRET;
	if (report->phase == PHASE_CONTRACT || fault->err.kind == ERR_RETRY)
		return (int)report->phase;
	return (int)report->phase + EXIT_PERMANENT;
}

static const char *result_name(const struct report *report, const struct fault *fault)
{
	if (fault->reason == REASON_INTERRUPTED)
		return "interrupted";
	if (fault->reason == REASON_ROWS_FAILED)
		return "partial";
	if (!succeeded(fault))
		return "failed";
	return report->rows_failed > 0 ? "partial" : "ok";
}

/* The first bytes of a text, cut between characters. */
static char *cut(const char *text, size_t max)
{
	return xstrndup(text, utf8_prefix(text, strlen(text), max));
}

static struct json *failures_of(const struct report *report, size_t max)
{
	struct json *list = json_array();

	for (int i = 0; i < FAILURES_MAX && i < report->rows_failed; i++) {
		auto_free char *message =
		    cut(report->failures[i].why.msg, max < FAILURE_MAX ? max : FAILURE_MAX);

		json_append(list, json_build("{'row': %d, 'http': %d, 'message': %s}",
					     report->failures[i].row,
					     (int64_t)report->failures[i].why.status, message));
	}
	return list;
}

static struct json *build(const struct report *report, const struct fault *fault,
			  const char *message)
{
	return json_build(
	    "{'v': 1, 'result': %s, 'exit': %d, 'phase': %s, 'reason': %s, 'message': %s,"
	    " 'http': %d, 'retryable': %b,"
	    " 'rows': {'in': %d, 'out': %d, 'stored': %d, 'failed': %d},"
	    " 'requests': %d, 'retries': %d, 'bytes': {'in': %d, 'out': %d},"
	    " 'ms': {'input': %d, 'inference': %d, 'output': %d}}",
	    result_name(report, fault), (int64_t)report_exit(report, fault),
	    phase_name(report->phase), reason_name(fault->reason), message,
	    (int64_t)fault->err.status,
	    fault->err.kind == ERR_RETRY || fault->reason == REASON_INTERRUPTED, report->rows_in,
	    report->rows_out, report->rows_stored, report->rows_failed, report->requests,
	    report->retries, report->bytes_in, report->bytes_out, report->ms[PHASE_INPUT],
	    report->ms[PHASE_INFERENCE], report->ms[PHASE_OUTPUT]);
}

/* The text with at most max bytes of the message. */
static char *text_with(const struct report *report, const struct fault *fault, size_t max)
{
	auto_free char *message = cut(fault->err.msg, max);
	auto_json struct json *value = build(report, fault, message);

	if (fault->err.status == 0)
		json_remove(value, "http");
	if (report->rows_resumed > 0)
		json_set(value, "resumed_rows", json_int(report->rows_resumed));
	if (report->rows_failed > 0)
		json_set(value, "failures", failures_of(report, max));
	return json_print(value);
}

char *report_text(const struct report *report, const struct fault *fault)
{
	auto_free char *text = NULL;
	size_t max = MESSAGE_MAX;

	/* Escapes make text longer, so measure instead of computing. */
	while (text = text_with(report, fault, max), strlen(text) > REPORT_MAX) {
		free(text);
		max /= 2;
	}
	return steal(text);
}

int report_write(const char *path, const char *text, struct err *err)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return err_set(err, ERR_RETRY, "cannot write the termination message: %s: %s", path,
			       strerror(errno));
	return 0;
}
