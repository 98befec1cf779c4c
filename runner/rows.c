#include "runner/rows.h"

void rows_done(struct rows *rows)
{
	buf_done(&rows->text);
	free(rows->starts);
	rows->starts = NULL;
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

int rows_not_json(const struct scan *s, struct fault *fault)
{
	scan_fail(s, &fault->err);
	err_wrap(&fault->err, "the input is not JSON");
	return fault_as(fault, REASON_INPUT_NOT_JSON);
}

/* ---- what a row may hold ---- */

static unsigned leaf_of(enum scan_token token)
{
	return token == SCAN_NUMBER   ? LEAF_NUMBER
	       : token == SCAN_STRING ? LEAF_STRING
	       : token == SCAN_NULL   ? LEAF_NULL
				      : LEAF_BOOL;
}

static const char *expected_leaf(unsigned leaves)
{
	return leaves == LEAF_NUMBER   ? "a number"
	       : leaves == LEAF_STRING ? "a string"
	       : leaves == LEAF_BOOL   ? "true or false"
				       : "another value";
}

static size_t number_of(const struct rows *rows)
{
	return (size_t)rows->first + rows->count + 1;
}

static int refuse_row(const struct rows *rows, enum scan_token found, struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
			 "row %zu: expected an array or an object, found %s", number_of(rows),
			 scan_token_name(found));
}

static int refuse_value(const struct rows *rows, enum scan_token found, struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
			 "row %zu, value %zu: expected %s, found %s", number_of(rows),
			 rows->leaves + 1, expected_leaf(rows->rule.leaves),
			 scan_token_name(found));
}

static int check_width(const struct rows *rows, struct fault *fault)
{
	if (!rows->rule.even)
		return 0;
	if (rows->leaves == 0)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "row %zu: expected values, found an empty row", number_of(rows));
	if (rows->width != 0 && rows->leaves != rows->width)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
				 "row %zu: expected %zu values as in row 1, found %zu",
				 number_of(rows), rows->width, rows->leaves);
	return 0;
}

/* ---- adding ---- */

static void begin_row(struct rows *rows)
{
	if (rows->count == rows->room) {
		rows->room = rows->room == 0 ? 64 : rows->room * 2;
		rows->starts = xrealloc(rows->starts, rows->room * sizeof(*rows->starts));
	}
	if (rows->count > 0)
		buf_addc(&rows->text, ',');
	rows->starts[rows->count] = rows->text.len;
	rows->leaves = 0;
	rows->depth = 0;
	rows->comma = false;
}

static int end_row(struct rows *rows, struct fault *fault)
{
	if (check_width(rows, fault) < 0)
		return -1;
	rows->width = rows->leaves;
	rows->count++;
	return 1;
}

/* The token as it stands in the text, a string or key with the quotes around its span. */
static void add_span(struct rows *rows, const struct scan *s, size_t quotes)
{
	if (rows->comma)
		buf_addc(&rows->text, ',');
	buf_add(&rows->text, s->span - quotes, s->span_len + 2 * quotes);
}

/* One more token of the row that is open; false if the rule forbids it. */
static bool add_token(struct rows *rows, const struct scan *s, enum scan_token token)
{
	switch (token) {
	case SCAN_OBJECT:
	case SCAN_ARRAY:
		if (rows->depth++ > 0 && !rows->rule.nested)
			return false;
		add_span(rows, s, 0);
		rows->comma = false;
		return true;
	case SCAN_OBJECT_END:
	case SCAN_ARRAY_END:
		rows->depth--;
		rows->comma = false;
		add_span(rows, s, 0);
		break;
	case SCAN_KEY:
		add_span(rows, s, 1);
		buf_addc(&rows->text, ':');
		rows->comma = false;
		return true;
	case SCAN_STRING:
	case SCAN_NUMBER:
	case SCAN_TRUE:
	case SCAN_FALSE:
	case SCAN_NULL:
		if ((leaf_of(token) & rows->rule.leaves) == 0)
			return false;
		add_span(rows, s, token == SCAN_STRING);
		rows->leaves++;
		break;
	case SCAN_ERROR:
	case SCAN_END:
		return false;
	}
	rows->comma = true;
	return true;
}

int rows_token(struct rows *rows, const struct scan *s, enum scan_token token, struct fault *fault)
{
	bool first = rows->depth == 0;

	if (token == SCAN_ERROR)
		return rows_not_json(s, fault);
	if (first && !rows->rule.scalars && token != SCAN_ARRAY && token != SCAN_OBJECT)
		return refuse_row(rows, token, fault);
	if (first)
		begin_row(rows);
	if (!add_token(rows, s, token))
		return refuse_value(rows, token, fault);
	if (rows->text.len - rows->starts[rows->count] > ROW_MAX)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_LIMIT,
				 "row %zu: expected at most %d bytes, found more", number_of(rows),
				 ROW_MAX);
	return rows->depth == 0 ? end_row(rows, fault) : 0;
}

int rows_add(struct rows *rows, const char *text, size_t len, struct fault *fault)
{
	struct scan s;
	int rc = 0;

	scan_init(&s, text, len);
	while (rc == 0)
		rc = rows_token(rows, &s, scan_next(&s), fault);
	if (rc < 0)
		return -1;
	return scan_next(&s) == SCAN_END ? 0 : rows_not_json(&s, fault);
}

/* ---- using ---- */

const char *rows_slice(const struct rows *rows, size_t from, size_t count, size_t *len)
{
	size_t start = rows->starts[from], end = rows->text.len;

	if (from + count < rows->count)
		end = rows->starts[from + count] - 1;
	*len = end - start;
	return rows->text.data + start;
}

void rows_take(struct rows *rows, struct rows *out)
{
	struct rows fresh = ROWS_INIT(rows->rule);

	fresh.width = rows->width;
	fresh.first = rows->first + (int64_t)rows->count;
	*out = *rows;
	*rows = fresh;
}

void rows_part(const struct rows *rows, size_t from, size_t count, struct rows *out)
{
	struct rows part = ROWS_INIT(rows->rule);
	size_t len;
	const char *text = rows_slice(rows, from, count, &len);

	buf_add(&part.text, text, len);
	part.starts = xcalloc(count, sizeof(*part.starts));
	for (size_t i = 0; i < count; i++)
		part.starts[i] = rows->starts[from + i] - rows->starts[from];
	part.count = part.room = count;
	part.width = rows->width;
	part.first = rows->first + (int64_t)from;
	*out = part;
}
