#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/scan.h"
#include "spec/unit/kube/watching.h"

/* Objects that an API server serves and we do not take, each in a LIST and in a WATCH among good
 * ones. */

#define BAD(name, version, rest) "{" META(name, version) ",\"spec\":" rest "}"
#define HOSTILE(type, name, version, rest)                                                         \
	"{\"type\":\"" type "\",\"object\":" BAD(name, version, rest) "}\n"
#define NUL "{\"a\":\"\\u0000\"}"
#define TWICE "{\"a\":1,\"a\":2}"

static const struct scenario scenarios[] = {
    {"in a list: passed over, and the watch goes on from its version",
     {{.body = LIST("5", BAD("x", "1", NUL) "," OBJECT("a", "2") "," BAD("y", "3", TWICE))},
      {.expect = FROM("5"), .how = FAKE_STREAM, .body = EVENT("ADDED", "b", "6")},
      {.expect = FROM("6")}},
     "trouble:Invalid trouble:Invalid +n/a:2 synced +n/b:6 "},
    {"in a watch: passed over, the version moves on, no list",
     {{.body = LIST("1", "")},
      {.how = FAKE_STREAM,
       .body = EVENT("ADDED", "a", "2") HOSTILE("ADDED", "x", "3", NUL)
	   HOSTILE("MODIFIED", "y", "4", TWICE) EVENT("ADDED", "b", "5")},
      {.expect = FROM("5"), .how = FAKE_STREAM, .body = HOSTILE("ADDED", "z", "6", NUL)},
      {.expect = FROM("6")}},
     "synced +n/a:2 trouble:Invalid trouble:Invalid +n/b:5 trouble:Invalid "},
    {"an older version in the store is deleted by a watch, and a good one comes back",
     {{.body = LIST("1", OBJECT("a", "1") "," OBJECT("b", "1"))},
      {.how = FAKE_STREAM,
       .body = HOSTILE("MODIFIED", "a", "2", NUL) HOSTILE("MODIFIED", "a", "3", NUL)
	   EVENT("MODIFIED", "a", "4")},
      {.expect = FROM("4")}},
     "[ab]synced -n/a:1 trouble:Invalid trouble:Invalid +n/a:4 "},
    {"an older version in the store is deleted by a list",
     {{.body = LIST("1", OBJECT("a", "1") "," OBJECT("b", "1"))},
      {.how = FAKE_STREAM, .body = GONE},
      {.expect = LISTED(" "), .body = LIST("9", OBJECT("b", "1") "," BAD("a", "8", NUL))},
      {.expect = FROM("9")}},
     "[ab]synced trouble:Invalid -n/a:1 synced "},
    {"the deletion of one is nothing to report",
     {{.body = LIST("1", OBJECT("a", "1"))},
      {.how = FAKE_STREAM,
       .body = HOSTILE("DELETED", "a", "2", NUL) HOSTILE("DELETED", "x", "3", NUL)},
      {.expect = FROM("3")}},
     "+n/a:1 synced -n/a:1 "},
    {"a bookmark with one moves the version",
     {{.body = LIST("1", "")},
      {.how = FAKE_STREAM, .body = HOSTILE("BOOKMARK", "", "7", NUL)},
      {.expect = FROM("7")}},
     "synced "},
    {"the name is found behind anything",
     {{.body = LIST("1", OBJECT("a", "1"))},
      {.how = FAKE_STREAM,
       .body =
	   "{\"object\":{\"\\u0000\":[\"]}\\\\\"],\"metadata\":{\"annotations\":{\"k\":\"\\u0000"
	   "\"},\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"2\"}},"
	   "\"type\":\"MODIFIED\"}\n"},
      {.expect = FROM("2")}},
     "+n/a:1 synced -n/a:1 trouble:Invalid "},
    {"neither name nor version can be read",
     {{.body = LIST("1", "{\"metadata\":{\"name\":\"\\u0000\"}}," OBJECT("a", "1"))},
      {.how = FAKE_STREAM,
       .body =
	   "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"\\u0000\"}}}\n"
	   "{\"type\":\"ADDED\",\"object\":{\"metadata\":\"\\u0000\"}}\n" EVENT("ADDED", "b", "3")},
      {.expect = FROM("3")}},
     "trouble:Invalid +n/a:1 synced trouble:Invalid trouble:Invalid +n/b:3 "},
    {"a page that is no list is trouble, and nothing of it takes effect",
     {{.body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" OBJECT("a", "1") "}"},
      {.body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":{}}"},
      {.body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]} x"},
      {.body = "{\"metadata\":{\"resourceVersion\":\"\\u0000\"},\"items\":[]}"},
      {.body = "[]"},
      {.body = "{\"metadata\":{\"resourceVersion\":\"2\"},\"items\":null}"},
      {.expect = FROM("2")}},
     "trouble:Retry trouble:Retry trouble:Retry trouble:Retry trouble:Retry synced "},
    {"an ERROR event that cannot be read lists again",
     {{.body = LIST("1", "")},
      {.how = FAKE_STREAM, .body = "{\"type\":\"ERROR\",\"object\":" NUL "}\n"},
      {.expect = LISTED(" "), .body = LIST("2", "")},
      {.expect = FROM("2")}},
     "synced trouble:Invalid synced "},
};

static void every_scenario(void **state)
{
	(void)state;
	run_scenarios(scenarios, ARRAY_LEN(scenarios));
}

/* {"metadata": {...}, "spec": an array of arrays}, with so many levels in all. */
static char *nested(const char *metadata, int levels)
{
	auto_free char *open = xmalloc((size_t)levels);
	auto_free char *close = xmalloc((size_t)levels);

	memset(open, '[', (size_t)levels);
	memset(close, ']', (size_t)levels);
	return xasprintf("{%s,\"spec\":%.*s%.*s}", metadata, levels - 1, open, levels - 1, close);
}

/* The limit is that of the object, whatever it comes in. */
static void nesting_up_to_the_limit_and_far_beyond(void **state)
{
	auto_free char *fits = nested(META("a", "2"), SCAN_DEPTH_MAX);
	auto_free char *over = nested(META("b", "3"), SCAN_DEPTH_MAX + 1);
	auto_free char *far = nested(META("c", "4"), 10000);
	auto_free char *list = xasprintf(
	    "{\"items\":[%s,%s,%s],\"metadata\":{\"resourceVersion\":\"5\"}}", far, over, fits);
	auto_free char *events =
	    xasprintf("{\"type\":\"MODIFIED\",\"object\":%s}\n"
		      "{\"type\":\"MODIFIED\",\"object\":%s}\n"
		      "{\"type\":\"MODIFIED\",\"object\":%s}\n" EVENT("ADDED", "d", "9"),
		      over, far, fits);
	const struct fake_answer script[] = {
	    {.body = list}, {.expect = FROM("5"), .how = FAKE_HOLD, .body = events}};
	struct seen seen = run_until(script, ARRAY_LEN(script), &quick, "+n/d:9 ");

	(void)state;
	assert_string_equal(seen.log.data, "trouble:Invalid trouble:Invalid +n/a:2 synced "
					   "trouble:Invalid trouble:Invalid +n/d:9 ");
	assert_int_equal(seen.fake->requests, 2);
	seen_done(&seen);
}

static void what_is_passed_over_is_told_by_its_key(void **state)
{
	const struct fake_answer script[] = {
	    {.body = LIST("1", BAD("x", "1", NUL) "," OBJECT("a", "1"))},
	    {.how = FAKE_HOLD,
	     .body = HOSTILE("MODIFIED", "a", "2", TWICE) HOSTILE("DELETED", "x", "3", NUL)
		 EVENT("ADDED", "b", "9")}};
	struct seen seen = run_until(script, ARRAY_LEN(script), &quick, "+n/b:9 ");

	(void)state;
	assert_string_equal(seen.passed.data, "!n/x !n/a -n/x ");
	seen_done(&seen);
}

static void the_report_names_the_object(void **state)
{
	static const struct {
		const char *list, *events, *message;
	} rows[] = {
	    {LIST("1", OBJECT("a", "1") "," BAD("x", "1", NUL)), NULL,
	     "/api/v1/pods: passed over n/x: line 1, column "},
	    {LIST("1", OBJECT("a", "1") ",{\"a\":\"\\u0000\"}"), NULL,
	     "/api/v1/pods: passed over object 2 of a page: line 1, column "},
	    {LIST("1", OBJECT("a", "1") ",{}"), NULL,
	     "passed over object 2 of a page: expected an object with metadata.name"},
	    {LIST("1", ""), HOSTILE("ADDED", "x", "1", NUL), "passed over n/x: line 1, column "},
	    {LIST("1", ""), "{\"type\":\"ADDED\",\"object\":{}}\n",
	     "passed over the object of an event: expected metadata.name, found none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_answer script[] = {{.body = rows[i].list},
						     {.how = FAKE_HOLD, .body = rows[i].events}};
		struct seen seen = run_until(script, ARRAY_LEN(script), &quick, "trouble:Invalid ");

		if (strstr(seen.err.msg, rows[i].message) == NULL)
			fail_msg("row %zu: %s", i, seen.err.msg);
		seen_done(&seen);
	}
}

/* Whether it comes in a list, whose items do not say so, or in an event: it has its kind. */
static void every_object_has_its_kind(void **state)
{
	static const struct fake_answer script[] = {{.body = LIST("1", OBJECT("a", "1"))},
						    {.how = FAKE_HOLD, .body = ""}};
	struct seen seen = run_until(script, ARRAY_LEN(script), &quick, "synced ");
	auto_json struct json *object = store_get(seen.store, "n/a");

	(void)state;
	assert_string_equal(json_get_str(object, "kind", ""), "Pod");
	assert_string_equal(json_get_str(object, "apiVersion", ""), "v1");
	seen_done(&seen);
}

/* The watch and the store may be freed in any callback that such an object leads to. */
static void any_callback_may_free_everything(void **state)
{
	static const struct fake_answer script[] = {
	    {.body = LIST("1", BAD("x", "1", NUL) "," OBJECT("a", "1"))},
	    {.how = FAKE_STREAM,
	     .body = HOSTILE("MODIFIED", "a", "2", NUL) EVENT("ADDED", "b", "3")},
	};
	static const char *const moments[] = {"trouble:Invalid ", "-n/a:1 ",
					      "-n/a:1 trouble:Invalid "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		struct seen seen = seen_new(script, ARRAY_LEN(script));
		struct watch_spec spec = spec_for(&seen);

		seen.free_at = moments[i];
		seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
		fake_run(seen.fake);
		fake_run_for(seen.fake, 20);
		assert_null(seen.watch);
		assert_true(ends_with(&seen.log, moments[i]));
		seen_done(&seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_scenario),
	    cmocka_unit_test(nesting_up_to_the_limit_and_far_beyond),
	    cmocka_unit_test(what_is_passed_over_is_told_by_its_key),
	    cmocka_unit_test(the_report_names_the_object),
	    cmocka_unit_test(every_object_has_its_kind),
	    cmocka_unit_test(any_callback_may_free_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
