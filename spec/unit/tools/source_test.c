#include "temporary.h"

#include <sys/stat.h>

#include "policy/host.h"
#include "tools/source.h"

static void what_cannot_be_read(void **state)
{
	const char *folder = *state;
	static const struct {
		const char *name, *text, *message;
	} rows[] = {
	    {"absent", NULL, "/absent: No such file"},
	    {"absent.lua", NULL, "/absent.lua: No such file"},
	    {"bytes.lua", "\xff", "/bytes.lua: expected text in UTF-8"},
	    {"empty.yaml", "", "/empty.yaml: expected a ConfigMap, found nothing"},
	    {"job.yaml", "kind: Job", "/job.yaml: expected a ConfigMap, found kind Job"},
	    {"two.yaml", "kind: ConfigMap\n---\nkind: ConfigMap", "expected one ConfigMap, found"},
	    {"data.yaml", "kind: ConfigMap\ndata: [1]", "data: expected an object, found array"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = rows[i].text != NULL
					   ? file_of(folder, rows[i].name, rows[i].text)
					   : xasprintf("%s/%s", folder, rows[i].name);
		const char *paths[] = {path};
		struct err err = ERR_INIT;
		struct source source;

		assert_int_equal(source_read(paths, 1, &source, &err), -1);
		if (!has_prefix(err.msg, folder) || strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: found %s", rows[i].name, err.msg);
	}
}

static void a_folder_without_policies(void **state)
{
	auto_free char *path = xasprintf("%s/bare", (char *)*state);
	const char *paths[] = {path};
	struct err err = ERR_INIT;
	struct source source;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(source_read(paths, 1, &source, &err), -1);
	assert_non_null(strstr(err.msg, "/bare: expected policy files such as contract.lua"));
}

/* Of all files together, as in a ConfigMap. */
static void size_has_a_limit(void **state)
{
	auto_free char *text = xcalloc(1, POLICY_BUNDLE_MAX + 1);
	auto_free char *one = NULL, *two = file_of(*state, "two.lua", "-");
	const char *paths[2];
	struct err err = ERR_INIT;
	struct source source;

	memset(text, '-', POLICY_BUNDLE_MAX);
	one = file_with(*state, "one.lua", text, POLICY_BUNDLE_MAX);
	paths[0] = one;
	paths[1] = two;
	assert_int_equal(source_read(paths, 1, &source, &err), 0);
	source_done(&source);
	assert_int_equal(source_read(paths, 2, &source, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_true(has_prefix(err.msg, two));
}

static void files_of_one_name(void **state)
{
	auto_free char *folder = xasprintf("%s/other", (char *)*state);
	auto_free char *one = file_of(*state, "same.lua", ""), *two = NULL;
	const char *paths[2];
	struct err err = ERR_INIT;
	struct source source;

	assert_int_equal(mkdir(folder, 0700), 0);
	two = file_of(folder, "same.lua", "");
	paths[0] = one;
	paths[1] = two;
	assert_int_equal(source_read(paths, 2, &source, &err), -1);
	assert_non_null(strstr(err.msg, "the bundle has another file of this name"));
}

static void assert_place(const struct source *source, const char *message, const char *before,
			 const char *after)
{
	auto_free char *wanted = xasprintf("%s%s", before, after);
	auto_free char *place = source_place(source, message);

	assert_string_equal(place, wanted);
}

/* A message's file becomes a path that an editor can open. */
static void places(void **state)
{
	auto_free char *folder = xasprintf("%s/bundle", (char *)*state), *slash = NULL;
	auto_free char *file = NULL, *hidden = NULL;
	struct err err = ERR_INIT;
	struct source source;
	const char *paths[1];

	assert_int_equal(mkdir(folder, 0700), 0);
	file = file_of(folder, "job.lua", "text");
	hidden = file_of(folder, "README.md", "text");
	slash = xasprintf("%s//", folder);
	paths[0] = slash;
	assert_int_equal(source_read(paths, 1, &source, &err), 0);
	assert_int_equal(json_len(source.files), 1);
	assert_string_equal(json_get_str(source.files, "job.lua", ""), "text");
	assert_place(&source, "job.lua:3: wrong", file, ":3: wrong");
	assert_place(&source, "job.lua: wrong", file, ": wrong");
	assert_place(&source, "status.lua:3: wrong", slash, ": status.lua:3: wrong");
	assert_place(&source, "wrong", slash, ": wrong");
	source_done(&source);
}

static void a_configmap(void **state)
{
	auto_free char *path = file_of(*state, "policies.yaml",
				       "apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n"
				       "  data:\n    job.lua: |\n      -- a\n      return {}\n");
	struct err err = ERR_INIT;
	struct source source;
	const char *paths[] = {path};

	assert_int_equal(source_read(paths, 1, &source, &err), 0);
	assert_string_equal(json_get_str(source.files, "job.lua", ""), "-- a\nreturn {}\n");
	assert_place(&source, "job.lua:3: wrong", path, ": job.lua:3: wrong");
	source_done(&source);
}

static void the_built_in_one(void **state)
{
	struct source source = source_built_in();

	(void)state;
	assert_int_equal(json_len(source.files), 0);
	assert_place(&source, "status.lua:3: wrong", "built-in", ": status.lua:3: wrong");
	source_done(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_cannot_be_read),
	    cmocka_unit_test(a_folder_without_policies),
	    cmocka_unit_test(size_has_a_limit),
	    cmocka_unit_test(files_of_one_name),
	    cmocka_unit_test(places),
	    cmocka_unit_test(a_configmap),
	    cmocka_unit_test(the_built_in_one),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
