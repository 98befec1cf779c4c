#include "kube/reply.h"

#include "base/buf.h"
#include "base/utf8.h"

/* No Status worth showing is longer; ERR_MSG_MAX cuts the message anyway. */
enum { BODY_SHOWN = 200, STATUS_MAX = 1 << 20, MESSAGE_MAX = 4096 };

static enum err_kind kind_of(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_CONFLICT;
	case 410:
		return ERR_GONE;
	case 408:
	case 429:
		return ERR_RETRY;
	default:
		return status >= 500 ? ERR_RETRY : ERR_INVALID;
	}
}

static void add_causes(struct buf *message, const struct json *status)
{
	const struct json *cause = json_first(json_at(status, "details", "causes"));
	const char *separator = " (";

	for (; cause != NULL; cause = json_next(cause)) {
		const char *text = json_get_str(cause, "message", "");
		const char *field = json_get_str(cause, "field", "");

		if (*text == '\0' || strstr(message->data, text) != NULL)
			continue;
		buf_addf(message, "%s%s%s%s", separator, field, *field != '\0' ? ": " : "", text);
		separator = "; ";
	}
	if (*separator == ';')
		buf_addc(message, ')');
}

static int set(struct err *err, int status, const char *message)
{
	err_set(err, kind_of(status), "HTTP %d: %s", status, message);
	err->status = status;
	return -1;
}

static int status_error(int code, const struct json *status, struct err *err)
{
	auto_buf struct buf message = BUF_INIT(MESSAGE_MAX);
	const char *text = json_get_str(status, "message", "");

	if (*text == '\0')
		text = json_get_str(status, "reason", "the server gave no reason");
	buf_add(&message, text, utf8_prefix(text, strlen(text), MESSAGE_MAX / 2));
	add_causes(&message, status);
	return set(err, code, message.data);
}

int reply_status_error(const struct json *status, struct err *err)
{
	int64_t code = json_get_int(status, "code", 0);
	const char *reason = json_get_str(status, "reason", "");

	if (streq(reason, "Expired") || streq(reason, "Gone"))
		code = 410;
	return status_error(code >= 400 && code <= 599 ? (int)code : 500, status, err);
}

static int body_error(int status, const char *body, size_t len, struct err *err)
{
	auto_buf struct buf message = BUF_INIT(MESSAGE_MAX);

	if (len == 0)
		return set(err, status, "the reply is empty");
	buf_adds(&message, "expected a Status object, found ");
	buf_add_json(&message, body, utf8_prefix(body, len, BODY_SHOWN));
	buf_adds(&message, len > BODY_SHOWN ? "..." : "");
	return set(err, status, message.data);
}

int reply_error(int status, const char *body, size_t len, struct err *err)
{
	struct err ignored = ERR_INIT;
	auto_json struct json *object = NULL;

	if (len <= STATUS_MAX)
		object = json_parse(body, len, &ignored);
	if (!streq(json_get_str(object, "kind", ""), "Status"))
		return body_error(status, body, len, err);
	return status_error(status, object, err);
}
