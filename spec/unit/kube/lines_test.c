#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube/lines.h"

/* Collects lines as "<line>|<line>|"; refuses the line "stop". */
struct seen {
	struct buf text;
	size_t count, longest;
};

static int collect(void *arg, const char *line, size_t len, struct err *err)
{
	struct seen *seen = arg;

	if (len == 4 && memcmp(line, "stop", 4) == 0)
		return err_set(err, ERR_INVALID, "stopped");
	seen->count++;
	seen->longest = len > seen->longest ? len : seen->longest;
	if (len < 100) {
		buf_add(&seen->text, line, len);
		buf_addc(&seen->text, '|');
	}
	return 0;
}

static struct seen seen_new(void)
{
	return (struct seen){.text = BUF_INIT(1 << 16)};
}

/* A newline of its own ends a line of len bytes that came in pieces of the given size. */
static int feed_line(size_t len, size_t piece, struct seen *seen, struct err *err)
{
	auto_free char *bytes = xmalloc(len + 1);
	struct lines lines;
	int result = 0;

	memset(bytes, 'x', len);
	bytes[len] = '\n';
	lines_init(&lines);
	for (size_t at = 0; at <= len && result == 0; at += piece) {
		size_t n = len + 1 - at < piece ? len + 1 - at : piece;

		result = lines_feed(&lines, bytes + at, n, collect, seen, err);
	}
	lines_done(&lines);
	return result;
}

static void limit_is_the_same_for_every_chunking(void **state)
{
	static const size_t pieces[] = {16 << 10, LINE_MAX_LEN, LINE_MAX_LEN + 1, LINE_MAX_LEN + 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct seen seen = seen_new();
		struct err err = ERR_INIT;

		assert_int_equal(feed_line(LINE_MAX_LEN, pieces[i], &seen, &err), 0);
		assert_int_equal(seen.longest, LINE_MAX_LEN);
		assert_int_equal(feed_line(LINE_MAX_LEN + 1, pieces[i], &seen, &err), -1);
		assert_int_equal(err.kind, ERR_LIMIT);
		assert_int_equal(seen.count, 1);
		buf_done(&seen.text);
	}
}

static void limit_needs_no_newline(void **state)
{
	auto_free char *bytes = xcalloc(1, LINE_MAX_LEN + 1);
	struct seen seen = seen_new();
	struct err err = ERR_INIT;
	struct lines lines;

	(void)state;
	lines_init(&lines);
	assert_int_equal(lines_feed(&lines, bytes, LINE_MAX_LEN, collect, &seen, &err), 0);
	assert_int_equal(lines_feed(&lines, bytes, 1, collect, &seen, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	lines_done(&lines);
}

static void a_refused_line_ends_the_feed(void **state)
{
	static const char *const chunks[][2] = {{"a\nstop\nb\n", ""}, {"a\nst", "op\nb\n"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		struct seen seen = seen_new();
		struct err err = ERR_INIT;
		struct lines lines;
		int result;

		lines_init(&lines);
		result =
		    lines_feed(&lines, chunks[i][0], strlen(chunks[i][0]), collect, &seen, &err);
		if (result == 0)
			result = lines_feed(&lines, chunks[i][1], strlen(chunks[i][1]), collect,
					    &seen, &err);
		assert_int_equal(result, -1);
		assert_string_equal(err.msg, "stopped");
		assert_string_equal(seen.text.data, "a|");
		lines_done(&lines);
		buf_done(&seen.text);
	}
}

static void every_split_gives_the_same_lines(void **state)
{
	static const char stream[] = "{\"a\":\"\xC3\xA9\"}\n\n{\"b\":1}\n\n\nc\r\nd";
	static const char expected[] = "{\"a\":\"\xC3\xA9\"}|{\"b\":1}|c\r|";
	size_t len = sizeof(stream) - 1;

	(void)state;
	for (size_t first = 0; first <= len; first++) {
		for (size_t second = first; second <= len; second++) {
			struct seen seen = seen_new();
			struct err err = ERR_INIT;
			struct lines lines;

			lines_init(&lines);
			assert_int_equal(lines_feed(&lines, stream, first, collect, &seen, &err),
					 0);
			assert_int_equal(lines_feed(&lines, stream + first, second - first, collect,
						    &seen, &err),
					 0);
			assert_int_equal(
			    lines_feed(&lines, stream + second, len - second, collect, &seen, &err),
			    0);
			assert_string_equal(seen.text.data, expected);
			assert_string_equal(lines.pending.data, "d");
			lines_done(&lines);
			buf_done(&seen.text);
		}
	}
}

static void a_long_line_leaves_no_memory_behind(void **state)
{
	auto_free char *bytes = xmalloc(1 << 20);
	struct seen seen = seen_new();
	struct err err = ERR_INIT;
	struct lines lines;

	(void)state;
	memset(bytes, 'x', 1 << 20);
	lines_init(&lines);
	assert_int_equal(lines_feed(&lines, bytes, 1 << 20, collect, &seen, &err), 0);
	assert_int_equal(lines_feed(&lines, "\n", 1, collect, &seen, &err), 0);
	assert_int_equal(seen.longest, 1 << 20);
	assert_int_equal(lines.pending.cap, 0);
	lines_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limit_is_the_same_for_every_chunking),
	    cmocka_unit_test(limit_needs_no_newline),
	    cmocka_unit_test(a_refused_line_ends_the_feed),
	    cmocka_unit_test(every_split_gives_the_same_lines),
	    cmocka_unit_test(a_long_line_leaves_no_memory_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
