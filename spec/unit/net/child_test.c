#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "net/child.h"

enum { GENEROUS_MS = 60000 };

struct scene {
	struct loop *loop;
	struct child *child;
	struct buf out;
	struct err err;
	int calls;
};

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->out = (struct buf)BUF_INIT(1 << 20);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	/* No test leaves a child or a zombie behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	loop_free(s->loop);
	buf_done(&s->out);
	free(s);
	return 0;
}

static void done(void *arg, const char *out, size_t len, const struct err *err)
{
	struct scene *s = arg;

	s->calls++;
	s->child = NULL;
	if (err != NULL)
		s->err = *err;
	else
		buf_add(&s->out, out, len);
	loop_stop(s->loop);
}

/* Start `sh -c script`. */
static void start(struct scene *s, const char *script, size_t max, int64_t timeout_ms)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	static const char *const env[] = {"GREETING=hello", "HOME=/elsewhere", NULL};
	struct child_spec spec = {
	    .argv = argv, .env = env, .max_output = max, .timeout_ms = timeout_ms};
	struct err err = ERR_INIT;

	buf_clear(&s->out);
	s->err.kind = ERR_NONE;
	s->child = child_start(s->loop, &spec, done, s, &err);
	assert_non_null(s->child);
	assert_int_equal(s->calls, 0);
}

static void run(struct scene *s, const char *script, size_t max, int64_t timeout_ms)
{
	s->calls = 0;
	start(s, script, max, timeout_ms);
	loop_run(s->loop);
	assert_int_equal(s->calls, 1);
}

static void program_that_does_not_exist(void **state)
{
	static const char *const table[] = {"/no/such/program", "no-such-program", "/dev/null", ""};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *const argv[] = {table[i], NULL};
		struct child_spec spec = {.argv = argv, .max_output = 10, .timeout_ms = 1000};
		struct err err = ERR_INIT;

		assert_null(child_start(s->loop, &spec, done, s, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.msg, table[i]));
	}
	assert_int_equal(s->calls, 0);
}

static void timeout_kills_the_group(void **state)
{
	struct scene *s = *state;
	char text[64];
	int pipefd[2];

	/* A grandchild opens the pipe through our /proc entry; its end shows that it has died. */
	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	snprintf(text, sizeof(text), "exec sleep 1000 >/proc/%d/fd/%d & wait", (int)getpid(),
		 pipefd[1]);
	run(s, text, 10, 200);
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "200 ms"));
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], text, 1), 0);
	close(pipefd[0]);
}

static void signals_cannot_be_refused(void **state)
{
	struct scene *s = *state;

	run(s, "trap '' TERM INT HUP; while :; do sleep 1; done", 10, 50);
	assert_int_equal(s->err.kind, ERR_RETRY);
}

static void output_limit(void **state)
{
	struct scene *s = *state;

	run(s, "printf 0123456789", 10, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_string_equal(s->out.data, "0123456789");
	run(s, "printf 0123456789x; exit 3", 10, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_LIMIT);
	run(s, "while :; do echo y; done", 100000, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_LIMIT);
}

static void failures_of_the_program(void **state)
{
	struct scene *s = *state;

	run(s, "echo secret; exit 7", 100, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_RETRY);
	assert_non_null(strstr(s->err.msg, "found 7"));
	assert_null(strstr(s->err.msg, "secret"));
	run(s, "kill -SEGV $$", 100, GENEROUS_MS);
	assert_non_null(strstr(s->err.msg, "signal 11"));
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static void cancel_kills_and_is_silent(void **state)
{
	struct scene *s = *state;

	start(s, "sleep 1000", 10, GENEROUS_MS);
	child_cancel(s->child);
	start(s, "exit 0", 10, GENEROUS_MS);
	usleep(20000); /* it has exited, most likely: then its callback is due */
	child_cancel(s->child);
	loop_defer(s->loop, stop, s->loop);
	loop_run(s->loop);
	assert_int_equal(s->calls, 0);
}

static void does_not_wait_for_a_daemon_left_behind(void **state)
{
	struct scene *s = *state;

	run(s, "sleep 1000 & echo $!", 100, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_int_equal(kill((pid_t)strtol(s->out.data, NULL, 10), SIGKILL), 0);
}

static void stdout_closed_early(void **state)
{
	struct scene *s = *state;

	run(s, "echo a; exec >&-; sleep 0.05; exit 4", 100, GENEROUS_MS);
	assert_non_null(strstr(s->err.msg, "found 4"));
}

static void inherits_nothing_but_stderr(void **state)
{
	struct scene *s = *state;
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */

	run(s, "cat; for f in /proc/$$/fd/*; do [ -e $f ] && printf '%s ' ${f##*/}; done; :", 1000,
	    GENEROUS_MS);
	close(fd);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_string_equal(s->out.data, "0 1 2 ");
}

static void signals_are_as_usual(void **state)
{
	struct scene *s = *state;

	/* loop_new ignores SIGPIPE; a program expects to die of it. */
	run(s, "kill -PIPE $$", 1000, GENEROUS_MS);
	assert_non_null(strstr(s->err.msg, "signal 13"));
}

static void environment_is_added(void **state)
{
	struct scene *s = *state;

	setenv("KEPT", "kept", 1);
	run(s, "echo $GREETING $HOME $KEPT; env | grep -c ^HOME=", 1000, GENEROUS_MS);
	assert_string_equal(s->out.data, "hello /elsewhere kept\n1\n");
}

static void large_output_arrives_whole(void **state)
{
	struct scene *s = *state;

	run(s, "head -c 500000 /dev/zero | tr '\\0' x", 500000, GENEROUS_MS);
	assert_int_equal(s->err.kind, ERR_NONE);
	assert_int_equal(s->out.len, 500000);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(program_that_does_not_exist),
	    scene_test(timeout_kills_the_group),
	    scene_test(signals_cannot_be_refused),
	    scene_test(output_limit),
	    scene_test(failures_of_the_program),
	    scene_test(cancel_kills_and_is_silent),
	    scene_test(does_not_wait_for_a_daemon_left_behind),
	    scene_test(stdout_closed_early),
	    scene_test(inherits_nothing_but_stderr),
	    scene_test(signals_are_as_usual),
	    scene_test(environment_is_added),
	    scene_test(large_output_arrives_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
