#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>

#include "control/names.h"

#define UID "5be07ada-5fe0-4c9e-a8bc-aaae67d8d344"
#define TEN "abcdefghij"

/* RFC 1123 label: what a Job's and CronJob's name, and a label's value, must be. */
static bool is_label(const char *name, size_t max)
{
	size_t len = strlen(name);

	for (const char *p = name; *p != '\0'; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
			return false;
	return len > 0 && len <= max && name[0] != '-' && name[len - 1] != '-';
}

static void names_are_made_of_run_and_uid(void **state)
{
	static const struct {
		const char *run, *uid, *name;
	} rows[] = {
	    {"example-inference-run-triton", UID, "inf-example-inference-run-triton-5be07ada"},
	    {"iris.run.january", UID, "inf-iris-run-january-5be07ada"},
	    {"a", UID, "inf-a-5be07ada"},
	    {"a--b..c", UID, "inf-a-b-c-5be07ada"},
	    {"-a-", UID, "inf-a-5be07ada"},
	    {"UPPER_Case", UID, "inf-upper-case-5be07ada"},
	    {"caf\xC3\xA9-x", UID, "inf-caf-x-5be07ada"},
	    {"\n%s\"{}", UID, "inf-s-5be07ada"},
	    {"...", UID, "inf-5be07ada"},
	    {"", UID, "inf-5be07ada"},
	    {"a", "", "inf-a-00000000"},
	    {"a", "12", "inf-a-12000000"},
	    {"a", "A-B-C", "inf-a-abc00000"},
	    {"a", "--1-2--3456789", "inf-a-12345678"},
	    {"a", "\xFF\xFE", "inf-a-00000000"},
	    /* 53 characters fit in front of the uid, "inf-" included */
	    {TEN TEN TEN TEN "abcdefghi", UID, "inf-" TEN TEN TEN TEN "abcdefghi-5be07ada"},
	    {TEN TEN TEN TEN "abcdefghiX", UID, "inf-" TEN TEN TEN TEN "abcdefghi-5be07ada"},
	    {TEN TEN TEN TEN "abcdefgh-X", UID, "inf-" TEN TEN TEN TEN "abcdefgh-5be07ada"},
	    {TEN TEN TEN TEN "abcdefgh----X", UID, "inf-" TEN TEN TEN TEN "abcdefgh-5be07ada"},
	    {TEN TEN TEN TEN "abcdefg--XY", UID, "inf-" TEN TEN TEN TEN "abcdefg-x-5be07ada"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[JOB_NAME_MAX + 1];

		job_name(rows[i].run, rows[i].uid, JOB_NAME_MAX, name);
		assert_string_equal(name, rows[i].name);
		assert_true(is_label(name, JOB_NAME_MAX));
	}
}

static void cronjobs_leave_room_for_their_jobs(void **state)
{
	char name[JOB_NAME_MAX + 1];

	(void)state;
	job_name(TEN TEN TEN "abcdefghX", UID, CRONJOB_NAME_MAX, name);
	assert_string_equal(name, "inf-" TEN TEN TEN "abcdefgh-5be07ada");
	assert_true(strlen(name) <= CRONJOB_NAME_MAX);
	job_name(TEN TEN TEN "abcdefg-X", UID, CRONJOB_NAME_MAX, name);
	assert_string_equal(name, "inf-" TEN TEN TEN "abcdefg-5be07ada");
	job_name("short", UID, CRONJOB_NAME_MAX, name);
	assert_string_equal(name, "inf-short-5be07ada");
}

/* Names of every length up to what the API server allows, with a dot anywhere. */
static void every_length_gives_a_label(void **state)
{
	static const size_t maxima[] = {JOB_NAME_MAX, CRONJOB_NAME_MAX};

	(void)state;
	for (size_t len = 1; len <= 253; len++) {
		for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
			for (size_t dot = 0; dot < len; dot += 1 + dot / 8) {
				char run[254] = "", name[JOB_NAME_MAX + 1];

				memset(run, 'x', len);
				run[dot] = '.';
				job_name(run, UID, maxima[i], name);
				if (!is_label(name, maxima[i]) || !has_prefix(name, "inf-") ||
				    !streq(name + strlen(name) - 9, "-5be07ada"))
					fail_msg("%s: %s", run, name);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_made_of_run_and_uid),
	    cmocka_unit_test(cronjobs_leave_room_for_their_jobs),
	    cmocka_unit_test(every_length_gives_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
