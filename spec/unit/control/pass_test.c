/* One pass from what is observed to what is told back, with a real policy worker and an API server
 * that answers as a row says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "control/bundles.h"
#include "control/pass.h"
#include "spec/unit/control/policyscene.h"

#define META "'name': 'a', 'namespace': 'ns', 'uid': '5be07ada-5fe0', 'resourceVersion': '7'"
#define RUN_OF(status)                                                                             \
	"{'metadata': {" META ", 'creationTimestamp': '2026-11-24T10:00:00Z'}, 'spec': "           \
	"{'configRef': {'name': 'c'}}, 'status': {" status "}}"
#define STARTING RUN_OF("'phase': 'Pending', 'contract': 'e30=', 'jobStatus': {'name': 'j'}")
#define STARTED RUN_OF("'phase': 'Pending', 'jobStatus': {'name': 'j', 'uid': 'u'}")
#define CONFIG "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i'}}"
#define SILENT_JOB                                                                                 \
	"{'metadata': {'uid': 'u', 'ownerReferences': [{'uid': '5be07ada-5fe0'}]}, 'spec': {}, "   \
	"'status': {'startTime': '2026-11-24T10:00:00Z'}}"
#define CHANGED(phase)                                                                             \
	"{\"metadata\": {\"name\": \"a\", \"namespace\": \"ns\", \"uid\": \"5be07ada-5fe0\", "     \
	"\"resourceVersion\": \"8\"}, \"status\": {\"phase\": \"" phase "\"}}"
#define SAME_RUN "{\"metadata\": {\"resourceVersion\": \"7\"}}"
#define OWNED                                                                                      \
	"{\"metadata\": {\"uid\": \"u2\", \"ownerReferences\": [{\"uid\": \"5be07ada-5fe0\"}]}}"
#define POD_MADE "{\"items\": [{\"reason\": \"SuccessfulCreate\"}]}"
#define REFUSED "{\"kind\": \"Status\", \"message\": \"no\"}"

struct reply {
	int status;
	const char *body;
};

struct row {
	const char *what, *run, *config, *job, *result;
	bool no_look;
	struct reply events, get_job, get_run, patch, post; /* no status: as in `usual` */
};

static const struct row usual = {.events = {200, "{\"items\": []}"},
				 .get_job = {404, REFUSED},
				 .get_run = {200, SAME_RUN},
				 .patch = {200, CHANGED("Pending")},
				 .post = {201, OWNED}};

static const struct row rows[] = {
    {.what = "an interrupted start, and nothing had been made",
     .run = STARTING,
     .config = CONFIG,
     .result = "job u2"},
    {.what = "Events without a list are none",
     .run = STARTING,
     .config = CONFIG,
     .events = {200, "{}"},
     .result = "job u2"},
    {.what = "an interrupted start, and a Pod had been made",
     .run = STARTING,
     .config = CONFIG,
     .events = {200, POD_MADE},
     .patch = {200, CHANGED("Failed")},
     .result = "version 8, finished Failed"},
    {.what = "an interrupted start, and the Job is there after all",
     .run = STARTING,
     .config = CONFIG,
     .events = {200, POD_MADE},
     .get_job = {200, OWNED},
     .patch = {200, CHANGED("Failed")},
     .result = "failed Retry"},
    {.what = "an interrupted start, and Events cannot be read",
     .run = STARTING,
     .config = CONFIG,
     .events = {500, REFUSED},
     .patch = {200, CHANGED("Failed")},
     .result = "failed Retry"},
    {.what = "an interrupted start, and Events may not be read",
     .run = STARTING,
     .config = CONFIG,
     .events = {403, REFUSED},
     .result = "job u2"},
    {.what = "an interrupted start, and too many questions",
     .run = STARTING,
     .config = CONFIG,
     .no_look = true,
     .events = {500, REFUSED},
     .get_job = {500, REFUSED},
     .get_run = {500, REFUSED},
     .patch = {500, REFUSED},
     .post = {500, REFUSED},
     .result = "failed"},
    {.what = "a Job without Pod",
     .run = STARTED,
     .config = CONFIG,
     .job = SILENT_JOB,
     .events = {200,
		"{\"items\": [{\"type\": \"Warning\", \"reason\": \"FailedCreate\", \"message\": "
		"\"quota\"}]}"},
     .result = "version 8"},
    {.what = "a Job without Pod, and Events cannot be read",
     .run = STARTED,
     .config = CONFIG,
     .job = SILENT_JOB,
     .events = {500, REFUSED},
     .result = "version 8"},
    {.what = "a Job without Pod, and too many questions",
     .run = STARTED,
     .config = CONFIG,
     .job = SILENT_JOB,
     .no_look = true,
     .events = {500, REFUSED},
     .result = "failed, version 8"},
    {.what = "a lost Job",
     .run = STARTED,
     .config = CONFIG,
     .events = {500, REFUSED},
     .patch = {200, CHANGED("Failed")},
     .result = "version 8, finished Failed"},
    {.what = "a refusal is told in the status",
     .run = STARTING,
     .config = CONFIG,
     .post = {403, REFUSED},
     .result = "failed Denied, version 8"},
    {.what = "a refusal, and its status is refused as well",
     .run = STARTING,
     .config = CONFIG,
     .patch = {409, REFUSED},
     .post = {403, REFUSED},
     .result = "failed Denied"},
    {.what = "no config", .run = STARTING, .events = {500, REFUSED}, .result = "version 8"},
};

struct world {
	struct scene scene;
	struct events *events;
	struct metrics *metrics;
	struct bundles *bundles;
	struct pass_env env;
	const struct row *row;
	struct buf told;
	bool silent; /* nothing is answered */
	int evaluated;
	char error_kind[16]; /* of the evaluations */
};

static struct reply either(struct reply own, struct reply usually)
{
	return own.status != 0 ? own : usually;
}

static void answer(void *arg, const struct fake_request *request, struct fake_answer *out)
{
	struct world *w = arg;
	const struct row *row = w->row;
	const char *text = request->text;
	struct reply reply = {200, "{\"metadata\": {\"resourceVersion\": \"1\"}, \"items\": []}"};

	if (strstr(text, "watch=") != NULL) {
		*out = (struct fake_answer){.how = FAKE_HOLD};
		return;
	}
	if (w->silent)
		return;
	if (strstr(text, "/events?") != NULL)
		reply = either(row->events, usual.events);
	else if (has_prefix(text, "GET ") && strstr(text, "/jobs/") != NULL)
		reply = either(row->get_job, usual.get_job);
	else if (has_prefix(text, "GET ") && strstr(text, "/inferenceruns/") != NULL)
		reply = either(row->get_run, usual.get_run);
	else if (has_prefix(text, "PATCH ") && strstr(text, "/inferenceruns/") != NULL)
		reply = either(row->patch, usual.patch);
	else if (has_prefix(text, "POST ") && strstr(text, "/events") == NULL)
		reply = either(row->post, usual.post);
	*out = (struct fake_answer){.status = reply.status, .body = reply.body};
}

static bool yes(void *arg UNUSED)
{
	return true;
}

static bool may_look(void *arg)
{
	return !((struct world *)arg)->row->no_look;
}

static void emit(void *arg UNUSED, const struct json *run UNUSED, const struct json *event UNUSED)
{
}

static void evaluated(void *arg, int64_t duration_ms, const char *error_kind)
{
	struct world *w = arg;

	assert_true(duration_ms >= 0);
	snprintf(w->error_kind, sizeof(w->error_kind), "%s", error_kind != NULL ? error_kind : "");
	w->evaluated++;
}

static void ignore(void *arg UNUSED)
{
}

static void ignore_key(void *arg UNUSED, const char *key UNUSED)
{
}

static void world_init(struct world *w, const struct row *row)
{
	static const char *const all[] = {NULL};

	*w = (struct world){.row = row, .told = BUF_INIT(4096)};
	scene_set_up(&w->scene, answer, w);
	w->metrics = metrics_new();
	w->events = events_new(w->scene.fake->loop, w->scene.fake->client,
			       &(struct events_spec){.component = "c", .instance = "i"});
	w->bundles = bundles_new(&(struct bundles_deps){w->scene.fake->loop, w->scene.fake->client,
							w->scene.host, w->events, w->metrics},
				 &(struct bundles_spec){.namespace = "ns",
							.name = "p",
							.namespaces = all,
							.may_write = yes,
							.ready = ignore,
							.changed = ignore,
							.config_changed = ignore_key,
							.arg = w});
	w->env = (struct pass_env){.act = {.loop = w->scene.fake->loop,
					   .client = w->scene.fake->client,
					   .may_write = yes,
					   .emit = emit,
					   .arg = w},
				   .host = w->scene.host,
				   .bundles = w->bundles,
				   .may_look = may_look,
				   .evaluated = evaluated};
}

static void world_done(struct world *w)
{
	bundles_free(w->bundles);
	events_free(w->events);
	metrics_free(w->metrics);
	scene_tear_down(&w->scene);
	buf_done(&w->told);
}

static void told(void *arg, const char *key, const struct pass_result *result)
{
	struct world *w = arg;

	assert_string_equal(key, "ns/a");
	if (result->failed)
		buf_addf(&w->told, "%sfailed", w->told.len > 0 ? ", " : "");
	if (result->err != NULL)
		buf_addf(&w->told, " %s", err_kind_name(result->err->kind));
	if (result->run_version != NULL)
		buf_addf(&w->told, "%sversion %s", w->told.len > 0 ? ", " : "",
			 result->run_version);
	if (result->job_uid != NULL)
		buf_addf(&w->told, "%sjob %s", w->told.len > 0 ? ", " : "", result->job_uid);
	if (result->finished_phase != NULL)
		buf_addf(&w->told, ", finished %s", result->finished_phase);
	buf_adds(&w->told, ".");
}

static struct pass *begin(struct world *w)
{
	const struct row *row = w->row;
	struct view view = {.run = json_build(row->run),
			    .config = row->config != NULL ? json_build(row->config) : NULL,
			    .job = row->job != NULL ? json_build(row->job) : NULL,
			    .pods = json_array()};

	return pass_start(&w->env, "ns/a", &view, told, w);
}

static void each_pass_tells_what_became_of_it(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *wanted = xasprintf("%s.", rows[i].result);
		struct world w;

		world_init(&w, &rows[i]);
		begin(&w);
		assert_int_equal(w.told.len, 0);
		scene_until(&w.scene, &w.told, ".");
		assert_string_equal(w.error_kind, "");
		if (!streq(w.told.data, wanted))
			fail_msg("%s: expected %s, got %s", rows[i].what, wanted, w.told.data);
		world_done(&w);
	}
}

/* While Events are asked for, the policies are, and the plan is carried out: nothing is told then.
 */
static void a_pass_can_be_given_up_at_any_time(void **state UNUSED)
{
	static const struct row looking = {.run = STARTING, .config = CONFIG};
	static const struct row acting = {.run = STARTED, .config = CONFIG};
	static const struct row asking = {.run = RUN_OF(""), .config = CONFIG};
	static const struct row *const cases[] = {&looking, &acting, &asking};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		struct pass *pass;

		world_init(&w, cases[i]);
		w.silent = true;
		pass = begin(&w);
		fake_run_for(w.scene.fake, 5);
		pass_cancel(pass);
		fake_run_for(w.scene.fake, 5);
		assert_int_equal(w.told.len, 0);
		world_done(&w);
	}
}

static void counted(void *arg, const struct json *reply UNUSED, const struct err *err UNUSED)
{
	++*(int *)arg;
}

/* The run has reached a limit and so has another, which is tried now: no pass waits for that. */
static void what_would_wait_for_a_hang_is_put_off(void **state UNUSED)
{
	static const struct row known = {.run = RUN_OF("'phase': 'Pending'"), .config = CONFIG};
	static const struct row new = {.run = RUN_OF(""), .config = CONFIG};
	auto_json struct json *files =
	    json_build("{'contract.lua': 'return {contract = function() while true do end end}'}");
	auto_json struct json *question =
	    json_build("{'hooks': ['contract'], 'run': {'metadata': {" META "}}}");

	for (int i = 0; i < 2; i++) {
		struct world w;
		int calls = 0;

		world_init(&w, i == 0 ? &known : &new);
		policy_load(w.scene.host, "", false, files, counted, &calls);
		while (calls < 1)
			fake_run_for(w.scene.fake, 5);
		policy_eval(w.scene.host, "", question, counted, &calls);
		while (calls < 2)
			fake_run_for(w.scene.fake, 5);
		policy_eval(w.scene.host, "", question, counted, &calls);
		begin(&w);
		scene_until(&w.scene, &w.told, ".");
		assert_string_equal(w.told.data, i == 0 ? "failed." : "failed, version 8.");
		assert_int_equal(w.evaluated, 0);
		world_done(&w);
	}
}

/* A program that gives the same answer to whatever a worker is told. */
static void write_worker(char path[], const char *kind)
{
	auto_free char *answer =
	    xasprintf("hook \"contract\"\\nerror {\"kind\":\"%s\",\"message\":\"m\"}\\n", kind);
	int fd = mkstemp(path);

	assert_true(fd >= 0 && fchmod(fd, 0700) == 0);
	dprintf(fd,
		"#!/bin/sh\nhead -c 1 <&3 >/dev/null\nprintf '\\0\\0\\0\\%03o%s' >&3\n"
		"cat <&3 >/dev/null\n",
		(unsigned)strlen(answer) - 2, answer);
	close(fd);
}

/* The worker is not trusted, and what kind of error it tells becomes the label of a metric. */
static void only_known_kinds_of_errors_are_counted(void **state UNUSED)
{
	static const struct row row = {.run = STARTING, .config = CONFIG};
	static const char *const kinds[][2] = {
	    {"limit", "limit"}, {"reject", "reject"}, {"script", "script"}, {"colour", "script"}};
	const char *program = scene_program;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char path[] = "/tmp/pass-test-XXXXXX";
		struct world w;

		write_worker(path, kinds[i][0]);
		scene_program = path;
		world_init(&w, &row);
		begin(&w);
		scene_until(&w.scene, &w.told, ".");
		assert_string_equal(w.error_kind, kinds[i][1]);
		world_done(&w);
		unlink(path);
	}
	scene_program = program;
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test(each_pass_tells_what_became_of_it),
	    cmocka_unit_test(a_pass_can_be_given_up_at_any_time),
	    cmocka_unit_test(what_would_wait_for_a_hang_is_put_off),
	    cmocka_unit_test(only_known_kinds_of_errors_are_counted),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(int argc, char **argv)
{
	return scene_main(argc, argv, tests);
}
