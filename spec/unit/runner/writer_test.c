/* writer_test.c - what a format has around and between records, in one attempt and in the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/writer.h"

struct storage {
	struct buf bytes;
	int64_t rows;
};

static int write_bytes(struct storage *storage, const char *bytes, size_t len, int64_t rows,
		       struct fault *fault)
{
	storage->rows += rows;
	return buf_add(&storage->bytes, bytes, len) == 0
		   ? 0
		   : fault_set(fault, REASON_OUTPUT_REJECTED, ERR_INVALID, "full");
}

static const struct provider memory = {.name = "memory", .write = write_bytes};

static const struct format list = {.open = "[", .between = ",", .close = "]"};
static const struct format lines = {.lines = true, .open = "", .between = "\n", .close = ""};

struct written {
	const struct format *format;
	bool resumed;
	const char *records[4], *header, *bytes;
};

static void check_written(const struct written *c)
{
	struct storage storage = {.bytes = BUF_INIT(100)};
	const struct section section = {.provider = &memory, .format = c->format};
	struct writer writer = {.section = &section, .storage = &storage, .resumed = c->resumed};
	struct fault fault = FAULT_INIT;
	int64_t rows = 0;

	for (; c->records[rows] != NULL; rows++) {
		auto_buf struct buf records = BUF_INIT(100), header = BUF_INIT(100);

		buf_adds(&records, c->records[rows]);
		buf_adds(&header, records.len > 0 ? c->header : "");
		assert_int_equal(writer_add(&writer, &header, &records, 1, &fault), 0);
	}
	assert_int_equal(writer_end(&writer, &fault), 0);
	assert_string_equal(storage.bytes.data, c->bytes);
	assert_int_equal(writer.bytes, strlen(c->bytes));
	assert_int_equal(storage.rows, rows);
	buf_done(&storage.bytes);
}

static void test_written(void **state UNUSED)
{
	static const struct written cases[] = {
	    {&list, false, {"", ""}, "", "[]"},
	    {&list, false, {"1,2", "", "3"}, "", "[1,2,3]"},
	    {&list, false, {"", "3"}, "", "[3]"},
	    {&list, true, {"3", "4"}, "", ",3,4]"},
	    {&lines, false, {"1\n2", "", "3"}, "h\n", "h\n1\n2\n3\n"},
	    {&lines, false, {"", "1"}, "h\n", "h\n1\n"},
	    {&lines, true, {"3", "4"}, "h\n", "3\n4\n"},
	    {&lines, true, {"", ""}, "h\n", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_written(&cases[i]);
}

static void test_refused(void **state UNUSED)
{
	struct storage storage = {.bytes = BUF_INIT(3)};
	const struct section section = {.provider = &memory, .format = &list};
	struct writer writer = {.section = &section, .storage = &storage};
	auto_buf struct buf records = BUF_INIT(100), header = BUF_INIT(100);
	struct fault fault = FAULT_INIT;

	buf_adds(&records, "12");
	assert_int_equal(writer_add(&writer, &header, &records, 1, &fault), 0);
	assert_int_equal(writer_end(&writer, &fault), -1);
	assert_int_equal(fault.reason, REASON_OUTPUT_REJECTED);
	buf_done(&storage.bytes);
}

static int take_head(struct storage *storage, const char *bytes, size_t len,
		     struct fault *fault UNUSED)
{
	buf_addf(&storage->bytes, "<%.*s>", (int)len, bytes);
	return 0;
}

/* A provider that wants the header by itself gets it once in each attempt. */
static void test_head(void **state UNUSED)
{
	static const struct provider parts = {
	    .name = "parts", .head = take_head, .write = write_bytes};

	for (int resumed = 0; resumed < 2; resumed++) {
		struct storage storage = {.bytes = BUF_INIT(100)};
		const struct section section = {.provider = &parts, .format = &lines};
		struct writer writer = {
		    .section = &section, .storage = &storage, .resumed = resumed};
		auto_buf struct buf record = BUF_INIT(100), header = BUF_INIT(100);
		struct fault fault = FAULT_INIT;

		buf_adds(&record, "1");
		buf_adds(&header, "h");
		assert_int_equal(writer_add(&writer, &header, &record, 1, &fault), 0);
		assert_int_equal(writer_add(&writer, &header, &record, 1, &fault), 0);
		assert_string_equal(storage.bytes.data, "<h>1\n1\n");
		buf_done(&storage.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
