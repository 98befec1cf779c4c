#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"

static void refuses(void **state)
{
	static const char *const table[] = {
	    "A",    "AA",   "AAA",  "AAAAA",    "=",        "==",       "===",       "====",
	    "A===", "AA=A", "=AAA", "AA==AA==", "AAA=AAAA", "Zm9v\n",   "Zm9v\nZm8", "Zm 9",
	    "Zm9-", "Zm9_", "Zh==", "Zm9=",     "Z\x80==",  "Zm9v====",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_buf struct buf out = BUF_INIT(100);
		struct err err = ERR_INIT;

		assert_int_equal(base64_decode(table[i], strlen(table[i]), &out, &err), -1);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_int_equal(out.len, 0);
	}
}

static void refuses_nul(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(base64_decode("AA\0A", 4, &out, &err), -1);
}

static void message_does_not_hold_the_text(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(base64_decode("c2VjcmV0!A==", 12, &out, &err), -1);
	assert_null(strstr(err.msg, "c2Vj"));
	assert_non_null(strstr(err.msg, "position 9"));
}

static void limits(void **state)
{
	auto_buf struct buf exact = BUF_INIT(3), small = BUF_INIT(2), room = BUF_INIT(7);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(base64_decode("Zm9v", 4, &exact, &err), 0);
	assert_int_equal(base64_decode("Zm9v", 4, &small, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(small.len, 0);
	assert_int_equal(base64_decode("", 0, &exact, &err), 0);
	assert_int_equal(base64_encode("foo", 3, &room), 0);
	assert_int_equal(base64_encode("f", 1, &room), -1);
	assert_true(room.full);
	assert_string_equal(room.data, "Zm9v");
}

/* RFC 4648 section 10. */
static void test_vectors(void **state)
{
	static const char *const table[][2] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_buf struct buf plain = BUF_INIT(100), text = BUF_INIT(100);
		struct err err = ERR_INIT;

		assert_int_equal(base64_encode(table[i][0], strlen(table[i][0]), &text), 0);
		assert_string_equal(text.data, table[i][1]);
		assert_int_equal(base64_decode(text.data, text.len, &plain, &err), 0);
		assert_string_equal(plain.data, table[i][0]);
	}
}

static void every_byte_comes_back(void **state)
{
	auto_buf struct buf plain = BUF_INIT(1000), text = BUF_INIT(1000);
	unsigned char bytes[256];
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(base64_encode(bytes, sizeof(bytes), &text), 0);
	assert_int_equal(base64_decode(text.data, text.len, &plain, &err), 0);
	assert_int_equal(plain.len, sizeof(bytes));
	assert_memory_equal(plain.data, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(refuses_nul),
	    cmocka_unit_test(message_does_not_hold_the_text),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(every_byte_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
