#include "temporary.h"

#include "base/yaml.h"
#include "tools/documents.h"

static int collect(void *arg, const struct json *object, struct err *err)
{
	json_append(arg, json_copy(object));
	if (streq(json_get_str(object, "kind", ""), "Stop"))
		return err_set(err, ERR_INVALID, "stopped");
	return 0;
}

/* The objects of a file as JSON, or the message without the path. */
static char *read_text(const char *folder, const void *bytes, size_t len)
{
	auto_free char *path = file_with(folder, "objects", bytes, len);
	auto_json struct json *objects = json_array();
	struct err err = ERR_INIT;

	if (documents_read(path, collect, objects, &err) == 0)
		return json_print(objects);
	assert_true(has_prefix(err.msg, path));
	return xstrdup(err.msg + strlen(path));
}

static void files(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	    /* what is refused */
	    {"a: [", ": line 2, column 1: "},
	    {"{\"a\": 1} x", ": line 1, column 10: "},
	    {"1", ": expected Kubernetes objects, found number without a kind"},
	    {"[{\"kind\": \"A\"}]", ": expected Kubernetes objects, found array"},
	    {"a: b", ": expected Kubernetes objects, found object without a kind"},
	    {"kind: 1", ": expected Kubernetes objects, found object without a kind"},
	    {"kind: A\n---\na: b", ": expected Kubernetes objects, found object without"},
	    {"kind: List\nitems: [1]", ": expected items that are objects, found number"},
	    {"kind: Stop\n---\nkind: A", ": stopped"},
	    /* what is taken */
	    {"", "[]"},
	    {" \n# nothing\n", "[]"},
	    {"---\n---\nkind: A\n---\n", "[{\"kind\":\"A\"}]"},
	    {"kind: A\n---\nkind: B", "[{\"kind\":\"A\"},{\"kind\":\"B\"}]"},
	    {"\n {\"kind\": \"A\", \"n\": 0.10, \"s\": \"\\ud83d\\ude00\"}\n",
	     "[{\"kind\":\"A\",\"n\":0.10,\"s\":\"\xF0\x9F\x98\x80\"}]"},
	    {"kind: List\nitems: [{kind: A}, {kind: B}]", "[{\"kind\":\"A\"},{\"kind\":\"B\"}]"},
	    {"kind: List", "[]"},
	    {"kind: List\nitems: 1", "[]"},
	    {"{kind: AList, apiVersion: g/v1, items: [{}, {kind: B}]}",
	     "[{\"kind\":\"A\",\"apiVersion\":\"g/v1\"},{\"kind\":\"B\"}]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *found = read_text(*state, rows[i].text, strlen(rows[i].text));

		if (*rows[i].wanted == '[' ? !streq(found, rows[i].wanted)
					   : !has_prefix(found, rows[i].wanted))
			fail_msg("%s\n  expected %s\n  found    %s", rows[i].text, rows[i].wanted,
				 found);
	}
}

static void a_file_that_is_not_there(void **state)
{
	auto_free char *path = xasprintf("%s/absent", (char *)*state);
	struct err err = ERR_INIT;

	assert_int_equal(documents_read(path, collect, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_true(has_prefix(err.msg, path));
}

/* A comment of so many bytes, then an object. */
static char *padded(const char *folder, size_t size, const char *object)
{
	char *text = xmalloc(size + 1);
	auto_free char *found = NULL;

	memset(text, *object == '{' ? ' ' : '#', size);
	snprintf(text + size - strlen(object), strlen(object) + 1, "%s", object);
	found = read_text(folder, text, size);
	free(text);
	return steal(found);
}

static void size_has_a_limit(void **state)
{
	static const struct {
		size_t size;
		const char *object, *wanted;
	} rows[] = {
	    {YAML_MAX, "\nkind: A", "[{\"kind\":\"A\"}]"},
	    {YAML_MAX + 1, "\nkind: A", ": expected at most 4194304 bytes of YAML, found 4194305"},
	    {DOCUMENTS_MAX, "{\"kind\":\"A\"}", "[{\"kind\":\"A\"}]"},
	    {DOCUMENTS_MAX + 1, "{\"kind\":\"A\"}", ": expected at most 67108864 bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *found = padded(*state, rows[i].size, rows[i].object);

		assert_true(has_prefix(found, rows[i].wanted));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files),
	    cmocka_unit_test(a_file_that_is_not_there),
	    cmocka_unit_test(size_has_a_limit),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
