#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "spec/apisim/cron.h"

static void refused(void **state UNUSED)
{
	static const char *const texts[] = {
	    "",
	    "*",
	    "* * * *",
	    "* * * * * *",
	    "60 * * * *",
	    "* 24 * * *",
	    "* * 0 * *",
	    "* * 32 * *",
	    "* * * 0 *",
	    "* * * 13 *",
	    "* * * * 7",
	    "5-1 * * * *",
	    "*/0 * * * *",
	    "a * * * *",
	    "1,,2 * * * *",
	    "1- * * * *",
	    "-1 * * * *",
	    "@never",
	    "1.5 * * * *",
	    "* * * foo *",
	    "* * * * monday",
	    "9999999999 * * * *",
	    "1, * * * *",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;
		struct cron cron;

		if (cron_parse(texts[i], &cron, &err) == 0)
			fail_msg("accepted: \"%s\"", texts[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void next(void **state UNUSED)
{
	static const struct {
		const char *schedule, *zone, *after, *expected; /* NULL: never */
	} rows[] = {
	    {"* * * * *", NULL, "2026-11-24T10:00:00Z", "2026-11-24T10:01:00Z"},
	    {"* * * * *", NULL, "2026-11-24T10:00:59Z", "2026-11-24T10:01:00Z"},
	    {"*/15 * * * *", NULL, "2026-11-24T10:44:00Z", "2026-11-24T10:45:00Z"},
	    {"5/20 * * * *", NULL, "2026-11-24T10:26:00Z", "2026-11-24T10:45:00Z"},
	    {"0 9 * * MON-FRI", NULL, "2026-11-27T09:00:00Z", "2026-11-30T09:00:00Z"},
	    {"0 9 * * 1,3,5", NULL, "2026-11-24T00:00:00Z", "2026-11-25T09:00:00Z"},
	    {"30 4 1,15 * 5", NULL, "2026-11-24T00:00:00Z", "2026-11-27T04:30:00Z"},
	    {"30 4 13 * *", NULL, "2026-11-24T00:00:00Z", "2026-12-13T04:30:00Z"},
	    {"0 0 1 JAN ?", NULL, "2026-11-24T00:00:00Z", "2027-01-01T00:00:00Z"},
	    {"@hourly", NULL, "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"},
	    {"@weekly", NULL, "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"},
	    {"0 0 29 2 *", NULL, "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"},
	    {"0 0 30 2 *", NULL, "2026-11-24T00:00:00Z", NULL},
	    {"0 9 * * *", "Europe/Rome", "2026-11-24T00:00:00Z", "2026-11-24T08:00:00Z"},
	    {"0 9 * * *", "Europe/Rome", "2026-07-24T00:00:00Z", "2026-07-24T07:00:00Z"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct cron cron;
		char text[TIME_TEXT_MAX];
		int64_t after, found;

		if (cron_parse(rows[i].schedule, &cron, &err) < 0)
			fail_msg("%s: %s", rows[i].schedule, err.msg);
		if (rows[i].zone != NULL && !cron_zone_known(rows[i].zone))
			continue; /* no time zone database here */
		assert_true(time_parse(rows[i].after, &after));
		found = cron_next(&cron, after, rows[i].zone);
		if (rows[i].expected == NULL) {
			assert_int_equal(found, -1);
			continue;
		}
		time_format(found, false, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void zones(void **state UNUSED)
{
	assert_true(cron_zone_known("UTC"));
	assert_false(cron_zone_known(""));
	assert_false(cron_zone_known("Mars/Olympus"));
	assert_false(cron_zone_known("../../etc/passwd"));
	assert_false(cron_zone_known("/etc/passwd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refused),
	    cmocka_unit_test(next),
	    cmocka_unit_test(zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
