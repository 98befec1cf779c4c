#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"

/* While a test runs, stderr is this file. */
static FILE *captured;
static int real_stderr;

static int capture(void **state)
{
	(void)state;
	captured = tmpfile();
	real_stderr = dup(STDERR_FILENO);
	log_setup(LOG_INFO, LOG_JSON);
	return captured == NULL || dup2(fileno(captured), STDERR_FILENO) < 0 ? -1 : 0;
}

static int release(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return fclose(captured);
}

/* What was written since the last call; yours. */
static char *written(void)
{
	struct buf text = BUF_INIT(1 << 20);
	char chunk[4096];
	size_t n;

	fflush(stderr);
	rewind(captured);
	while ((n = fread(chunk, 1, sizeof(chunk), captured)) > 0)
		buf_add(&text, chunk, n);
	assert_int_equal(ftruncate(fileno(captured), 0), 0);
	rewind(captured);
	lseek(STDERR_FILENO, 0, SEEK_SET);
	return buf_steal(&text);
}

/* The one line that was written, parsed. */
static struct json *line_written(void)
{
	auto_free char *text = written();
	struct err err = ERR_INIT;
	struct json *line = json_parse(text, strlen(text), &err);

	if (line == NULL)
		fail_msg("%s: %s", err.msg, text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	return line;
}

static const char *const hostile[] = {
    "",
    "\"",
    "\\",
    "\n{\"level\":\"error\"}\n",
    "\x01\x1F\x7F",
    "\xFF\xC3\xED\xA0\x80",
    "%s%n%d",
    "\xC3\xA9 \xF0\x9F\x98\x80",
    "a=b c",
    "'",
    "</script>",
    "\r\x1B[2J",
};

static void hostile_values_stay_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		auto_json struct json *line = NULL;

		log_info("message", "value", hostile[i], hostile[i], "v", "last", "x");
		line = line_written();
		assert_int_equal(json_len(line), 6);
		assert_non_null(json_str(json_get(line, "value")));
		assert_string_equal(json_get_str(line, "last", ""), "x");
		assert_string_equal(json_get_str(line, "level", ""), "info");
	}
}

static void hostile_values_stay_on_their_line_as_text(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		auto_free char *text = NULL;

		log_info("message", "value", hostile[i]);
		text = written();
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_null(strchr(text, '\x1B'));
		assert_non_null(strstr(text, " value="));
	}
}

/* The line is valid whatever the length, and what fits behind a pair that does not is there. */
static void long_values_are_left_out(void **state)
{
	auto_free char *value = xmalloc(70000);
	static const char fillers[] = {'x', '\x01', '\xFF'};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
		for (size_t len = 1000; len < 70000;
		     len = len < 16000 || len > 16500 ? len + 997 : len + 1) {
			auto_json struct json *line = NULL;

			memset(value, fillers[i], len);
			value[len] = '\0';
			log_info("message", "before", "1", "value", value, "after", "2");
			line = line_written();
			assert_string_equal(json_get_str(line, "msg", ""), "message");
			assert_string_equal(json_get_str(line, "before", ""), "1");
			if (len > 16 << 10)
				assert_null(json_get(line, "value"));
			if (json_get(line, "value") == NULL)
				assert_string_equal(json_get_str(line, "after", ""), "2");
		}
	}
}

static void many_values_are_cut_at_a_pair(void **state)
{
	auto_free char *value = xcalloc(1, 6001);
	auto_json struct json *line = NULL;

	(void)state;
	memset(value, 'x', 6000);
	log_error("message", "a", value, "b", value, "c", value, "d", "short");
	line = line_written();
	assert_non_null(json_get(line, "a"));
	assert_non_null(json_get(line, "b"));
	assert_null(json_get(line, "c"));
	assert_non_null(json_get(line, "d"));
}

static void long_messages_leave_a_valid_line(void **state)
{
	auto_free char *message = xcalloc(1, 40001);
	auto_json struct json *line = NULL;

	(void)state;
	memset(message, '"', 40000);
	log_info(message, "key", "value");
	line = line_written();
	assert_string_equal(json_get_str(line, "key", ""), "value");
}

static void long_messages_leave_a_line_as_text(void **state)
{
	auto_free char *message = xcalloc(1, 40001);
	auto_free char *text = NULL;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	memset(message, 'x', 40000);
	log_write(LOG_INFO, message, (char *)NULL);
	text = written();
	assert_string_equal(text, "\n");
}

static void a_missing_value_leaves_its_key_out(void **state)
{
	auto_json struct json *line = NULL;
	const char *none = NULL;

	(void)state;
	log_warn("message", "a", none, "b", "2", "c", none);
	line = line_written();
	assert_int_equal(json_len(line), 4);
	assert_string_equal(json_get_str(line, "b", ""), "2");
}

static void lines_have_time_level_and_message(void **state)
{
	auto_json struct json *line = NULL;
	int64_t before = time_now_ms(), time;

	(void)state;
	log_error("job created", "attempt", log_num(INT64_MIN));
	line = line_written();
	assert_true(time_parse(json_get_str(line, "time", ""), &time));
	assert_in_range(time, before, before + 600000);
	assert_string_equal(json_get_str(line, "level", ""), "error");
	assert_string_equal(json_get_str(line, "msg", ""), "job created");
	assert_string_equal(json_get_str(line, "attempt", ""), "-9223372036854775808");
	assert_string_equal(json_key(json_first(line)), "time");
}

static void text_is_for_people(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	log_warn("job created", "run", "ns/a", "said", "two words", "empty", "", "eq", "a=b");
	text = written();
	assert_string_equal(
	    text + strlen("2026-11-24T10:00:00.123Z"),
	    " warn  job created run=ns/a said=\"two words\" empty=\"\" eq=\"a=b\"\n");
}

static void levels_below_the_lowest_are_silent(void **state)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	(void)state;
	for (size_t lowest = 0; lowest < ARRAY_LEN(names); lowest++) {
		for (size_t level = 0; level < ARRAY_LEN(names); level++) {
			auto_free char *text = NULL;

			log_setup((enum log_level)lowest, LOG_JSON);
			log_write((enum log_level)level, "x", (char *)NULL);
			text = written();
			assert_int_equal(*text != '\0', level >= lowest);
			assert_int_equal(log_enabled((enum log_level)level), level >= lowest);
		}
	}
}

static void level_names_are_read(void **state)
{
	static const char *const bad[] = {"", "INFO", "warning", "trace", "info ", "0"};
	enum log_level level = LOG_ERROR;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(log_level_parse(bad[i], &level));
	assert_int_equal(level, LOG_ERROR);
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_WARN);
}

#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CAPTURED(hostile_values_stay_values),
	    CAPTURED(hostile_values_stay_on_their_line_as_text),
	    CAPTURED(long_values_are_left_out),
	    CAPTURED(many_values_are_cut_at_a_pair),
	    CAPTURED(long_messages_leave_a_valid_line),
	    CAPTURED(long_messages_leave_a_line_as_text),
	    CAPTURED(a_missing_value_leaves_its_key_out),
	    CAPTURED(lines_have_time_level_and_message),
	    CAPTURED(text_is_for_people),
	    CAPTURED(levels_below_the_lowest_are_silent),
	    cmocka_unit_test(level_names_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
