#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/queue.h"

static struct queue *queue;

static int setup(void **state)
{
	(void)state;
	queue = queue_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	queue_free(queue);
	return 0;
}

/* The next key is this one; NULL: none is ready. */
static void expect_pop(const char *expected, int64_t now)
{
	auto_free char *key = queue_pop(queue, now);

	if (expected == NULL || key == NULL)
		assert_ptr_equal(key, expected);
	else
		assert_string_equal(key, expected);
}

static void nothing_comes_from_an_empty_queue(void **state)
{
	(void)state;
	expect_pop(NULL, 0);
	assert_int_equal(queue_wait(queue, 0), -1);
	assert_int_equal(queue_depth(queue), 0);
	assert_int_equal(queue_oldest_ms(queue, 0), 0);
	queue_done(queue, "never popped", true, 0);
	assert_int_equal(queue_depth(queue), 0);
	queue_free(NULL);
}

static void a_key_is_in_the_queue_once(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		queue_add(queue, "a", i);
		queue_add_low(queue, "a", i);
		queue_add_after(queue, "a", 5, i);
	}
	assert_int_equal(queue_depth(queue), 1);
	expect_pop("a", 10);
	expect_pop(NULL, 1000);
	queue_done(queue, "a", false, 1000);
	expect_pop(NULL, 2000);
	assert_int_equal(queue_wait(queue, 2000), -1);
}

static void a_key_never_has_two_passes(void **state)
{
	(void)state;
	queue_add(queue, "a", 0);
	expect_pop("a", 0);
	queue_add(queue, "a", 1);
	queue_add(queue, "a", 2);
	expect_pop(NULL, 3);
	assert_int_equal(queue_in_flight(queue), 1);
	queue_done(queue, "a", false, 4);
	assert_int_equal(queue_in_flight(queue), 0);
	expect_pop("a", 4);
	queue_done(queue, "a", false, 5);
	expect_pop(NULL, 5);
	queue_done(queue, "a", false, 6); /* a second end of one pass */
	assert_int_equal(queue_in_flight(queue), 0);
}

static void ready_keys_go_in_order_of_arrival(void **state)
{
	(void)state;
	queue_add_low(queue, "low1", 0);
	queue_add(queue, "a", 0);
	queue_add_low(queue, "low2", 0);
	queue_add(queue, "b", 0);
	queue_add(queue, "a", 0);     /* keeps its place */
	queue_add(queue, "low2", 0);  /* now it matters */
	queue_add_low(queue, "b", 0); /* no step back */
	expect_pop("a", 1);
	expect_pop("b", 1);
	expect_pop("low2", 1);
	expect_pop("low1", 1);
	expect_pop(NULL, 1);
}

/* A key that always comes back at once stands behind those that wait. */
static void a_busy_key_does_not_hold_up_others(void **state)
{
	(void)state;
	queue_add(queue, "busy", 0);
	queue_add(queue, "b", 0);
	queue_add(queue, "c", 0);
	expect_pop("busy", 1);
	queue_add(queue, "busy", 1);
	queue_done(queue, "busy", false, 1);
	expect_pop("b", 2);
	expect_pop("c", 2);
	expect_pop("busy", 2);
}

static void the_lane_of_an_addition_in_flight_is_kept(void **state)
{
	(void)state;
	queue_add(queue, "a", 0);
	queue_add(queue, "b", 0);
	expect_pop("a", 0);
	expect_pop("b", 0);
	queue_add_low(queue, "a", 0);
	queue_add(queue, "b", 0);
	queue_add_low(queue, "b", 0);
	queue_done(queue, "a", false, 1);
	queue_done(queue, "b", false, 1);
	expect_pop("b", 1);
	expect_pop("a", 1);
}

static void a_new_chance_begins_the_back_off_anew(void **state)
{
	(void)state;
	queue_add(queue, "a", 0);
	for (int i = 0; i < 10; i++) {
		queue_add_low(queue, "a", 0);
		expect_pop("a", 0);
		queue_done(queue, "a", true, 0);
	}
	assert_true(queue_wait(queue, 0) >= QUEUE_BACKOFF_MAX_MS / 2);
	queue_add_anew(queue, "a", 0);
	expect_pop("a", 0);
	queue_add_anew(queue, "a", 0); /* in flight as well */
	queue_done(queue, "a", true, 0);
	expect_pop("a", 0);
	queue_done(queue, "a", true, 0);
	assert_in_range(queue_wait(queue, 0), 2 * QUEUE_BACKOFF_MIN_MS, 4 * QUEUE_BACKOFF_MIN_MS);
}

static void delays_end_in_order_and_not_before(void **state)
{
	(void)state;
	queue_add_after(queue, "c", 300, 0);
	queue_add_after(queue, "a", 100, 0);
	queue_add_after(queue, "b", 200, 0);
	assert_int_equal(queue_depth(queue), 3);
	assert_int_equal(queue_wait(queue, 0), 100);
	expect_pop(NULL, 99);
	assert_int_equal(queue_wait(queue, 99), 1);
	assert_int_equal(queue_wait(queue, 5000), 0);
	expect_pop("a", 250);
	expect_pop("b", 250);
	expect_pop(NULL, 299);
	expect_pop("c", 300);
}

static void the_earlier_time_stays(void **state)
{
	(void)state;
	queue_add_after(queue, "a", 100, 0);
	queue_add_after(queue, "a", 500, 0);
	assert_int_equal(queue_wait(queue, 0), 100);
	queue_add_after(queue, "a", 50, 0);
	assert_int_equal(queue_wait(queue, 0), 50);
	queue_add(queue, "a", 10);
	assert_int_equal(queue_wait(queue, 10), 0);
	queue_add_after(queue, "a", 50, 10);
	assert_int_equal(queue_depth(queue), 1);
	expect_pop("a", 10);
	queue_done(queue, "a", false, 10);
	expect_pop(NULL, 10000);
}

static void a_delay_set_in_flight_outlives_the_pass(void **state)
{
	(void)state;
	queue_add(queue, "a", 0);
	queue_add(queue, "b", 0);
	expect_pop("a", 0);
	expect_pop("b", 0);
	queue_add_after(queue, "a", 100, 0);
	queue_add_after(queue, "b", 100, 0);
	queue_done(queue, "a", false, 50);
	expect_pop(NULL, 99);
	expect_pop("a", 100);
	expect_pop(NULL, 200); /* b is in flight still, though its delay has ended */
	queue_done(queue, "b", false, 200);
	expect_pop("b", 200);
}

static void failures_back_off(void **state)
{
	static const int64_t steps[] = {500,   1000,   2000,   4000,   8000,   16000, 32000,
					64000, 128000, 256000, 300000, 300000, 300000};
	int64_t now = 0;

	(void)state;
	queue_add(queue, "a", now);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			int64_t wait;

			expect_pop("a", now);
			queue_done(queue, "a", true, now);
			wait = queue_wait(queue, now);
			assert_in_range(wait, steps[i], steps[i] + steps[i] / 5);
			expect_pop(NULL, now + wait - 1);
			now += wait;
		}
		expect_pop("a", now); /* a success forgets the failures */
		queue_done(queue, "a", false, now);
		expect_pop(NULL, now + 1000000);
		queue_add(queue, "a", now);
	}
}

static void jitter_spreads_what_fails_at_once(void **state)
{
	bool seen[QUEUE_BACKOFF_MIN_MS / 5 + 1] = {false};
	size_t distinct = 0;
	char key[24];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		queue_add(queue, key, 0);
		expect_pop(key, 0);
		queue_done(queue, key, true, 0);
	}
	for (int64_t now = QUEUE_BACKOFF_MIN_MS; queue_depth(queue) > 0; now++) {
		assert_true(now <= QUEUE_BACKOFF_MIN_MS + QUEUE_BACKOFF_MIN_MS / 5);
		for (char *popped; (popped = queue_pop(queue, now)) != NULL; free(popped))
			seen[now - QUEUE_BACKOFF_MIN_MS] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		distinct += seen[i];
	assert_true(distinct > 50);
}

static void an_event_ends_a_back_off(void **state)
{
	(void)state;
	queue_add(queue, "a", 0);
	expect_pop("a", 0);
	queue_done(queue, "a", true, 0);
	queue_add(queue, "a", 10);
	expect_pop("a", 10);
	queue_add(queue, "a", 11);
	queue_done(queue, "a", true, 12);
	assert_int_equal(queue_depth(queue), 1);
	expect_pop("a", 12);
	queue_done(queue, "a", true, 13); /* the failures counted on: 0.5, 1, now 2 s */
	assert_in_range(queue_wait(queue, 13), 2000, 2400);
}

static void age_is_that_of_the_oldest_ready_key(void **state)
{
	(void)state;
	queue_add_after(queue, "late", 1000, 0);
	assert_int_equal(queue_oldest_ms(queue, 500), 0);
	queue_add_low(queue, "low", 100);
	queue_add(queue, "a", 200);
	assert_int_equal(queue_oldest_ms(queue, 500), 400);
	expect_pop("a", 500);
	assert_int_equal(queue_oldest_ms(queue, 500), 400);
	expect_pop("low", 500);
	assert_int_equal(queue_oldest_ms(queue, 500), 0);
}

static void a_hundred_thousand_keys_come_out_once(void **state)
{
	enum { MANY = 100000 };
	char key[24];
	char *popped;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "ns/%d", i);
		if (i % 2 == 0)
			queue_add_after(queue, key, (int64_t)i * 7919 % 10007, 0);
		else
			queue_add_low(queue, key, 0);
	}
	assert_int_equal(queue_depth(queue), MANY);
	for (; (popped = queue_pop(queue, 10007)) != NULL; count++) {
		queue_done(queue, popped, false, 10007);
		free(popped);
	}
	assert_int_equal(count, MANY);
	assert_int_equal(queue_depth(queue), 0);
	assert_int_equal(queue_wait(queue, 20000), -1);
}

#define QUEUE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    QUEUE_TEST(nothing_comes_from_an_empty_queue),
	    QUEUE_TEST(a_key_is_in_the_queue_once),
	    QUEUE_TEST(a_key_never_has_two_passes),
	    QUEUE_TEST(ready_keys_go_in_order_of_arrival),
	    QUEUE_TEST(a_busy_key_does_not_hold_up_others),
	    QUEUE_TEST(the_lane_of_an_addition_in_flight_is_kept),
	    QUEUE_TEST(a_new_chance_begins_the_back_off_anew),
	    QUEUE_TEST(delays_end_in_order_and_not_before),
	    QUEUE_TEST(the_earlier_time_stays),
	    QUEUE_TEST(a_delay_set_in_flight_outlives_the_pass),
	    QUEUE_TEST(failures_back_off),
	    QUEUE_TEST(jitter_spreads_what_fails_at_once),
	    QUEUE_TEST(an_event_ends_a_back_off),
	    QUEUE_TEST(age_is_that_of_the_oldest_ready_key),
	    QUEUE_TEST(a_hundred_thousand_keys_come_out_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
