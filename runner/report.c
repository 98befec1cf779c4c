#include "runner/report.h"

#include <errno.h>
#include <fcntl.h>

#include "base/json.h"
#include "base/utf8.h"

enum { MESSAGE_MAX = 512 };

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
	    [REASON_INTERRUPTED] = "Interrupted",
	    [REASON_INTERNAL] = "Internal",
	    [REASON_CONTRACT_INVALID] = "ContractInvalid",
	    [REASON_SECRET_NOT_FOUND] = "SecretNotFound",
	    [REASON_SECRET_FORBIDDEN] = "SecretForbidden",
	    [REASON_SECRET_INVALID] = "SecretInvalid",
	    [REASON_SECRET_UNAVAILABLE] = "SecretUnavailable",
	    [REASON_NOTEBOOK_FAILED] = "NotebookFailed",
	    [REASON_ARG_TOO_LONG] = "ArgTooLong",
	    [REASON_INPUT_UNAVAILABLE] = "InputUnavailable",
	    [REASON_INPUT_REJECTED] = "InputRejected",
	    [REASON_INPUT_NOT_JSON] = "InputNotJSON",
	    [REASON_INPUT_INVALID] = "InputInvalid",
	    [REASON_MODEL_UNAVAILABLE] = "ModelUnavailable",
	    [REASON_MODEL_REJECTED] = "ModelRejected",
	    [REASON_MODEL_REPLY_INVALID] = "ModelReplyInvalid",
	    [REASON_SHAPE_MISMATCH] = "ShapeMismatch",
	    [REASON_OUTPUT_UNAVAILABLE] = "OutputUnavailable",
	    [REASON_OUTPUT_REJECTED] = "OutputRejected",
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

static bool succeeded(const struct fault *fault)
{
	return fault->reason == REASON_COMPLETED || fault->reason == REASON_INPUT_EMPTY;
}

int report_exit(const struct report *report, const struct fault *fault)
{
	if (succeeded(fault))
		return 0;
	if (fault->reason == REASON_INTERRUPTED)
		return EXIT_INTERRUPTED;
	return fault->reason == REASON_INTERNAL ? EXIT_INTERNAL : (int)report->phase;
}

/* The text with at most max bytes of the message. */
static char *text_with(const struct report *report, const struct fault *fault, size_t max)
{
	const char *full = fault->err.msg;
	auto_free char *message = xstrndup(full, utf8_prefix(full, strlen(full), max));
	auto_json struct json *value = json_build(
	    "{'v': 1, 'result': %s, 'exit': %d, 'phase': %s, 'reason': %s, 'message': %s,"
	    " 'http': %d, 'retryable': %b, 'rows': {'in': %d, 'out': %d, 'stored': %d},"
	    " 'ms': {'input': %d, 'inference': %d, 'output': %d}}",
	    succeeded(fault) ? "ok" : "failed", (int64_t)report_exit(report, fault),
	    phase_name(report->phase), reason_name(fault->reason), message,
	    (int64_t)fault->err.status,
	    fault->err.kind == ERR_RETRY || fault->reason == REASON_INTERRUPTED, report->rows_in,
	    report->rows_out, report->rows_stored, report->ms[PHASE_INPUT],
	    report->ms[PHASE_INFERENCE], report->ms[PHASE_OUTPUT]);

	if (fault->err.status == 0)
		json_remove(value, "http");
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
