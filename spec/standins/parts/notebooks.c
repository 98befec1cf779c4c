#include "spec/standins/parts/notebooks.h"

#include <ctype.h>
#include <errno.h>

enum { SERIES_MAX = 1 << 20 };

/* ---- arguments and tracebacks ---- */

struct argument {
	const char *name;
	char *value;
};

/* str.split(argument, '=')[1] for every name that is wanted; "" where it is missing. */
static void read_arguments(struct argument *wanted, size_t wanted_count, char *const *args,
			   size_t count, struct buf *out)
{
	for (size_t w = 0; w < wanted_count; w++) {
		size_t len = strlen(wanted[w].name);

		wanted[w].value = xstrdup("");
		for (size_t i = 0; i < count; i++) {
			const char *value = args[i] + len + 1;

			if (strcspn(args[i], "=") != len || !has_prefix(args[i], wanted[w].name) ||
			    *value == '\0' || *value == '=')
				continue;
			free(wanted[w].value);
			wanted[w].value = xstrndup(value, strcspn(value, "="));
		}
		if (*wanted[w].value == '\0')
			buf_addf(out, "missing agument for call: %s\n", wanted[w].name);
	}
}

static void free_arguments(struct argument *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(wanted[i].value);
}

static void PRINTF_LIKE(2, 3) raise_error(struct buf *traceback, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	buf_addf(traceback,
		 "Traceback (most recent call last):\n"
		 "  File \"/tmp/tmpk3v8m1xq.py\", line 63, in <module>\n"
		 "    main(*args.values())\n"
		 "%s\n",
		 message);
}

/* The table that a query names; NULL with a traceback when the query would fail. */
static const struct json *query(const struct tables *tables, const char *name,
				struct buf *traceback)
{
	const struct json *table;

	if (*name == '\0' || isdigit((unsigned char)*name) ||
	    name[strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")]) {
		raise_error(
		    traceback,
		    "crate.client.exceptions.ProgrammingError: SQLParseException[line 1:15: "
		    "mismatched input '%s']",
		    *name == '\0' ? "<EOF>" : name);
		return NULL;
	}
	table = tables_get(tables, name);
	if (table == NULL)
		raise_error(traceback,
			    "crate.client.exceptions.ProgrammingError: RelationUnknown[Relation "
			    "'%s' unknown]",
			    name);
	return table;
}

/* float(cell): the number's text, NULL with a traceback if Python would refuse it. */
static const char *as_float(const struct json *cell, struct buf *traceback)
{
	const char *text = json_str(cell), *number = json_number_text(cell);
	auto_json struct json *parsed = NULL;
	struct err err = ERR_INIT;

	if (number != NULL)
		return number;
	if (json_type(cell) == JSON_BOOL)
		return json_is_true(cell) ? "1.0" : "0.0";
	if (text == NULL) {
		raise_error(
		    traceback,
		    "TypeError: float() argument must be a string or a real number, not '%s'",
		    json_type(cell) == JSON_NULL    ? "NoneType"
		    : json_type(cell) == JSON_ARRAY ? "list"
						    : "dict");
		return NULL;
	}
	parsed = json_parse(text, strlen(text), &err);
	if (json_type(parsed) != JSON_NUMBER) {
		raise_error(traceback, "ValueError: could not convert string to float: '%s'", text);
		return NULL;
	}
	return text;
}

/* ---- sklearn: every cell of a table ---- */

static void run_sklearn_input(struct tables *tables, char *const *args, size_t count,
			      struct buf *out, struct buf *traceback)
{
	struct argument wanted[] = {{.name = "input_table_name"}};
	const struct json *table;

	read_arguments(wanted, ARRAY_LEN(wanted), args, count, out);
	table = query(tables, wanted[0].value, traceback);
	buf_adds(out, "{\"result\": [");
	for (const struct json *r = json_first(json_get(table, "rows")); r; r = json_next(r)) {
		buf_adds(out, r == json_first(json_get(table, "rows")) ? "[" : ", [");
		for (const struct json *c = json_first(r); c != NULL; c = json_next(c)) {
			const char *number = as_float(c, traceback);

			if (number == NULL)
				goto done;
			buf_addf(out, "%s%s", c == json_first(r) ? "" : ", ", number);
		}
		buf_addc(out, ']');
	}
	buf_adds(out, "]}\n");
done:
	free_arguments(wanted, ARRAY_LEN(wanted));
}

/* ---- triton: one column as a time series without holes ---- */

struct point {
	int64_t time;
	const char *number;
};

struct series {
	struct point *points;
	size_t count;
};

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct point *)a)->time, y = ((const struct point *)b)->time;

	return (x > y) - (x < y);
}

static const struct json *cell_at(const struct json *row, int column)
{
	const struct json *cell = json_first(row);

	while (column-- > 0)
		cell = json_next(cell);
	return cell;
}

/* SELECT timestamp, column FROM table WHERE key = 'value' ORDER BY timestamp */
static int select_series(const struct json *table, const struct argument *wanted,
			 struct series *series, struct buf *traceback)
{
	const char *names[] = {"timestamp", wanted[2].value, wanted[3].value};
	int columns[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		columns[i] = tables_column(table, names[i]);
		if (columns[i] < 0) {
			raise_error(traceback,
				    "crate.client.exceptions.ProgrammingError: "
				    "ColumnUnknownException[Column %s unknown]",
				    names[i]);
			return -1;
		}
	}
	series->points = xcalloc(json_len(json_get(table, "rows")) + 1, sizeof(struct point));
	for (const struct json *r = json_first(json_get(table, "rows")); r; r = json_next(r)) {
		const struct json *key = cell_at(r, columns[2]), *cell = cell_at(r, columns[1]);
		struct point *point = &series->points[series->count];

		if (json_str(key) == NULL || !streq(json_str(key), wanted[4].value) ||
		    !json_int64(cell_at(r, columns[0]), &point->time))
			continue;
		point->number = json_type(cell) == JSON_NULL ? "0.0" : as_float(cell, traceback);
		if (point->number == NULL)
			return -1;
		series->count++;
	}
	qsort(series->points, series->count, sizeof(struct point), by_time);
	return 0;
}

/* Fill the holes with 0.0, at the smallest distance between two points. */
static int fill_series(struct series *series, struct buf *traceback)
{
	struct series filled = {0};
	int64_t step = 1, length;

	for (size_t i = 1; i < series->count; i++) {
		int64_t delta = series->points[i].time - series->points[i - 1].time;

		step = i == 1 || delta < step ? delta : step;
	}
	length = step <= 0
		     ? SERIES_MAX + 1
		     : (series->points[series->count - 1].time - series->points[0].time) / step + 1;
	if (length > SERIES_MAX) {
		raise_error(traceback, "MemoryError");
		return -1;
	}
	filled.points = xcalloc((size_t)length, sizeof(struct point));
	for (size_t at = 0; filled.count < (size_t)length; filled.count++) {
		struct point *point = &filled.points[filled.count];

		point->time = series->points[0].time + (int64_t)filled.count * step;
		point->number = "0.0";
		while (at < series->count && series->points[at].time <= point->time) {
			if (series->points[at].time == point->time)
				point->number = series->points[at].number;
			at++;
		}
	}
	free(series->points);
	*series = filled;
	return 0;
}

/* filled_values[-length:]: 0 takes all, a negative length drops that many at the front. */
static void print_series(const struct series *series, long length, struct buf *out)
{
	size_t from = 0;

	if (length > 0 && (size_t)length < series->count)
		from = series->count - (size_t)length;
	else if (length < 0)
		from = (size_t)-length < series->count ? (size_t)-length : series->count;
	buf_adds(out, "{\"result\": [[");
	for (size_t i = from; i < series->count; i++)
		buf_addf(out, "%s%s", i == from ? "" : ", ", series->points[i].number);
	buf_adds(out, "]]}\n");
}

static void run_triton_input(struct tables *tables, char *const *args, size_t count,
			     struct buf *out, struct buf *traceback)
{
	struct argument wanted[] = {{.name = "input_table_name"},
				    {.name = "input_data_length"},
				    {.name = "input_table_column_name"},
				    {.name = "key_name"},
				    {.name = "key_value"}};
	struct series series = {0};
	const struct json *table;
	char *end;
	long length;

	read_arguments(wanted, ARRAY_LEN(wanted), args, count, out);
	errno = 0;
	length = strtol(wanted[1].value, &end, 10);
	if (end == wanted[1].value || *end != '\0' || errno != 0) {
		raise_error(traceback, "ValueError: invalid literal for int() with base 10: '%s'",
			    wanted[1].value);
		goto done;
	}
	table = query(tables, wanted[0].value, traceback);
	if (table == NULL || select_series(table, wanted, &series, traceback) < 0)
		goto done;
	if (series.count == 0)
		buf_adds(out, "{\"result\": []}\n");
	else if (fill_series(&series, traceback) == 0)
		print_series(&series, length, out);
done:
	free(series.points);
	free_arguments(wanted, ARRAY_LEN(wanted));
}

/* ---- output, the same for both ---- */

static void store(struct tables *tables, const struct argument *wanted,
		  const struct json *predictions, struct buf *traceback)
{
	struct err err = ERR_INIT;
	int64_t counter = 0;

	for (const struct json *c = json_first(predictions); c != NULL; c = json_next(c)) {
		const char *number = as_float(c, traceback);

		if (number == NULL)
			return;
		if (tables_insert(tables, wanted[0].value, wanted[1].value, wanted[2].value, number,
				  counter++, &err) < 0) {
			raise_error(traceback, "crate.client.exceptions.IntegrityError: %s",
				    err.msg);
			return;
		}
	}
}

static void run_output(struct tables *tables, char *const *args, size_t count, struct buf *out,
		       struct buf *traceback)
{
	struct argument wanted[] = {{.name = "output_table_name"},
				    {.name = "job_uid"},
				    {.name = "pod_uid"},
				    {.name = "predictions"}};
	auto_buf struct buf unknown = BUF_INIT(1 << 16); /* a new table is made, not refused */
	auto_json struct json *predictions = NULL;
	struct err err = ERR_INIT;

	read_arguments(wanted, ARRAY_LEN(wanted), args, count, out);
	predictions = json_parse(wanted[3].value, strlen(wanted[3].value), &err);
	if (predictions == NULL)
		raise_error(traceback, "json.decoder.JSONDecodeError: %s", err.msg);
	else if (json_type(predictions) != JSON_ARRAY)
		raise_error(traceback, "TypeError: '%s' object is not iterable",
			    json_type_name(json_type(predictions)));
	else if (query(tables, wanted[0].value, &unknown) == NULL &&
		 strstr(unknown.data, "RelationUnknown") == NULL)
		buf_adds(traceback, unknown.data);
	else
		store(tables, wanted, predictions, traceback);
	free_arguments(wanted, ARRAY_LEN(wanted));
}

/* The names that the specification uses, then those of the chart's own notebooks. */
const struct notebook notebooks[] = {
    {"kserveinput", run_sklearn_input},  {"kserveoutput", run_output},
    {"tritoninput", run_triton_input},   {"tritonoutput", run_output},
    {"sklearninput", run_sklearn_input}, {"sklearnoutput", run_output},
};
const size_t notebook_count = ARRAY_LEN(notebooks);

const struct notebook *notebook_find(const char *name)
{
	for (size_t i = 0; i < notebook_count; i++)
		if (streq(notebooks[i].name, name))
			return &notebooks[i];
	return NULL;
}
