#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube/correlate.h"

enum { TABLE = 100, MINUTE_MS = 60000, REFILL_MS = 300000 };

static int64_t now_ms;

static int64_t test_clock(void)
{
	return now_ms;
}

/* The record of one occurrence; NULL: spam. */
static struct record *occur(struct correlator *c, const char *object, const char *reason,
			    const char *message, bool *combined)
{
	auto_json struct json *ref =
	    json_build("{'kind': 'Job', 'namespace': 'ns', 'name': %s}", object);

	return correlate(c, ref, "Normal", reason, message, combined);
}

static void an_object_has_a_budget(void **state)
{
	struct correlator *c = correlator_new(TABLE, test_clock);
	bool combined;

	(void)state;
	now_ms = 1;
	for (int i = 0; i < 25; i++)
		assert_non_null(occur(c, "a", "R", "m", &combined));
	assert_null(occur(c, "a", "R", "m", &combined));
	assert_null(occur(c, "a", "Other", "x", &combined));
	assert_non_null(occur(c, "b", "R", "m", &combined));
	now_ms += REFILL_MS - 1;
	assert_null(occur(c, "a", "R", "m", &combined));
	now_ms += 1;
	assert_non_null(occur(c, "a", "R", "m", &combined));
	assert_null(occur(c, "a", "R", "m", &combined));
	now_ms += 1000LL * REFILL_MS; /* it fills to 25, not more */
	for (int i = 0; i < 25; i++)
		assert_non_null(occur(c, "a", "R", "m", &combined));
	assert_null(occur(c, "a", "R", "m", &combined));
	correlator_free(c);
	correlator_free(NULL);
}

static void the_same_is_one_event_for_ten_minutes(void **state)
{
	struct correlator *c = correlator_new(TABLE, test_clock);
	bool combined;
	struct record *first, *again;

	(void)state;
	now_ms = 1;
	first = occur(c, "a", "R", "m", &combined);
	record_hold(first);
	now_ms += 10 * MINUTE_MS;
	assert_ptr_equal(occur(c, "a", "R", "m", &combined), first);
	assert_int_equal(first->count, 2);
	now_ms += 10 * MINUTE_MS; /* each occurrence prolongs it */
	assert_ptr_equal(occur(c, "a", "R", "m", &combined), first);
	now_ms += 10 * MINUTE_MS + 1;
	again = occur(c, "a", "R", "m", &combined);
	assert_ptr_not_equal(again, first);
	assert_int_equal(again->count, 1);
	assert_string_not_equal(again->name, first->name);
	record_release(first);
	correlator_free(c);
}

static void similar_ones_are_combined_from_the_eleventh_on(void **state)
{
	struct correlator *c = correlator_new(TABLE, test_clock);
	struct record *eleventh = NULL;
	char message[16];
	bool combined;

	(void)state;
	now_ms = 1;
	for (int i = 1; i <= 13; i++) {
		struct record *record;

		snprintf(message, sizeof(message), "m%d", i);
		record = occur(c, "a", "R", message, &combined);
		assert_int_equal(combined, i > 10);
		if (i == 11)
			eleventh = record;
		if (i > 11)
			assert_ptr_equal(record, eleventh);
	}
	assert_int_equal(eleventh->count, 3);
	occur(c, "a", "R", "m1", &combined);
	assert_false(combined); /* known before */
	occur(c, "a", "Other", "m11", &combined);
	assert_false(combined);
	now_ms += 10 * MINUTE_MS + 1;
	occur(c, "a", "R", "m99", &combined);
	assert_false(combined); /* ten quiet minutes have passed */
	correlator_free(c);
}

static void tables_are_bounded(void **state)
{
	struct correlator *c = correlator_new(2, test_clock);
	bool combined;
	struct record *a;

	(void)state;
	now_ms = 1;
	a = occur(c, "a", "R", "m", &combined);
	occur(c, "b", "R", "m", &combined);
	assert_ptr_equal(occur(c, "a", "R", "m", &combined), a);
	occur(c, "c", "R", "m", &combined);
	occur(c, "d", "R", "m", &combined);
	assert_int_equal(occur(c, "a", "R", "m", &combined)->count, 1);
	correlator_free(c);
}

static void names_are_cut_to_what_is_allowed(void **state)
{
	static const struct {
		size_t len;
		char last;
		size_t kept;
	} cases[] = {{1, 'a', 1}, {236, 'a', 236}, {237, 'a', 236}, {253, 'a', 236}};
	struct correlator *c = correlator_new(TABLE, test_clock);
	bool combined;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[254] = "";
		const struct record *record;

		memset(name, 'a', cases[i].len);
		record = occur(c, name, "R", "m", &combined);
		assert_int_equal(strlen(record->name), cases[i].kept + 17);
		assert_int_equal(record->name[cases[i].kept], '.');
		name[234] = '.';
		name[235] = '-';
		if (cases[i].len == 253)
			assert_int_equal(strlen(occur(c, name, "R", "m", &combined)->name),
					 234 + 17);
	}
	correlator_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_object_has_a_budget),
	    cmocka_unit_test(the_same_is_one_event_for_ten_minutes),
	    cmocka_unit_test(similar_ones_are_combined_from_the_eleventh_on),
	    cmocka_unit_test(tables_are_bounded),
	    cmocka_unit_test(names_are_cut_to_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
