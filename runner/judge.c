#include "runner/judge.h"

#include "base/json.h"
#include "base/utf8.h"
#include "runner/rows.h"

enum { QUOTE_MAX = 200 };

/* The texts of the handler and of its stock notebooks ("agument" is theirs). */
static const char missing_argument[] = "missing agument for call";
static const char no_database[] = "no connection info for database";
static const char traceback[] = "Traceback (most recent call last)";

int judge_no_answer(const struct http_reply *reply, enum reason unavailable, struct fault *fault)
{
	if (reply->interrupted)
		return fault_as(fault, REASON_INTERRUPTED);
	return fault_as(fault, fault->err.kind == ERR_BUG ? REASON_INTERNAL : unavailable);
}

/* The first bytes of a text on one line, for a message. */
static char *quote(const char *text, size_t len)
{
	size_t n = utf8_prefix(text, len, QUOTE_MAX);
	char *line = xstrndup(text, n);

	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7F)
			*p = ' ';
	return line;
}

/* The last line of a traceback names the error; the end of it is what counts. */
static char *quote_last_line(const char *text, size_t len)
{
	const char *newline, *start;

	while (len > 0 && (unsigned char)text[len - 1] <= ' ')
		len--;
	newline = memrchr(text, '\n', len);
	start = newline != NULL ? newline + 1 : text;
	if ((size_t)(text + len - start) > QUOTE_MAX)
		start = text + len - QUOTE_MAX;
	while (start < text + len && ((unsigned char)*start & 0xC0) == 0x80)
		start++;
	return quote(start, (size_t)(text + len - start));
}

/* With the value of "error" just read: what it says, or NULL if it stands for no error. */
static char *read_error(struct scan *s, enum scan_token token)
{
	auto_free char *text = NULL;

	if (token == SCAN_NULL || token == SCAN_FALSE || token == SCAN_ERROR)
		return NULL;
	if (token == SCAN_STRING) {
		text = scan_text(s);
		return *text != '\0' ? quote(text, strlen(text)) : NULL;
	}
	scan_skip(s, token);
	return quote(s->span, s->span_len);
}

/* True if the whole body is JSON; *error is what a top-level member "error" says. */
static bool is_json(const char *body, size_t len, char **error)
{
	auto_free char *says = NULL;
	enum scan_token token;
	struct scan s;

	scan_init(&s, body, len);
	token = scan_next(&s);
	if (token == SCAN_OBJECT) {
		while ((token = scan_next(&s)) == SCAN_KEY) {
			bool is_error = scan_key_is(&s, "error") && says == NULL;

			token = scan_next(&s);
			if (is_error)
				says = read_error(&s, token);
			else
				scan_skip(&s, token);
		}
	} else {
		scan_skip(&s, token);
	}
	if (token == SCAN_ERROR || scan_next(&s) != SCAN_END)
		return false;
	*error = steal(says);
	return true;
}

enum body judge_body(const char *body, size_t len, char **says)
{
	const char *end = body + len, *found;

	*says = NULL;
	while (body < end && strchr(" \t\r\n", *body) != NULL && *body != '\0')
		body++;
	len = (size_t)(end - body);
	if (len == 0)
		return BODY_EMPTY;
	if (is_json(body, len, says))
		return *says != NULL ? BODY_ERROR : BODY_JSON;
	if ((found = memmem(body, len, missing_argument, strlen(missing_argument))) != NULL ||
	    (found = memmem(body, len, no_database, strlen(no_database))) != NULL) {
		*says = quote(found, (size_t)(end - found));
		return BODY_NOTEBOOK;
	}
	if (memmem(body, len, traceback, strlen(traceback)) != NULL) {
		*says = quote_last_line(body, len);
		return BODY_NOTEBOOK;
	}
	*says = quote(body, len);
	return *body == '<' ? BODY_HTML : BODY_TEXT;
}

static enum err_kind kind_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 408:
	case 425:
	case 429:
		return ERR_RETRY;
	default:
		return status >= 500 && status != 501 ? ERR_RETRY : ERR_INVALID;
	}
}

static bool mentions(const struct http_reply *reply, const char *words)
{
	return strcasestr(reply->body.data, words) != NULL;
}

/* The database handler hides what its database or framework refuses behind a 500. */
static enum err_kind kind_of(const struct http_reply *reply)
{
	if (reply->status == 500 && mentions(reply, "authentication failed"))
		return ERR_DENIED;
	return kind_of_status(reply->status);
}

int judge_status(const struct http_reply *reply, const char *who, enum reason rejected,
		 enum reason unavailable, struct fault *fault)
{
	enum err_kind kind = kind_of(reply);
	auto_free char *says = NULL;

	if (reply->status >= 200 && reply->status < 300)
		return 0;
	judge_body(reply->body.data, reply->body.len, &says);
	fault_set(fault, http_status_passing(reply->status) ? unavailable : rejected, kind,
		  "%s: expected HTTP status 2xx, found %d%s%s", who, reply->status,
		  says != NULL ? ", which says: " : "", says != NULL ? says : "");
	fault->err.status = reply->status;
	return -1;
}

/* ---- the output ---- */

int judge_notebook(const char *who, const char *says, struct fault *fault)
{
	return fault_set(fault, REASON_NOTEBOOK_FAILED, ERR_INVALID,
			 "%s: HTTP status 200, but the notebook failed: %s", who, says);
}

int judge_stored_status(const struct http_reply *reply, struct fault *fault)
{
	bool gateway = reply->status == 502 || reply->status == 504;

	return judge_status(reply, "the output", REASON_OUTPUT_REJECTED,
			    gateway ? REASON_OUTPUT_AMBIGUOUS : REASON_OUTPUT_UNAVAILABLE, fault);
}

int judge_stored(const struct http_reply *reply, struct fault *fault)
{
	auto_free char *says = NULL;

	if (judge_stored_status(reply, fault) < 0)
		return -1;
	switch (judge_body(reply->body.data, reply->body.len, &says)) {
	case BODY_EMPTY:
	case BODY_JSON:
		return 0;
	case BODY_ERROR:
		return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_INVALID,
				 "the output: HTTP status 200, but an error: %s", says);
	case BODY_NOTEBOOK:
		return judge_notebook("the output", says, fault);
	case BODY_HTML:
	case BODY_TEXT:
		break;
	}
	return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_INVALID,
			 "the output: expected an empty body or JSON, found: %s", says);
}

/* ---- the model ---- */

enum { TRIES_OF_500 = 2 };

static enum verdict judge_silence(const struct http_reply *reply, size_t rows, struct fault *fault)
{
	enum err_kind kind = fault->err.kind;

	judge_no_answer(reply, REASON_MODEL_UNAVAILABLE, fault);
	if (reply->interrupted)
		return VERDICT_OVER;
	if (reply->timed_out)
		fault_as(fault, REASON_MODEL_TIMEOUT);
	if (reply->timed_out || kind == ERR_LIMIT)
		return rows > 1            ? VERDICT_SMALLER
		       : kind == ERR_LIMIT ? VERDICT_ROWS
					   : VERDICT_AGAIN;
	return kind == ERR_RETRY ? VERDICT_AGAIN : VERDICT_OVER;
}

static bool is_json_body(const struct http_reply *reply)
{
	auto_free char *says = NULL;
	enum body body = judge_body(reply->body.data, reply->body.len, &says);

	return body == BODY_JSON || body == BODY_ERROR;
}

static enum verdict unavailable(struct fault *fault)
{
	fault->err.kind = ERR_RETRY;
	fault_as(fault, REASON_MODEL_UNAVAILABLE);
	return VERDICT_AGAIN;
}

enum verdict judge_model(int rc, const struct http_reply *reply, bool started, int tries,
			 size_t rows, struct fault *fault)
{
	if (rc < 0)
		return judge_silence(reply, rows, fault);
	if (judge_status(reply, "the model", REASON_MODEL_REJECTED, REASON_MODEL_UNAVAILABLE,
			 fault) == 0)
		return VERDICT_GOOD;
	switch (reply->status) {
	case 400:
		return mentions(reply, "not ready") ? unavailable(fault) : VERDICT_ROWS;
	case 404:
		return !started && !is_json_body(reply) ? unavailable(fault) : VERDICT_OVER;
	case 413:
		return rows > 1 ? VERDICT_SMALLER : VERDICT_ROWS;
	case 422:
		return VERDICT_ROWS;
	case 500:
		if (tries < TRIES_OF_500)
			return VERDICT_AGAIN;
		fault->err.kind = ERR_INVALID; /* to the rows: another pod would hear the same */
		return VERDICT_ROWS;
	case 504:
		return rows > 1 ? VERDICT_SMALLER : unavailable(fault);
	case 408:
	case 425:
		return unavailable(fault);
	default:
		return fault->err.kind == ERR_RETRY ? unavailable(fault) : VERDICT_OVER;
	}
}

int judge_reply(const char *text, size_t len, struct fault *fault)
{
	auto_free char *says = NULL;

	if (judge_body(text, len, &says) != BODY_ERROR)
		return 0;
	return fault_set(fault, REASON_MODEL_REJECTED, ERR_INVALID,
			 "the model: HTTP status 200, but an error: %s", says);
}

int judge_not_json(const struct scan *s, struct fault *fault)
{
	scan_fail(s, &fault->err);
	err_wrap(&fault->err, "the model's reply is not JSON");
	return fault_as(fault, REASON_MODEL_REPLY_INVALID);
}
