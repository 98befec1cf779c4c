#include "tools/documents.h"

#include "base/file.h"
#include "base/yaml.h"

static bool is_json(const char *text)
{
	text += strspn(text, " \t\r\n");
	if (*text++ != '{')
		return false;
	text += strspn(text, " \t\r\n");
	return *text == '"' || *text == '}';
}

/* JSON is not given to the YAML reader: it has larger limits and all escapes. */
static struct json *parse(const struct buf *text, struct err *err)
{
	struct json *value, *documents;

	if (!is_json(text->data))
		return yaml_parse_all(text->data, text->len, err);
	value = json_parse(text->data, text->len, err);
	if (value == NULL)
		return NULL;
	documents = json_array();
	json_append(documents, value);
	return documents;
}

static int each_item(const struct json *list, const char *kind, document_fn *fn, void *arg,
		     struct err *err)
{
	auto_free char *item_kind = xstrndup(kind, strlen(kind) - strlen("List"));

	for (const struct json *i = json_first(json_get(list, "items")); i != NULL;
	     i = json_next(i)) {
		auto_json struct json *item = json_copy(i);

		if (json_type(item) != JSON_OBJECT)
			return err_set(err, ERR_INVALID,
				       "expected items that are objects, found %s",
				       json_type_name(json_type(item)));
		if (*item_kind != '\0' && json_get(item, "kind") == NULL) {
			json_set_str(item, "kind", item_kind);
			json_set_str(item, "apiVersion", json_get_str(list, "apiVersion", ""));
		}
		if (fn(arg, item, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_list(const char *kind)
{
	size_t len = strlen(kind), end = strlen("List");

	return len >= end && streq(kind + len - end, "List");
}

static int each_document(const struct json *documents, document_fn *fn, void *arg, struct err *err)
{
	for (const struct json *d = json_first(documents); d != NULL; d = json_next(d)) {
		const char *kind = json_get_str(d, "kind", "");
		int failed;

		if (json_type(d) == JSON_NULL)
			continue;
		if (json_type(d) != JSON_OBJECT || *kind == '\0')
			return err_set(err, ERR_INVALID,
				       "expected Kubernetes objects, found %s without a kind",
				       json_type_name(json_type(d)));
		failed = is_list(kind) ? each_item(d, kind, fn, arg, err) : fn(arg, d, err);
		if (failed)
			return -1;
	}
	return 0;
}

int documents_read(const char *path, document_fn *fn, void *arg, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(DOCUMENTS_MAX);
	auto_json struct json *documents = NULL;

	if (file_read(path, &text, err) < 0)
		return -1;
	documents = parse(&text, err);
	if (documents == NULL || each_document(documents, fn, arg, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}
