/* format_json.c - the formats json and jsonl. */
#include "runner/format.h"

struct decoder {
	struct scan scan;
	enum {
		AT_ROOT,
		AT_MEMBER, /* of the root object */
		AT_OTHER,  /* in the value of a member that is not result */
		AT_RESULT,
		AT_ROW, /* between two rows, or in one if inside */
		AT_TAIL
	} at;
	bool inside;
	bool hungry; /* the scanner waits for more text */
	size_t results, others;
};

static struct decoder *decoder_new(const struct json *settings UNUSED)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	scan_init(&d->scan, "", 0);
	d->hungry = true;
	return d;
}

static void decoder_free(struct decoder *d)
{
	free(d);
}

/* ---- json ---- */

static int unexpected(const char *expected, enum scan_token found, struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID, "%s, found %s", expected,
			 scan_token_name(found));
}

static int at_root(struct decoder *d, enum scan_token token, struct fault *fault)
{
	if (token != SCAN_OBJECT && token != SCAN_ARRAY)
		return unexpected("the input: expected rows as [...] or {\"result\": [...]}", token,
				  fault);
	d->at = token == SCAN_OBJECT ? AT_MEMBER : AT_ROW;
	return 0;
}

static int at_member(struct decoder *d, enum scan_token token, struct fault *fault)
{
	if (token == SCAN_OBJECT_END) {
		d->at = AT_TAIL;
		if (d->results == 0 && d->others > 0)
			return fault_set(
			    fault, REASON_INPUT_INVALID, ERR_INVALID,
			    "the input: expected the member result, found only others");
	} else if (!scan_key_is(&d->scan, "result")) {
		d->others++;
		d->at = AT_OTHER;
	} else if (d->results++ > 0) {
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "the input: expected one result, found two");
	} else {
		d->at = AT_RESULT;
	}
	return 0;
}

static int at_result(struct decoder *d, enum scan_token token, struct fault *fault)
{
	if (token != SCAN_ARRAY && token != SCAN_NULL)
		return unexpected("result: expected an array of rows", token, fault);
	d->at = token == SCAN_ARRAY ? AT_ROW : AT_MEMBER;
	return 0;
}

static int at_row(struct decoder *d, enum scan_token token, struct rows *rows, struct fault *fault)
{
	int rc;

	if (!d->inside && token == SCAN_ARRAY_END) {
		d->at = d->scan.depth > 0 ? AT_MEMBER : AT_TAIL;
		return 0;
	}
	rc = rows_token(rows, &d->scan, token, fault);
	d->inside = rc == 0;
	return rc;
}

/* As next() of format.h, for one token. */
static int step(struct decoder *d, enum scan_token token, struct rows *rows, struct fault *fault)
{
	if (token == SCAN_ERROR)
		return rows_not_json(&d->scan, fault);
	switch (d->at) {
	case AT_ROOT:
		return at_root(d, token, fault);
	case AT_MEMBER:
		return at_member(d, token, fault);
	case AT_OTHER:
		d->at = d->scan.depth == 1 ? AT_MEMBER : AT_OTHER;
		return 0;
	case AT_RESULT:
		return at_result(d, token, fault);
	case AT_ROW:
		return at_row(d, token, rows, fault);
	case AT_TAIL:
		break;
	}
	return 0;
}

static int json_next_row(struct decoder *d, struct feed *feed, struct rows *rows,
			 struct fault *fault)
{
	enum scan_token token;
	int rc = 0;

	if (d->hungry)
		scan_more(&d->scan, feed->bytes.data + feed->at, feed->bytes.len - feed->at);
	d->hungry = false;
	while (rc == 0 && !d->hungry) {
		d->hungry = !scan_step(&d->scan, feed->last, &token) || token == SCAN_END;
		if (!d->hungry)
			rc = step(d, token, rows, fault);
	}
	feed->at = (size_t)(d->scan.at - feed->bytes.data);
	return rc;
}

/* ---- jsonl ---- */

static bool is_blank(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r", *text) != NULL && *text != '\0') {
		text++;
		len--;
	}
	return len == 0;
}

static int add_line(const char *line, size_t len, struct rows *rows, struct fault *fault)
{
	long long number = rows->first + (long long)rows->count + 1;

	if (is_blank(line, len))
		return 0;
	if (rows_add(rows, line, len, fault) == 0)
		return 1;
	if (fault->reason == REASON_INPUT_NOT_JSON)
		err_wrap(&fault->err, "row %lld", number);
	return -1;
}

static int jsonl_next_row(struct decoder *d UNUSED, struct feed *feed, struct rows *rows,
			  struct fault *fault)
{
	int rc = 0;

	while (rc == 0 && feed->at < feed->bytes.len) {
		const char *line = feed->bytes.data + feed->at;
		size_t left = feed->bytes.len - feed->at, len;
		const char *newline = memchr(line, '\n', left);

		if (newline == NULL && !feed->last)
			return 0;
		len = newline != NULL ? (size_t)(newline - line) : left;
		feed->at += newline != NULL ? len + 1 : len;
		rc = add_line(line, len, rows, fault);
	}
	return rc;
}

/* ---- writing ---- */

static int add_object(const struct json *settings UNUSED, const struct cell *cells, size_t count,
		      bool header, struct buf *out, struct fault *fault UNUSED)
{
	if (header)
		return 0;
	buf_addc(out, '{');
	for (size_t i = 0; i < count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_add_json(out, cells[i].name, strlen(cells[i].name));
		buf_addc(out, ':');
		buf_add(out, cells[i].text, cells[i].len);
	}
	buf_addc(out, '}');
	return 0;
}

const struct format json_format = {
    .name = "json",
    .media = "application/json",
    .suffixes = {".json"},
    .decoder_new = decoder_new,
    .next = json_next_row,
    .decoder_free = decoder_free,
    .uneven = true,
    .open = "[",
    .between = ",",
    .close = "]",
    .add_record = add_object,
};

const struct format jsonl_format = {
    .name = "jsonl",
    .media = "application/x-ndjson",
    .suffixes = {".jsonl", ".ndjson"},
    .decoder_new = decoder_new,
    .next = jsonl_next_row,
    .decoder_free = decoder_free,
    .uneven = true,
    .lines = true,
    .open = "",
    .between = "\n",
    .close = "",
    .add_record = add_object,
};
