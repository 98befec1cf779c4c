#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/scan.h"

/* One character a token, then the span of keys, strings and numbers in angle brackets. The last is
 * '.' at the end and '!' at an error. */
static char *tokens_of(const char *text, size_t len)
{
	static const char letters[] = {
	    [SCAN_ERROR] = '!',      [SCAN_END] = '.',    [SCAN_OBJECT] = '{',
	    [SCAN_OBJECT_END] = '}', [SCAN_ARRAY] = '[',  [SCAN_ARRAY_END] = ']',
	    [SCAN_KEY] = 'k',        [SCAN_STRING] = 's', [SCAN_NUMBER] = 'n',
	    [SCAN_TRUE] = 't',       [SCAN_FALSE] = 'f',  [SCAN_NULL] = '0',
	};
	struct buf out = BUF_INIT(1 << 20);
	enum scan_token token;
	struct scan s;

	scan_init(&s, text, len);
	do {
		token = scan_next(&s);
		buf_addc(&out, letters[token]);
		if (token == SCAN_KEY || token == SCAN_STRING || token == SCAN_NUMBER)
			buf_addf(&out, "<%.*s>", (int)s.span_len, s.span);
	} while (token != SCAN_END && token != SCAN_ERROR);
	return buf_steal(&out);
}

/* Where and why the text is refused; "" if it is not. */
static void refusal(const char *text, size_t len, struct err *err)
{
	enum scan_token token;
	struct scan s;

	*err = (struct err)ERR_INIT;
	scan_init(&s, text, len);
	do
		token = scan_next(&s);
	while (token != SCAN_END && token != SCAN_ERROR);
	if (token == SCAN_END)
		return;
	assert_int_equal(scan_next(&s), SCAN_ERROR);
	assert_int_equal(scan_fail(&s, err), -1);
	assert_int_equal(err->kind, ERR_INVALID);
}

static void step_over_all(const char *text, size_t len)
{
	enum scan_token token;
	struct scan s;

	scan_init(&s, text, len);
	do
		token = scan_skip_any(&s);
	while (token != SCAN_END && token != SCAN_ERROR);
}

/* ---- what is refused ---- */

static void grammar_is_strict(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"", "line 1, column 1: expected a value, found the end"},
	    {" \n\t ", "line 2, column 3: expected a value, found the end"},
	    {"\xEF\xBB\xBF{}", "column 1: expected a value"},
	    {"{} {}", "column 4: expected nothing behind the value"},
	    {"1 2", "column 3: expected nothing behind"},
	    {"[1]]", "column 4: expected nothing behind"},
	    {"[1,]", "column 4: expected a value"},
	    {"[,1]", "column 2: expected a value"},
	    {"[1 2]", "column 4: expected ',' or ']'"},
	    {"[1}", "column 3: expected ',' or ']'"},
	    {"{\"a\":1]", "column 7: expected ',' or '}'"},
	    {"{\"a\":1,}", "column 8: expected a string"},
	    {"{\"a\"}", "column 5: expected ':'"},
	    {"{\"a\" 1}", "column 6: expected ':'"},
	    {"{\"a\":}", "column 6: expected a value"},
	    {"{\"a\":1 \"b\":2}", "expected ',' or '}'"},
	    {"{a:1}", "column 2: expected a string"},
	    {"{'a':1}", "column 2: expected a string"},
	    {"{1:1}", "column 2: expected a string"},
	    {"{null:1}", "column 2: expected a string"},
	    {"]", "expected a value"},
	    {"}", "expected a value"},
	    {":", "expected a value"},
	    {"[1,\n 2,\n x]", "line 3, column 2: expected a value"},
	    {"//c\n1", "expected a value"},
	    {"/**/1", "expected a value"},
	    {"\f1", "expected a value"},
	    {"\xC2\xA0"
	     "1",
	     "expected a value"},
	    {"True", "expected a value"},
	    {"tru", "expected a value"},
	    {"nul", "expected a value"},
	    {"truey", "expected nothing behind"},
	    {"NaN", "expected a value"},
	    {"Infinity", "expected a value"},
	    {"undefined", "expected a value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;

		refusal(rows[i].text, strlen(rows[i].text), &err);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: \"%s\" does not hold \"%s\"", rows[i].text, err.msg,
				 rows[i].message);
	}
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const rows[] = {
	    "01",  "-01",  "00",    "-",         "+1",           "--1",  "-a",    ".5",   "-.5",
	    "1.",  "1.e1", "1e",    "1e+",       "1E-",          "1ee1", "1.2.3", "0x1",  "1_0",
	    "1,0", "- 1",  "1e1.5", "-Infinity", "\xEF\xBC\x91", "1a",   "0e",    "1 e1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *in_array = xasprintf("[%s]", rows[i]);
		struct err err;

		refusal(rows[i], strlen(rows[i]), &err);
		if (err.kind == ERR_NONE)
			fail_msg("%s was accepted", rows[i]);
		refusal(in_array, strlen(in_array), &err);
		/* 1,0 is an array of two */
		if ((err.kind == ERR_NONE) != streq(rows[i], "1,0"))
			fail_msg("%s: %s", in_array, err.msg);
	}
}

static void bad_strings_are_refused(void **state)
{
	static const struct {
		const char *body, *message; /* what is between the quotes */
	} rows[] = {
	    {"\\u0000", "column 2: \\u0000 is not supported"},
	    {"a\\u0000b", "column 3: \\u0000 is not supported"},
	    {"\\ud800", "found half of one"},
	    {"\\udc00", "found half of one"},
	    {"\\uDFFF\\uD800", "found half of one"},
	    {"\\ud800\\ud800", "found half of one"},
	    {"\\ud800x", "found half of one"},
	    {"\\ud800\\n", "found half of one"},
	    {"\\ud800\\u", "found half of one"},
	    {"\\ud800\\u00e9", "found half of one"},
	    {"\\uD83D\\uDE0", "found half of one"},
	    {"\\u12", "expected an escape"},
	    {"\\u12g4", "expected an escape"},
	    {"\\u+123", "expected an escape"},
	    {"\\u 123", "expected an escape"},
	    {"\\U0041", "expected an escape"},
	    {"\\x41", "expected an escape"},
	    {"\\'", "expected an escape"},
	    {"\\a", "expected an escape"},
	    {"\\0", "expected an escape"},
	    {"\\\n", "expected an escape"},
	    {"\n", "found a control character"},
	    {"\t", "found a control character"},
	    {"\x1F", "found a control character"},
	    {"\x80", "expected UTF-8"},
	    {"\xBF", "expected UTF-8"},
	    {"\xC0\x80", "expected UTF-8"}, /* overlong NUL */
	    {"\xC1\xBF", "expected UTF-8"}, /* overlong */
	    {"\xC3", "expected UTF-8"},     /* cut */
	    {"\xC3(", "expected UTF-8"},
	    {"\xE0\x9F\xBF", "expected UTF-8"}, /* overlong */
	    {"\xE2\x82", "expected UTF-8"},     /* cut */
	    {"\xED\xA0\x80", "expected UTF-8"}, /* a surrogate */
	    {"\xED\xBF\xBF", "expected UTF-8"},
	    {"\xF0\x8F\xBF\xBF", "expected UTF-8"}, /* overlong */
	    {"\xF0\x9F\x98", "expected UTF-8"},     /* cut */
	    {"\xF4\x90\x80\x80", "expected UTF-8"}, /* above U+10FFFF */
	    {"\xF5\x80\x80\x80", "expected UTF-8"},
	    {"\xFE", "expected UTF-8"},
	    {"\xFF", "expected UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *value = xasprintf("\"%s\"", rows[i].body);
		auto_free char *key = xasprintf("{\"%s\":1}", rows[i].body);
		struct err err;

		refusal(value, strlen(value), &err);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("row %zu: %s", i, err.msg);
		refusal(key, strlen(key), &err);
		if (strstr(err.msg, "column ") == NULL)
			fail_msg("row %zu as a key: %s", i, err.msg);
	}
}

static void nul_bytes_are_refused_everywhere(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {{"\0", 1},
		    {"1\0", 2},
		    {"\"\0\"", 3},
		    {"\"\\\0\"", 4},
		    {"[\0]", 3},
		    {"{\"a\"\0:1}", 8},
		    {"tru\0", 4},
		    {"\"\\u00\0"
		     "1\"",
		     8}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;

		refusal(rows[i].text, rows[i].len, &err);
		if (err.kind != ERR_INVALID)
			fail_msg("row %zu was accepted", i);
	}
}

/* Each prefix lives in memory of its own, so that a sanitizer sees every step behind its end. */
static void every_truncation_is_refused(void **state)
{
	static const char text[] =
	    "{\"k\\u00e9\\ud83d\\ude00\": [true, false, null, -1.5e+10, \"\\n\xC3\xA9\","
	    " {\"a\": {}, \"b\": []}], \"\xF0\x9F\x98\x80\": \"x\"}";
	struct err err;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		auto_free char *prefix = xmalloc(len);

		memcpy(prefix, text, len);
		step_over_all(prefix, len);
		refusal(prefix, len, &err);
		if (err.kind != ERR_INVALID)
			fail_msg("the first %zu bytes were accepted", len);
	}
	refusal(text, sizeof(text) - 1, &err);
	assert_string_equal(err.msg, "");
}

/* No byte of any value, put in any place, may lead out of the text or into an endless loop. */
static void every_changed_byte_ends(void **state)
{
	static const char text[] = "{\"a\\u00e9\":[1.5e3,\"\\ud83d\\ude00\xC3\xA9\",true,null,{}]}";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t at = 0; at < len; at++) {
		for (int byte = 0; byte < 256; byte++) {
			auto_free char *changed = xmalloc(len);
			struct err err;

			memcpy(changed, text, len);
			changed[at] = (char)byte;
			step_over_all(changed, len);
			refusal(changed, len, &err);
		}
	}
}

static void nesting_has_a_limit(void **state)
{
	static const struct {
		const char *open, *close;
	} rows[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":", "}]"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t levels = SCAN_DEPTH_MAX / (i == 2 ? 2 : 1);

		for (size_t extra = 0; extra < 2; extra++) {
			auto_buf struct buf text = BUF_INIT(4096);
			struct err err;

			buf_adds(&text, extra ? "[" : "");
			for (size_t n = 0; n < levels; n++)
				buf_adds(&text, rows[i].open);
			buf_adds(&text, "1");
			for (size_t n = 0; n < levels; n++)
				buf_adds(&text, rows[i].close);
			buf_adds(&text, extra ? "]" : "");
			refusal(text.data, text.len, &err);
			if (extra)
				assert_non_null(strstr(err.msg, "expected at most 64 levels"));
			else
				assert_string_equal(err.msg, "");
		}
	}
}

/* ---- what is accepted ---- */

static void values_become_tokens(void **state)
{
	static const struct {
		const char *text, *tokens;
	} rows[] = {
	    {" \t\r\n1 \n", "n<1>."},
	    {"{}", "{}."},
	    {"[]", "[]."},
	    {"[ [ ] , { } ]", "[[]{}]."},
	    {"{\"a\":{\"b\":[true,false,null]}}", "{k<a>{k<b>[tf0]}}."},
	    {"{\"\":\"\"}", "{k<>s<>}."},
	    {"[0,-0,0.10,1e400,-1E-0,9007199254740993]",
	     "[n<0>n<-0>n<0.10>n<1e400>n<-1E-0>n<9007199254740993>]."},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s<\\\"\\\\\\/\\b\\f\\n\\r\\t>."},
	    {"\"\x7F\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"", "s<\x7F\xEF\xBF\xBF\xF4\x8F\xBF\xBF>."},
	    {"{\"a\":1,\"a\":2}", "{k<a>n<1>k<a>n<2>}."}, /* whoever builds a value checks this */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *tokens = tokens_of(rows[i].text, strlen(rows[i].text));

		assert_string_equal(tokens, rows[i].tokens);
	}
}

static void escapes_are_resolved(void **state)
{
	static const struct {
		const char *text, *plain;
		bool escaped;
	} rows[] = {
	    {"\"\"", "", false},
	    {"\"plain \xC3\xA9\"", "plain \xC3\xA9", false},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", true},
	    {"\"\\u0041\\u00e9\\u00E9\\u20aC\"", "A\xC3\xA9\xC3\xA9\xE2\x82\xAC", true},
	    {"\"\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff\"",
	     "\xF0\x9F\x98\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", true},
	    {"\"\\u0001\\ud7ff\\ue000\\uffff\"", "\x01\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", true},
	    {"\"\\\\u0041\"", "\\u0041", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *plain = NULL;
		struct scan s;

		scan_init(&s, rows[i].text, strlen(rows[i].text));
		assert_int_equal(scan_next(&s), SCAN_STRING);
		assert_int_equal(s.escaped, rows[i].escaped);
		plain = scan_text(&s);
		assert_string_equal(plain, rows[i].plain);
	}
}

static void skip_spans_the_whole_value(void **state)
{
	static const struct {
		const char *value, *span;
	} rows[] = {
	    {"{\"x\": [1, {}] }", "{\"x\": [1, {}] }"},
	    {"[[], [[\"]\"]]]", "[[], [[\"]\"]]]"},
	    {"{}", "{}"},
	    {"12.50", "12.50"},
	    {"null", "null"},
	    {"\"s\"", "s"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{\"a\": %s , \"b\": 7}", rows[i].value);
		auto_free char *span = NULL;
		struct scan s;

		scan_init(&s, text, strlen(text));
		assert_int_equal(scan_next(&s), SCAN_OBJECT);
		assert_int_equal(scan_next(&s), SCAN_KEY);
		assert_int_not_equal(scan_skip(&s, scan_next(&s)), SCAN_ERROR);
		span = xstrndup(s.span, s.span_len);
		assert_string_equal(span, rows[i].span);
		assert_int_equal(scan_next(&s), SCAN_KEY);
		assert_int_equal(*s.span, 'b');
	}
}

static void skip_tells_an_error(void **state)
{
	struct scan s;

	(void)state;
	scan_init(&s, "[[1, }", 6);
	assert_int_equal(scan_next(&s), SCAN_ARRAY);
	assert_int_equal(scan_skip(&s, SCAN_ARRAY), SCAN_ERROR);
	assert_int_equal(scan_skip(&s, SCAN_ERROR), SCAN_ERROR);
}

/* Each row in an object, in memory of its own. */
static void skip_any_takes_what_is_refused(void **state)
{
	static const char *const rows[] = {
	    "{\"x\": [1, {}] }",   "\"s\"",         "\"\\\"]}\"", "\"\\\\\"", "\"\\u0000 \\q\"",
	    "\"\x01\xFF\"",        "[\"\\ud800\"]", "01.e",       "nul",      "{\"a\":1,\"a\":1}",
	    "[\"[\", {\"}\": 1}]",
	};
	static const enum scan_token tokens[] = {SCAN_OBJECT, SCAN_STRING, SCAN_STRING, SCAN_STRING,
						 SCAN_STRING, SCAN_STRING, SCAN_ARRAY,  SCAN_NUMBER,
						 SCAN_NULL,   SCAN_OBJECT, SCAN_ARRAY};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{\"\\u0000\": %s , \"b\": 7}", rows[i]);
		auto_free char *span = NULL;
		struct scan s;

		scan_init(&s, text, strlen(text));
		assert_int_equal(scan_next(&s), SCAN_OBJECT);
		assert_int_equal(scan_skip_any(&s), SCAN_KEY);
		assert_int_equal(scan_skip_any(&s), tokens[i]);
		span = xstrndup(s.span, s.span_len);
		assert_string_equal(span, rows[i]);
		assert_int_equal(scan_skip_any(&s), SCAN_KEY);
		assert_int_equal(*s.span, 'b');
		assert_int_equal(scan_skip_any(&s), SCAN_NUMBER);
		assert_int_equal(scan_skip_any(&s), SCAN_OBJECT_END);
		assert_int_equal(scan_skip_any(&s), SCAN_END);
	}
}

static void skip_any_has_no_limit_of_depth(void **state)
{
	enum { LEVELS = 100000 };
	auto_free char *text = xmalloc(2 * (size_t)LEVELS);
	struct scan s;

	(void)state;
	memset(text, '[', LEVELS);
	memset(text + LEVELS, ']', LEVELS);
	scan_init(&s, text, 2 * (size_t)LEVELS);
	assert_int_equal(scan_skip_any(&s), SCAN_ARRAY);
	assert_int_equal(s.span_len, 2 * LEVELS);
	assert_int_equal(scan_next(&s), SCAN_END);
	scan_init(&s, text, 2 * (size_t)LEVELS - 1);
	assert_int_equal(scan_skip_any(&s), SCAN_ERROR);
}

static void skip_any_tells_an_error(void **state)
{
	static const char *const rows[] = {"",  " ", "[", "{\"a\":1", "\"a", "\"\\", "\"\\\"",
					   "]", "}", ",", ":",        "1 2", "[] ]", "[\"]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xmalloc(strlen(rows[i]));
		enum scan_token token;
		struct err err = ERR_INIT;
		struct scan s;

		memcpy(text, rows[i], strlen(rows[i]));
		scan_init(&s, text, strlen(rows[i]));
		token = scan_skip_any(&s);
		if (token != SCAN_ERROR)
			token = scan_skip_any(&s);
		assert_int_equal(token, SCAN_ERROR);
		assert_int_equal(scan_skip_any(&s), SCAN_ERROR);
		assert_int_equal(scan_fail(&s, &err), -1);
	}
}

/* The same tokens as in one go, and an error at the same place. */
static void check_pieces(const char *all, size_t piece)
{
	struct scan whole, parts;
	auto_free char *text = NULL;
	struct err wanted = ERR_INIT, found = ERR_INIT;
	size_t have = 0, len = strlen(all);
	enum scan_token token = SCAN_NULL;

	scan_init(&whole, all, len);
	scan_init(&parts, "", 0);
	while (token != SCAN_END && token != SCAN_ERROR) {
		while (!scan_step(&parts, have == len, &token)) {
			size_t at = have - (size_t)(parts.end - parts.at);

			have = have + piece < len ? have + piece : len;
			free(text);
			text = xstrndup(all + at, have - at);
			scan_more(&parts, text, have - at);
		}
		assert_int_equal(token, scan_next(&whole));
		if (token != SCAN_END && token != SCAN_ERROR)
			assert_memory_equal(parts.span, whole.span, whole.span_len);
	}
	if (token == SCAN_ERROR) {
		scan_fail(&whole, &wanted);
		scan_fail(&parts, &found);
		assert_string_equal(found.msg, wanted.msg);
	}
}

static void pieces_make_the_same_tokens(void **state)
{
	static const char *const rows[] = {
	    "{\"a\\n\":[12.5e+3,-0,true,false,null,\"\\ud83d\\ude00\xE2\x82\xAC\"],\n\"b\":{}} ",
	    "7",
	    "[1,\n 2,\n 3 4]",
	    "[tru",
	    "[\"\\ud83dx\"]",
	    "[1]\n\n]",
	    "\"\xE2\x82",
	    "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece <= strlen(rows[i]) + 1; piece++)
			check_pieces(rows[i], piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grammar_is_strict),
	    cmocka_unit_test(bad_numbers_are_refused),
	    cmocka_unit_test(bad_strings_are_refused),
	    cmocka_unit_test(nul_bytes_are_refused_everywhere),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(every_changed_byte_ends),
	    cmocka_unit_test(nesting_has_a_limit),
	    cmocka_unit_test(values_become_tokens),
	    cmocka_unit_test(escapes_are_resolved),
	    cmocka_unit_test(skip_spans_the_whole_value),
	    cmocka_unit_test(skip_tells_an_error),
	    cmocka_unit_test(skip_any_takes_what_is_refused),
	    cmocka_unit_test(skip_any_has_no_limit_of_depth),
	    cmocka_unit_test(skip_any_tells_an_error),
	    cmocka_unit_test(pieces_make_the_same_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
