#include "runner/results.h"

#include "base/utf8.h"

enum { ERROR_MAX = 200 };

void results_done(struct results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		free(results->outputs[i].name);
		free(results->outputs[i].datatype);
	}
	results->count = 0;
}

/* ---- one value after another ---- */

struct cursor {
	struct scan scan;
	bool leaves;
	const char *text; /* of the value, with its quotes */
	size_t len;
};

static void cursor_init(struct cursor *c, const struct output *output)
{
	scan_init(&c->scan, output->data, output->len);
	c->leaves = output->are == VALUES_LEAVES;
	if (output->are == VALUES_ELEMENTS)
		scan_next(&c->scan);
}

/* The data have been read before, so they are JSON and have as many values as were counted. */
static void cursor_next(struct cursor *c)
{
	enum scan_token token = scan_next(&c->scan);

	while (c->leaves && (token == SCAN_ARRAY || token == SCAN_ARRAY_END))
		token = scan_next(&c->scan);
	if (!c->leaves)
		scan_skip(&c->scan, token);
	c->text = c->scan.span - (token == SCAN_STRING);
	c->len = c->scan.span_len + (token == SCAN_STRING ? 2 : 0);
}

/* A record of the format jsonl is one line; a line's end can only stand between two tokens. */
static void add_line(const char *text, size_t len, struct buf *out)
{
	while (len > 0) {
		size_t run = 0;

		while (run < len && text[run] != '\n' && text[run] != '\r')
			run++;
		buf_add(out, text, run);
		run += run < len; /* without the line's end */
		text += run;
		len -= run;
	}
}

/* ---- flat ---- */

/* '=' in a string is escaped: notebooks cut their arguments at it. */
static void add_flat(const struct cursor *c, struct buf *out)
{
	if (*c->text != '"' || memchr(c->text, '=', c->len) == NULL) {
		add_line(c->text, c->len, out);
		return;
	}
	for (size_t i = 0; i < c->len; i++) {
		if (c->text[i] == '=')
			buf_adds(out, "\\u003d");
		else
			buf_addc(out, c->text[i]);
	}
}

static void encode_flat(const struct results *results, const struct format *format, struct buf *out)
{
	struct cursor c;

	cursor_init(&c, &results->outputs[0]);
	for (size_t i = 0; i < results->outputs[0].values; i++) {
		buf_adds(out, i > 0 ? format->between : "");
		cursor_next(&c);
		add_flat(&c, out);
	}
}

/* ---- rows ---- */

/* The next `count` values, as a list unless it is one. */
static void add_values(struct cursor *c, size_t count, struct buf *out)
{
	buf_adds(out, count != 1 ? "[" : "");
	for (size_t i = 0; i < count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		cursor_next(c);
		add_line(c->text, c->len, out);
	}
	buf_adds(out, count != 1 ? "]" : "");
}

/* Make the cells of the next row; their texts stand in scratch. */
static void make_cells(const struct results *results, struct cursor *cursors, int64_t row,
		       struct cell *cells, struct buf *scratch)
{
	size_t starts[OUTPUTS_MAX + 2] = {0};

	buf_clear(scratch);
	buf_addf(scratch, "%lld", (long long)row + 1);
	cells[0].name = "row";
	for (size_t i = 0; i < results->count; i++) {
		const struct output *output = &results->outputs[i];

		starts[i + 1] = scratch->len;
		add_values(&cursors[i], output->values / results->rows, scratch);
		cells[i + 1].name = output->name;
	}
	starts[results->count + 1] = scratch->len;
	for (size_t i = 0; i <= results->count; i++) {
		cells[i].text = scratch->data + starts[i];
		cells[i].len = starts[i + 1] - starts[i];
	}
}

static int check_rows(const struct results *results, struct fault *fault)
{
	for (size_t i = 0; i < results->count; i++)
		if (results->outputs[i].values % results->rows != 0)
			return fault_set(
			    fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
			    "the model's reply: expected values for %zu rows in output %s, "
			    "found %zu values",
			    results->rows, results->outputs[i].name, results->outputs[i].values);
	return 0;
}

/* The names are members of one object, beside "row". */
static int check_names(const struct results *results, struct fault *fault)
{
	for (size_t i = 0; i < results->count; i++) {
		const char *name = results->outputs[i].name;
		bool taken = streq(name, "row");

		for (size_t k = 0; k < i; k++)
			taken = taken || streq(name, results->outputs[k].name);
		if (taken)
			return fault_set(
			    fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
			    "the model's reply: expected for each output a name of its "
			    "own and not row, found %s: the layout tensors takes it",
			    name);
	}
	return 0;
}

static int encode_rows(const struct results *results, const struct section *section, int64_t first,
		       struct buf *out, struct buf *header, struct fault *fault)
{
	const struct format *format = section->format;
	auto_free struct cursor *cursors = xcalloc(results->count, sizeof(*cursors));
	auto_buf struct buf scratch = BUF_INIT(SIZE_MAX / 2);
	struct cell cells[OUTPUTS_MAX + 1];

	if (check_rows(results, fault) < 0 || check_names(results, fault) < 0)
		return -1;
	for (size_t i = 0; i < results->count; i++)
		cursor_init(&cursors[i], &results->outputs[i]);
	for (size_t i = 0; i < results->rows; i++) {
		make_cells(results, cursors, first + (int64_t)i, cells, &scratch);
		if (i == 0 && format->add_record(section->settings, cells, results->count + 1, true,
						 header, fault) < 0)
			return -1;
		buf_adds(out, i > 0 ? format->between : "");
		if (format->add_record(section->settings, cells, results->count + 1, false, out,
				       fault) < 0)
			return -1;
	}
	return 0;
}

/* ---- tensors ---- */

static void add_tensor(const struct output *output, struct buf *out)
{
	buf_adds(out, "{\"name\":");
	buf_add_json(out, output->name, strlen(output->name));
	buf_adds(out, ",\"datatype\":");
	buf_add_json(out, output->datatype, strlen(output->datatype));
	buf_adds(out, ",\"shape\":[");
	for (size_t i = 0; i < output->shape.rank; i++)
		buf_addf(out, "%s%lld", i > 0 ? "," : "", (long long)output->shape.dims[i]);
	buf_adds(out, "],\"data\":");
	add_line(output->data, output->len, out);
	buf_addc(out, '}');
}

static void encode_tensors(const struct results *results, int64_t first, struct buf *out)
{
	buf_addf(out, "{\"row\":%lld,\"rows\":%zu,\"outputs\":[", (long long)first + 1,
		 results->rows);
	for (size_t i = 0; i < results->count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		add_tensor(&results->outputs[i], out);
	}
	buf_adds(out, "]}");
}

int results_encode(const struct results *results, const struct section *section, int64_t first,
		   struct buf *out, struct buf *header, struct fault *fault)
{
	switch (section->layout) {
	case LAYOUT_FLAT:
		encode_flat(results, section->format, out);
		return 0;
	case LAYOUT_ROWS:
		return encode_rows(results, section, first, out, header, fault);
	case LAYOUT_TENSORS:
		encode_tensors(results, first, out);
		return 0;
	}
	return 0;
}

void results_encode_failed(const struct section *section, int64_t row, const struct err *why,
			   struct buf *out)
{
	if (section->layout != LAYOUT_ROWS || !section->format->uneven)
		return;
	buf_addf(out, "{\"row\":%lld,\"error\":{\"status\":%d,\"message\":", (long long)row + 1,
		 why->status);
	buf_add_json(out, why->msg, utf8_prefix(why->msg, strlen(why->msg), ERROR_MAX));
	buf_adds(out, "}}");
}
