/* Which failed firings of a schedule are told, and what remains of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "control/firings.h"

#define AT(second) "2026-11-24T10:00:" second "Z"

static struct json *job(const char *name, const char *outcome, const char *at)
{
	return json_build("{'metadata': {'name': %s}, 'status': {'conditions': ["
			  "{'type': 'Suspended', 'status': 'False'},"
			  "{'type': %s, 'status': 'True', 'lastTransitionTime': %s}]}}",
			  name, outcome, at);
}

static struct json *run_with(struct json *status_taken)
{
	struct json *run = json_object();

	json_set(run, "status", status_taken);
	return run;
}

/* "a b c": the jobs that are told, in the order of the list. */
static char *told(const struct json *status)
{
	struct buf out = BUF_INIT(4096);
	const struct json *f = json_first(json_get(status, "failures"));

	for (; f != NULL; f = json_next(f))
		buf_addf(&out, "%s%s", out.len > 0 ? " " : "", json_get_str(f, "job", "?"));
	return buf_steal(&out);
}

/* As passes do it: one after another until none is untold. */
static void tell_all(struct json *run, const struct json *jobs)
{
	const struct json *untold;

	for (int i = 0; (untold = firings_untold(run, jobs)) != NULL; i++) {
		assert_true(i < 100);
		firings_record(json_obj(run, "status"), untold, "Error", "m");
	}
}

static void only_failed_jobs_are_told(void **state UNUSED)
{
	static const char *const outcomes[] = {"Complete", "FailureTarget", "Suspended"};
	auto_json struct json *run = run_with(json_object());

	assert_null(firings_untold(run, NULL));
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		auto_json struct json *jobs = json_array();

		json_append(jobs, job("a", outcomes[i], AT("01")));
		json_append(jobs, json_build("{'metadata': {'name': 'b'}}"));
		json_append(jobs, json_null());
		assert_null(firings_untold(run, jobs));
	}
}

/* Each step: "NAME SECOND" fails; who is in the list then. */
static void the_last_five_stay(void **state UNUSED)
{
	static const struct {
		const char *name, *at, *told;
	} steps[] = {
	    {"b", AT("02"), "b"},
	    {"a", AT("02"), "a b"}, /* the same time: by name */
	    {"c", AT("04"), "a b c"},
	    {"z", AT("03"), "a b z c"}, /* seen late */
	    {"d", AT("05"), "a b z c d"},
	    {"e", AT("06"), "b z c d e"}, /* one more than are kept */
	    {"y", AT("01"), "b z c d e"}, /* seen so late that it is past */
	    {"aa", AT("02"), "b z c d e"},
	    {"x", AT("02"), "x z c d e"},
	};
	auto_json struct json *jobs = json_array();
	auto_json struct json *run = run_with(json_object());

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		auto_free char *found = NULL;

		json_append(jobs, job(steps[i].name, "Failed", steps[i].at));
		tell_all(run, jobs);
		found = told(json_get(run, "status"));
		if (!streq(found, steps[i].told))
			fail_msg("after %s: expected %s, found %s", steps[i].name, steps[i].told,
				 found);
	}
	assert_string_equal(json_get_str(json_get(run, "status"), "lastFailureTime", ""), AT("06"));
}

/* Whatever the order in which many are seen, the same five are told. */
static void the_first_of_many_is_told_first(void **state UNUSED)
{
	auto_json struct json *jobs = json_array();
	auto_json struct json *run = run_with(json_object());
	auto_free char *found = NULL;

	for (int i = 0; i < 30; i++) {
		auto_free char *name = xasprintf("j%02d", i * 7 % 30);
		auto_free char *at = xasprintf("2026-11-24T10:00:%02dZ", i * 7 % 30);

		json_append(jobs, job(name, "Failed", at));
	}
	assert_string_equal(
	    json_get_str(json_get(firings_untold(run, jobs), "metadata"), "name", ""), "j00");
	tell_all(run, jobs);
	found = told(json_get(run, "status"));
	assert_string_equal(found, "j25 j26 j27 j28 j29");
}

static void long_messages_are_cut(void **state UNUSED)
{
	for (int over = 0; over <= 1; over++) {
		auto_json struct json *status = json_object();
		auto_json struct json *one = job("a", "Failed", AT("01"));
		char message[FIRING_MESSAGE_MAX + 2] = "";
		const struct json *failure;

		memset(message, 'x', (size_t)FIRING_MESSAGE_MAX + (size_t)over);
		firings_record(status, one, "OOMKilled", message);
		failure = json_first(json_get(status, "failures"));
		assert_int_equal(strlen(json_get_str(failure, "message", "")), FIRING_MESSAGE_MAX);
		assert_string_equal(json_get_str(failure, "reason", ""), "OOMKilled");
		assert_string_equal(json_get_str(failure, "finishedAt", ""), AT("01"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_failed_jobs_are_told),
	    cmocka_unit_test(the_last_five_stay),
	    cmocka_unit_test(the_first_of_many_is_told_first),
	    cmocka_unit_test(long_messages_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
