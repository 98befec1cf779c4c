#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube/lru.h"

static int dropped[16];
static size_t drops;

static void drop(void *record)
{
	dropped[drops++] = *(int *)record;
}

static void use(struct lru *lru, const char *key, int value)
{
	int *record = lru_use(lru, key);

	assert_true(*record == 0 || *record == value);
	*record = value;
}

static void the_one_used_longest_ago_goes(void **state)
{
	struct lru *lru = lru_new(3, sizeof(int), drop);

	(void)state;
	drops = 0;
	use(lru, "a", 1);
	use(lru, "b", 2);
	use(lru, "c", 3);
	use(lru, "a", 1);
	assert_int_equal(drops, 0); /* three fit */
	use(lru, "d", 4);
	assert_int_equal(drops, 1);
	assert_int_equal(dropped[0], 2);
	use(lru, "b", 5); /* a new record, not the old one */
	assert_int_equal(dropped[1], 3);
	lru_free(lru);
	assert_int_equal(drops, 5);
}

static void one_is_the_least(void **state)
{
	struct lru *lru = lru_new(1, sizeof(int), drop);

	(void)state;
	drops = 0;
	use(lru, "a", 1);
	use(lru, "a", 1);
	assert_int_equal(drops, 0);
	use(lru, "b", 2);
	assert_int_equal(drops, 1);
	lru_free(lru);
	lru_free(NULL);
	assert_int_equal(drops, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_one_used_longest_ago_goes),
	    cmocka_unit_test(one_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
