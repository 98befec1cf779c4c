#include "policy_util.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "policy/folder.h"
#include "policy/host.h"

static char folder[] = "/tmp/folder-test-XXXXXX";

static void put(const char *name, const char *text, size_t len)
{
	auto_free char *path = xasprintf("%s/%s", folder, name);
	auto_file FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
}

static void drop(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", folder, name);

	assert_int_equal(remove(path), 0);
}

static void refused(const char *path, enum err_kind kind, const char *message)
{
	struct err err = ERR_INIT;

	assert_null(folder_read(path, &err));
	assert_int_equal(err.kind, kind);
	if (strstr(err.msg, message) == NULL)
		assert_string_equal(err.msg, message);
	assert_true(has_prefix(err.msg, path));
}

static void what_is_no_folder_of_policies_is_told(void **state)
{
	auto_free char *file = xasprintf("%s/contract.lua", folder);

	(void)state;
	refused("/none/of/this", ERR_NOT_FOUND, "expected a folder of policy files: No such file");
	refused(folder, ERR_NOT_FOUND, "expected policy files such as contract.lua, found none");
	put("contract.lua", "return", 6);
	refused(file, ERR_NOT_FOUND, "expected a folder of policy files: Not a directory");
	put("contract.lua", "a\0b", 3);
	refused(folder, ERR_INVALID, "/contract.lua: expected text in UTF-8");
	put("contract.lua", "\xff", 1);
	refused(folder, ERR_INVALID, "/contract.lua: expected text in UTF-8");
	drop("contract.lua");
}

static void size_is_limited(void **state)
{
	auto_free char *text = xcalloc(1, POLICY_BUNDLE_MAX + 1);
	struct err err = ERR_INIT;
	struct json *files;

	(void)state;
	memset(text, '-', POLICY_BUNDLE_MAX + 1);
	put("contract.lua", text, POLICY_BUNDLE_MAX - 3);
	put("status.lua", "---", 3);
	files = folder_read(folder, &err);
	assert_int_equal(json_len(files), 2);
	json_free(files);
	put("status.lua", "----", 4);
	refused(folder, ERR_LIMIT, "found more");
	drop("contract.lua");
	drop("status.lua");
}

static void policies_are_read_and_nothing_else(void **state)
{
	auto_free char *inside = xasprintf("%s/spec.lua", folder);
	struct err err = ERR_INIT;
	struct json *files;

	(void)state;
	put("contract.lua", "\xc3\xa9", 2);
	put("contrakt.lua", "", 0); /* misspelt: bundle_new() will say so */
	put("a_spec.lua", "spec", 4);
	put("README.md", "readme", 6);
	put(".lua", "hidden", 6);
	assert_int_equal(mkdir(inside, 0700), 0);
	files = folder_read(folder, &err);
	assert_int_equal(json_len(files), 2);
	assert_string_equal(json_get_str(files, "contract.lua", ""), "\xc3\xa9");
	assert_string_equal(json_get_str(files, "contrakt.lua", "none"), "");
	json_free(files);
	for (const char *const *name =
		 (const char *const[]){"contract.lua", "contrakt.lua", "a_spec.lua", "README.md",
				       ".lua", "spec.lua", NULL};
	     *name != NULL; name++)
		drop(*name);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_folder_of_policies_is_told),
	    cmocka_unit_test(size_is_limited),
	    cmocka_unit_test(policies_are_read_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
