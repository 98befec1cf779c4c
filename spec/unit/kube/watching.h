/*
 * watching.h - a watch against scripts of the API server, and a log of what it reports.
 */
#ifndef WATCHING_H
#define WATCHING_H

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
	struct buf passed;    /* what was passed over, "!n/x ", and has gone since, "-n/x " */
	struct err err;       /* the last trouble */
	const char *stop_at;  /* the run ends when the log ends with this */
	const char *free_at;  /* the watch and the store are freed then */
	size_t stop_requests; /* or when so many requests have come; 0: never */
};

static inline bool ends_with(const struct buf *log, const char *text)
{
	size_t len = strlen(text);

	return log->len >= len && streq(log->data + log->len - len, text);
}

static inline void note(struct seen *seen)
{
	if (seen->free_at != NULL && ends_with(&seen->log, seen->free_at)) {
		watch_free(steal(seen->watch));
		store_free(steal(seen->store));
		loop_stop(seen->fake->loop);
	}
	if (seen->stop_at != NULL && ends_with(&seen->log, seen->stop_at))
		loop_stop(seen->fake->loop);
}

static inline void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
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

static inline void on_synced(void *arg)
{
	struct seen *seen = arg;

	buf_adds(&seen->log, "synced ");
	note(seen);
}

static inline void on_trouble(void *arg, const struct err *err)
{
	struct seen *seen = arg;

	seen->err = *err;
	buf_addf(&seen->log, "trouble:%s ", err_kind_name(err->kind));
	note(seen);
}

static inline void on_passed_over(void *arg, const char *key, const struct err *err)
{
	struct seen *seen = arg;

	buf_addf(&seen->passed, "%c%s ", err != NULL ? '!' : '-', key);
}

static inline struct watch_spec spec_for(struct seen *seen)
{
	return (struct watch_spec){.kind = &kind_pod,
				   .store = seen->store,
				   .event = on_event,
				   .synced = on_synced,
				   .trouble = on_trouble,
				   .passed_over = on_passed_over,
				   .arg = seen,
				   .timing = &quick};
}

static inline struct seen seen_new(const struct fake_answer *script, size_t steps)
{
	return (struct seen){.fake = fake_new(script, steps),
			     .store = store_new(NULL),
			     .log = BUF_INIT(1 << 20),
			     .passed = BUF_INIT(1 << 20)};
}

static inline void seen_done(struct seen *seen)
{
	watch_free(seen->watch);
	store_free(seen->store);
	buf_done(&seen->log);
	buf_done(&seen->passed);
	fake_free(seen->fake);
}

/* One script, and what a watch makes of it; the last step is the one that the watch must reach. */
struct scenario {
	const char *name;
	struct fake_answer script[12];
	const char *log;
};

/* Answers from the script; the run ends when its last step has been asked for. */
static inline void answer_scenario(void *arg, const struct fake_request *request UNUSED,
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
static inline void check_log(const char *name, const char *expected, const char *log)
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

static inline void run_scenarios(const struct scenario *scenarios, size_t count)
{
	for (size_t i = 0; i < count; i++) {
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

static inline struct seen run_until(const struct fake_answer *script, size_t steps,
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

#endif
