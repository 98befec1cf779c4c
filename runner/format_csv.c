/* format_csv.c - the format csv (RFC 4180). */
#include "base/map.h"
#include "runner/csv_field.h"
#include "runner/field.h"
#include "runner/format.h"

static const char bom[] = "\xEF\xBB\xBF";

struct decoder {
	char delimiter;
	enum { HEADER_NONE, HEADER_GIVEN, HEADER_GUESSED } header;
	bool objects;
	bool started;      /* the byte order mark is behind us */
	size_t columns;    /* of the first record; 0: not read yet */
	struct buf names;  /* of the columns, where objects: JSON strings */
	size_t *name_ends; /* in names */
	struct map *known; /* names, so that none comes twice */
	size_t seen;       /* bytes of the record that have been searched for its end */
	enum { FIELD_START, FIELD_PLAIN, FIELD_QUOTED, FIELD_CLOSED } in; /* where the search is */
	struct buf row, cell; /* scratch: the row as JSON, a field without its quotes */
};

/* ---- settings ---- */

static int check_delimiter(const struct json *settings, const char *where, struct err *err)
{
	const char *delimiter;

	if (field_string(settings, where, "delimiter", &delimiter, err) < 0)
		return -1;
	if (*delimiter == '\0' || (strlen(delimiter) == 1 && strchr("\"\r\n", *delimiter) == NULL &&
				   (unsigned char)*delimiter < 0x80))
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "%s.delimiter: expected one ASCII character, no quote and no line end, found "
	    "\"%s\"",
	    where, delimiter);
}

static int check(const struct json *settings, const char *where, struct err *err)
{
	bool header = true;
	const char *rows;

	if (check_delimiter(settings, where, err) < 0 ||
	    field_bool(settings, where, "header", &header, err) < 0 ||
	    field_string(settings, where, "rows", &rows, err) < 0)
		return -1;
	if (!streq(rows, "") && !streq(rows, "arrays") && !streq(rows, "objects"))
		return err_set(err, ERR_INVALID,
			       "%s.rows: expected arrays or objects, found \"%s\"", where, rows);
	if (streq(rows, "objects") && !header)
		return err_set(
		    err, ERR_INVALID,
		    "%s.rows: expected arrays, found objects: without a header there are "
		    "no names for their members",
		    where);
	return 0;
}

static char delimiter_of(const struct json *settings)
{
	const char *delimiter = json_get_str(settings, "delimiter", "");

	return *delimiter != '\0' ? *delimiter : ',';
}

static bool has_header(const struct json *settings)
{
	const struct json *header = json_get(settings, "header");

	return json_type(header) != JSON_BOOL || json_is_true(header);
}

static struct decoder *decoder_new(const struct json *settings)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->delimiter = delimiter_of(settings);
	d->header = !has_header(settings)                                  ? HEADER_NONE
		    : json_type(json_get(settings, "header")) == JSON_BOOL ? HEADER_GIVEN
									   : HEADER_GUESSED;
	d->objects = streq(json_get_str(settings, "rows", ""), "objects");
	d->known = map_new(NULL);
	d->names = d->row = d->cell = (struct buf)BUF_INIT(SIZE_MAX / 2);
	return d;
}

static void decoder_free(struct decoder *d)
{
	buf_done(&d->names);
	buf_done(&d->row);
	buf_done(&d->cell);
	free(d->name_ends);
	map_free(d->known);
	free(d);
}

/* ---- records ---- */

static void search(struct decoder *d, char c)
{
	if (c == '"' && d->in != FIELD_PLAIN)
		d->in = d->in == FIELD_QUOTED ? FIELD_CLOSED : FIELD_QUOTED;
	else if (d->in != FIELD_QUOTED)
		d->in = c == d->delimiter ? FIELD_START : FIELD_PLAIN;
}

/* True if a whole record is there: *len with its line end, which the last one may lack. */
static bool find_end(struct decoder *d, const struct feed *feed, size_t *len)
{
	const char *text = feed->bytes.data + feed->at;
	size_t left = feed->bytes.len - feed->at;

	while (d->seen < left && (text[d->seen] != '\n' || d->in == FIELD_QUOTED))
		search(d, text[d->seen++]);
	if (d->seen == left && !feed->last)
		return false;
	*len = d->seen < left ? d->seen + 1 : left;
	return *len > 0;
}

/* Skip the byte order mark; false where more bytes must tell whether there is one. */
static bool skip_bom(struct decoder *d, struct feed *feed)
{
	size_t left = feed->bytes.len - feed->at, len = left < strlen(bom) ? left : strlen(bom);
	bool like = memcmp(feed->bytes.data + feed->at, bom, len) == 0;

	if (like && len < strlen(bom) && !feed->last)
		return false;
	if (like && len == strlen(bom))
		feed->at += len;
	d->started = true;
	return true;
}

/* ---- rows ---- */

/* What a field is depends on what the model takes: 12 for a tensor of BYTES is "12". */
static void add_value(struct decoder *d, bool quoted, unsigned leaves)
{
	const char *text;
	size_t len;

	if (!quoted && (leaves & LEAF_NUMBER) != 0 && csv_is_number(&d->cell, &text, &len))
		buf_add(&d->row, text, len);
	else if (!quoted && (leaves & LEAF_NULL) != 0 && d->cell.len == 0)
		buf_adds(&d->row, "null");
	else if (leaves == LEAF_BOOL &&
		 (streq(d->cell.data, "true") || streq(d->cell.data, "false")))
		buf_add(&d->row, d->cell.data, d->cell.len);
	else
		buf_add_json(&d->row, d->cell.data, d->cell.len);
}

static int refuse(const struct rows *rows, size_t column, const char *problem, struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID, "row %lld, value %zu: %s",
			 (long long)rows->first + (long long)rows->count + 1, column, problem);
}

static const char *add_name(struct decoder *d, size_t column)
{
	if (map_get(d->known, d->cell.data) != NULL)
		return "expected names that differ, found one twice";
	map_put(d->known, d->cell.data, d);
	d->name_ends = xrealloc(d->name_ends, (column + 1) * sizeof(*d->name_ends));
	buf_add_json(&d->names, d->cell.data, d->cell.len);
	d->name_ends[column] = d->names.len;
	return NULL;
}

static void add_key(struct decoder *d, size_t column)
{
	size_t start = column > 0 ? d->name_ends[column - 1] : 0;

	buf_add(&d->row, d->names.data + start, d->name_ends[column] - start);
	buf_addc(&d->row, ':');
}

/* A header that nobody has asked for and that is all numbers is a row more likely. */
static int check_header(const struct decoder *d, size_t columns, size_t numbers,
			struct fault *fault)
{
	if (d->header != HEADER_GUESSED || numbers < columns)
		return 0;
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
			 "the first line: expected names of columns, found numbers: set header to "
			 "false if it is a row");
}

static int read_header(struct decoder *d, const char *at, const char *end, struct fault *fault)
{
	size_t column = 0, numbers = 0;

	for (;; at++, column++) {
		const char *problem = NULL, *text;
		bool quoted;
		size_t len;

		at = csv_read(at, end, d->delimiter, &d->cell, &quoted, &problem);
		if (problem == NULL && d->objects)
			problem = add_name(d, column);
		if (problem != NULL)
			return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
					 "the first line, name %zu: %s", column + 1, problem);
		numbers += !quoted && csv_is_number(&d->cell, &text, &len);
		if (at == end)
			break;
	}
	d->columns = column + 1;
	return check_header(d, d->columns, numbers, fault);
}

static int read_row(struct decoder *d, const char *at, const char *end, struct rows *rows,
		    struct fault *fault)
{
	size_t column = 0;

	buf_clear(&d->row);
	buf_addc(&d->row, d->objects ? '{' : '[');
	for (;; at++, column++) {
		const char *problem = NULL;
		bool quoted;

		at = csv_read(at, end, d->delimiter, &d->cell, &quoted, &problem);
		if (problem == NULL && d->columns > 0 && column == d->columns)
			problem = "expected no more values than in the first line";
		if (problem != NULL)
			return refuse(rows, column + 1, problem, fault);
		buf_adds(&d->row, column > 0 ? "," : "");
		if (d->objects)
			add_key(d, column);
		add_value(d, quoted, rows->rule.leaves);
		if (at == end)
			break;
	}
	if (column + 1 < d->columns)
		return refuse(rows, column + 2, "expected as many values as in the first line",
			      fault);
	d->columns = column + 1;
	buf_addc(&d->row, d->objects ? '}' : ']');
	return rows_add(rows, d->row.data, d->row.len, fault) == 0 ? 1 : -1;
}

static int next_row(struct decoder *d, struct feed *feed, struct rows *rows, struct fault *fault)
{
	int rc = 0;
	size_t len;

	if (!d->started && !skip_bom(d, feed))
		return 0;
	while (rc == 0 && find_end(d, feed, &len)) {
		const char *line = feed->bytes.data + feed->at, *end = line + len;

		end -= end > line && end[-1] == '\n';
		end -= end > line && end[-1] == '\r';
		feed->at += len;
		d->seen = 0;
		d->in = FIELD_START;
		if (line == end)
			continue;
		if (d->header == HEADER_NONE || d->columns > 0)
			rc = read_row(d, line, end, rows, fault);
		else
			rc = read_header(d, line, end, fault);
	}
	return rc;
}

/* ---- writing ---- */

/* Strings are quoted, so that "12" is not 12; null is nothing; a list stands as JSON in quotes. */
static void add_cell(const struct cell *cell, char delimiter, struct buf *out)
{
	auto_free char *text = NULL;
	enum scan_token token;
	struct scan s;

	scan_init(&s, cell->text, cell->len);
	token = scan_next(&s);
	if (token == SCAN_NULL)
		return;
	text = token == SCAN_STRING ? scan_text(&s) : xstrndup(cell->text, cell->len);
	csv_add(text, token == SCAN_STRING, delimiter, out);
}

static int add_record(const struct json *settings, const struct cell *cells, size_t count,
		      bool header, struct buf *out, struct fault *fault UNUSED)
{
	char delimiter = delimiter_of(settings);

	if (header && !has_header(settings))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, delimiter);
		if (header)
			csv_add(cells[i].name, false, delimiter, out);
		else
			add_cell(&cells[i], delimiter, out);
	}
	buf_adds(out, header ? "\n" : "");
	return 0;
}

const struct format csv_format = {
    .name = "csv",
    .media = "text/csv",
    .suffixes = {".csv"},
    .members = {"delimiter", "header", "rows"},
    .check = check,
    .decoder_new = decoder_new,
    .next = next_row,
    .decoder_free = decoder_free,
    .lines = true,
    .open = "",
    .between = "\n",
    .close = "",
    .add_record = add_record,
};
