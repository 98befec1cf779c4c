#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "kube/watch.h"
#include "spec/unit/kube/fakeapi.h"

static const struct kind kind_pod = {"", "v1", "pods", "Pod"};
static const struct watch_timing quick = {.backoff_ms = 4,
					  .backoff_max_ms = 8,
					  .healthy_ms = 120000,
					  .session_s = 240,
					  .slack_ms = 30000,
					  .short_ms = 1000};

#define META(name, version)                                                                        \
	"\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"u-" name                \
	"\",\"resourceVersion\":\"" version "\"}"
#define OBJECT(name, version) "{" META(name, version) "}"
#define LIST(version, items)                                                                       \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define PAGE(token, items)                                                                         \
	"{\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"" token "\"},\"items\":[" items   \
	"]}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define BOOKMARK(version)                                                                          \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" version "\"}}}"  \
	"\n"
#define GONE                                                                                       \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"," \
	"\"message\":\"too old\"}}\n"

#define LISTED(from) "GET /api/v1/pods?limit=500" from
#define FROM(version) "&resourceVersion=" version

/* What the watch reports: "+n/a:1 ~n/a:2 -n/a synced trouble:KIND ". */
struct seen {
	struct fake *fake;
	struct store *store;
	struct watch *watch;
	struct buf log;
	struct err err;       /* the last trouble */
	const char *stop_at;  /* the run ends when the log ends with this */
	const char *free_at;  /* the watch and the store are freed then */
	size_t stop_requests; /* or when so many requests have come; 0: never */
};

static bool ends_with(const struct buf *log, const char *text)
{
	size_t len = strlen(text);

	return log->len >= len && streq(log->data + log->len - len, text);
}

static void note(struct seen *seen)
{
	if (seen->free_at != NULL && ends_with(&seen->log, seen->free_at)) {
		watch_free(steal(seen->watch));
		store_free(steal(seen->store));
		loop_stop(seen->fake->loop);
	}
	if (seen->stop_at != NULL && ends_with(&seen->log, seen->stop_at))
		loop_stop(seen->fake->loop);
}

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	static const char sign[] = {
	    [WATCH_ADDED] = '+', [WATCH_MODIFIED] = '~', [WATCH_DELETED] = '-'};
	struct seen *seen = arg;

	assert_ptr_equal(store_find(seen->store, meta->key), meta);
	if (type != WATCH_DELETED) {
		auto_json struct json *stored = store_get(seen->store, meta->key);

		assert_true(json_equal(stored, object));
	}
	buf_addf(&seen->log, "%c%s:%s ", sign[type], meta->key, meta->resource_version);
	note(seen);
}

static void on_synced(void *arg)
{
	struct seen *seen = arg;

	buf_adds(&seen->log, "synced ");
	note(seen);
}

static void on_trouble(void *arg, const struct err *err)
{
	struct seen *seen = arg;

	seen->err = *err;
	buf_addf(&seen->log, "trouble:%s ", err_kind_name(err->kind));
	note(seen);
}

static struct watch_spec spec_for(struct seen *seen)
{
	return (struct watch_spec){.kind = &kind_pod,
				   .store = seen->store,
				   .event = on_event,
				   .synced = on_synced,
				   .trouble = on_trouble,
				   .arg = seen,
				   .timing = &quick};
}

static struct seen seen_new(const struct fake_answer *script, size_t steps)
{
	return (struct seen){
	    .fake = fake_new(script, steps), .store = store_new(NULL), .log = BUF_INIT(1 << 20)};
}

static void seen_done(struct seen *seen)
{
	watch_free(seen->watch);
	store_free(seen->store);
	buf_done(&seen->log);
	fake_free(seen->fake);
}

/* One script, and what a watch makes of it; the last step is the one that the watch must reach. */
struct scenario {
	const char *name;
	struct fake_answer script[12];
	const char *log;
};

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

/* Answers from the script; the run ends when its last step has been asked for. */
static void answer_scenario(void *arg, const struct fake_request *request UNUSED,
			    struct fake_answer *answer)
{
	struct seen *seen = arg;
	struct fake *fake = seen->fake;
	bool last = fake->at + 1 == fake->steps;

	if (fake->at < fake->steps)
		*answer = fake->script[fake->at++];
	if (last) {
		answer->how = FAKE_SILENT;
		loop_stop(fake->loop);
	}
}

/* expected may begin with "[ab]": n/a:1 and n/b:N added in any order; and end with '*'. */
static void check_log(const char *name, const char *expected, const char *log)
{
	size_t len;

	if (has_prefix(expected, "[ab]")) {
		assert_non_null(strstr(log, "+n/a:1 "));
		assert_non_null(strstr(log, "+n/b:"));
		expected += 4;
		log = strstr(log, "synced");
	}
	len = strlen(expected);
	if (expected[len - 1] == '*' ? strncmp(log, expected, len - 1) != 0 : !streq(log, expected))
		fail_msg("%s: expected %s found %s", name, expected, log);
}

static void every_scenario(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		struct seen seen;
		struct watch_spec spec;
		size_t steps = 0;

		while (s->script[steps].expect != NULL || s->script[steps].body != NULL ||
		       s->script[steps].status != 0 || s->script[steps].how != FAKE_REPLY)
			steps++;
		seen = seen_new(s->script, steps);
		seen.fake->fn = answer_scenario;
		seen.fake->arg = &seen;
		spec = spec_for(&seen);
		seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
		assert_false(watch_synced(seen.watch));
		fake_run(seen.fake);
		check_log(s->name, s->log, seen.log.data);
		assert_true(watch_synced(seen.watch));
		seen_done(&seen);
	}
}

static struct seen run_until(const struct fake_answer *script, size_t steps,
			     const struct watch_timing *timing, const char *stop_at)
{
	struct seen seen = seen_new(script, steps);
	struct watch_spec spec = spec_for(&seen);

	seen.stop_at = stop_at;
	spec.arg = &seen;
	spec.timing = timing;
	seen.watch = watch_start(seen.fake->loop, seen.fake->client, &spec);
	fake_run(seen.fake);
	return seen;
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
						    "&allowWatchBookmarks=true&timeoutSeconds=2"));
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
