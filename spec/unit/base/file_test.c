#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "base/file.h"

static char path[] = "/tmp/file_test.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *bytes, size_t len)
{
	auto_file FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
}

static void what_cannot_be_read_is_told_with_its_path(void **state)
{
	auto_free char *below_a_file = xasprintf("%s/x", path);
	const struct {
		const char *path;
		enum err_kind kind;
	} rows[] = {
	    {"/nonexistent/file", ERR_NOT_FOUND},
	    {below_a_file, ERR_NOT_FOUND},
	    {"/", ERR_RETRY},
	    {"", ERR_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(100);
		struct err err = ERR_INIT;

		assert_int_equal(file_read(rows[i].path, &out, &err), -1);
		assert_int_equal(err.kind, rows[i].kind);
		assert_memory_equal(err.msg, rows[i].path, strlen(rows[i].path));
	}
}

static void a_file_without_permission_is_denied(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	if (geteuid() == 0) /* may read everything */
		skip();
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(file_read(path, &out, &err), -1);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(err.kind, ERR_DENIED);
}

static void the_limit_is_exact(void **state)
{
	static const size_t limits[] = {1, 8191, 8192, 8193, 100000};
	auto_free char *bytes = xmalloc(100001);

	(void)state;
	memset(bytes, 'x', 100001);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		auto_buf struct buf out = BUF_INIT(limits[i]);
		struct err err = ERR_INIT;

		write_file(bytes, limits[i]);
		assert_int_equal(file_read(path, &out, &err), 0);
		assert_int_equal(out.len, limits[i]);

		buf_clear(&out);
		write_file(bytes, limits[i] + 1);
		assert_int_equal(file_read(path, &out, &err), -1);
		assert_int_equal(err.kind, ERR_LIMIT);
		assert_non_null(strstr(err.msg, "expected at most "));
	}
}

static void a_file_without_end_is_left(void **state)
{
	auto_buf struct buf out = BUF_INIT(100000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_read("/dev/zero", &out, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.msg, "/dev/zero: expected at most 100000 bytes, found more");
}

static void bytes_are_appended_as_they_are(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	write_file("a\0b\r\n\xFF", 6);
	buf_adds(&out, "<");
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.data, "<a\0b\r\n\xFF", 8);
	write_file("", 0);
	assert_int_equal(file_read(path, &out, &err), 0);
	assert_int_equal(out.len, 7);
}

static void a_dash_is_standard_input(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	write_file("from stdin", 10);
	assert_non_null(freopen(path, "r", stdin));
	assert_int_equal(file_read("-", &out, &err), 0);
	assert_string_equal(out.data, "from stdin");
	assert_int_equal(ferror(stdin), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_cannot_be_read_is_told_with_its_path),
	    cmocka_unit_test(a_file_without_permission_is_denied),
	    cmocka_unit_test(the_limit_is_exact),
	    cmocka_unit_test(a_file_without_end_is_left),
	    cmocka_unit_test(bytes_are_appended_as_they_are),
	    cmocka_unit_test(a_dash_is_standard_input),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
