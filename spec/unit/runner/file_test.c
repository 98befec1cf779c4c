/* file_test.c - the program reads files and writes files, beside everything that stands in the way.
 */
#include "spec/unit/runner/world.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "runner/file.h"

#define LINES "{\"row\":1,\"o\":0}\n{\"row\":2,\"o\":1.0}\n"

/* ---- a folder of data, anew for each case ---- */

/* In a shell, with $d the folder. */
static void shell(const char *script)
{
	auto_free char *command =
	    xasprintf("d=%s/data; set -e; rm -rf $d; mkdir $d; cd $d; %s", dir, script);

	if (system(command) != 0) /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
		fail_msg("%s", command);
}

static int remove_all(void **state)
{
	auto_free char *command = xasprintf("chmod -R u+w %s/data; rm -rf %s/data", dir, dir);

	return system(command) + tear_down(state); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
}

/* ---- cases ---- */

#define IN2 "printf '[1, 2]\\n[3, 4]\\n' > in.jsonl; "

struct file_case {
	const char *name;
	const char *data; /* a script that makes the folder */
	const char *in,
	    *out; /* the rest of the sections behind "path": "FOLDER/, or with = "path": " */
	const char *reason, *message;
	const char *logged;      /* NULL: do not look */
	const char *file, *text; /* what stands there afterwards; text NULL: no such file */
	int exit;
	int asked; /* how many requests the model got */
};

static const struct file_case cases[] = {
    {"path not absolute", "", "=in.jsonl\"", "out.jsonl\"", .exit = 2, .reason = "ContractInvalid",
     .message = "input.file.path: expected the absolute path"},
    {"path with dots", "", "../data/in.jsonl\"", "out.jsonl\"", .exit = 2,
     .reason = "ContractInvalid", .message = "input.file.path"},
    {"path of a folder", "", "in.jsonl\"", "out/\"", .exit = 2, .reason = "ContractInvalid",
     .message = "output.file.path"},
    {"output pattern", "", "in.jsonl\"", "*.jsonl\"", .exit = 2, .reason = "ContractInvalid",
     .message = "output.file.path: expected one file"},
    {"overwrite is no bool", "", "in.jsonl\"", "out.jsonl\",\"overwrite\":1", .exit = 2,
     .reason = "ContractInvalid", .message = "output.file.overwrite: expected true or false"},

    {"a typo is told", "", "in.jsonl\",\"header\":true", "out.jsonl\",\"overwrit\":true",
     .exit = 13, .reason = "InputUnavailable", .message = "No such file",
     .logged = "\"field\":\"output.file.overwrit\""},
    {"a setting of another format", "", "in.jsonl\",\"header\":true", "out.jsonl\"", .exit = 13,
     .reason = "InputUnavailable", .message = "No such file",
     .logged = "\"field\":\"input.file.header\""},

    {"input missing", "", "in.jsonl\"", "out.jsonl\"", .exit = 13, .reason = "InputUnavailable",
     .message = "/in.jsonl: expected to read it: No such file"},
    {"input is a folder", "mkdir in.jsonl", "in.jsonl\"", "out.jsonl\"", .exit = 13,
     .reason = "InputRejected", .message = "found a directory: a pattern"},
    {"input is a pipe", "mkfifo in.jsonl", "in.jsonl\"", "out.jsonl\"", .exit = 13,
     .reason = "InputRejected", .message = "expected a regular file"},
    {"no file matches", IN2, "*.csv\"", "out.jsonl\"", .exit = 13, .reason = "InputRejected",
     .message = "expected 1 to 100000 files, found 0"},
    {"input is no JSON", "echo '[1, 2] x' > in.jsonl", "in.jsonl\"", "out.jsonl\"", .exit = 13,
     .reason = "InputNotJSON", .message = "/in.jsonl: row 1: the input is not JSON",
     .file = ".out.jsonl.part"},
    {"second file is wrong", "echo '[1, 2]' > a.jsonl; echo '[3]' > b.jsonl", "*.jsonl\"",
     "out.jsonl\"", .exit = 13, .reason = "InputInvalid",
     .message = "/b.jsonl: row 2: expected 2 values"},
    {"input is empty", ": > in.jsonl", "in.jsonl\"", "out.jsonl\"", .exit = 0,
     .reason = "InputEmpty", .message = "empty input", .file = "out.jsonl"},

    {"output folder missing", IN2, "in.jsonl\"", "no/out.jsonl\"", .exit = 15,
     .reason = "OutputRejected", .message = "/no/out.jsonl: expected to write it: No such file"},
    {"output folder is a file", IN2 ": > no", "in.jsonl\"", "no/out.jsonl\"", .exit = 15,
     .reason = "OutputRejected", .message = "Not a directory"},
    {"output exists", IN2 "echo old > out.jsonl", "in.jsonl\"", "out.jsonl\"", .exit = 15,
     .reason = "OutputConflict", .message = "set overwrite to true", .file = "out.jsonl",
     .text = "old\n"},
    {"output is a folder", IN2 "mkdir out.jsonl", "in.jsonl\"", "out.jsonl\",\"overwrite\":true",
     .exit = 15, .reason = "OutputRejected", .message = "found a directory"},
    {"output is a link", IN2 "echo old > o; ln -s o out.jsonl", "in.jsonl\"",
     "out.jsonl\",\"overwrite\":true", .exit = 15, .reason = "OutputRejected",
     .message = "found a symbolic link", .file = "o", .text = "old\n"},
    {"part is a link", IN2 "echo old > o; ln -s o .out.jsonl.part", "in.jsonl\"", "out.jsonl\"",
     .exit = 15, .reason = "OutputRejected", .message = "Too many levels", .file = "o",
     .text = "old\n"},
    {"name too long", IN2, "in.jsonl\"",
     "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"
     "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"
     "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo\"",
     .exit = 15, .reason = "OutputRejected", .message = "File name too long"},
    {"mark of another run",
     IN2 "echo old > out.jsonl; i=$(stat -c %i out.jsonl); "
	 "echo '{\"run\":\"job-1/other\",\"rows\":2,\"bytes\":4,\"inode\":'$i'}' > .out.jsonl.run",
     "in.jsonl\"", "out.jsonl\"", .exit = 15, .reason = "OutputConflict", .message = "found one of",
     .file = "out.jsonl", .text = "old\n"},
    {"mark of another file",
     IN2 "echo old > out.jsonl; "
	 "echo '{\"run\":\"job-1/inf-x\",\"rows\":2,\"bytes\":4,\"inode\":1}' > .out.jsonl.run",
     "in.jsonl\"", "out.jsonl\"", .exit = 15, .reason = "OutputConflict", .message = "found one of",
     .file = "out.jsonl", .text = "old\n"},
    {"mark of a changed file",
     IN2 "echo older > out.jsonl; i=$(stat -c %i out.jsonl); "
	 "echo '{\"run\":\"job-1/inf-x\",\"rows\":2,\"bytes\":4,\"inode\":'$i'}' > .out.jsonl.run",
     "in.jsonl\"", "out.jsonl\"", .exit = 15, .reason = "OutputConflict", .message = "found one of",
     .file = "out.jsonl", .text = "older\n"},
    {"mark is junk", IN2 "echo old > out.jsonl; echo '{' > .out.jsonl.run", "in.jsonl\"",
     "out.jsonl\"", .exit = 15, .reason = "OutputConflict", .message = "found one of"},

    {"stored by an earlier attempt",
     IN2 "echo old > out.jsonl; i=$(stat -c %i out.jsonl); "
	 "echo '{\"run\":\"job-1/inf-x\",\"rows\":2,\"bytes\":4,\"inode\":'$i'}' > .out.jsonl.run",
     "in.jsonl\"", "out.jsonl\"", .exit = 0, .reason = "Completed", .message = "2 rows in",
     .file = "out.jsonl", .text = "old\n"},
    {"overwrite", IN2 "echo old > out.jsonl", "in.jsonl\"", "out.jsonl\",\"overwrite\":true",
     .exit = 0, .reason = "Completed", .message = "2 rows", .asked = 2, .file = "out.jsonl",
     .text = LINES},
    {"a part of a killed attempt", IN2 "echo half > .out.jsonl.part", "in.jsonl\"", "out.jsonl\"",
     .exit = 0, .reason = "Completed", .message = "2 rows", .asked = 2, .file = "out.jsonl",
     .text = LINES},
    {"JSON lines", IN2, "in.jsonl\"", "out.jsonl\"", .exit = 0, .reason = "Completed",
     .message = "2 rows in, 2 values stored", .asked = 2, .file = "out.jsonl", .text = LINES},
    {"no part is left", IN2, "in.jsonl\"", "out.jsonl\"", .exit = 0, .reason = "Completed",
     .message = "2 rows", .asked = 2, .file = ".out.jsonl.part"},
    {"the name of the Job", IN2, "in.jsonl\"", "{job}.jsonl\"", .exit = 0, .reason = "Completed",
     .message = "2 rows", .asked = 2, .file = "inf-x.jsonl", .text = LINES},
    {"files without a newline at their end", "printf '[1, 2]' > a.jsonl; printf '[3, 4]' > b.jsonl",
     "?.jsonl\"", "out.jsonl\"", .exit = 0, .reason = "Completed", .message = "2 rows", .asked = 2,
     .file = "out.jsonl", .text = LINES},
    {"CSV files, each with a header",
     "printf 'x,y\\r\\n1,2\\r\\n' > a.csv; printf 'x,y\\n3,4\\n' > b.csv; : > c.csv", "*.csv\"",
     "out.csv\"", .exit = 0, .reason = "Completed", .message = "2 rows", .asked = 2,
     .file = "out.csv", .text = "row,o\n1,0\n2,1.0\n"},
    {"JSON", "printf '{\"result\": [[1, 2], [3, 4]]}' > in", "in\"", "out\"", .exit = 0,
     .reason = "Completed", .message = "2 rows", .asked = 2, .file = "out",
     .text = "[{\"row\":1,\"o\":0},{\"row\":2,\"o\":1.0}]"},
    {"a format by name", "printf '1;2\\n3;4\\n' > in",
     "in\",\"format\":\"csv\",\"header\":false,"
     "\"delimiter\":\";\"",
     "out\",\"format\":\"csv\",\"delimiter\":\";\"", .exit = 0, .reason = "Completed",
     .message = "2 rows", .asked = 2, .file = "out", .text = "row;o\n1;0\n2;1.0\n"},
    {"flat in JSON", IN2, "in.jsonl\"", "out.json\",\"layout\":\"flat\"", .exit = 0,
     .reason = "Completed", .message = "2 rows", .asked = 2, .file = "out.json", .text = "[0,1.0]"},
};

/* What stands behind "path": " */
static char *section_of(const char *rest)
{
	return *rest == '=' ? xstrdup(rest + 1) : xasprintf("%s/data/%s", dir, rest);
}

static void make_file_contract(int port, const struct file_case *c)
{
	auto_free char *in = section_of(c->in), *out = section_of(c->out);
	auto_free char *text =
	    xasprintf("{\"jobId\":\"job-1\",\"jobName\":\"inf-x\",\"kserve\":{\"modelUrl\":"
		      "\"127.0.0.1:%d/v2/models/m/infer\",\"modelInputName\":\"x\"},"
		      "\"input\":{\"file\":{\"path\":\"%s}},\"output\":{\"file\":{\"path\":\"%s}}}",
		      port, in, out);

	write_file("contract.json", text);
}

static void check_file(const struct file_case *c)
{
	auto_free char *name = xasprintf("data/%s", c->file);
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_free char *text = NULL;

	if (c->text == NULL) {
		assert_int_not_equal(access(path, F_OK), 0);
		return;
	}
	text = read_file(name);
	assert_string_equal(text, c->text);
}

static void test_case(void **state)
{
	static char *const args[] = {"kserve-runner", NULL};
	const struct file_case *c = *state;
	struct scripted s = {.fd = -1};
	struct outcome outcome;

	shell(c->data);
	scripted_start(&s);
	make_file_contract(s.port, c);
	add_route(&s, "/v2/models/m", NULL, OK("{}"));
	add_route(&s, "/v2/models/m/infer", NULL, OK(REPLY));
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
	check_outcome(c->name, &outcome, c->exit, c->reason, c->message);
	if (s.count != c->asked)
		fail_msg("%s: the model got %d requests", c->name, s.count);
	if (c->file != NULL)
		check_file(c);
	if (c->logged != NULL && strstr(outcome.log, c->logged) == NULL)
		fail_msg("%s: %s", c->name, outcome.log);
	outcome_done(&outcome);
	scripted_done(&s);
}

/* ---- the output alone ---- */

static bool is_empty(void)
{
	auto_free char *path = xasprintf("%s/data", dir);

	return rmdir(path) == 0;
}

static struct file_output *output_of(const char *run)
{
	auto_free char *path = xasprintf("%s/data/out", dir);

	return file_output_new(path, run, false);
}

static void test_full(void **state UNUSED)
{
	struct file_output *out;
	struct rlimit old, tight;
	struct fault fault = FAULT_INIT;
	int64_t done;
	int rc;

	shell("true");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = (struct rlimit){.rlim_cur = 6, .rlim_max = old.rlim_max};
	out = output_of("a");
	assert_int_equal(file_output_preflight(out, &fault), 0);
	assert_int_equal(file_output_begin(out, &done, &fault), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_int_equal(file_output_write(out, "abcdef", 6, 1, &fault), 0);
	rc = file_output_write(out, "gh", 2, 1, &fault);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(fault.reason, REASON_OUTPUT_REJECTED);
	assert_int_equal(fault.err.kind, ERR_LIMIT);
	assert_non_null(strstr(fault.err.msg, "after 6 bytes: "));
	file_output_abort(out);
	file_output_free(out);
	assert_true(is_empty());
}

/* The second pod of a Job while the first one still writes, and when it has written. */
static void test_two_pods(void **state UNUSED)
{
	struct file_output *a = output_of("run"), *b = output_of("run"), *c = output_of("other");
	struct fault fault = FAULT_INIT;
	int64_t done;

	shell("true");
	assert_int_equal(file_output_preflight(a, &fault), 0);
	assert_int_equal(file_output_preflight(b, &fault), 0);
	assert_int_equal(file_output_begin(a, &done, &fault), 0);
	assert_int_equal(file_output_begin(b, &done, &fault), -1);
	assert_int_equal(fault.err.kind, ERR_RETRY);
	assert_non_null(strstr(fault.err.msg, "another pod writes it"));
	file_output_abort(b);
	assert_int_equal(file_output_write(a, "x\n", 2, 1, &fault), 0);
	assert_int_equal(file_output_commit(a, &fault), 0);
	assert_int_equal(file_output_preflight(c, &fault), -1);
	assert_int_equal(fault.reason, REASON_OUTPUT_CONFLICT);
	file_output_free(b);
	b = output_of("run");
	assert_int_equal(file_output_preflight(b, &fault), 0);
	assert_int_equal(file_output_begin(b, &done, &fault), 0);
	assert_true(done == INT64_MAX);
	assert_int_equal(file_output_write(b, "", 0, 0, &fault), 0);
	assert_int_equal(file_output_commit(b, &fault), 0);
	file_output_free(a);
	file_output_free(b);
	file_output_free(c);
}

static void test_file_that_appears(void **state UNUSED)
{
	struct file_output *out = output_of("run");
	struct fault fault = FAULT_INIT;
	auto_free char *text = NULL;
	int64_t done;

	shell("true");
	assert_int_equal(file_output_preflight(out, &fault), 0);
	assert_int_equal(file_output_begin(out, &done, &fault), 0);
	assert_int_equal(file_output_write(out, "x\n", 2, 1, &fault), 0);
	write_file("data/out", "theirs");
	assert_int_equal(file_output_commit(out, &fault), -1);
	assert_int_equal(fault.reason, REASON_OUTPUT_CONFLICT);
	file_output_abort(out);
	file_output_free(out);
	text = read_file("data/out");
	assert_string_equal(text, "theirs");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases) + 3] = {cmocka_unit_test(test_full),
							 cmocka_unit_test(test_two_pods),
							 cmocka_unit_test(test_file_that_appears)};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i + 3] = (struct CMUnitTest){.name = cases[i].name,
						   .test_func = test_case,
						   .initial_state = (void *)&cases[i]};
	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, set_up, remove_all);
}
