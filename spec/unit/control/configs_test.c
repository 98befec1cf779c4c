/* When the status of a config is written, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/configs.h"
#include "spec/unit/kube/fakeapi.h"

enum { QUIET_MS = 400 };

/* One config "ns/c" as cache and API server have it. */
struct world {
	struct fake *fake;
	struct configs *configs;
	struct json *config; /* NULL: there is none */
	int version, writes, troubles, asked;
	int refusals;  /* writes that are answered with 403 first */
	int forbidden; /* times that may_write says no first */
	struct timer *end;
	bool restless; /* another run comes with each write */
};

static void touch(struct world *w)
{
	char version[16];

	snprintf(version, sizeof(version), "%d", ++w->version);
	json_set_str(json_mut(w->config, "metadata"), "resourceVersion", version);
}

static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct world *w = arg;
	struct err err = ERR_INIT;
	const char *body = strchr(request->text, '{');
	auto_json struct json *patch = json_parse(body, strlen(body), &err);

	assert_non_null(strstr(
	    request->text, "PATCH /apis/ai.krateo.io/v1/namespaces/ns/inferenceconfigs/c/status"));
	out->how = FAKE_REPLY;
	w->writes++;
	if (w->restless) {
		auto_free char *key = xasprintf("ns/another%d", w->writes);

		configs_run(w->configs, key, "ns/c", false);
	} else {
		timer_set(w->end, QUIET_MS);
	}
	if (w->refusals > 0) {
		w->refusals--;
		out->status = 403;
		return;
	}
	json_merge_patch(json_obj(w->config, "status"), json_get(patch, "status"));
	touch(w);
	configs_config(w->configs, "ns/c", w->config);
	out->status = 200;
	out->body = "{}";
}

static bool may_write(void *arg)
{
	struct world *w = arg;

	w->asked++;
	return w->forbidden-- <= 0;
}

static struct json *look(void *arg, const char *key)
{
	struct world *w = arg;

	return streq(key, "ns/c") && w->config != NULL ? json_copy(w->config) : NULL;
}

static void trouble(void *arg, const struct err *err UNUSED)
{
	struct world *w = arg;

	w->troubles++;
}

static void end(void *arg)
{
	struct world *w = arg;

	loop_stop(w->fake->loop);
}

static void world_init(struct world *w)
{
	*w = (struct world){.fake = fake_new(NULL, 0)};
	w->fake->fn = answer;
	w->fake->arg = w;
	w->config = json_build("{'metadata': {'namespace': 'ns', 'name': 'c', 'uid': 'u',"
			       " 'generation': 1, 'resourceVersion': '0'},"
			       " 'spec': {'image': 'i', 'modelUrl': 'h'}}");
	w->end = timer_new(w->fake->loop, end, w);
	w->configs = configs_new(w->fake->loop, w->fake->client,
				 &(struct configs_spec){.may_write = may_write,
							.look = look,
							.trouble = trouble,
							.arg = w,
							.flush_ms = 20,
							.retry_ms = 20});
}

static void world_done(struct world *w)
{
	timer_free(w->end);
	configs_free(w->configs);
	json_free(w->config);
	fake_free(w->fake);
}

/* Until no write has come for a long time. */
static void settle(struct world *w)
{
	timer_set(w->end, QUIET_MS);
	loop_run(w->fake->loop);
}

static void assert_runs(const struct world *w, int64_t total, int64_t active)
{
	const struct json *runs = json_at(w->config, "status", "runs");

	assert_int_equal(json_get_int(runs, "total", -1), total);
	assert_int_equal(json_get_int(runs, "active", -1), active);
}

static void add_runs(struct world *w, int count, bool finished)
{
	for (int i = 0; i < count; i++) {
		auto_free char *key = xasprintf("ns/r%d", i);

		configs_run(w->configs, key, "ns/c", finished);
	}
}

static void refused_writes_are_tried_again(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	w.refusals = 2;
	assert_true(configs_config(w.configs, "ns/c", w.config));
	settle(&w);
	assert_int_equal(w.troubles, 2);
	assert_int_equal(w.writes, 3);
	assert_runs(&w, 0, 0);
	world_done(&w);
}

static void nothing_is_written_without_the_lease(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	w.forbidden = 3;
	configs_config(w.configs, "ns/c", w.config);
	settle(&w);
	assert_int_equal(w.writes, 1);
	assert_true(w.asked >= 4);
	world_done(&w);
}

static void what_is_gone_is_not_written(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	configs_config(w.configs, "ns/c", w.config);
	add_runs(&w, 3, false);
	configs_run(w.configs, "ns/x", "other/nowhere", false);
	json_free(steal(w.config));
	assert_true(configs_config(w.configs, "ns/c", NULL));
	assert_true(configs_config(w.configs, "ns/d", NULL));
	settle(&w);
	assert_int_equal(w.writes, 0);
	world_done(&w);
}

static void many_runs_make_few_writes(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	configs_config(w.configs, "ns/c", w.config);
	add_runs(&w, 1000, false);
	settle(&w);
	assert_int_equal(w.writes, 1);
	assert_runs(&w, 1000, 1000);
	add_runs(&w, 600, true);
	for (int i = 0; i < 100; i++) {
		auto_free char *key = xasprintf("ns/r%d", 999 - i);

		configs_run(w.configs, key, NULL, false);
		configs_run(w.configs, key, NULL, false);
	}
	settle(&w);
	assert_int_equal(w.writes, 2);
	assert_runs(&w, 900, 300);
	add_runs(&w, 600, true); /* nothing new */
	configs_config(w.configs, "ns/c", w.config);
	settle(&w);
	assert_int_equal(w.writes, 2);
	world_done(&w);
}

/* A change during a write waits for the next round: a slow machine makes fewer. */
static void changes_without_end_make_few_writes(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	w.restless = true;
	configs_config(w.configs, "ns/c", w.config);
	settle(&w);
	assert_in_range(w.writes, 1, QUIET_MS / 20);
	world_done(&w);
}

static void a_run_may_change_its_config(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	configs_run(w.configs, "ns/r0", "ns/other", false); /* seen before its config, too */
	configs_run(w.configs, "ns/r1", "ns/c", true);
	configs_run(w.configs, "ns/r0", "ns/c", false);
	configs_config(w.configs, "ns/c", w.config);
	settle(&w);
	assert_runs(&w, 2, 1);
	world_done(&w);
}

static void which_changes_concern_its_runs(void **state UNUSED)
{
	static const struct {
		const char *change;
		bool concern;
	} table[] = {
	    {"{'status': {'runs': {'total': 7}}}", false},
	    {"{'metadata': {'labels': {'a': 'b'}, 'annotations': {'x': 'y'}}}", false},
	    {"{'metadata': {'generation': 2}}", true},
	    {"{'metadata': {'annotations': {'ai.krateo.io/allow-namespaces': 'a'}}}", true},
	    {"{'metadata': {'annotations': null}}", true},
	    {"{'metadata': {'uid': 'another'}}", true},
	    {"{}", false},
	};
	struct world w;

	world_init(&w);
	assert_true(configs_config(w.configs, "ns/c", w.config));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *patch = json_build(table[i].change);

		json_merge_patch(w.config, patch);
		if (configs_config(w.configs, "ns/c", w.config) != table[i].concern)
			fail_msg("%s", table[i].change);
	}
	world_done(&w);
}

/* Free it with a write in flight, and with a round to come. */
static void it_can_end_at_any_time(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	w.fake->fn = NULL; /* no answer */
	configs_config(w.configs, "ns/c", w.config);
	settle(&w);
	configs_config(w.configs, "ns/c", w.config);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refused_writes_are_tried_again),
	    cmocka_unit_test(nothing_is_written_without_the_lease),
	    cmocka_unit_test(what_is_gone_is_not_written),
	    cmocka_unit_test(many_runs_make_few_writes),
	    cmocka_unit_test(changes_without_end_make_few_writes),
	    cmocka_unit_test(a_run_may_change_its_config),
	    cmocka_unit_test(which_changes_concern_its_runs),
	    cmocka_unit_test(it_can_end_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
