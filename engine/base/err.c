#include "base/err.h"

#include "base/utf8.h"

static void set_message(struct err *err, const char *text)
{
	size_t len = utf8_prefix(text, strlen(text), sizeof(err->msg) - 1);

	memmove(err->msg, text, len);
	err->msg[len] = '\0';
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	*err = (struct err){.kind = kind};
	set_message(err, text);
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	auto_free char *context = NULL;
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	context = xvasprintf(fmt, args);
	va_end(args);
	text = xasprintf("%s: %s", context, err->msg);
	set_message(err, text);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
	    [ERR_NONE] = "None",       [ERR_RETRY] = "Retry",        [ERR_CONFLICT] = "Conflict",
	    [ERR_GONE] = "Gone",       [ERR_NOT_FOUND] = "NotFound", [ERR_DENIED] = "Denied",
	    [ERR_INVALID] = "Invalid", [ERR_LIMIT] = "Limit",        [ERR_BUG] = "Bug",
	};

	return names[kind];
}
