#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/map.h"

enum { MANY = 100000 };

static size_t freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

static void *boxed(int n)
{
	int *box = xmalloc(sizeof(*box));

	*box = n;
	return box;
}

static const char *key_of(char key[24], int n)
{
	snprintf(key, 24, "key-%d", n);
	return key;
}

static void an_empty_map_has_nothing(void **state)
{
	struct map *map = map_new(NULL);
	const char *key;
	void *value;
	size_t at = 0;

	(void)state;
	assert_null(map_get(map, ""));
	assert_false(map_del(map, "a"));
	assert_false(map_next(map, &at, &key, &value));
	assert_int_equal(map_len(map), 0);
	map_free(map);
	map_free(NULL);
}

static void many_keys_are_found_again(void **state)
{
	struct map *map = map_new(count_free);
	char key[24];

	(void)state;
	freed = 0;
	for (int i = 0; i < MANY; i++)
		map_put(map, key_of(key, i), boxed(i));
	assert_int_equal(map_len(map), MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(*(int *)map_get(map, key_of(key, i)), i);
	assert_null(map_get(map, "key--1"));
	for (int i = 0; i < MANY; i += 2)
		assert_true(map_del(map, key_of(key, i)));
	assert_int_equal(map_len(map), MANY / 2);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(map_get(map, key_of(key, i)) != NULL, i % 2);
	assert_int_equal(freed, MANY / 2);
	map_free(map);
	assert_int_equal(freed, MANY);
}

/* Tombstones must neither fill the table, so that a search has no end, nor make it grow for ever.
 */
static void churn_leaves_a_working_table(void **state)
{
	static const int lives[] = {0, 1, 5, 7, 12, 100};
	char key[24];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct map *map = map_new(count_free);
		int n;

		for (n = 0; n < MANY; n++) {
			map_put(map, key_of(key, n), boxed(n));
			if (n >= lives[i])
				assert_true(map_del(map, key_of(key, n - lives[i])));
			assert_null(map_get(map, "absent"));
		}
		assert_int_equal(map_len(map), lives[i]);
		for (n = MANY - lives[i]; n < MANY; n++)
			assert_int_equal(*(int *)map_get(map, key_of(key, n)), n);
		map_free(map);
	}
}

static void a_replaced_value_is_freed_once(void **state)
{
	struct map *map = map_new(count_free);
	void *box = boxed(2);

	(void)state;
	freed = 0;
	map_put(map, "a", boxed(1));
	map_put(map, "a", box);
	assert_int_equal(freed, 1);
	map_put(map, "a", box);
	assert_int_equal(freed, 1);
	assert_int_equal(map_len(map), 1);
	assert_ptr_equal(map_get(map, "a"), box);
	map_free(map);
	assert_int_equal(freed, 2);
}

static void keys_are_copied_and_compared_whole(void **state)
{
	static const char *const keys[] = {
	    "",     "a",        "A",   "aa", "abcdefgh", "abcdefghi", "abcdefghabcdefgh",
	    "\xFF", "\xC3\xA9", "a/b", "a b"};
	struct map *map = map_new(NULL);
	int values[ARRAY_LEN(keys)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_free char *key = xstrdup(keys[i]);

		map_put(map, key, &values[i]);
		memset(key, '#', strlen(key));
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_ptr_equal(map_get(map, keys[i]), &values[i]);
	assert_int_equal(map_len(map), ARRAY_LEN(keys));
	map_free(map);
}

static void a_walk_may_delete_where_it_stands(void **state)
{
	struct map *map = map_new(count_free);
	char name[24];
	const char *key;
	void *value;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		map_put(map, key_of(name, i), boxed(i));
	for (size_t at = 0; map_next(map, &at, &key, &value); seen++) {
		assert_string_equal(key, key_of(name, *(int *)value));
		if (*(int *)value % 3 != 0)
			assert_true(map_del(map, key));
	}
	assert_int_equal(seen, 1000);
	assert_int_equal(map_len(map), 334);
	seen = 0;
	for (size_t at = 0; map_next(map, &at, &key, &value); seen++)
		assert_int_equal(*(int *)value % 3, 0);
	assert_int_equal(seen, 334);
	map_free(map);
}

/* Against an array of flags, with a fixed seed. */
static void random_steps_match_a_model(void **state)
{
	struct map *map = map_new(count_free);
	bool present[200] = {false};
	size_t live = 0;
	uint64_t random = 88172645463325252ULL;
	char key[24];

	(void)state;
	for (int step = 0; step < 200000; step++) {
		int n;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		n = (int)(random >> 40) % 200;
		key_of(key, n);
		if (random >> 63) {
			map_put(map, key, boxed(n));
			live += !present[n];
			present[n] = true;
		} else {
			assert_int_equal(map_del(map, key), present[n]);
			live -= present[n];
			present[n] = false;
		}
		assert_int_equal(map_get(map, key) != NULL, present[n]);
		assert_int_equal(map_len(map), live);
	}
	map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_map_has_nothing),
	    cmocka_unit_test(many_keys_are_found_again),
	    cmocka_unit_test(churn_leaves_a_working_table),
	    cmocka_unit_test(a_replaced_value_is_freed_once),
	    cmocka_unit_test(keys_are_copied_and_compared_whole),
	    cmocka_unit_test(a_walk_may_delete_where_it_stands),
	    cmocka_unit_test(random_steps_match_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
