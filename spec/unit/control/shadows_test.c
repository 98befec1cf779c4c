/* Sets of ConfigMaps by label, and the figures of those on trial. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/control/policyscene.h"

#include "base/timefmt.h"
#include "control/policyset.h"
#include "control/shadows.h"

/* The API server: what a LIST holds, and one event after it. */
struct server {
	struct scene s;
	struct json *items;
	bool forbidden;
	char *event;       /* NULL: none, or it has been sent */
	const char *after; /* it is sent once this was heard; NULL: at once */
	char *body;
	struct buf annotations;
	struct policyset *set;
	bool checking; /* a good one, when it became ready */
	struct shadows *shadows;
	struct buf heard;
};

static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct server *server = arg;

	free(server->body);
	server->body = NULL;
	if (server->after != NULL && strstr(server->heard.data, server->after) != NULL)
		server->after = NULL;
	if (strstr(request->text, "watch=") != NULL && server->after != NULL) {
		out->how = FAKE_STREAM; /* it asks again at once */
		server->body = xstrdup("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
				       "{\"resourceVersion\":\"5\"}}}\n");
	} else if (strstr(request->text, "watch=") != NULL) {
		out->how = server->event != NULL ? FAKE_STREAM : FAKE_HOLD;
		server->body = server->event != NULL ? steal(server->event) : xstrdup("");
	} else if (has_prefix(request->text, "PATCH")) {
		out->how = FAKE_REPLY;
		buf_addf(&server->annotations, "%s\n", request->text);
		server->body = xstrdup("{}");
	} else {
		auto_json struct json *list = json_build(
		    "{'metadata': {'resourceVersion': '5'}, 'items': %j}", server->items);

		out->how = FAKE_REPLY;
		out->status = server->forbidden ? 403 : 200;
		server->body = json_print(list);
	}
	out->body = server->body;
}

static void set_up(struct server *server)
{
	*server = (struct server){.annotations = BUF_INIT(1 << 20), .heard = BUF_INIT(1 << 16)};
	server->items = json_array();
	scene_set_up(&server->s, answer, server);
}

static void tear_down(struct server *server)
{
	policyset_free(server->set);
	shadows_free(server->shadows);
	scene_tear_down(&server->s);
	json_free(server->items);
	buf_done(&server->annotations);
	buf_done(&server->heard);
	free(server->body);
	free(server->event);
}

static void add(struct server *server, const char *name, const char *text)
{
	json_append(server->items, scene_configmap(name, "4", text));
}

/* The next watch tells these; NULL: nothing of that kind. */
static void tell_events(struct server *server, const char *added, const char *deleted)
{
	const char *const types[] = {"ADDED", "DELETED"}, *const names[] = {added, deleted};
	struct buf lines = BUF_INIT(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_json struct json *map =
		    names[i] != NULL ? scene_configmap(names[i], "6", GOOD("a")) : NULL;
		auto_free char *object = json_print(map);

		if (map != NULL)
			buf_addf(&lines, "{\"type\":\"%s\",\"object\":%s}\n", types[i], object);
	}
	server->event = buf_steal(&lines);
}

/* ---- sets ---- */

static void on_changed(void *arg, const char *key, struct policymap *map)
{
	struct server *server = arg;

	buf_addf(&server->heard, "%s %s\n", key,
		 map == NULL                    ? "gone"
		 : policymap_error(map) != NULL ? policymap_error(map)
						: "taken");
}

static void on_ready(void *arg)
{
	struct server *server = arg;

	server->checking = policyset_checking(server->set, "ns/good");
	buf_adds(&server->heard, "ready\n");
}

static void on_trouble(void *arg, const struct err *err)
{
	scene_trouble(&((struct server *)arg)->s, err);
}

static void start_set(struct server *server, size_t max, const char *const *namespaces)
{
	server->set = policyset_new(server->s.fake->loop, &server->s.env,
				    &(struct policyset_spec){.mode = "config",
							     .namespaces = namespaces,
							     .taken = "in force",
							     .max = max,
							     .changed = on_changed,
							     .ready = on_ready,
							     .trouble = on_trouble,
							     .arg = server});
}

static const char *const everywhere[] = {NULL};

static void an_empty_set_is_ready(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	start_set(&server, 4, everywhere);
	assert_false(policyset_ready(server.set));
	scene_until(&server.s, &server.heard, "ready\n");
	assert_non_null(
	    strstr(server.s.fake->log.data, "labelSelector=ai.krateo.io%2Fpolicy-mode%3Dconfig"));
	tear_down(&server);
}

/* Those who need no policies of such a set must not wait for the right to read it. */
static void one_that_cannot_be_read_is_ready(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	server.forbidden = true;
	start_set(&server, 4, everywhere);
	scene_until(&server.s, &server.heard, "ready\n");
	assert_non_null(strstr(policyset_trouble(server.set), "HTTP 403"));
	server.forbidden = false;
	add(&server, "good", GOOD("a"));
	scene_until(&server.s, &server.heard, "ns/good taken\n");
	assert_null(policyset_trouble(server.set));
	assert_int_equal(scene_count(&server.heard, "ready"), 1);
	tear_down(&server);
}

/* Not once all are judged: one that hangs would keep everybody waiting. */
static void it_is_ready_once_all_are_known(void **state UNUSED)
{
	static const char *const two[] = {"ns", "other", NULL};
	struct server server;

	set_up(&server);
	add(&server, "good", GOOD("a"));
	add(&server, "bad", BROKEN);
	start_set(&server, 4, two);
	scene_until(&server.s, &server.heard, "ready\n");
	assert_true(server.checking);
	assert_false(policyset_checking(server.set, "ns/none"));
	scene_until(&server.s, &server.heard, "ns/good taken\n");
	scene_until(&server.s, &server.heard, "ns/bad contract.lua:1:");
	assert_false(policyset_checking(server.set, "ns/good"));
	assert_false(policyset_checking(server.set, "ns/bad"));
	assert_true(policy_has(server.s.host, "config/ns/good"));
	assert_false(policy_has(server.s.host, "config/ns/bad"));
	assert_non_null(policyset_find(server.set, "ns/bad"));
	assert_null(policyset_find(server.set, "ns/none"));
	policyset_tell(server.set);
	tear_down(&server);
}

static void a_place_that_is_free_goes_to_one_that_waits(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	add(&server, "first", GOOD("a"));
	tell_events(&server, "second", "first");
	server.after = "ns/first taken\n";
	start_set(&server, 1, everywhere);
	scene_until(&server.s, &server.heard, "ns/second there are 1 ConfigMaps");
	scene_until(&server.s, &server.heard, "ns/first gone\n");
	scene_until(&server.s, &server.heard, "ns/second taken\n");
	assert_false(policy_has(server.s.host, "config/ns/first"));
	assert_true(policy_has(server.s.host, "config/ns/second"));
	tear_down(&server);
}

/* ---- on trial ---- */

static void on_compared(void *arg, enum shadow_result result)
{
	static const char *const words[] = {"same\n", "differs\n", "failed\n"};

	buf_adds(&((struct server *)arg)->heard, words[result]);
}

static void start_shadows(struct server *server)
{
	server->shadows = shadows_new(server->s.fake->loop, &server->s.env,
				      &(struct shadows_spec){.namespace = "ns",
							     .tell_ms = 1,
							     .compared = on_compared,
							     .trouble = on_trouble,
							     .arg = server});
}

/* There is one shadow, and it has been loaded. */
static void set_up_green(struct server *server)
{
	set_up(server);
	add(server, "green", GOOD("green"));
	start_shadows(server);
	scene_until(&server->s, &server->annotations, "active");
}

/* A new run, about which the bundle in force has said this. */
static void consider(struct server *server, const char *team)
{
	auto_json struct json *run = json_build(
	    "{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'u'}, 'spec': {'configRef':"
	    " {'name': 'c'}}}");
	auto_json struct json *config =
	    json_build("{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i'}}");
	auto_json struct json *results =
	    json_build("{'validate': {'ok': []}, 'contract': {'ok': {'team': %s}}}", team);
	struct observed o = {.run = run,
			     .config = config,
			     .digest = policy_digest(server->s.host, ""),
			     .now = 1764000000000};

	shadows_consider(server->shadows, &o, results);
}

static void what_would_differ_is_told(void **state UNUSED)
{
	struct server server;

	set_up(&server);
	add(&server, "green", GOOD("green"));
	start_shadows(&server);
	consider(&server, "early"); /* there is none yet */
	scene_until(&server.s, &server.annotations, "active");
	consider(&server, "green");
	scene_until(&server.s, &server.heard, "same\n");
	consider(&server, "blue");
	scene_until(&server.s, &server.heard, "differs\n");
	scene_until(&server.s, &server.annotations, "\\\"evaluated\\\":2,\\\"differing\\\":1");
	assert_non_null(strstr(server.annotations.data, "\\\"path\\\":\\\"team\\\""));
	shadows_tell(server.shadows);
	tear_down(&server);
}

static void a_failure_is_an_error_and_job_lua_is_asked_for_too(void **state UNUSED)
{
	struct server server;
	auto_json struct json *map = scene_configmap(
	    "bad", "4", "return { contract = function(run) return run.nothing.here end }");

	set_up(&server);
	json_set_str(json_mut(map, "data"), "job.lua",
		     "return { shape = function(m) m.metadata.labels.x = 'y' return m end }");
	json_append(server.items, json_copy(map));
	start_shadows(&server);
	scene_until(&server.s, &server.annotations, "active");
	consider(&server, "blue");
	scene_until(&server.s, &server.heard, "failed\n");
	scene_until(&server.s, &server.annotations, "metadata.labels.x");
	assert_non_null(strstr(server.annotations.data, "\\\"errors\\\":1"));
	tear_down(&server);
}

static void nothing_waits_for_it(void **state UNUSED)
{
	struct server server;

	set_up_green(&server);
	shadows_pause(server.shadows);
	for (int i = 0; i < SHADOW_QUEUE + 3; i++)
		consider(&server, "green");
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.heard.len, 0); /* a run's question is open */
	shadows_resume(server.shadows);
	scene_until(&server.s, &server.annotations, "\\\"evaluated\\\":32");
	assert_non_null(strstr(server.annotations.data, "\\\"skipped\\\":3"));
	tear_down(&server);
}

static void on_loaded(void *arg, const struct json *reply UNUSED, const struct err *err)
{
	assert_null(err);
	*(bool *)arg = true;
}

/* Figures are about two bundles: with another on one side they begin anew. */
static void figures_begin_anew(void **state UNUSED)
{
	auto_json struct json *files = json_build("{'contract.lua': %s}", GOOD("other"));
	bool loaded = false;
	struct server server;

	set_up_green(&server);
	consider(&server, "blue");
	scene_until(&server.s, &server.annotations, "\\\"evaluated\\\":1");
	shadows_pause(server.shadows);
	consider(&server, "blue"); /* answered by what is in force no more when it is compared */
	policy_load(server.s.host, "", false, files, on_loaded, &loaded);
	while (!loaded)
		fake_run_for(server.s.fake, 10);
	consider(&server, "other");
	shadows_resume(server.shadows);
	server.annotations.len = 0;
	server.annotations.data[0] = '\0';
	scene_until(&server.s, &server.annotations, "\\\"evaluated\\\":1,\\\"differing\\\":1");
	assert_int_equal(scene_count(&server.heard, "\n"), 2);
	tear_down(&server);
}

static void one_that_goes_is_asked_no_more(void **state UNUSED)
{
	struct server server;

	set_up_green(&server);
	shadows_pause(server.shadows);
	consider(&server, "blue");
	policy_forget(server.s.host, "shadow/ns/green");
	shadows_resume(server.shadows);
	consider(&server, "blue");
	fake_run_for(server.s.fake, 50);
	assert_int_equal(server.heard.len, 0);
	tear_down(&server);
}

static void it_may_be_freed_at_any_time(void **state UNUSED)
{
	struct server server;

	set_up_green(&server);
	consider(&server, "blue");
	consider(&server, "blue");
	fake_run_for(server.s.fake, 0);
	tear_down(&server);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test(an_empty_set_is_ready),
	    cmocka_unit_test(one_that_cannot_be_read_is_ready),
	    cmocka_unit_test(it_is_ready_once_all_are_known),
	    cmocka_unit_test(a_place_that_is_free_goes_to_one_that_waits),
	    cmocka_unit_test(what_would_differ_is_told),
	    cmocka_unit_test(a_failure_is_an_error_and_job_lua_is_asked_for_too),
	    cmocka_unit_test(nothing_waits_for_it),
	    cmocka_unit_test(figures_begin_anew),
	    cmocka_unit_test(one_that_goes_is_asked_no_more),
	    cmocka_unit_test(it_may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return scene_main(argc, argv, tests);
}
