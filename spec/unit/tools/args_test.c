#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tools/args.h"

enum { WORDS = 8 };

static int count(const char *const *words)
{
	int n = 0;

	while (n < WORDS && words[n] != NULL)
		n++;
	return n;
}

/* args_parse() takes what main() gets: an array that ends with NULL. */
static int parse(const char *const *words, struct args *args, struct err *err)
{
	char *argv[WORDS + 1] = {NULL};
	int argc = count(words);

	for (int i = 0; i < argc; i++)
		argv[i] = (char *)words[i];
	return args_parse(argc, argv, args, err);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *words[WORDS];
		const char *message;
	} rows[] = {
	    {{"--frob"}, "unknown flag \"--frob\""},
	    {{"--frob=x"}, "unknown flag \"--frob=x\""},
	    {{"--file", "x"}, "unknown flag \"--file\""},
	    {{"--filenames", "x"}, "unknown flag \"--filenames\""},
	    {{"-x"}, "unknown flag \"-x\""},
	    {{"-f"}, "-f: expected a value, found none"},
	    {{"a", "--output"}, "--output: expected a value, found none"},
	    {{"-o", "xml"}, "--output: expected json or yaml, found \"xml\""},
	    {{"-oxml"}, "found \"xml\""},
	    {{"-o="}, "found \"\""},
	    {{"-n", ""}, "--namespace: expected a namespace, found \"\""},
	    {{"-n", "a/b"}, "found \"a/b\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct args args;

		assert_int_equal(parse(rows[i].words, &args, &err), -1);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: \"%s\" does not hold \"%s\"", rows[i].words[0], err.msg,
				 rows[i].message);
	}
}

static void words_and_files_have_a_limit(void **state)
{
	char *words[ARGS_MAX + 2], *files[2 * ARGS_MAX + 3];
	struct err err = ERR_INIT;
	struct args args;

	(void)state;
	for (int i = 0; i <= ARGS_MAX; i++) {
		words[i] = (char *)"w";
		files[2 * i] = (char *)"-f";
		files[2 * i + 1] = (char *)"x";
	}
	words[ARGS_MAX + 1] = files[2 * ARGS_MAX + 2] = NULL;
	assert_int_equal(args_parse(ARGS_MAX, words, &args, &err), 0);
	assert_int_equal(args.word_count, ARGS_MAX);
	assert_int_equal(args_parse(ARGS_MAX + 1, words, &args, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(args_parse(2 * ARGS_MAX, files, &args, &err), 0);
	assert_int_equal(args.file_count, ARGS_MAX);
	assert_int_equal(args_parse(2 * ARGS_MAX + 2, files, &args, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

/* "words | files | output namespace account help" */
static void assert_parsed(const char *const *words, const char *wanted)
{
	static const char *const outputs[] = {"text", "yaml", "json"};
	auto_buf struct buf text = BUF_INIT(1024);
	struct err err = ERR_INIT;
	struct args args;

	assert_int_equal(parse(words, &args, &err), 0);
	for (size_t i = 0; i < args.word_count; i++)
		buf_addf(&text, "%s ", args.words[i]);
	buf_adds(&text, "| ");
	for (size_t i = 0; i < args.file_count; i++)
		buf_addf(&text, "%s ", args.files[i]);
	buf_addf(&text, "| %s %s %s%s", outputs[args.output], args.namespace,
		 args.service_account != NULL ? args.service_account : "-",
		 args.help ? " help" : "");
	assert_string_equal(text.data, wanted);
}

static void what_is_taken(void **state)
{
	static const struct {
		const char *words[WORDS], *wanted;
	} rows[] = {
	    {{NULL}, "| | text default -"},
	    {{"a", "b"}, "a b | | text default -"},
	    {{"-"}, "- | | text default -"},
	    {{"-f", "x", "a", "-f", "-"}, "a | x - | text default -"},
	    {{"-fx", "-f=y", "--filename", "z", "--filename=a=b"}, "| x y z a=b | text default -"},
	    {{"-ojson"}, "| | json default -"},
	    {{"-o", "yaml", "-n", "there"}, "| | yaml there -"},
	    {{"--output=json", "--namespace=there"}, "| | json there -"},
	    {{"--sa-runner", "robot"}, "| | text default robot"},
	    {{"-f", "--help"}, "| --help | text default -"}, /* a value is a value */
	    {{"a", "--help"}, "a | | text default - help"},
	    {{"-h"}, "| | text default - help"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_parsed(rows[i].words, rows[i].wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(words_and_files_have_a_limit),
	    cmocka_unit_test(what_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
