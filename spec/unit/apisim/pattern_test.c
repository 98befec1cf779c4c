#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/pattern.h"

static void refuses_what_means_something_else(void **state)
{
	static const char *const patterns[] = {
	    "[",       "[]",          "[a",       "(",     "a**?", "a+?",    "a??",
	    "a{1,2}?", "(?i)a",       "(?P<n>a)", "\\b",   "\\pL", "\\1",    "\\",
	    "a\\",     "[[:alpha:]]", "[\\b]",    "[\\D]", "[^]",  "a{2,1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct err err = ERR_INIT;
		struct pattern *pattern = pattern_new(patterns[i], &err);

		if (pattern != NULL)
			fail_msg("%s: expected a refusal", patterns[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void the_length_is_limited(void **state)
{
	auto_free char *text = xmalloc(PATTERN_MAX + 2);
	struct err err = ERR_INIT;
	struct pattern *pattern;

	(void)state;
	memset(text, 'a', PATTERN_MAX + 1);
	text[PATTERN_MAX] = '\0';
	pattern = pattern_new(text, &err);
	assert_non_null(pattern);
	pattern_free(pattern);
	text[PATTERN_MAX] = 'a';
	text[PATTERN_MAX + 1] = '\0';
	assert_null(pattern_new(text, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void matches_as_re2_does(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} examples[] = {
	    {"b", "abc", true},
	    {"^b", "abc", false},
	    {"^$", "", true},
	    {"^\\d{2}\\.\\w+\\s\\S$", "12.a_ x", true},
	    {"^\\D\\W$", "a1", false},
	    {"^(?:ab|c)+$", "abcab", true},
	    {"^[\\d.]+$", "1.2", true},
	    {"^[\\w-]+$", "a-b_1", true},
	    {"^[a\\]b]+$", "a]b", true},
	    {"^[]a]+$", "]a", true},
	    {"^[^]a]+$", "bc", true},
	    {"^[^]a]+$", "b]", false},
	    {"^[a\\-z]+$", "a-z", true},
	    {"^[a\\-z]+$", "m", false},
	    {"^[a-z]+$", "m", true},
	    {"^[-a]+$", "a-", true},
	    {"^[a-]+$", "a-", true},
	    {"^[a\\^]+$", "^a", true},
	    {"^[\\\\]+$", "\\", true},
	    {"^[+*?.(){}|/]+$", "+*?.(){}|/", true},
	    {"^\\[\\]\\^\\$$", "[]^$", true},
	    {"^a{2}b?$", "aa", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		struct err err = ERR_INIT;
		struct pattern *pattern = pattern_new(examples[i].pattern, &err);

		if (pattern == NULL)
			fail_msg("%s: %s", examples[i].pattern, err.msg);
		if (pattern_matches(pattern, examples[i].text) != examples[i].matches)
			fail_msg("%s on %s", examples[i].pattern, examples[i].text);
		pattern_free(pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_means_something_else),
	    cmocka_unit_test(the_length_is_limited),
	    cmocka_unit_test(matches_as_re2_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
