/* Each action against each answer of the API server: what is sent, and whether the plan goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/act.h"
#include "spec/unit/kube/fakeapi.h"

#define RUN "{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'r', 'resourceVersion': '7'}}"
#define OWNED                                                                                      \
	"{\"metadata\": {\"name\": \"j\", \"uid\": \"u\", \"ownerReferences\": [{\"uid\": \"x\"}," \
	"{\"uid\": \"r\"}]}}"
#define FOREIGN "{\"metadata\": {\"name\": \"j\", \"ownerReferences\": [{\"uid\": \"x\"}]}}"
#define REFUSED(reason) "{\"kind\": \"Status\", \"message\": \"" reason "\"}"
#define RUNS "/apis/ai.krateo.io/v1/namespaces/ns/inferenceruns/a"
#define JOBS "/apis/batch/v1/namespaces/ns/jobs"

struct world {
	struct fake *fake;
	bool leads, done;
	struct buf log; /* "event R; failed TYPE KIND: MESSAGE" or "done", with what came back */
};

static bool may_write(void *arg)
{
	return ((struct world *)arg)->leads;
}

static void emit(void *arg, const struct json *run UNUSED, const struct json *event)
{
	struct world *w = arg;

	buf_addf(&w->log, "event %s; ", json_get_str(event, "reason", ""));
}

static void done(void *arg, const struct act_result *result)
{
	struct world *w = arg;
	const char *version =
	    json_get_str(json_get(result->run, "metadata"), "resourceVersion", "");

	if (result->err != NULL)
		buf_addf(&w->log, "failed %s %s", action_name(result->failed->type),
			 err_kind_name(result->err->kind));
	else
		buf_adds(&w->log, "done");
	if (!streq(version, "7"))
		buf_addf(&w->log, ", run %s", version);
	if (result->job != NULL)
		buf_addf(&w->log, ", job %s",
			 json_get_str(json_get(result->job, "metadata"), "uid", ""));
	w->done = true;
	loop_stop(w->fake->loop);
}

static const struct row {
	const char *what;
	enum action_type type;
	bool follower; /* this controller does not hold the lease */
	const struct kind *kind;
	struct fake_answer script[3];
	const char *log;
} rows[] = {
    {"a status is written",
     ACTION_STATUS,
     false,
     &KIND_RUN,
     {{.expect = "PATCH " RUNS "/status ", .body = "{\"metadata\": {\"resourceVersion\": \"8\"}}"}},
     "event E; done, run 8"},
    {"a status is written, and nothing comes back",
     ACTION_STATUS,
     false,
     &KIND_RUN,
     {{.status = 200}},
     "event E; done"},
    {"a status is refused",
     ACTION_STATUS,
     false,
     &KIND_RUN,
     {{.status = 409, .body = REFUSED("moved")}},
     "failed status Conflict"},
    {"the run has not moved",
     ACTION_CONFIRM,
     false,
     &KIND_RUN,
     {{.expect = "GET " RUNS " ", .body = "{\"metadata\": {\"resourceVersion\": \"7\"}}"}},
     "event E; done"},
    {"the run has moved",
     ACTION_CONFIRM,
     false,
     &KIND_RUN,
     {{.body = "{\"metadata\": {\"resourceVersion\": \"8\"}}"}},
     "failed confirm Conflict"},
    {"the run is gone",
     ACTION_CONFIRM,
     false,
     &KIND_RUN,
     {{.status = 404, .body = REFUSED("gone")}},
     "failed confirm NotFound"},
    {"the Job is not there",
     ACTION_ABSENT,
     false,
     &KIND_JOB,
     {{.expect = "GET " JOBS "/j ", .status = 404, .body = REFUSED("none")}},
     "event E; done"},
    {"the Job is there", ACTION_ABSENT, false, &KIND_JOB, {{.body = OWNED}}, "failed absent Retry"},
    {"somebody else's Job is there",
     ACTION_ABSENT,
     false,
     &KIND_JOB,
     {{.body = FOREIGN}},
     "event E; done"},
    {"nobody can say whether it is",
     ACTION_ABSENT,
     false,
     &KIND_JOB,
     {{.status = 500, .body = REFUSED("broken")}},
     "failed absent Retry"},
    {"a Job is made",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.expect = "POST " JOBS " ", .body = OWNED}},
     "event E; done, job u"},
    {"a Job is made, and nothing comes back",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 201}},
     "event E; done"},
    {"a contract is made",
     ACTION_CREATE,
     false,
     &KIND_CONFIGMAP,
     {{.body = OWNED}},
     "event E; done"},
    {"a Job is refused",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 403, .body = REFUSED("exceeded quota")}},
     "failed create Denied"},
    {"the Job is there already",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 409, .body = REFUSED("exists")}, {.expect = "GET " JOBS "/j ", .body = OWNED}},
     "event E; done, job u"},
    {"somebody else's is there already",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 409, .body = REFUSED("exists")}, {.body = FOREIGN}},
     "failed create Conflict"},
    {"one without an owner is there already",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 409, .body = REFUSED("exists")}, {.body = "{\"metadata\": {}}"}},
     "failed create Conflict"},
    {"what was there is gone",
     ACTION_CREATE,
     false,
     &KIND_JOB,
     {{.status = 409, .body = REFUSED("exists")}, {.status = 404, .body = REFUSED("none")}},
     "failed create NotFound"},
    {"a Job is patched",
     ACTION_PATCH,
     false,
     &KIND_JOB,
     {{.expect = "PATCH " JOBS "/j ", .body = OWNED}},
     "event E; done"},
    {"a Job is not patched",
     ACTION_PATCH,
     false,
     &KIND_JOB,
     {{.status = 422, .body = REFUSED("no")}},
     "failed patch Invalid"},
    {"the run is deleted, guarded",
     ACTION_DELETE,
     false,
     NULL,
     {{.expect = "\"preconditions\":{\"uid\":\"r\",\"resourceVersion\":\"7\"}", .body = "{}"}},
     "event E; done"},
    {"without the lease nothing is written",
     ACTION_STATUS,
     true,
     &KIND_RUN,
     {{.status = 500}},
     "failed status Retry"},
};

static void world_init(struct world *w, const struct row *row)
{
	*w = (struct world){.fake = fake_new(row->script, ARRAY_LEN(row->script)),
			    .leads = !row->follower,
			    .log = BUF_INIT(4096)};
}

static struct act *begin(struct world *w, enum action_type type, const struct kind *kind)
{
	auto_json struct json *run = json_build(RUN);
	const struct act_env env = {.loop = w->fake->loop,
				    .client = w->fake->client,
				    .may_write = may_write,
				    .emit = emit,
				    .arg = w};
	struct plan plan;

	plan_init(&plan);
	plan_add(&plan, type, kind, json_build("{'metadata': {'name': 'j'}}"));
	plan_event(&plan, "Normal", "E", "m");
	return act_start(&env, run, &plan, done, w);
}

static void each_answer_ends_the_plan_or_not(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;

		world_init(&w, &rows[i]);
		begin(&w, rows[i].type, rows[i].kind);
		assert_false(w.done);
		fake_run(w.fake);
		if (!streq(w.log.data, rows[i].log))
			fail_msg("%s: expected %s, got %s", rows[i].what, rows[i].log, w.log.data);
		buf_done(&w.log);
		fake_free(w.fake);
	}
}

/* Before its first turn, and with a call under way: done is not called. */
static void a_plan_can_be_given_up(void **state UNUSED)
{
	static const struct row silent = {.script = {{.how = FAKE_SILENT}}};

	for (int turns = 0; turns < 2; turns++) {
		struct world w;
		struct act *act;

		world_init(&w, &silent);
		act = begin(&w, ACTION_STATUS, &KIND_RUN);
		if (turns > 0) {
			loop_defer(w.fake->loop, fake_stop, w.fake);
			fake_run(w.fake);
		}
		act_cancel(act);
		assert_false(w.done);
		buf_done(&w.log);
		fake_free(w.fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_answer_ends_the_plan_or_not),
	    cmocka_unit_test(a_plan_can_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
