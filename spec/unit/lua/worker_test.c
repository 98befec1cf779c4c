#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "base/err.h"
#include "lua/worker.h"
#include "policy/frame.h"

/* A worker that ends, hangs or is asked too much: what is said, and that the next question is
 * answered. */

enum { FIRST = 1, SECOND = 2 };

static struct json *files_of(int n)
{
	auto_free char *text =
	    xasprintf("return { contract = function() return { n = %d } end }", n);

	return json_build("{'contract.lua': %s}", text);
}

static void loads(struct worker *worker, uint64_t id)
{
	auto_json struct json *files = files_of((int)id), *answer = NULL;
	struct err err = ERR_INIT;

	answer = worker_load(worker, id, files, false, &err);
	assert_non_null(json_get(answer, "ok"));
}

static struct json *ask(struct worker *worker, uint64_t id, struct err *err)
{
	auto_json struct json *files = files_of((int)id);
	auto_json struct json *request = json_build("{'hooks': ['contract'], 'run': {}}");

	return worker_eval(worker, id, files, request, err);
}

static void answers(struct worker *worker, uint64_t id)
{
	struct err err = ERR_INIT;
	auto_json struct json *answer = ask(worker, id, &err);

	assert_int_equal(json_get_int(json_get(answer, "ok"), "n", -1), id);
}

static void fails(struct worker *worker, enum err_kind kind, const char *message)
{
	struct err err = ERR_INIT;

	assert_null(ask(worker, FIRST, &err));
	assert_int_equal(err.kind, kind);
	if (strstr(err.msg, message) == NULL)
		assert_string_equal(err.msg, message);
}

static void bundles_take_turns(void **state)
{
	struct worker worker = WORKER_INIT;
	pid_t pid;

	(void)state;
	loads(&worker, FIRST);
	pid = worker.process.pid;
	loads(&worker, SECOND);
	answers(&worker, FIRST);
	answers(&worker, FIRST);
	answers(&worker, SECOND);
	assert_int_equal(worker.process.pid, pid);
	worker_stop(&worker);
	worker_stop(&worker);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	answers(&worker, SECOND);
	worker_stop(&worker);
}

static void one_that_ends_is_told_and_replaced(void **state)
{
	struct worker worker = WORKER_INIT;

	(void)state;
	loads(&worker, FIRST);
	kill(worker.process.pid, SIGKILL);
	fails(&worker, ERR_LIMIT, "the policy worker was ended by signal 9");
	answers(&worker, FIRST);
	worker_stop(&worker);
}

static void one_that_hangs_is_ended(void **state)
{
	struct worker worker = WORKER_INIT;
	pid_t pid;

	(void)state;
	loads(&worker, FIRST);
	pid = worker.process.pid;
	kill(pid, SIGSTOP);
	worker.patience_ms = 50;
	fails(&worker, ERR_LIMIT, "the policy worker did not answer within 50 ms and was ended");
	assert_int_equal(kill(pid, 0), -1);
	worker.patience_ms = 30000;
	answers(&worker, FIRST);
	worker_stop(&worker);
}

static void a_bundle_that_is_refused_leaves_the_one_before(void **state)
{
	struct worker worker = WORKER_INIT;
	auto_json struct json *broken = json_build("{'contract.lua': 'return'}"), *answer = NULL;
	struct err err = ERR_INIT;

	(void)state;
	loads(&worker, FIRST);
	answer = worker_load(&worker, SECOND, broken, false, &err);
	assert_string_equal(json_get_str(json_get(answer, "error"), "file", ""), "contract.lua");
	assert_int_equal(worker.taken, FIRST);
	answers(&worker, FIRST);
	worker_stop(&worker);
}

static void a_question_has_a_limit(void **state)
{
	struct worker worker = WORKER_INIT;
	auto_free char *text = xcalloc(1, FRAME_MAX + 1);
	auto_json struct json *files = files_of(FIRST), *request = NULL;
	struct err err = ERR_INIT;

	(void)state;
	loads(&worker, FIRST);
	memset(text, 'x', FRAME_MAX);
	request = json_build("{'hooks': ['contract'], 'run': %s}", text);
	assert_null(worker_eval(&worker, FIRST, files, request, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	answers(&worker, FIRST);
	worker_stop(&worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bundles_take_turns),
	    cmocka_unit_test(one_that_ends_is_told_and_replaced),
	    cmocka_unit_test(one_that_hangs_is_ended),
	    cmocka_unit_test(a_bundle_that_is_refused_leaves_the_one_before),
	    cmocka_unit_test(a_question_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
