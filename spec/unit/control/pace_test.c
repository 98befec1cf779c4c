#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/pace.h"

static struct paces *paces;

static int setup(void **state UNUSED)
{
	paces = paces_new();
	return 0;
}

static int teardown(void **state UNUSED)
{
	paces_free(paces);
	return 0;
}

static void write_times(const char *key, int times, int64_t now)
{
	for (int i = 0; i < times; i++) {
		assert_int_equal(paces_left(paces, key, now), 0);
		paces_wrote(paces, key, now);
	}
}

static void after_a_burst_there_is_a_pace(void **state UNUSED)
{
	write_times("a", PACE_BURST, 1000);
	assert_int_equal(paces_left(paces, "a", 1000), PACE_MS);
	assert_int_equal(paces_left(paces, "a", 1000 + PACE_MS - 1), 1);
	write_times("a", 1, 1000 + PACE_MS);
	assert_int_equal(paces_left(paces, "a", 1000 + PACE_MS), PACE_MS);
}

static void a_rest_gives_the_burst_back(void **state UNUSED)
{
	int64_t rest = (int64_t)PACE_BURST * PACE_MS;

	write_times("a", PACE_BURST, 0);
	write_times("a", PACE_BURST, rest);
	write_times("a", PACE_BURST, 10 * rest); /* and no more than that */
	assert_int_equal(paces_left(paces, "a", 10 * rest), PACE_MS);
}

static void keys_are_apart(void **state UNUSED)
{
	write_times("a", PACE_BURST, 0);
	write_times("b", PACE_BURST, 0);
	assert_int_equal(paces_left(paces, "c", 0), 0);
}

static void only_those_of_late_are_remembered(void **state UNUSED)
{
	char key[24];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "ns/%d", i);
		paces_wrote(paces, key, 0);
	}
	write_times("slow", PACE_BURST, 50000);
	paces_wrote(paces, "last", 100000);
	assert_int_equal(paces_len(paces), 2);
	assert_int_equal(paces_left(paces, "slow", 50000), PACE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(after_a_burst_there_is_a_pace, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_rest_gives_the_burst_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(keys_are_apart, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_those_of_late_are_remembered, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
