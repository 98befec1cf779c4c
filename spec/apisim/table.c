#include "table.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "jsonpath.h"
#include "table_kinds.h"

/* ---- ages ---- */

/* duration.HumanDuration of k8s.io/apimachinery: two units while the number is small, then one. */
char *table_duration(int64_t ms)
{
	long long s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;

	if (s < -1)
		return xstrdup("<invalid>");
	if (s < 120)
		return xasprintf("%llds", s < 0 ? 0 : s);
	if (m < 10)
		return s % 60 == 0 ? xasprintf("%lldm", m) : xasprintf("%lldm%llds", m, s % 60);
	if (m < 180)
		return xasprintf("%lldm", m);
	if (h < 8)
		return m % 60 == 0 ? xasprintf("%lldh", h) : xasprintf("%lldh%lldm", h, m % 60);
	if (h < 48)
		return xasprintf("%lldh", h);
	if (d < 8)
		return h % 24 == 0 ? xasprintf("%lldd", d) : xasprintf("%lldd%lldh", d, h % 24);
	if (d < 2 * 365)
		return xasprintf("%lldd", d);
	if (d < 8 * 365)
		return d % 365 == 0 ? xasprintf("%lldy", d / 365)
				    : xasprintf("%lldy%lldd", d / 365, d % 365);
	return xasprintf("%lldy", d / 365);
}

char *table_age(const struct json *time, int64_t now_ms)
{
	int64_t ms;

	if (json_str(time) == NULL)
		return xstrdup("<unknown>");
	return time_parse(json_str(time), &ms) ? table_duration(now_ms - ms) : xstrdup("<invalid>");
}

/* ---- the columns of a custom resource ---- */

static struct json *column_definition(const char *name, const char *type, const char *format,
				      const char *description, int64_t priority)
{
	return json_build(
	    "{'name': %s, 'type': %s, 'format': %s, 'description': %s, 'priority': %d}", name, type,
	    format, description, priority);
}

static struct json *custom_cell(const struct json *column, const struct json *object,
				int64_t now_ms)
{
	const char *type = json_get_str(column, "type", "");
	const struct json *value = jsonpath_first(json_get_str(column, "jsonPath", ""), object);
	auto_free char *text = NULL;

	if (json_type(value) <= JSON_NULL)
		return json_null();
	if (streq(type, "date") && json_str(value) != NULL)
		text = table_age(value, now_ms);
	else if (streq(type, "string"))
		text = json_str(value) != NULL ? xstrdup(json_str(value)) : json_print(value);
	if (text != NULL)
		return json_string(text);
	if ((json_type(value) == JSON_NUMBER &&
	     (streq(type, "integer") || streq(type, "number"))) ||
	    (json_type(value) == JSON_BOOL && streq(type, "boolean")))
		return json_copy(value);
	return json_null();
}

static void custom_columns(const struct json *columns, struct json *definitions)
{
	for (const struct json *c = json_first(columns); c != NULL; c = json_next(c)) {
		auto_free char *plain =
		    xasprintf("Custom resource definition column (in JSONPath format): %s",
			      json_get_str(c, "jsonPath", ""));

		json_append(definitions, column_definition(json_get_str(c, "name", ""),
							   json_get_str(c, "type", ""),
							   json_get_str(c, "format", ""),
							   json_get_str(c, "description", plain),
							   json_get_int(c, "priority", 0)));
	}
}

/* ---- tables ---- */

static struct json *row_object(const struct json *object, enum table_include include)
{
	if (include == TABLE_NONE)
		return NULL;
	if (include == TABLE_OBJECT)
		return json_copy(object);
	return json_build("{'kind': 'PartialObjectMetadata', 'apiVersion': 'meta.k8s.io/v1', "
			  "'metadata': %j}",
			  json_get(object, "metadata"));
}

static void fill_cells(const struct table_request *q, const struct table_kind *kind,
		       const struct json *columns, const struct json *object, struct json *cells)
{
	const struct json *metadata = json_get(object, "metadata");

	if (kind != NULL) {
		kind->cells(cells, object, q->now_ms);
		return;
	}
	json_append(cells, json_string(json_get_str(metadata, "name", "")));
	if (!q->custom)
		json_append(cells,
			    json_string(json_get_str(metadata, "creationTimestamp", "<unknown>")));
	for (const struct json *c = json_first(columns); q->custom && c != NULL; c = json_next(c))
		json_append(cells, custom_cell(c, object, q->now_ms));
}

static struct json *definitions_of(const struct table_request *q, const struct table_kind *kind,
				   const struct json *columns)
{
	struct json *definitions = json_array();

	if (kind != NULL) {
		for (const struct table_column *c = kind->columns; c->name != NULL; c++)
			json_append(definitions, column_definition(c->name, c->type, c->format, "",
								   c->priority));
		return definitions;
	}
	json_append(definitions, column_definition("Name", "string", "name",
						   "Name must be unique within a namespace.", 0));
	if (q->custom)
		custom_columns(columns, definitions);
	else
		json_append(definitions, column_definition("Created At", "date", "",
							   "When the object was created.", 0));
	return definitions;
}

struct json *table_make(const struct table_request *q, const struct json *const objects[],
			size_t count, const struct json *list_metadata)
{
	const struct table_kind *kind = q->custom ? NULL : table_kind_find(q->group, q->resource);
	auto_json struct json *age = json_build("[{'name': 'Age', 'type': 'date', "
						"'jsonPath': '.metadata.creationTimestamp'}]");
	const struct json *columns = json_len(q->columns) > 0 ? q->columns : age;
	auto_json struct json *definitions = definitions_of(q, kind, columns);
	struct json *table = json_build("{'kind': 'Table', 'apiVersion': 'meta.k8s.io/v1', "
					"'metadata': {}, 'columnDefinitions': %j, 'rows': []}",
					definitions);
	struct json *rows = json_mut(table, "rows");

	if (list_metadata != NULL)
		json_set(table, "metadata", json_copy(list_metadata));
	for (size_t i = 0; i < count; i++) {
		struct json *row = json_object(), *cells = json_array();
		struct json *object = row_object(objects[i], q->include);

		json_set(row, "cells", cells);
		fill_cells(q, kind, columns, objects[i], cells);
		if (object != NULL)
			json_set(row, "object", object);
		json_append(rows, row);
	}
	return table;
}

/* One media range of an Accept header, such as application/json;as=Table;v=v1;g=meta.k8s.io */
static bool range_is_table(const char *range, size_t len)
{
	struct buf plain = BUF_INIT(1024);
	bool table;

	buf_addc(&plain, ';');
	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)range[i]))
			buf_addc(&plain, range[i]);
	buf_addc(&plain, ';');
	table = strstr(plain.data, ";as=Table;") != NULL && strstr(plain.data, ";v=v1;") != NULL &&
		strstr(plain.data, ";g=meta.k8s.io;") != NULL;
	buf_done(&plain);
	return table;
}

bool table_accepted(const char *accept)
{
	while (accept != NULL && *accept != '\0') {
		size_t len = strcspn(accept, ",");

		if (range_is_table(accept, len))
			return true;
		accept += len + (accept[len] == ',');
	}
	return false;
}
