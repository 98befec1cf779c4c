#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "net/loop.h"

/* What the callbacks of a test share. */
struct scene {
	struct loop *loop;
	struct buf seen;
	struct timer *timer, *other;
	struct io *io;
	int fds[2];
	int count;
};

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	s->loop = loop_new();
	s->seen = (struct buf)BUF_INIT(1000);
	assert_int_equal(pipe2(s->fds, O_CLOEXEC | O_NONBLOCK), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	io_free(s->io);
	timer_free(s->timer);
	timer_free(s->other);
	loop_free(s->loop);
	buf_done(&s->seen);
	close(s->fds[0]);
	close(s->fds[1]);
	free(s);
	return 0;
}

static void stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

static void say_a(void *arg)
{
	struct scene *s = arg;

	buf_addc(&s->seen, 'a');
}

static void say_b(void *arg)
{
	struct scene *s = arg;

	buf_addc(&s->seen, 'b');
}

static void never(void *arg UNUSED)
{
	fail_msg("called after it was cancelled");
}

/* ---- the next turn ---- */

static void defers_again(void *arg)
{
	struct scene *s = arg;

	s->count++;
	loop_defer(s->loop, defers_again, s);
}

static void endless_defers_do_not_starve_timers(void **state)
{
	struct scene *s = *state;

	s->timer = timer_new(s->loop, stop, s);
	timer_set(s->timer, 5);
	loop_defer(s->loop, defers_again, s);
	loop_run(s->loop);
	assert_true(s->count > 0);
}

static void undefers_other(void *arg)
{
	struct scene *s = arg;

	loop_undefer(s->loop, &s->count);
	loop_defer(s->loop, stop, s);
}

static void undefer_works_within_a_turn(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, undefers_other, s);
	loop_defer(s->loop, never, &s->count);
	loop_defer(s->loop, never, &s->count);
	loop_defer(s->loop, say_a, s);
	loop_run(s->loop);
	assert_string_equal(s->seen.data, "a");
}

static void undefer_keeps_the_order_of_the_rest(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, say_a, s);
	loop_defer(s->loop, never, &s->count);
	loop_undefer(s->loop, &s->count);
	loop_defer(s->loop, say_b, s);
	loop_defer(s->loop, stop, s);
	assert_int_equal(s->seen.len, 0);
	loop_run(s->loop);
	assert_string_equal(s->seen.data, "ab");
}

static void free_forgets_what_is_deferred(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, never, s);
	loop_defer(s->loop, never, &s->count);
}

static void stop_before_run_counts(void **state)
{
	struct scene *s = *state;

	loop_stop(s->loop);
	loop_run(s->loop);
	loop_defer(s->loop, stop, s);
	loop_run(s->loop);
}

/* ---- timers ---- */

static void frees_both_timers(void *arg)
{
	struct scene *s = arg;

	timer_free(s->timer);
	timer_free(s->other);
	s->timer = s->other = NULL;
	loop_defer(s->loop, stop, s);
}

static void timer_may_free_itself_and_another_that_is_due(void **state)
{
	struct scene *s = *state;

	s->timer = timer_new(s->loop, frees_both_timers, s);
	s->other = timer_new(s->loop, never, s);
	timer_set(s->timer, -5);
	timer_set(s->other, 0);
	loop_run(s->loop);
	assert_null(s->other);
}

static void cleared_timer_does_not_fire(void **state)
{
	struct scene *s = *state;

	s->timer = timer_new(s->loop, never, s);
	s->other = timer_new(s->loop, stop, s);
	timer_set(s->timer, 0);
	timer_clear(s->timer);
	timer_clear(s->timer);
	timer_set(s->other, 3);
	loop_run(s->loop);
}

static void set_replaces_and_never_fires_early(void **state)
{
	struct scene *s = *state;
	int64_t start;

	s->timer = timer_new(s->loop, stop, s);
	timer_set(s->timer, 0);
	usleep(3000);
	start = time_mono_ms();
	timer_set(s->timer, 20);
	loop_run(s->loop);
	assert_true(time_mono_ms() - start >= 19); /* the clock above is cut to milliseconds */
}

static void fires_once_until_set_again(void *arg)
{
	struct scene *s = arg;

	if (++s->count == 3)
		loop_stop(s->loop);
	else
		timer_set(s->timer, 1);
}

static void timer_can_be_set_in_its_callback(void **state)
{
	struct scene *s = *state;

	s->timer = timer_new(s->loop, fires_once_until_set_again, s);
	timer_set(s->timer, 1);
	loop_run(s->loop);
	assert_int_equal(s->count, 3);
}

/* ---- file descriptors ---- */

static void frees_io(void *arg)
{
	struct scene *s = arg;

	io_free(s->io);
	s->io = NULL;
	loop_defer(s->loop, stop, s);
}

static void io_may_free_itself_while_both_are_due(void **state)
{
	struct scene *s = *state;

	s->io = io_new(s->loop, s->fds[1], never, frees_io, s);
	io_want(s->io, true, true);
	loop_run(s->loop);
	assert_null(s->io);
}

static void reads_all(void *arg)
{
	struct scene *s = arg;
	char c;

	/* One byte only: level-triggered, so the rest brings us back. */
	if (read(s->fds[0], &c, 1) == 1)
		buf_addc(&s->seen, c);
	if (c == '.')
		loop_stop(s->loop);
}

static void io_is_level_triggered_and_starts_with_neither(void **state)
{
	struct scene *s = *state;

	assert_int_equal(write(s->fds[1], "xy.", 3), 3);
	s->io = io_new(s->loop, s->fds[0], reads_all, never, s);
	s->timer = timer_new(s->loop, stop, s);
	timer_set(s->timer, 2);
	loop_run(s->loop);
	assert_int_equal(s->seen.len, 0);
	io_want(s->io, true, false);
	loop_run(s->loop);
	assert_string_equal(s->seen.data, "xy.");
}

/* ---- signals ---- */

static void got_signal(void *arg, int signo)
{
	struct scene *s = arg;

	assert_int_equal(signo, SIGUSR1);
	if (++s->count == 2)
		loop_stop(s->loop);
	else
		raise(SIGUSR1);
}

static void signal_comes_every_time(void **state)
{
	struct scene *s = *state;

	loop_signal(s->loop, SIGUSR1, got_signal, s);
	raise(SIGUSR1);
	loop_run(s->loop);
	assert_int_equal(s->count, 2);
}

static void broken_pipe_does_not_kill(void **state)
{
	struct scene *s = *state;

	close(s->fds[0]);
	s->fds[0] = -1;
	assert_int_equal(write(s->fds[1], "x", 1), -1);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(endless_defers_do_not_starve_timers),
	    scene_test(undefer_works_within_a_turn),
	    scene_test(undefer_keeps_the_order_of_the_rest),
	    scene_test(free_forgets_what_is_deferred),
	    scene_test(stop_before_run_counts),
	    scene_test(timer_may_free_itself_and_another_that_is_due),
	    scene_test(cleared_timer_does_not_fire),
	    scene_test(set_replaces_and_never_fires_early),
	    scene_test(timer_can_be_set_in_its_callback),
	    scene_test(io_may_free_itself_while_both_are_due),
	    scene_test(io_is_level_triggered_and_starts_with_neither),
	    scene_test(signal_comes_every_time),
	    scene_test(broken_pipe_does_not_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
