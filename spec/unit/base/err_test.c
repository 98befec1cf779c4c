#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/utf8.h"

static void long_messages_are_cut(void **state)
{
	(void)state;
	for (size_t len = ERR_MSG_MAX - 2; len <= ERR_MSG_MAX + 1; len++) {
		auto_free char *text = xcalloc(1, len + 1);
		struct err err;

		memset(text, 'x', len);
		err_set(&err, ERR_INVALID, "%s", text);
		assert_int_equal(strlen(err.msg), len < ERR_MSG_MAX ? len : ERR_MSG_MAX - 1);
	}
}

/* Wherever the cut falls in a run of characters of 1 to 4 bytes, what is left is UTF-8. */
static void cuts_leave_characters_whole(void **state)
{
	static const char *const chars[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chars); i++) {
		for (int lead = 0; lead < 4; lead++) {
			auto_free char *text = xcalloc(1, 4096);
			struct err err;

			for (size_t at = 0; at < 2000; at += strlen(chars[i]))
				memcpy(text + at, chars[i], strlen(chars[i]));
			err_set(&err, ERR_RETRY, "%.*s%s", lead, "aaaa", text);
			assert_true(utf8_valid(err.msg, strlen(err.msg)));
			assert_in_range(strlen(err.msg), ERR_MSG_MAX - 4, ERR_MSG_MAX - 1);
			err_wrap(&err, "%s", "context");
			assert_true(utf8_valid(err.msg, strlen(err.msg)));
			assert_memory_equal(err.msg, "context: ", 9);
		}
	}
}

static void set_replaces_everything(void **state)
{
	struct err err = {.kind = ERR_RETRY, .status = 429, .retry_ms = 5000, .msg = "old"};

	(void)state;
	assert_int_equal(err_set(&err, ERR_BUG, "new %d", 1), -1);
	assert_int_equal(err.kind, ERR_BUG);
	assert_int_equal(err.status, 0);
	assert_int_equal(err.retry_ms, 0);
	assert_string_equal(err.msg, "new 1");
}

static void set_may_quote_the_old_message(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_INVALID, "inner");
	err_set(&err, ERR_RETRY, "outer (%s)", err.msg);
	assert_string_equal(err.msg, "outer (inner)");
}

static void wrap_keeps_kind_status_and_delay(void **state)
{
	struct err err = {.kind = ERR_RETRY, .status = 503, .retry_ms = 1000, .msg = "busy 100%s"};

	(void)state;
	assert_int_equal(err_wrap(&err, "GET %s", "/api"), -1);
	assert_int_equal(err_wrap(&err, "list"), -1);
	assert_string_equal(err.msg, "list: GET /api: busy 100%s");
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(err.status, 503);
	assert_int_equal(err.retry_ms, 1000);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (enum err_kind a = ERR_NONE; a <= ERR_BUG; a++)
		for (enum err_kind b = ERR_NONE; b < a; b++)
			assert_string_not_equal(err_kind_name(a), err_kind_name(b));
	assert_string_equal(err_kind_name(ERR_NOT_FOUND), "NotFound");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(long_messages_are_cut),
	    cmocka_unit_test(cuts_leave_characters_whole),
	    cmocka_unit_test(set_replaces_everything),
	    cmocka_unit_test(set_may_quote_the_old_message),
	    cmocka_unit_test(wrap_keeps_kind_status_and_delay),
	    cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
