#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"

static void bad_times_are_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "2026",
	    "2026-11-24",
	    "2026-11-24T10:00:00",
	    "2026-11-24T10:00Z",
	    "2026-11-24T10:00:00z ",
	    " 2026-11-24T10:00:00Z",
	    "2026-11-24T10:00:00ZZ",
	    "2026-11-24T10:00:00.Z",
	    "2026-11-24T10:00:00,5Z",
	    "2026-11-24X10:00:00Z",
	    "2026-11-24T1:00:00Z",
	    "2026-1-24T10:00:00Z",
	    "26-11-24T10:00:00Z",
	    "+2026-11-24T10:00:00Z",
	    "-2026-11-24T10:00:00Z",
	    "20261-11-24T10:00:00Z",
	    "2026-00-24T10:00:00Z",
	    "2026-13-24T10:00:00Z",
	    "2026-11-00T10:00:00Z",
	    "2026-11-31T10:00:00Z",
	    "2026-01-32T10:00:00Z",
	    "2026-02-29T10:00:00Z",
	    "2024-02-30T10:00:00Z",
	    "1900-02-29T10:00:00Z",
	    "2100-02-29T10:00:00Z",
	    "2026-11-24T24:00:00Z",
	    "2026-11-24T10:60:00Z",
	    "2026-11-24T10:00:61Z",
	    "2026-11-24T10:00:00+1:00",
	    "2026-11-24T10:00:00+0100",
	    "2026-11-24T10:00:00+24:00",
	    "2026-11-24T10:00:00+01:60",
	    "2026-11-24T10:00:00+01:00Z",
	    "2026-11-24T10:00:00+",
	    "2026-11-24T10:00:00-01",
	    "20 6-11-24T10:00:00Z",
	    "1e03-11-24T10:00:00Z",
	    "2026-11-24T10:00:00\xE2\x88\x92\x30\x31:00", /* a minus sign, no hyphen */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = 77;

		if (time_parse(rows[i], &ms))
			fail_msg("%s was accepted", rows[i]);
		assert_int_equal(ms, 77);
	}
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"1970-01-01T00:00:00.001Z", 1},
	    {"1969-12-31T23:59:59.999Z", -1},
	    {"2026-11-24T10:00:00Z", 1795514400000},
	    {"2026-11-24t10:00:00z", 1795514400000},
	    {"2026-11-24 10:00:00Z", 1795514400000},
	    {"2026-11-24T10:00:00.1Z", 1795514400100},
	    {"2026-11-24T10:00:00.12Z", 1795514400120},
	    {"2026-11-24T10:00:00.123Z", 1795514400123},
	    {"2026-11-24T10:00:00.123456Z", 1795514400123},
	    {"2026-11-24T10:00:00.999999999999999999999999999Z", 1795514400999},
	    {"2026-11-24T10:00:00+00:00", 1795514400000},
	    {"2026-11-24T10:00:00-00:00", 1795514400000},
	    {"2026-11-24T11:30:00+01:30", 1795514400000},
	    {"2026-11-24T01:45:00-08:15", 1795514400000},
	    {"2026-11-24T10:00:00.5+23:59", 1795514400500 - (24 * 60 - 1) * 60000},
	    {"2024-02-29T00:00:00Z", 1709164800000},
	    {"2000-02-29T00:00:00Z", 951782400000},
	    {"2024-12-31T23:59:60Z", 1735689600000}, /* a leap second is the next one */
	    {"2038-01-19T03:14:08Z", 2147483648000},
	    {"0001-01-01T00:00:00Z", -62135596800000}, /* metav1.Time when unset */
	    {"9999-12-31T23:59:59Z", 253402300799000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = 0;

		if (!time_parse(rows[i].text, &ms))
			fail_msg("%s was refused", rows[i].text);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void times_are_written(void **state)
{
	static const struct {
		int64_t ms;
		const char *seconds, *millis, *micros;
	} rows[] = {
	    {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000000Z"},
	    {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999000Z"},
	    {-1000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z",
	     "1969-12-31T23:59:59.000000Z"},
	    {1795514400123, "2026-11-24T10:00:00Z", "2026-11-24T10:00:00.123Z",
	     "2026-11-24T10:00:00.123000Z"},
	    {1709164800007, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.007Z",
	     "2024-02-29T00:00:00.007000Z"},
	    {-62135596800000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z",
	     "0001-01-01T00:00:00.000000Z"},
	    {253402300799999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z",
	     "9999-12-31T23:59:59.999000Z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[TIME_TEXT_MAX];
		int64_t ms;

		time_format(rows[i].ms, false, text);
		assert_string_equal(text, rows[i].seconds);
		time_format(rows[i].ms, true, text);
		assert_string_equal(text, rows[i].millis);
		assert_true(time_parse(text, &ms));
		assert_int_equal(ms, rows[i].ms);
		time_format_micro(rows[i].ms, text);
		assert_string_equal(text, rows[i].micros);
	}
}

static void every_day_round_trips(void **state)
{
	(void)state;
	for (int64_t ms = -62135596800000; ms < 253402300800000; ms += 86400000 * 7 + 12345678) {
		char text[TIME_TEXT_MAX];
		int64_t again = 0;

		time_format(ms, true, text);
		if (!time_parse(text, &again) || again != ms)
			fail_msg("%s", text);
	}
}

static void bad_durations_are_refused(void **state)
{
	static const char *const rows[] = {
	    "",           " ",
	    "s",          "m",
	    "-1",         "-5s",
	    "+5s",        " 5s",
	    "5s ",        "5 s",
	    "5x",         "5d",
	    "5S",         "1h30",
	    "30 1m",      "1m-5s",
	    "1mm",        "1,5s",
	    ".5s",        "1.2.3s",
	    "0x10",       "0x10s",
	    "1e3",        "1e3s",
	    "1E3",        "inf",
	    "nan",        "infs",
	    "0s30",       "1s1",
	    "1h\n",       "1_0s",
	    "5sec",       "1us",
	    "1\xC2\xB5s", "87841h",
	    "316224001s", "316224000001ms",
	    "1e400",      "99999999999999999999999999999999999999999h",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		int64_t ms = 77;

		if (duration_parse(rows[i], &ms, &err) == 0)
			fail_msg("\"%s\" was accepted as %lld", rows[i], (long long)ms);
		assert_int_equal(ms, 77);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.msg, "expected a duration such as 30s, 5m or 1h30m"));
		assert_non_null(strstr(err.msg, rows[i]));
	}
}

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
	    {"0", 0},
	    {"0s", 0},
	    {"1", 1000},
	    {"90", 90000},
	    {"1.5", 1500},
	    {"250ms", 250},
	    {"90s", 90000},
	    {"1m", 60000},
	    {"1m30s", 90000},
	    {"1h30m15s500ms", 5415500},
	    {"1.5h", 5400000},
	    {"0.1s", 100},
	    {"1.001s", 1001},
	    {"0.29s", 290},
	    {"4.35s", 4350},
	    {"30s1m", 90000},
	    {"0h0m5s", 5000},
	    {"007s", 7000},
	    {"87840h", 316224000000},
	    {"316224000s", 316224000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		int64_t ms = 0;

		if (duration_parse(rows[i].text, &ms, &err) < 0)
			fail_msg("%s", err.msg);
		if (ms != rows[i].ms)
			fail_msg("%s is %lld", rows[i].text, (long long)ms);
	}
}

static void clocks_go_on(void **state)
{
	int64_t mono = time_mono_ms();

	(void)state;
	assert_true(time_now_ms() > 1700000000000);
	assert_true(time_mono_ms() >= mono);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_times_are_refused),
	    cmocka_unit_test(times_are_read),
	    cmocka_unit_test(times_are_written),
	    cmocka_unit_test(every_day_round_trips),
	    cmocka_unit_test(bad_durations_are_refused),
	    cmocka_unit_test(durations_are_read),
	    cmocka_unit_test(clocks_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
