#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/hold.h"

enum { NOW = 1000 };

static struct holds *holds;

static int setup(void **state)
{
	(void)state;
	holds = holds_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	holds_free(holds);
	return 0;
}

static bool held(const char *key)
{
	return holds_left(holds, key, NOW) > 0;
}

/* A script of events, one character each, and whether the key is held at its end:
 *	( a pass begins          ) it ends and wrote run version 7 and Job u1
 *	v it ends and wrote run version 7     j it ends and wrote Job u1
 *	0 it ends and wrote nothing           f the key is gone
 *	7 the watch shows run version 7       6 version 6                    1 Job u1 */
static void play(const char *script)
{
	for (; *script != '\0'; script++) {
		switch (*script) {
		case '(':
			holds_begin(holds, "k");
			break;
		case ')':
			holds_end(holds, "k", "7", "u1", NOW);
			break;
		case 'v':
			holds_end(holds, "k", "7", NULL, NOW);
			break;
		case 'j':
			holds_end(holds, "k", NULL, "u1", NOW);
			break;
		case '0':
			holds_end(holds, "k", NULL, NULL, NOW);
			break;
		case '6':
			holds_seen(holds, "k", "6");
			break;
		case '7':
			holds_seen(holds, "k", "7");
			break;
		case '1':
			holds_seen(holds, "k", "u1");
			break;
		default:
			holds_forget(holds, "k");
		}
	}
}

static void the_order_of_watch_and_reply_does_not_matter(void **state)
{
	static const struct {
		const char *script;
		bool held;
	} rows[] =
	    {
		{"", false},        {"(", false}, /* in flight: the queue keeps it from a second
						     pass */
		{"(0", false},      {"(v", true},    {"(v7", false},
		{"(7v", false}, /* the watch was faster than the reply */
		{"(v6", true},      {"(6v", true},   {"(v66", true},
		{"(j1", false},     {"(1j", false},  {"(j7", true},
		{"()", true},       {"()7", true},   {"()1", true},
		{"()71", false},    {"()17", false}, {"(7)1", false},
		{"(1)7", false},    {"(71)", false}, {"(7)", true},
		{"(6767)1", false}, {"7(v", true}, /* seen before the pass began: another write */
		{"(v7(v", true}, /* what an earlier pass saw does not count for this one */
		{"(v(", false},     {"(v(0", false}, {"(vf", false},
		{"(fv", true},  /* the pass is not over */
		{"(0v", false}, /* no pass is in flight */
		{"v", false},       {"f7", false},
	    };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		holds_free(holds);
		holds = holds_new();
		play(rows[i].script);
		if (held("k") != rows[i].held)
			fail_msg("%s", rows[i].script);
	}
}

static void a_hold_ends_after_its_time(void **state)
{
	(void)state;
	play("(v");
	assert_int_equal(holds_left(holds, "k", NOW), HOLD_MS);
	assert_int_equal(holds_left(holds, "k", NOW + 1), HOLD_MS - 1);
	assert_int_equal(holds_left(holds, "k", NOW + HOLD_MS - 1), 1);
	assert_int_equal(holds_left(holds, "k", NOW + HOLD_MS), 0);
	assert_int_equal(holds_left(holds, "k", NOW), 0); /* it is gone */
}

static void keys_are_apart(void **state)
{
	(void)state;
	holds_begin(holds, "a");
	holds_begin(holds, "b");
	holds_seen(holds, "b", "7");
	holds_end(holds, "a", "7", NULL, NOW);
	holds_end(holds, "b", "8", NULL, NOW);
	holds_seen(holds, "a", "8");
	assert_true(held("a"));
	assert_true(held("b"));
	holds_seen(holds, "a", "7");
	assert_false(held("a"));
	assert_true(held("b"));
}

static void marks_are_compared_whole(void **state)
{
	static const char *const others[] = {"12", "1234", "23", "3", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		holds_begin(holds, "k");
		holds_seen(holds, "k", others[i]);
		holds_end(holds, "k", "123", NULL, NOW);
		holds_seen(holds, "k", others[i]);
		assert_true(held("k"));
	}
	holds_begin(holds, "k");
	holds_seen(holds, "k", "");
	holds_seen(holds, "k", "123");
	holds_end(holds, "k", "123", NULL, NOW);
	assert_false(held("k"));
}

/* More than fits is forgotten, and then the hold ends by its time. */
static void a_flood_of_marks_is_bounded(void **state)
{
	auto_free char *huge = xcalloc(1, 100001);

	(void)state;
	memset(huge, 'x', 100000);
	holds_begin(holds, "k");
	holds_seen(holds, "k", huge);
	for (int i = 0; i < 100000; i++) {
		char mark[24];

		snprintf(mark, sizeof(mark), "%d", i);
		holds_seen(holds, "k", mark);
	}
	holds_end(holds, "k", "3", "99999", NOW);
	assert_true(held("k"));
	holds_seen(holds, "k", "99999");
	assert_false(held("k"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_order_of_watch_and_reply_does_not_matter, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_hold_ends_after_its_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(keys_are_apart, setup, teardown),
	    cmocka_unit_test_setup_teardown(marks_are_compared_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_flood_of_marks_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
