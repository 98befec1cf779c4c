/* What the cache reports of the watched kinds, and what a pass is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/cache.h"
#include "spec/unit/kube/fakeapi.h"

#define META(name, version)                                                                        \
	"\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"u-" name                \
	"\",\"resourceVersion\":\"" version "\""
#define LIST_OF(items) "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define GONE                                                                                       \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}" \
	"}\n"
#define RUN(name, version, phase)                                                                  \
	"{" META(name, version) "},\"spec\":{\"configRef\":{\"name\":\"c\"}},\"status\":{"         \
				"\"phase\":\"" phase "\"}}"
#define CONFIG(version, spec) "{" META("c", version) "},\"spec\":{" spec "}}"
#define JUDGED "\"policyRef\":{\"name\":\"p\"}"
#define OWNED(name, version, run, owner)                                                           \
	"{" META(name, version) ",\"labels\":{\"ai.krateo.io/run\":\"" run                         \
				"\"},\"ownerReferences\":[{\"uid\":\"" owner                       \
				"\",\"controller\":true}]}}"
#define NUL "\"x\":\"\\u0000\""

enum { LISTED_TWICE = 2 };

/* An API server with one run in flight, "a", and one that has ended, "b"; one kind streams. */
struct scene {
	struct fake *fake;
	struct cache *cache;
	const char *lists[VIEW_KINDS][LISTED_TWICE]; /* the second: after a 410; NULL: empty */
	enum view_kind streaming;
	const char *stream, *stop_at; /* the run of the loop ends with this in the log */
	int listed[VIEW_KINDS];
	bool streamed, config_matters;
	struct buf log; /* without what the first lists say */
};

static void note(struct scene *s)
{
	size_t len = s->stop_at != NULL ? strlen(s->stop_at) : 0;

	if (len > 0 && s->log.len >= len && streq(s->log.data + s->log.len - len, s->stop_at))
		loop_stop(s->fake->loop);
}

static void on_changed(void *arg, const char *run_key, bool initial)
{
	struct scene *s = arg;

	if (!initial) {
		buf_addf(&s->log, "changed %s; ", run_key);
		note(s);
	}
}

static void on_seen(void *arg, const char *run_key, const char *version, const char *job_uid)
{
	struct scene *s = arg;

	if (s->streamed)
		buf_addf(&s->log, "seen %s %s; ", run_key, version != NULL ? version : job_uid);
}

static void on_run(void *arg UNUSED, const char *run_key UNUSED, const char *config_key UNUSED,
		   bool finished UNUSED)
{
}

static bool on_config(void *arg, const char *config_key, const struct json *config)
{
	struct scene *s = arg;

	if (s->streamed)
		buf_addf(&s->log, "config %s%s; ", config_key, config == NULL ? " gone" : "");
	return s->config_matters;
}

static void on_synced(void *arg)
{
	struct scene *s = arg;

	if (s->stream == NULL)
		loop_stop(s->fake->loop);
}

static void on_trouble(void *arg UNUSED, const struct err *err UNUSED)
{
}

static enum view_kind kind_of(const char *request)
{
	enum view_kind kind = VIEW_RUNS;

	while (kind < VIEW_KINDS) {
		auto_free char *path = xasprintf("/%s?", view_sources[kind].kind->plural);

		if (strstr(request, path) != NULL)
			return kind;
		kind++;
	}
	fail_msg("unknown: %s", request);
	return kind;
}

/* The stream begins once every kind has been listed. */
static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct scene *s = arg;
	enum view_kind kind = kind_of(request->text);

	if (strstr(request->text, "watch=") == NULL) {
		int nth = s->listed[kind]++;
		const char *body = nth < LISTED_TWICE ? s->lists[kind][nth] : NULL;

		*out = (struct fake_answer){.body = body != NULL ? body : LIST_OF("")};
		return;
	}
	*out = (struct fake_answer){.how = FAKE_HOLD};
	if (kind == s->streaming && s->stream != NULL && !s->streamed) {
		if (!cache_synced(s->cache)) {
			*out = (struct fake_answer){.how = FAKE_STREAM}; /* come back */
			return;
		}
		s->streamed = true;
		out->body = s->stream;
	}
}

static void scene_init(struct scene *s, enum view_kind streaming, const char *stream,
		       const char *stop_at)
{
	static const char *const all[] = {NULL};

	*s = (struct scene){
	    .fake = fake_new(NULL, 0),
	    .lists = {[VIEW_RUNS] = {LIST_OF(RUN("a", "1", "Running") "," RUN("b", "1", "Failed"))},
		      [VIEW_CONFIGS] = {LIST_OF(CONFIG("1", JUDGED))},
		      [VIEW_JOBS] = {LIST_OF(OWNED("inf-a-ua000000", "1", "u-a", "u-a"))},
		      [VIEW_PODS] = {LIST_OF(OWNED("p", "1", "u-a", "u-inf-a-ua000000"))}},
	    .streaming = streaming,
	    .stream = stream,
	    .stop_at = stop_at,
	    .config_matters = true,
	    .log = BUF_INIT(4096)};
	s->fake->fn = answer;
	s->fake->arg = s;
	s->cache = cache_new(s->fake->loop, s->fake->client,
			     &(struct cache_spec){.namespaces = all,
						  .changed = on_changed,
						  .seen = on_seen,
						  .run = on_run,
						  .config = on_config,
						  .synced = on_synced,
						  .trouble = on_trouble,
						  .arg = s});
}

static void scene_done(struct scene *s)
{
	cache_free(s->cache);
	buf_done(&s->log);
	fake_free(s->fake);
}

static void add_key(void *arg, const char *key)
{
	buf_addf(arg, "%s ", key);
}

static void add_count(void *arg, const char *kind, size_t n)
{
	buf_addf(arg, "%s=%zu ", kind, n);
}

static void a_pass_is_shown_what_belongs_to_its_run(void **state UNUSED)
{
	struct scene s;
	struct view view = {0};
	auto_buf struct buf live = BUF_INIT(1024), counts = BUF_INIT(1024), judged = BUF_INIT(1024);

	scene_init(&s, VIEW_RUNS, NULL, NULL);
	fake_run(s.fake);
	assert_true(cache_look(s.cache, "n/a", &view));
	assert_string_equal(json_get_str(json_get(view.config, "metadata"), "name", ""), "c");
	assert_string_equal(json_get_str(json_get(view.job, "metadata"), "uid", ""),
			    "u-inf-a-ua000000");
	assert_int_equal(json_len(view.pods), 1);
	assert_null(view.config_trouble);
	view_done(&view);
	assert_false(cache_look(s.cache, "n/none", &view));
	cache_each_live(s.cache, add_key, &live);
	assert_string_equal(live.data, "n/a ");
	cache_each_judged_by(s.cache, "n/p", add_key, &judged);
	cache_each_judged_by(s.cache, "n/other", add_key, &judged);
	assert_string_equal(judged.data, "n/a ");
	cache_count(s.cache, add_count, &counts);
	assert_string_equal(counts.data, "InferenceRun=2 InferenceConfig=1 Job=1 CronJob=0 Pod=1 ");
	scene_done(&s);
}

static const struct row {
	const char *what;
	enum view_kind streaming;
	const char *stream, *log;
} rows[] = {
    {"a run changes", VIEW_RUNS, EVENT("MODIFIED", RUN("a", "2", "Running")),
     "seen n/a 2; changed n/a; "},
    {"a run is deleted", VIEW_RUNS, EVENT("DELETED", RUN("a", "2", "Running")),
     "seen n/a ; changed n/a; "},
    {"a Job changes", VIEW_JOBS, EVENT("MODIFIED", OWNED("inf-a-ua000000", "2", "u-a", "u-a")),
     "seen n/a u-inf-a-ua000000; changed n/a; "},
    {"a Job is deleted, after others that are nobody's, or of a run that has ended", VIEW_JOBS,
     EVENT("ADDED", "{" META("x", "2") "}}") EVENT("ADDED", OWNED("y", "3", "u-none", "u-none"))
	 EVENT("ADDED", OWNED("z", "4", "u-b", "u-b"))
	     EVENT("DELETED", OWNED("inf-a-ua000000", "5", "u-a", "u-a")),
     "seen n/a u-inf-a-ua000000; changed n/a; "},
    {"a Job is found gone", VIEW_JOBS, GONE, "seen n/a u-inf-a-ua000000; changed n/a; "},
    {"a Pod changes", VIEW_PODS, EVENT("MODIFIED", OWNED("p", "2", "u-a", "u-inf-a-ua000000")),
     "changed n/a; "},
    {"a config changes", VIEW_CONFIGS, EVENT("MODIFIED", CONFIG("2", "")),
     "config n/c; changed n/a; "},
    {"a config is deleted", VIEW_CONFIGS, EVENT("DELETED", CONFIG("2", "")),
     "config n/c gone; changed n/a; "},
    {"a config cannot be read", VIEW_CONFIGS, EVENT("MODIFIED", CONFIG("2", NUL)),
     "config n/c gone; changed n/a; changed n/a; "},
    {"a run cannot be read", VIEW_RUNS,
     EVENT("ADDED", "{" META("x", "2") "," NUL "}}") EVENT("MODIFIED", RUN("a", "3", "Running")),
     "seen n/a 3; changed n/a; "},
};

static void each_event_reaches_the_run_that_it_is_about(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		scene_init(&s, rows[i].streaming, rows[i].stream, rows[i].log);
		fake_run(s.fake);
		if (!streq(s.log.data, rows[i].log))
			fail_msg("%s: expected %s, got %s", rows[i].what, rows[i].log, s.log.data);
		scene_done(&s);
	}
}

static void a_config_that_cannot_be_read_is_so_called_until_it_can(void **state UNUSED)
{
	static const struct {
		const char *stream, *log;
		bool trouble, config;
	} cases[] = {
	    {EVENT("MODIFIED", CONFIG("2", NUL)), "changed n/a; changed n/a; ", true, false},
	    {EVENT("MODIFIED", CONFIG("2", NUL)) EVENT("MODIFIED", CONFIG("3", "")),
	     "changed n/a; changed n/a; config n/c; changed n/a; ", false, true},
	    {EVENT("MODIFIED", CONFIG("2", NUL)) EVENT("DELETED", CONFIG("3", NUL)),
	     "changed n/a; changed n/a; changed n/a; ", false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s;
		struct view view = {0};

		scene_init(&s, VIEW_CONFIGS, cases[i].stream, cases[i].log);
		fake_run(s.fake);
		assert_true(cache_look(s.cache, "n/a", &view));
		assert_int_equal(view.config_trouble != NULL, cases[i].trouble);
		assert_int_equal(view.config != NULL, cases[i].config);
		view_done(&view);
		scene_done(&s);
	}
}

static void a_change_that_does_not_matter_wakes_nobody(void **state UNUSED)
{
	struct scene s;

	scene_init(&s, VIEW_CONFIGS,
		   EVENT("MODIFIED", CONFIG("2", "")) EVENT("MODIFIED", CONFIG("3", NUL)),
		   "config n/c; config n/c gone; changed n/a; ");
	s.config_matters = false;
	fake_run(s.fake);
	assert_string_equal(s.log.data, "config n/c; config n/c gone; changed n/a; ");
	scene_done(&s);
}

static void several_namespaces_are_watched_one_by_one(void **state UNUSED)
{
	static const char *const two[] = {"n", "m", NULL};
	struct scene s;

	scene_init(&s, VIEW_RUNS, NULL, NULL);
	cache_free(s.cache);
	s.cache = cache_new(s.fake->loop, s.fake->client,
			    &(struct cache_spec){.namespaces = two,
						 .changed = on_changed,
						 .seen = on_seen,
						 .run = on_run,
						 .config = on_config,
						 .synced = on_synced,
						 .trouble = on_trouble,
						 .arg = &s});
	assert_false(cache_synced(s.cache));
	fake_run(s.fake);
	assert_true(cache_synced(s.cache));
	assert_non_null(strstr(s.fake->log.data, "/namespaces/n/inferenceruns?"));
	assert_non_null(strstr(s.fake->log.data, "/namespaces/m/pods?"));
	cache_free(NULL);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pass_is_shown_what_belongs_to_its_run),
	    cmocka_unit_test(each_event_reaches_the_run_that_it_is_about),
	    cmocka_unit_test(a_config_that_cannot_be_read_is_so_called_until_it_can),
	    cmocka_unit_test(a_change_that_does_not_matter_wakes_nobody),
	    cmocka_unit_test(several_namespaces_are_watched_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
