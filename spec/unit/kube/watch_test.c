#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "spec/unit/kube/watching.h"

static const struct scenario scenarios[] = {
    {"an empty list",
     {{.expect = LISTED(" "), .body = LIST("5", "")}, {.expect = FROM("5")}},
     "synced "},
    {"pages take effect as one",
     {{.expect = LISTED(" "), .body = PAGE("t/1=", OBJECT("a", "1"))},
      {.expect = LISTED("&continue=t%2F1%3D"), .body = PAGE("t2", "")},
      {.expect = LISTED("&continue=t2"), .body = LIST("7", OBJECT("b", "2"))},
      {.expect = FROM("7")}},
     "[ab]synced "},
    {"410 between pages begins again",
     {{.expect = LISTED(" "), .body = PAGE("t", OBJECT("a", "1"))},
      {.expect = LISTED("&continue=t"), .status = 410},
      {.expect = LISTED(" "), .body = LIST("7", OBJECT("b", "2"))},
      {.expect = FROM("7")}},
     "+n/b:2 synced "},
    {"a second 410 in a row is trouble",
     {{.expect = LISTED(" "), .body = PAGE("t", OBJECT("a", "1"))},
      {.expect = LISTED("&continue=t"), .status = 410},
      {.expect = LISTED(" "), .body = LIST("7", "")},
      {.expect = FROM("7"), .status = 410},
      {.expect = LISTED(" "), .body = LIST("8", "")},
      {.expect = FROM("8")}},
     "synced trouble:Gone synced "},
    {"events",
     {{.body = LIST("1", OBJECT("a", "1"))},
      {.expect = FROM("1"),
       .how = FAKE_STREAM,
       .body = EVENT("MODIFIED", "a", "2") EVENT("ADDED", "b", "3") EVENT("DELETED", "a", "4")
	   EVENT("DELETED", "never-seen", "5")},
      {.expect = FROM("5")}},
     "+n/a:1 synced ~n/a:2 +n/b:3 -n/a:2 "},
    {"a version is reported once",
     {{.body = LIST("1", OBJECT("a", "1"))},
      {.how = FAKE_STREAM, .body = EVENT("ADDED", "a", "1") EVENT("ADDED", "a", "2")},
      {.expect = FROM("2")}},
     "+n/a:1 synced ~n/a:2 "},
    {"a namesake is another object",
     {{.body = LIST("1", OBJECT("a", "1"))},
      {.how = FAKE_STREAM,
       .body = "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"namespace\":\"n\",\"name\":"
	       "\"a\",\"uid\":\"new\",\"resourceVersion\":\"2\"}}}\n"},
      {.expect = FROM("2")}},
     "+n/a:1 synced -n/a:1 +n/a:2 "},
    {"a bookmark moves the version",
     {{.body = LIST("1", "")}, {.how = FAKE_STREAM, .body = BOOKMARK("9")}, {.expect = FROM("9")}},
     "synced "},
    {"a cut in mid-line goes on at the last version, without a list",
     {{.body = LIST("1", "")},
      {.how = FAKE_CUT, .body = EVENT("ADDED", "a", "2") "{\"type\":\"MODI"},
      {.expect = FROM("2"), .how = FAKE_CLOSE},
      {.expect = FROM("2"), .how = FAKE_CLOSE}, /* the transport may try it again */
      {.expect = FROM("2")}},
     "synced +n/a:2 trouble:Retry *"},
    {"410 in an ERROR event lists again, and finds what was missed",
     {{.body = LIST("1", OBJECT("a", "1") "," OBJECT("b", "1"))},
      {.how = FAKE_STREAM, .body = BOOKMARK("2") GONE EVENT("ADDED", "x", "3")},
      {.expect = LISTED(" "), .body = LIST("9", OBJECT("b", "1"))},
      {.expect = FROM("9")}},
     "[ab]synced -n/a:1 synced "},
    {"410 as the status of a watch",
     {{.body = LIST("1", "")},
      {.expect = FROM("1"), .status = 410},
      {.expect = LISTED(" "), .body = LIST("9", "")},
      {.expect = FROM("9")}},
     "synced synced "},
    {"another ERROR event is trouble",
     {{.body = LIST("1", "")},
      {.how = FAKE_STREAM,
       .body = "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"etcd\"}}\n"},
      {.expect = FROM("1")}},
     "synced trouble:Retry "},
    {"500, then fine, as list and as watch",
     {{.status = 500},
      {.body = LIST("1", "")},
      {.expect = FROM("1"), .status = 500},
      {.expect = FROM("1"), .how = FAKE_STREAM, .body = EVENT("ADDED", "a", "2")},
      {.expect = FROM("2")}},
     "trouble:Retry synced trouble:Retry +n/a:2 "},
    {"a version from the future is forgotten",
     {{.body = LIST("99", "")},
      {.expect = FROM("99"), .status = 504},
      {.expect = LISTED(" "), .body = LIST("1", "")},
      {.expect = FROM("1")}},
     "synced trouble:Retry synced "},
    {"garbage lists again",
     {{.body = LIST("1", "")},
      {.how = FAKE_HOLD, .body = "<html>\n"},
      {.expect = LISTED(" "), .body = LIST("2", "")},
      {.how = FAKE_HOLD, .body = "{\"type\":\"SURPRISE\"}\n"},
      {.expect = LISTED(" "), .body = LIST("3", "")},
      {.how = FAKE_HOLD, .body = "[]\n"},
      {.expect = LISTED(" "), .body = LIST("4", "")},
      {.how = FAKE_HOLD, .body = "{}\n"},
      {.expect = LISTED(" "), .body = LIST("5", "")},
      {.expect = FROM("5")}},
     "synced trouble:Invalid synced trouble:Invalid synced trouble:Invalid synced "
     "trouble:Invalid synced "},
    {"objects without a name are passed over",
     {{.body = LIST("1", "{},7," OBJECT("a", "1"))},
      {.how = FAKE_STREAM,
       .body = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"2\"}}}\n"
	       "{\"type\":\"DELETED\"}\n" EVENT("ADDED", "b", "3")},
      {.expect = FROM("3")}},
     "trouble:Invalid trouble:Invalid +n/a:1 synced trouble:Invalid trouble:Invalid +n/b:3 "},
    {"a list without a version or a body",
     {{.body = "{\"items\":[]}"}, {.body = ""}, {.body = LIST("1", "")}, {.expect = FROM("1")}},
     "trouble:Retry trouble:Retry synced "},
    {"a watch that ends at once, without a line",
     {{.body = LIST("1", "")},
      {.how = FAKE_STREAM},
      {.expect = FROM("1"), .how = FAKE_STREAM},
      {.expect = FROM("1")}},
     "synced trouble:Retry trouble:Retry "},
    {"denied",
     {{.status = 403}, {.status = 403}, {.body = LIST("1", "")}, {.expect = FROM("1")}},
     "trouble:Denied trouble:Denied synced "},
};

static void every_scenario(void **state)
{
	(void)state;
	run_scenarios(scenarios, ARRAY_LEN(scenarios));
}

static void retry_after_wins(void **state)
{
	static const struct fake_answer script[] = {
	    {.body = LIST("1", "")},
	    {.status = 429, .headers = "Retry-After: 1\r\n"},
	    {.expect = FROM("1"), .how = FAKE_HOLD, .body = EVENT("ADDED", "a", "2")}};
	int64_t began = time_mono_ms();
	struct seen seen = run_until(script, ARRAY_LEN(script), &quick, "+n/a:2 ");

	(void)state;
	assert_true(time_mono_ms() - began >= 1000); /* not sooner; later is no failure */
	assert_string_equal(seen.log.data, "synced trouble:Retry +n/a:2 ");
	seen_done(&seen);
}

static void silence_is_found_out(void **state)
{
	static const struct fake_answer script[] = {
	    {.body = LIST("1", "")},
	    {.how = FAKE_HOLD, .body = EVENT("ADDED", "a", "2")},
	    {.expect = FROM("2"), .how = FAKE_SILENT},
	    {.expect = FROM("2"), .how = FAKE_HOLD, .body = EVENT("ADDED", "b", "3")}};
	struct watch_timing timing = quick;
	struct seen seen;

	(void)state;
	timing.session_s = 0;
	timing.slack_ms = 150;
	seen = run_until(script, ARRAY_LEN(script), &timing, "+n/b:3 ");
	assert_string_equal(seen.log.data, "synced +n/a:2 trouble:Retry trouble:Retry +n/b:3 ");
	seen_done(&seen);
}

static void a_line_over_the_limit_lists_again(void **state)
{
	char *line = xmalloc(LINE_MAX_LEN + 3);
	const struct fake_answer script[] = {{.body = LIST("1", "")},
					     {.how = FAKE_HOLD, .body = line},
					     {.expect = LISTED(" "), .body = LIST("2", "")},
					     {.expect = FROM("2"), .how = FAKE_SILENT}};
	struct seen seen;

	(void)state;
	memset(line, ' ', LINE_MAX_LEN + 1);
	line[LINE_MAX_LEN + 1] = '\n';
	line[LINE_MAX_LEN + 2] = '\0';
	seen = run_until(script, ARRAY_LEN(script), &quick, "trouble:Limit synced ");
	assert_string_equal(seen.log.data, "synced trouble:Limit synced ");
	seen_done(&seen);
	free(line);
}

/* The watch and the store may be freed in any callback. */
static void any_callback_may_free_everything(void **state)
{
	static const struct fake_answer script[] = {
	    {.body = LIST("1", OBJECT("a", "1"))},
	    {.how = FAKE_STREAM,
	     .body = "{\"type\":\"ADDED\",\"object\":{}}\n" EVENT("MODIFIED", "a", "2")
		 EVENT("DELETED", "a", "3") EVENT("ADDED", "b", "4") GONE},
	    {.body = LIST("9", OBJECT("c", "8"))},
	    {.status = 500},
	};
	static const char *const moments[] = {
	    "+n/a:1 ",       "synced ", "+n/a:1 synced trouble:Invalid ",
	    "~n/a:2 ",       "-n/a:2 ", "+n/b:4 ",
	    "-n/b:4 ",       "+n/c:8 ", "+n/c:8 synced ",
	    "trouble:Retry "};

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

static void freeing_at_any_time(void **state)
{
	static const struct fake_answer script[] = {{.body = PAGE("t", OBJECT("a", "1"))},
						    {.how = FAKE_SILENT}};

	(void)state;
	for (int ms = -1; ms < 40; ms += 13) {
		struct seen seen = seen_new(script, ARRAY_LEN(script));
		struct watch_spec spec = spec_for(&seen);

		seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
		if (ms >= 0)
			fake_run_for(seen.fake, ms);
		watch_free(steal(seen.watch));
		watch_free(NULL);
		fake_run_for(seen.fake, 10);
		assert_string_equal(seen.log.data, "");
		seen_done(&seen);
	}
}

static void selectors_are_escaped(void **state)
{
	static const struct fake_answer script[] = {
	    {.expect = "GET /api/v1/namespaces/n/pods?limit=500"
		       "&labelSelector=a%20in%20%28b%2Cc%29&fieldSelector=x%3Dy%26z ",
	     .body = LIST("1+2", "")},
	    {.expect = "&labelSelector=a%20in%20%28b%2Cc%29&fieldSelector=x%3Dy%26z"
		       "&resourceVersion=1%2B2 ",
	     .how = FAKE_HOLD,
	     .body = EVENT("ADDED", "a", "2")}};
	struct seen seen = seen_new(script, ARRAY_LEN(script));
	struct watch_spec spec = spec_for(&seen);

	(void)state;
	spec.namespace = "n";
	spec.label_selector = "a in (b,c)";
	spec.field_selector = "x=y&z";
	seen.stop_at = "+n/a:2 ";
	seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
	fake_run(seen.fake);
	assert_non_null(strstr(seen.fake->log.data, "/namespaces/n/pods?watch=true"
						    "&allowWatchBookmarks=true&timeoutSeconds="));
	seen_done(&seen);
}

/* Two namespaces in one store: the list of one leaves the objects of the other. */
static void watches_may_share_a_store(void **state)
{
	static const struct fake_answer script[] = {
	    {.expect = "namespaces/n/", .body = LIST("1", OBJECT("a", "1"))},
	    {.how = FAKE_SILENT},
	    {.expect = "namespaces/m/", .body = LIST("1", "")},
	    {.how = FAKE_SILENT}};
	struct seen seen = seen_new(script, ARRAY_LEN(script));
	struct watch_spec spec = spec_for(&seen);
	struct watch *other;

	(void)state;
	spec.namespace = "n";
	seen.stop_at = "synced ";
	seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
	fake_run(seen.fake);
	fake_run_for(seen.fake, 20);
	spec.namespace = "m";
	other = watch_start(seen.fake->loop, seen.fake->client, &spec);
	fake_run(seen.fake);
	assert_string_equal(seen.log.data, "+n/a:1 synced synced ");
	watch_free(other);
	seen_done(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_scenario),
	    cmocka_unit_test(retry_after_wins),
	    cmocka_unit_test(silence_is_found_out),
	    cmocka_unit_test(a_line_over_the_limit_lists_again),
	    cmocka_unit_test(any_callback_may_free_everything),
	    cmocka_unit_test(freeing_at_any_time),
	    cmocka_unit_test(selectors_are_escaped),
	    cmocka_unit_test(watches_may_share_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
