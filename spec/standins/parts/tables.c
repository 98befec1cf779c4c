#include "spec/standins/parts/tables.h"

#include "base/file.h"
#include "base/map.h"
#include "spec/standins/parts/iris.h"

/* The keys of all output tables are one set: "table\njob\npod\nprediction\ncounter". */
struct tables {
	struct json *all; /* name -> table */
	struct map *keys;
};

static struct json *table_with(const char *columns)
{
	struct err err = ERR_INIT;
	struct json *table = json_object();

	json_set(table, "columns", json_parse(columns, strlen(columns), &err));
	json_set(table, "rows", json_array());
	return table;
}

static struct json *tenths(int64_t n)
{
	auto_free char *text = xasprintf("%d.%d", (int)(n / 10), (int)(n % 10));

	return json_number(text);
}

static struct json *iris_table(void)
{
	struct json *table =
	    table_with("[\"sepal_length\",\"sepal_width\",\"petal_length\",\"petal_width\"]");

	for (size_t i = 0; i < IRIS_ROWS; i++) {
		struct json *row = json_array();

		for (size_t k = 0; k < IRIS_FEATURES; k++)
			json_append(row, tenths(iris_rows[i][k]));
		json_append(json_mut(table, "rows"), row);
	}
	return table;
}

/* A load of 30 to 70 percent with a daily rhythm and a little unrest, always the same. */
static struct json *vm_table(void)
{
	enum { HOURS = 512, HOUR_MS = 3600000 };
	static const int64_t start_ms = 1767225600000; /* 2026-01-01T00:00:00Z */
	struct json *table = table_with("[\"timestamp\",\"average\",\"resourceid\"]");

	for (int64_t hour = 0; hour < HOURS; hour++) {
		int64_t of_day = hour % 24;
		int64_t rhythm = of_day < 12 ? of_day : 24 - of_day; /* 0 at midnight, 12 at noon */
		auto_json struct json *average = tenths(300 + rhythm * 30 + hour * 7 % 40);

		json_append(
		    json_mut(table, "rows"),
		    json_build("[%d, %j, 'sample_vm']", start_ms + hour * HOUR_MS, average));
	}
	return table;
}

static struct json *exact_table(void)
{
	struct json *table = table_with("[\"a\",\"b\",\"c\",\"d\"]");

	json_set(table, "rows",
		 json_build("[[0.1000000000000000055, 9007199254740993, 1e-7, 5.10],"
			    " [0.3333333333333333333, -9007199254740993, 1E+2, 6.0],"
			    " [123456789.123456789, 18446744073709551615, 0.0, -0.0]]"));
	return table;
}

struct tables *tables_new(void)
{
	struct tables *tables = xcalloc(1, sizeof(*tables));

	tables->all = json_object();
	tables->keys = map_new(NULL);
	json_set(tables->all, "kserve_controller_input", iris_table());
	json_set(tables->all, "azuretoolkit", vm_table());
	json_set(tables->all, "exact_numbers", exact_table());
	json_set(tables->all, "empty_table", table_with("[\"a\",\"b\",\"c\",\"d\"]"));
	return tables;
}

void tables_free(struct tables *tables)
{
	json_free(tables->all);
	map_free(tables->keys);
	free(tables);
}

const struct json *tables_get(const struct tables *tables, const char *name)
{
	return json_get(tables->all, name);
}

int tables_column(const struct json *table, const char *name)
{
	int i = 0;

	for (const struct json *c = json_first(json_get(table, "columns")); c; c = json_next(c)) {
		if (streq(json_str(c), name))
			return i;
		i++;
	}
	return -1;
}

/* ---- output tables ---- */

static char *key_of(const char *table, const char *jobuid, const char *poduid,
		    const char *prediction, int64_t counter)
{
	return xasprintf("%s\n%s\n%s\n%.17g\n%lld", table, jobuid, poduid, strtod(prediction, NULL),
			 (long long)counter);
}

static void forget_keys(struct tables *tables, const char *name)
{
	auto_free char *prefix = xasprintf("%s\n", name);
	const char *key;
	void *value;

	for (size_t i = 0; map_next(tables->keys, &i, &key, &value);)
		if (has_prefix(key, prefix))
			map_del(tables->keys, key);
}

/* Learn the keys of a table that came from outside, if it is an output table. */
static void learn_keys(struct tables *tables, const char *name, const struct json *table)
{
	if (tables_column(table, "jobuid") != 0 || tables_column(table, "poduid") != 1 ||
	    tables_column(table, "prediction") != 2 || tables_column(table, "counter") != 3)
		return;
	for (const struct json *r = json_first(json_get(table, "rows")); r; r = json_next(r)) {
		const struct json *job = json_first(r), *pod = json_next(job);
		const struct json *prediction = json_next(pod);
		const char *number = json_number_text(prediction);
		auto_free char *key = NULL;
		int64_t counter;

		if (json_str(job) == NULL || json_str(pod) == NULL || number == NULL ||
		    !json_int64(json_next(prediction), &counter))
			continue;
		key = key_of(name, json_str(job), json_str(pod), number, counter);
		map_put(tables->keys, key, tables);
	}
}

int tables_insert(struct tables *tables, const char *name, const char *jobuid, const char *poduid,
		  const char *prediction, int64_t counter, struct err *err)
{
	auto_free char *key = key_of(name, jobuid, poduid, prediction, counter);
	struct json *table = json_mut(tables->all, name);
	struct json *row;

	if (map_get(tables->keys, key) != NULL)
		return err_set(err, ERR_CONFLICT,
			       "DuplicateKeyException[A document with the same "
			       "primary key exists already]");
	if (table == NULL) {
		json_set(tables->all, name,
			 table_with("[\"jobuid\",\"poduid\",\"prediction\",\"counter\"]"));
		table = json_mut(tables->all, name);
	}
	map_put(tables->keys, key, tables);
	row = json_build("[%s, %s]", jobuid, poduid);
	json_append(row, json_number(prediction));
	json_append(row, json_int(counter));
	json_append(json_mut(table, "rows"), row);
	return 0;
}

/* ---- from and to the outside ---- */

static int check_table(const struct json *table, struct err *err)
{
	const struct json *columns = json_get(table, "columns"), *rows = json_get(table, "rows");

	if (json_type(columns) != JSON_ARRAY || json_type(rows) != JSON_ARRAY)
		return err_set(err, ERR_INVALID,
			       "expected {\"columns\": [...], \"rows\": [[...], ...]}");
	for (const struct json *c = json_first(columns); c != NULL; c = json_next(c))
		if (json_str(c) == NULL)
			return err_set(err, ERR_INVALID, "columns: expected names");
	for (const struct json *r = json_first(rows); r != NULL; r = json_next(r))
		if (json_type(r) != JSON_ARRAY || json_len(r) != json_len(columns))
			return err_set(err, ERR_INVALID, "rows: expected lists of %zu cells",
				       json_len(columns));
	return 0;
}

int tables_put(struct tables *tables, const char *name, struct json *table_taken, struct err *err)
{
	if (check_table(table_taken, err) < 0) {
		json_free(table_taken);
		return -1;
	}
	forget_keys(tables, name);
	learn_keys(tables, name, table_taken);
	json_set(tables->all, name, table_taken);
	return 0;
}

int tables_load(struct tables *tables, const char *path, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(TABLES_FILE_MAX);
	auto_json struct json *all = NULL;

	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(path, &text, err) < 0)
		return -1;
	all = json_parse(text.data, text.len, err);
	if (all == NULL)
		return err_wrap(err, "%s", path);
	for (const struct json *c = json_first(all); c != NULL; c = json_next(c))
		if (tables_put(tables, json_key(c), json_copy(c), err) < 0)
			return err_wrap(err, "%s: table %s", path, json_key(c));
	return 0;
}

int tables_save(const struct tables *tables, const char *path, struct err *err)
{
	auto_free char *unfinished = xasprintf("%s.new", path);
	auto_free char *text = json_print(tables->all);
	auto_file FILE *file = fopen(unfinished, "we");

	if (file == NULL || fputs(text, file) < 0 || fflush(file) != 0 ||
	    rename(unfinished, path) < 0)
		return err_set(err, ERR_RETRY, "%s: expected to write the tables there: %m", path);
	return 0;
}
