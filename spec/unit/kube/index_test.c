#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube/index.h"

struct record {
	int number;
	const char *key;
	char text[16];
};

static struct record *record(struct record *r, int number)
{
	r->number = number;
	snprintf(r->text, sizeof(r->text), "key-%d", number);
	r->key = r->text;
	return r;
}

static void an_empty_one_has_nothing(void **state)
{
	struct index index = INDEX_INIT(struct record, key);
	size_t at = 0;

	(void)state;
	assert_null(index_get(&index, "x"));
	assert_null(index_del(&index, "x"));
	assert_null(index_next(&index, &at));
	index_done(&index);
}

static void a_namesake_takes_the_place(void **state)
{
	struct index index = INDEX_INIT(struct record, key);
	struct record a, b;

	(void)state;
	assert_null(index_put(&index, record(&a, 1)));
	assert_ptr_equal(index_put(&index, record(&b, 1)), &a);
	assert_int_equal(index.live, 1);
	memset(&a, 0, sizeof(a)); /* nothing of it is needed any more */
	assert_ptr_equal(index_get(&index, "key-1"), &b);
	assert_ptr_equal(index_del(&index, "key-1"), &b);
	assert_null(index_get(&index, "key-1"));
	index_done(&index);
}

/* Against a plain array, through every growth and many deletions. */
static void it_agrees_with_an_array(void **state)
{
	enum { COUNT = 500, STEPS = 200000 };
	static struct record records[COUNT];
	static bool present[COUNT];
	struct index index = INDEX_INIT(struct record, key);
	uint32_t random = 1;
	size_t live = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		record(&records[i], i);
	for (int step = 0; step < STEPS; step++) {
		struct record *r;

		random = random * 1664525U + 1013904223U;
		r = &records[(random >> 8) % COUNT];
		assert_ptr_equal(index_get(&index, r->key), present[r->number] ? r : NULL);
		if (random >> 31)
			assert_ptr_equal(index_put(&index, r), present[r->number] ? r : NULL);
		else
			assert_ptr_equal(index_del(&index, r->key), present[r->number] ? r : NULL);
		live += (random >> 31) - (size_t)present[r->number];
		present[r->number] = random >> 31;
		assert_int_equal(index.live, live);
	}
	assert_true(index.cap <= 2048); /* what was deleted makes it no bigger */
	index_done(&index);
}

static void all_are_visited_while_they_are_deleted(void **state)
{
	static struct record records[100];
	struct index index = INDEX_INIT(struct record, key);
	struct record *r;
	size_t visits = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		index_put(&index, record(&records[i], i));
	for (size_t at = 0; (r = index_next(&index, &at)) != NULL; visits++)
		assert_ptr_equal(index_del(&index, r->key), r);
	assert_int_equal(visits, 100);
	assert_int_equal(index.live, 0);
	index_done(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_one_has_nothing),
	    cmocka_unit_test(a_namesake_takes_the_place),
	    cmocka_unit_test(it_agrees_with_an_array),
	    cmocka_unit_test(all_are_visited_while_they_are_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
