#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/retry.h"

static void test_wait(void **state UNUSED)
{
	static const struct {
		int64_t base, wanted;
		int tries;
		int64_t low, high;
	} cases[] = {
	    {1000, -1, 1, 500, 1000},
	    {1000, -1, 3, 500, 4000},
	    {1000, -1, 5, 500, 16000},
	    {1000, -1, 6, 500, 30000},
	    {1000, -1, 60, 500, 30000},
	    {1000, 0, 9, 0, 0},
	    {1000, 29999, 1, 29999, 29999},
	    {1000, 30001, 1, 30000, 30000},
	    {0, -1, 9, 0, 0},
	    {INT64_MAX, -1, 2, 30000, 30000},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int k = 0; k < 1000; k++)
			assert_in_range(retry_wait(cases[i].base, cases[i].tries, cases[i].wanted),
					cases[i].low, cases[i].high);
}

static void test_waits_differ(void **state UNUSED)
{
	int64_t first = retry_wait(1 << 20, 9, -1);
	int same = 0;

	for (int k = 0; k < 20; k++)
		same += retry_wait(1 << 20, 9, -1) == first;
	assert_true(same == 20); /* at the maximum */
	first = retry_wait(4000, 3, -1);
	same = 0;
	for (int k = 0; k < 20; k++)
		same += retry_wait(4000, 3, -1) == first;
	assert_true(same < 20);
}

static void test_budget(void **state UNUSED)
{
	struct retry_budget budget = {.calls = 0};

	for (int i = 0; i < 10; i++)
		assert_true(retry_take(&budget));
	assert_false(retry_take(&budget));
	budget.calls = 9;
	assert_true(retry_take(&budget));
	assert_false(retry_take(&budget));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wait),
	    cmocka_unit_test(test_waits_differ),
	    cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
