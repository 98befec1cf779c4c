#include "runner/rows.h"

void rows_done(struct rows *rows)
{
	buf_done(&rows->text);
}

bool scan_key_is(const struct scan *s, const char *key)
{
	auto_free char *text = NULL;

	if (!s->escaped)
		return s->span_len == strlen(key) && memcmp(s->span, key, s->span_len) == 0;
	text = scan_text(s);
	return streq(text, key);
}

const char *scan_token_name(enum scan_token token)
{
	static const char *const names[] = {
	    [SCAN_ERROR] = "an error",   [SCAN_END] = "the end",
	    [SCAN_OBJECT] = "an object", [SCAN_OBJECT_END] = "the end of an object",
	    [SCAN_ARRAY] = "an array",   [SCAN_ARRAY_END] = "the end of an array",
	    [SCAN_KEY] = "a key",        [SCAN_STRING] = "a string",
	    [SCAN_NUMBER] = "a number",  [SCAN_TRUE] = "true",
	    [SCAN_FALSE] = "false",      [SCAN_NULL] = "null",
	};

	return names[token];
}

static int not_json(const struct scan *s, struct fault *fault)
{
	scan_fail(s, &fault->err);
	err_wrap(&fault->err, "the input's reply is not JSON");
	return fault_as(fault, REASON_INPUT_NOT_JSON);
}

/* With '[' just read: copy the values up to ']'. */
static int read_row(struct scan *s, struct rows *rows, struct fault *fault)
{
	enum scan_token token;
	size_t width = 0;

	buf_adds(&rows->text, rows->count > 0 ? ",[" : "[");
	while ((token = scan_next(s)) == SCAN_NUMBER) {
		if (width++ > 0)
			buf_addc(&rows->text, ',');
		buf_add(&rows->text, s->span, s->span_len);
	}
	if (token == SCAN_ERROR)
		return not_json(s, fault);
	if (token != SCAN_ARRAY_END)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "result: row %zu, value %zu: expected a number, found %s",
				 rows->count + 1, width + 1, scan_token_name(token));
	if (width == 0)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "result: row %zu: expected numbers, found an empty row",
				 rows->count + 1);
	if (rows->count > 0 && width != rows->width)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "result: row %zu: expected %zu values as in row 1, found %zu",
				 rows->count + 1, rows->width, width);
	buf_addc(&rows->text, ']');
	rows->width = width;
	rows->count++;
	return 0;
}

/* With the first token of result's value just read. */
static int read_rows(struct scan *s, enum scan_token token, struct rows *rows, struct fault *fault)
{
	if (token == SCAN_NULL)
		return 0;
	if (token == SCAN_ERROR)
		return not_json(s, fault);
	if (token != SCAN_ARRAY)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "result: expected an array of rows, found %s",
				 scan_token_name(token));
	buf_addc(&rows->text, '[');
	while ((token = scan_next(s)) == SCAN_ARRAY)
		if (read_row(s, rows, fault) < 0)
			return -1;
	if (token == SCAN_ERROR)
		return not_json(s, fault);
	if (token != SCAN_ARRAY_END)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "result: row %zu: expected an array of numbers, found %s",
				 rows->count + 1, scan_token_name(token));
	buf_addc(&rows->text, ']');
	return 0;
}

static int read_reply(struct scan *s, struct rows *rows, struct fault *fault)
{
	size_t others = 0, results = 0;
	enum scan_token token = scan_next(s);

	if (token == SCAN_ERROR)
		return not_json(s, fault);
	if (token != SCAN_OBJECT)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "the input's reply: expected {\"result\": [[...], ...]}, found %s",
				 scan_token_name(token));
	while ((token = scan_next(s)) == SCAN_KEY) {
		if (!scan_key_is(s, "result")) {
			others++;
			scan_skip(s, scan_next(s));
			continue;
		}
		if (results++ > 0)
			return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
					 "the input's reply: expected one result, found two");
		if (read_rows(s, scan_next(s), rows, fault) < 0)
			return -1;
	}
	if (token == SCAN_ERROR || scan_next(s) != SCAN_END)
		return not_json(s, fault);
	if (results == 0 && others > 0)
		return fault_set(
		    fault, REASON_INPUT_INVALID, ERR_INVALID,
		    "the input's reply: expected the member result, found only others");
	return 0;
}

int rows_parse(const char *text, size_t len, struct rows *rows, struct fault *fault)
{
	struct rows found = ROWS_INIT;
	struct scan s;

	scan_init(&s, text, len);
	if (read_reply(&s, &found, fault) < 0) {
		rows_done(&found);
		return -1;
	}
	*rows = found;
	return 0;
}
