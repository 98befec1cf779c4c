/* Every row of the state table in docs/architecture.md: what is observed, what the policies say,
 * and the plan in short form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "control/decide.h"
#include "control/manifest.h"

#define NOW "2026-11-24T10:00:00Z"
#define META                                                                                       \
	"'metadata': {'name': 'a', 'namespace': 'ns', 'uid': '5be07ada-5fe0', 'generation': 1, "   \
	"'resourceVersion': '7'"
#define SPEC "'spec': {'configRef': {'name': 'c'}}"
#define NAME "inf-a-5be07ada"
#define REF                                                                                        \
	"'jobStatus': {'apiVersion': 'batch/v1', 'kind': 'Job', 'namespace': 'ns', 'name': '" NAME \
	"'"
#define NEW_RUN "{" META "}, " SPEC "}"
#define STARTING_RUN                                                                               \
	"{" META "}, " SPEC ", 'status': {'phase': 'Pending', 'contract': 'e30=', " REF "}}}"
#define STARTED_RUN                                                                                \
	"{" META "}, " SPEC ", 'status': {'phase': 'Pending', 'reason': 'Starting', " REF          \
	", 'uid': 'j'}}}"
#define RUNNING_RUN "{" META "}, " SPEC ", 'status': {'phase': 'Running', " REF ", 'uid': 'j'}}}"
#define ENDED(phase, at)                                                                           \
	"{" META "}, " SPEC ", 'status': {'phase': '" phase                                        \
	"', 'observedGeneration': 1, 'completionTime': '" at "'}}"
#define CONFIG "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i'}}"
#define CONFIG_ELSEWHERE(allow)                                                                    \
	"{'metadata': {'namespace': 'other', 'annotations': {'ai.krateo.io/allow-namespaces': "    \
	"'" allow "'}}, 'spec': {'image': 'i'}}"
#define RUN_ELSEWHERE "{" META "}, 'spec': {'configRef': {'name': 'c', 'namespace': 'other'}}}"
#define CONFIG_DELETE(policy)                                                                      \
	"{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i', 'autoDeletePolicy': '" policy    \
	"', 'ttlSecondsAfterFinished': "                                                           \
	"60}}"
#define JOB_META                                                                                   \
	"'metadata': {'name': '" NAME                                                              \
	"', 'namespace': 'ns', 'uid': 'j', 'ownerReferences': [{'uid': '5be07ada-5fe0'}]}"
#define JOB(status) "{" JOB_META ", 'spec': {}, 'status': {" status "}}"
#define COMPLETE(at)                                                                               \
	"'succeeded': 1, 'completionTime': '" at                                                   \
	"', 'conditions': [{'type': 'Complete', 'status': 'True', 'lastTransitionTime': '" at      \
	"'}]"
#define FAILED(at)                                                                                 \
	"'failed': 4, 'conditions': [{'type': 'Failed', 'status': 'True', 'lastTransitionTime': "  \
	"'" at "'}]"
#define FIRING(at) "{'metadata': {'name': 'firing'}, 'status': {" FAILED(at) "}}"
#define ENDED_POD                                                                                  \
	"[{'metadata': {'name': 'p'}, 'status': {'phase': 'Succeeded', 'containerStatuses': "      \
	"[{'state': {'terminated': {'exitCode': 0, 'finishedAt': '" NOW                            \
	"', 'message': '{\\\"rows\\\": {\\\"stored\\\": 3}}'}}}]}}]"
#define HOPELESS_POD(at)                                                                           \
	"[{'metadata': {'creationTimestamp': '" at "'}, 'status': {'phase': 'Pending', "           \
	"'containerStatuses': [{'state': {'waiting': {'reason': 'ErrImagePull'}}}]}}]"
#define ACCEPTED "{'validate': {'ok': []}, 'contract': {'ok': {'jobId': 'x'}}}"
#define SAYS(phase, reason)                                                                        \
	"{'status': {'ok': {'phase': '" phase "', 'reason': '" reason "', 'message': 'm'}}}"
#define ERROR(hook, kind)                                                                          \
	"{'" hook "': {'error': {'kind': '" kind "', 'message': '" hook ".lua:3: boom'}}}"

static const struct row {
	const char *what, *run, *config, *job, *pods, *results, *plan;
} rows[] = {
    {"a run that is being deleted is left to the garbage collector",
     "{" META ", 'deletionTimestamp': '" NOW "'}, " SPEC "}", CONFIG, NULL, NULL, NULL, ""},

    /* NO_CONFIG */
    {"no config: wait, and say which", NEW_RUN, NULL, NULL, NULL, NULL,
     "status Pending/ConfigNotFound"},
    {"no config while starting", STARTING_RUN, NULL, NULL, NULL, NULL,
     "status Pending/ConfigNotFound"},

    {"a config of another namespace: it must be there", RUN_ELSEWHERE, NULL, NULL, NULL, NULL,
     "status Pending/ConfigNotAllowed"},
    {"and allow the run's", RUN_ELSEWHERE, CONFIG_ELSEWHERE("n, nsx"), NULL, NULL, NULL,
     "status Pending/ConfigNotAllowed"},
    {"then it starts", RUN_ELSEWHERE, CONFIG_ELSEWHERE("a,ns"), NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started"},

    /* NEW */
    {"a new run starts, its status first", NEW_RUN, CONFIG, NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started"},
    {"a schedule makes a CronJob",
     "{" META "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '0 0 * * *'}}", CONFIG, NULL,
     NULL, ACCEPTED, "status Pending/Starting; create ConfigMap; create CronJob; event Started"},
    {"violations reject it", NEW_RUN, CONFIG, NULL, NULL,
     "{'validate': {'ok': [{'field': 'spec.parameters.x', 'message': 'no'}]}, 'contract': {'ok': "
     "{}}}",
     "status Rejected/ParametersRejected; event ParametersRejected"},
    {"reject() rejects it", NEW_RUN, CONFIG, NULL, NULL, ERROR("contract", "reject"),
     "status Rejected/Rejected; event Rejected"},
    {"a script error makes it wait", NEW_RUN, CONFIG, NULL, NULL, ERROR("contract", "script"),
     "status Pending/PolicyError; event PolicyError; backoff"},
    {"a limit makes it wait", NEW_RUN, CONFIG, NULL, NULL, ERROR("validate", "limit"),
     "status Pending/PolicyLimit; event PolicyLimit; backoff"},
    {"policies of the config's own that are not there: it is never judged by others", NEW_RUN,
     CONFIG, NULL, NULL, ERROR("policy", "unavailable"),
     "status Pending/PolicyUnavailable; event PolicyUnavailable; backoff"},
    {"policies of the config's own that are not allowed", NEW_RUN, CONFIG, NULL, NULL,
     ERROR("policy", "not-allowed"),
     "status Pending/PolicyRefNotAllowed; event PolicyRefNotAllowed; backoff"},
    {"what a pod template may not set is put back and told", NEW_RUN,
     "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i', 'podTemplate': {'spec': "
     "{'restartPolicy': 'Always'}}}}",
     NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started; event "
     "PodTemplateOverruled"},
    {"what shape() may not change is put back and told", NEW_RUN, CONFIG, NULL, NULL,
     "{'validate': {'ok': []}, 'contract': {'ok': {}}, 'shape': {'ok': {'spec': {'parallelism': "
     "2}}}}",
     "status Pending/Starting; create ConfigMap; create Job; event Started; event "
     "PolicyOverruled"},
    {"a rejected run that is edited is new",
     "{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'u', 'generation': 2}, " SPEC
     ", 'status': {'phase': 'Rejected', 'observedGeneration': 1, 'completionTime': 'x'}}",
     CONFIG, NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started"},

    /* STARTING */
    {"stopped in between: confirm, then make what is missing", STARTING_RUN, CONFIG, NULL, NULL,
     ACCEPTED, "confirm; create ConfigMap; create Job"},
    {"a vanished CronJob is made again",
     "{" META
     "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '0 0 * * *'}, 'status': {'phase': "
     "'Scheduled', " REF ", 'uid': 'j'}}}",
     CONFIG, NULL, NULL, ACCEPTED, "confirm; create ConfigMap; create CronJob"},

    /* STARTED */
    {"the Job runs", STARTED_RUN, CONFIG, JOB("'ready': 1, 'startTime': '" NOW "'"), "[]",
     SAYS("Running", "Running"), "status Running/Running; event Running"},
    {"nothing new: nothing written", "SAME", CONFIG, JOB("'active': 1"), "[]",
     SAYS("Running", "Running"), ""},
    {"a started run needs no config", STARTED_RUN, NULL, JOB("'active': 1"), "[]",
     SAYS("Running", "Running"), "status Running/Running; event Running"},
    {"success", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)), ENDED_POD, SAYS("Succeeded", "Completed"),
     "status Succeeded/Completed; event Completed"},
    {"failure", RUNNING_RUN, CONFIG, JOB(FAILED("2026-11-24T09:00:00Z")), "[]",
     SAYS("Failed", "OOMKilled"), "status Failed/OOMKilled; event OOMKilled"},
    {"a policy may call a finished Job a failure", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)),
     ENDED_POD, SAYS("Failed", "Partial"), "status Failed/Partial; event Partial"},
    {"the Pod's end is late: look again", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)), "[]",
     SAYS("Succeeded", "Completed"), "requeue=200"},
    {"but not for ever", RUNNING_RUN, CONFIG, JOB(COMPLETE("2026-11-24T09:59:54Z")), "[]",
     SAYS("Succeeded", "Completed"), "status Succeeded/Completed; event Completed"},
    {"a policy may not end what runs", RUNNING_RUN, CONFIG, JOB("'active': 1"), "[]",
     SAYS("Succeeded", "X"), "status Running/PolicyError; event PolicyError; backoff"},
    {"nor keep alive what has ended", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)), ENDED_POD,
     SAYS("Running", "X"), "status Running/PolicyError; event PolicyError; backoff"},
    {"nor give a reason that conditions refuse", RUNNING_RUN, CONFIG, JOB("'active': 1"), "[]",
     SAYS("Running", "not one word"), "status Running/PolicyError; event PolicyError; backoff"},
    {"a failing status policy", RUNNING_RUN, CONFIG, JOB("'active': 1"), "[]",
     ERROR("status", "script"), "status Running/PolicyError; event PolicyError; backoff"},
    {"a running run whose policies are gone keeps its phase", RUNNING_RUN, CONFIG,
     JOB("'active': 1"), "[]", ERROR("policy", "unavailable"),
     "status Running/PolicyUnavailable; event PolicyUnavailable; backoff"},
    {"suspend reaches the Job",
     "{" META
     "}, 'spec': {'configRef': {'name': 'c'}, 'suspend': true}, 'status': {'phase': 'Running'}}",
     CONFIG, JOB("'active': 1"), "[]", SAYS("Running", "Running"),
     "patch Job; status Running/Running"},
    {"a new schedule reaches the CronJob",
     "{" META "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '1 1 * * *'}, 'status': "
     "{'phase': 'Scheduled'}}",
     CONFIG, "{" JOB_META ", 'spec': {'schedule': '0 0 * * *'}, 'status': {}}", "[]",
     SAYS("Scheduled", "Scheduled"), "patch CronJob; status Scheduled/Scheduled"},

    {"an image that nobody can pull fails the run", STARTED_RUN, CONFIG, JOB("'active': 1"),
     HOPELESS_POD("2026-11-24T09:50:00Z"), SAYS("Pending", "ErrImagePull"),
     "status Failed/StartTimeout; patch Job; event StartTimeout"},
    {"not before its time", STARTED_RUN, CONFIG, JOB("'active': 1"),
     HOPELESS_POD("2026-11-24T09:50:01Z"), SAYS("Pending", "ErrImagePull"),
     "status Pending/ErrImagePull; requeue=1000"},
    {"whatever the status policy says", STARTED_RUN, CONFIG, JOB("'active': 1"),
     HOPELESS_POD("2026-11-24T09:50:00Z"), ERROR("status", "script"),
     "status Failed/StartTimeout; patch Job; event StartTimeout"},

    /* FOREIGN, LOST */
    {"a foreign Job is left alone", NEW_RUN, CONFIG,
     "{'metadata': {'ownerReferences': [{'uid': 'o'}]}}", NULL, NULL,
     "status Pending/JobNameTaken; backoff"},
    {"a Job without owner is foreign too", NEW_RUN, CONFIG, "{'metadata': {}}", NULL, NULL,
     "status Pending/JobNameTaken; backoff"},
    {"a Job that was seen and is gone is lost", STARTED_RUN, CONFIG, NULL, NULL, NULL,
     "absent Job; status Failed/JobLost; event JobLost"},

    /* FINISHED */
    {"the outcome is a latch: no Job", ENDED("Failed", NOW), CONFIG, NULL, NULL, NULL, ""},
    {"the outcome is a latch: another state of the Job", ENDED("Failed", NOW), CONFIG,
     JOB(COMPLETE(NOW)), "[]", NULL, ""},
    {"whose Job must not run any more", ENDED("Failed", NOW), CONFIG, JOB("'active': 1"), "[]",
     NULL, "patch Job"},
    {"that is asked once", ENDED("Failed", NOW), CONFIG,
     "{" JOB_META ", 'spec': {'activeDeadlineSeconds': 1}}", "[]", NULL, ""},
    {"a foreign Job may go on", ENDED("Failed", NOW), CONFIG_DELETE("DeleteOnSuccess"),
     "{'metadata': {'ownerReferences': [{'uid': 'o'}]}}", "[]", NULL, ""},
    {"without a config nothing is deleted", ENDED("Succeeded", NOW), NULL, NULL, NULL, NULL, ""},
    {"deletion is not due yet", ENDED("Succeeded", "2026-11-24T09:59:50Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, "requeue=50000"},
    {"deletion is due", ENDED("Succeeded", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, "event AutoDeleted; delete"},
    {"DeleteOnSuccess keeps failures", ENDED("Failed", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, ""},
    {"DeleteOnCompletion does not", ENDED("Failed", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnCompletion"), NULL, NULL, NULL, "event AutoDeleted; delete"},
    {"a rejected run stays to be read", ENDED("Rejected", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnCompletion"), NULL, NULL, NULL, ""},
    {"only now may the Job expire", ENDED("Failed", NOW), CONFIG_DELETE("DeleteOnSuccess"),
     JOB(FAILED(NOW)), NULL, NULL, "patch Job"},
};

static struct json *parse(const char *text)
{
	return text != NULL ? json_build(text) : NULL;
}

/* The plan in one line. */
static char *summary(const struct plan *plan)
{
	struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < plan->len; i++) {
		const struct action *a = &plan->actions[i];
		const struct json *status = json_get(a->body, "status");

		buf_addf(&out, "%s%s", out.len > 0 ? "; " : "", action_name(a->type));
		if (a->type == ACTION_EVENT)
			buf_addf(&out, " %s", json_get_str(a->body, "reason", "?"));
		else if (a->type == ACTION_STATUS)
			buf_addf(&out, " %s/%s", json_get_str(status, "phase", "="),
				 json_get_str(status, "reason", "="));
		else if (a->kind != NULL && a->kind != &KIND_RUN)
			buf_addf(&out, " %s", a->kind->name);
	}
	if (plan->requeue_ms >= 0)
		buf_addf(&out, "%srequeue=%lld", out.len > 0 ? "; " : "",
			 (long long)plan->requeue_ms);
	if (plan->backoff)
		buf_addf(&out, "%sbackoff", out.len > 0 ? "; " : "");
	return buf_steal(&out);
}

struct world {
	struct json *run, *config, *job, *pods;
	struct observed o;
};

static void world_init(struct world *w, const char *run, const char *config, const char *job,
		       const char *pods)
{
	*w = (struct world){parse(run), parse(config), parse(job), parse(pods), {0}};
	w->o = (struct observed){.run = w->run,
				 .config = w->config,
				 .job = w->job,
				 .pods = w->pods,
				 .digest = "sha256:d",
				 .shapes = true,
				 .pending_ms = 600000};
	assert_true(time_parse(NOW, &w->o.now));
}

static void world_done(struct world *w)
{
	json_free(w->run);
	json_free(w->config);
	json_free(w->job);
	json_free(w->pods);
}

/* What the API server makes of a plan's status patch. */
static void apply_status(struct world *w, const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (plan->actions[i].type == ACTION_STATUS)
			json_merge_patch(json_obj(w->run, "status"),
					 json_get(plan->actions[i].body, "status"));
}

/* Phase and reason as they will stand; a patch leaves out what does not change. */
static void complete_patch(struct world *w, struct plan *plan)
{
	static const char *const words[] = {"phase", "reason"};

	apply_status(w, plan);
	for (size_t i = 0; i < plan->len; i++) {
		struct json *status = json_mut(plan->actions[i].body, "status");

		for (size_t k = 0; plan->actions[i].type == ACTION_STATUS && k < ARRAY_LEN(words);
		     k++)
			json_set_str(status, words[k],
				     json_get_str(json_get(w->run, "status"), words[k], ""));
	}
}

static void each_row_gives_its_plan(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		bool same = streq(row->run, "SAME");
		auto_json struct json *results = parse(row->results);
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		world_init(&w, same ? RUNNING_RUN : row->run, row->config, row->job, row->pods);
		plan_init(&plan);
		decide(&w.o, results, &plan);
		if (same) { /* once more, after the first has been applied */
			apply_status(&w, &plan);
			plan_done(&plan);
			decide(&w.o, results, &plan);
		}
		complete_patch(&w, &plan);
		plan_text = summary(&plan);
		if (!streq(plan_text, row->plan))
			fail_msg("%s: expected \"%s\", got \"%s\"", row->what, row->plan,
				 plan_text);
		plan_done(&plan);
		world_done(&w);
	}
}

static void the_question_fits_the_stage(void **state UNUSED)
{
	static const struct {
		const char *run, *config, *job, *hooks;
	} table[] = {
	    {NEW_RUN, CONFIG, NULL, "[\"validate\",\"contract\",\"shape\"]"},
	    {STARTING_RUN, CONFIG, NULL, "[\"contract\",\"shape\"]"},
	    {RUNNING_RUN, CONFIG, JOB("'active': 1"), "[\"status\"]"},
	    {NEW_RUN, NULL, NULL, NULL},
	    {STARTED_RUN, CONFIG, NULL, NULL},
	    {ENDED("Succeeded", NOW), CONFIG, NULL, NULL},
	    {NEW_RUN, CONFIG, "{'metadata': {}}", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct world w;
		auto_json struct json *question = NULL;
		auto_free char *hooks = NULL;

		world_init(&w, table[i].run, table[i].config, table[i].job, "[]");
		question = decide_question(&w.o);
		if (table[i].hooks == NULL) {
			assert_null(question);
		} else {
			hooks = json_print(json_get(question, "hooks"));
			assert_string_equal(hooks, table[i].hooks);
		}
		world_done(&w);
	}
}

static void a_config_that_cannot_be_read_is_not_said_to_be_missing(void **state UNUSED)
{
	const struct json *patch;
	struct world w;
	struct plan plan;

	world_init(&w, NEW_RUN, NULL, NULL, NULL);
	w.o.config_trouble = "line 1, column 9: \\u0000";
	plan_init(&plan);
	decide(&w.o, NULL, &plan);
	patch = plan.actions[0].body;
	assert_string_equal(json_str(json_at(patch, "status", "reason")), "ConfigUnreadable");
	assert_string_equal(json_str(json_at(patch, "status", "message")),
			    "InferenceConfig \"c\" of namespace \"ns\" exists and cannot be read: "
			    "line 1, column 9: \\u0000; the run goes on once it can");
	plan_done(&plan);
	world_done(&w);
}

static void the_first_status_is_guarded_and_complete(void **state UNUSED)
{
	auto_json struct json *results = parse(ACCEPTED);
	const struct json *patch;
	struct world w;
	struct plan plan;

	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	patch = plan.actions[0].body;
	assert_string_equal(json_str(json_at(patch, "metadata", "resourceVersion")), "7");
	assert_string_equal(json_str(json_at(patch, "status", "contract")), "eyJqb2JJZCI6IngifQ==");
	assert_string_equal(json_str(json_at(patch, "status", "jobStatus", "name")), NAME);
	assert_string_equal(json_str(json_at(patch, "status", "policy", "digest")), "sha256:d");
	assert_string_equal(json_str(json_at(plan.actions[1].body, "data", "contract.json")),
			    "{\"jobId\":\"x\"}");
	plan_done(&plan);
	world_done(&w);
}

static void an_overruled_policy_is_told_by_paths(void **state UNUSED)
{
	auto_json struct json *results =
	    parse("{'validate': {'ok': []}, 'contract': {'ok': {}}, 'shape': {'ok': {}}}");
	struct world w;
	struct plan plan;
	auto_json struct json *job = NULL;
	const struct json *condition;

	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	job = manifest_job(w.run, w.config, NULL, "sha256:d");
	json_set_str(json_mut(job, "metadata"), "name", "mine");
	json_set(json_mut(job, "spec"), "completions", json_int(5));
	json_set(json_mut(results, "shape"), "ok", json_copy(job));
	plan_init(&plan);
	decide(&w.o, results, &plan);
	condition = json_first(json_at(plan.actions[0].body, "status", "conditions"));
	while (condition != NULL && !streq(json_get_str(condition, "type", ""), "PolicyOverruled"))
		condition = json_next(condition);
	assert_string_equal(json_get_str(condition, "status", ""), "True");
	assert_string_equal(json_get_str(condition, "message", ""),
			    "job.lua changed what belongs to the controller; it was put back: "
			    "metadata.name, spec.completions");
	plan_done(&plan);
	world_done(&w);
}

/* The status says what is wrong, the Event also how the script came there. */
static void a_traceback_goes_into_the_event(void **state UNUSED)
{
	auto_json struct json *results =
	    parse("{'contract': {'error': {'kind': 'script', 'message': 'contract.lua:3: boom',"
		  " 'traceback': 'contract.lua:3: in f'}}}");
	struct world w;
	struct plan plan;

	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	assert_string_equal(json_str(json_at(plan.actions[0].body, "status", "message")),
			    "contract.lua:3: boom");
	assert_string_equal(json_get_str(plan.actions[1].body, "message", ""),
			    "contract.lua:3: boom\ncontract.lua:3: in f");
	plan_done(&plan);
	world_done(&w);
}

static void a_resumed_start_keeps_its_contract(void **state UNUSED)
{
	auto_json struct json *results = parse("{'contract': {'ok': {'changed': true}}}");
	struct world w;
	struct plan plan;

	world_init(&w, STARTING_RUN, CONFIG, NULL, NULL);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	assert_string_equal(json_str(json_at(plan.actions[1].body, "data", "contract.json")), "{}");
	plan_done(&plan);
	world_done(&w);
}

static void the_result_is_the_runners(void **state UNUSED)
{
	auto_json struct json *results = parse(SAYS("Succeeded", "Completed"));
	auto_free char *result = NULL;
	const struct json *status;
	struct world w;
	struct plan plan;

	world_init(&w, RUNNING_RUN, CONFIG,
		   JOB("'startTime': '2026-11-24T08:58:30Z', " COMPLETE(NOW)), ENDED_POD);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	status = json_get(plan.actions[0].body, "status");
	result = json_print(json_get(status, "result"));
	assert_string_equal(
	    result, "{\"rows\":{\"stored\":3},\"attempts\":1,\"exitCode\":0,\"pod\":\"p\"}");
	assert_string_equal(json_str(json_get(status, "duration")), "1h1m");
	plan_done(&plan);
	world_done(&w);
}

/* A contract of exactly the limit is taken; one byte more is not. */
static void contract_limit(void **state UNUSED)
{
	enum { MAX = 1000 << 10, AROUND = 8 }; /* {"x":""} */

	for (size_t over = 0; over <= 1; over++) {
		auto_free char *text = xcalloc(1, MAX + 2);
		auto_json struct json *results = NULL;
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		memset(text, 'a', MAX - AROUND + over);
		results =
		    json_build("{'validate': {'ok': []}, 'contract': {'ok': {'x': %s}}}", text);
		world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
		plan_init(&plan);
		decide(&w.o, results, &plan);
		plan_text = summary(&plan);
		assert_string_equal(
		    plan_text,
		    over ? "status Rejected/ContractTooLarge; event ContractTooLarge"
			 : "status Pending/Starting; create ConfigMap; create Job; event Started");
		if (!over)
			assert_null(json_at(plan.actions[0].body, "status", "contract"));
		plan_done(&plan);
		world_done(&w);
	}
}

static void refusals_are_told_in_the_apis_words(void **state UNUSED)
{
	static const struct {
		enum action_type type;
		enum err_kind kind;
		const char *msg, *plan;
	} table[] = {
	    {ACTION_CREATE, ERR_DENIED, "jobs.batch is forbidden: no",
	     "status Pending/Forbidden; event Forbidden; backoff"},
	    {ACTION_CREATE, ERR_DENIED, "exceeded quota: q",
	     "status Pending/QuotaExceeded; event QuotaExceeded; backoff"},
	    {ACTION_CREATE, ERR_INVALID, "bad", "status Pending/Refused; event Refused; backoff"},
	    {ACTION_CREATE, ERR_CONFLICT, "foreign",
	     "status Pending/NameTaken; event NameTaken; backoff"},
	    {ACTION_PATCH, ERR_INVALID, "bad", "status Pending/Refused; event Refused; backoff"},
	    {ACTION_CREATE, ERR_RETRY, "reset", "backoff"},
	    {ACTION_STATUS, ERR_CONFLICT, "moved", "backoff"},
	    {ACTION_CONFIRM, ERR_CONFLICT, "moved", "backoff"},
	    {ACTION_STATUS, ERR_NOT_FOUND, "gone", "backoff"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct action action = {.type = table[i].type, .kind = &KIND_JOB};
		struct err err = {.kind = table[i].kind};
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		snprintf(err.msg, sizeof(err.msg), "%s", table[i].msg);
		world_init(&w, STARTING_RUN, CONFIG, NULL, NULL);
		plan_init(&plan);
		decide_failure(&w.o, &action, &err, &plan);
		complete_patch(&w, &plan);
		plan_text = summary(&plan);
		assert_string_equal(plan_text, table[i].plan);
		plan_done(&plan);
		world_done(&w);
	}
}

static void the_failure_of_a_firing_is_told(void **state UNUSED)
{
	static const struct {
		const char *what, *schedule, *firing, *results, *plan;
	} table[] = {
	    {"beside what the status says", "0 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Failed", "OOMKilled"), "status Scheduled/Scheduled; event OOMKilled"},
	    {"once its Pod's end is there", "0 0 * * *", FIRING(NOW), SAYS("Failed", "OOMKilled"),
	     "requeue=200"},
	    {"a policy may not say that it goes on", "0 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Scheduled", "Scheduled"),
	     "status Scheduled/PolicyError; event PolicyError; backoff"},
	    {"a new schedule does not wait for it", "1 0 * * *", FIRING("2026-11-24T09:00:00Z"),
	     SAYS("Failed", "OOMKilled"),
	     "patch CronJob; status Scheduled/Scheduled; event OOMKilled"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *firing = parse(table[i].firing);
		auto_json struct json *results = parse(table[i].results);
		auto_json struct json *question = NULL;
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		world_init(&w,
			   "{" META "}, 'spec': {'configRef': {'name': 'c'}}, 'status': "
			   "{'phase': 'Scheduled', 'reason': 'Scheduled'}}",
			   CONFIG, "{" JOB_META ", 'spec': {'schedule': '0 0 * * *'}}", "[]");
		json_set_str(json_mut(w.run, "spec"), "schedule", table[i].schedule);
		w.o.firing = firing;
		question = decide_question(&w.o);
		assert_true(json_equal(json_get(question, "job"), firing));
		plan_init(&plan);
		decide(&w.o, results, &plan);
		complete_patch(&w, &plan);
		plan_text = summary(&plan);
		if (!streq(plan_text, table[i].plan))
			fail_msg("%s: expected \"%s\", got \"%s\"", table[i].what, table[i].plan,
				 plan_text);
		plan_done(&plan);
		world_done(&w);
	}
}

/* kstatus takes Ready=False for "in progress", unless Stalled is there. */
static void failed_is_not_in_progress(void **state UNUSED)
{
	static const struct {
		const char *run, *job, *results;
		bool stalled;
	} table[] = {
	    {RUNNING_RUN, JOB(FAILED("2026-11-24T09:00:00Z")), SAYS("Failed", "OOMKilled"), true},
	    {RUNNING_RUN, JOB(COMPLETE("2026-11-24T09:00:00Z")), SAYS("Succeeded", "X"), false},
	    {STARTED_RUN, JOB("'active': 1"), SAYS("Running", "Running"), false},
	    {NEW_RUN, NULL, ERROR("contract", "reject"), true},
	    {NEW_RUN, NULL, ERROR("contract", "script"), false},
	    {"{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'u', 'generation': 2}, " SPEC
	     ", 'status': {'phase': 'Rejected', 'observedGeneration': 1, 'conditions':"
	     " [{'type': 'Stalled', 'status': 'True', 'reason': 'Rejected'}]}}",
	     NULL, ACCEPTED, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results = parse(table[i].results);
		const char *stalled = NULL;
		struct world w;
		struct plan plan;

		world_init(&w, table[i].run, CONFIG, table[i].job, "[]");
		plan_init(&plan);
		decide(&w.o, results, &plan);
		apply_status(&w, &plan);
		for (const struct json *c = json_first(json_at(w.run, "status", "conditions"));
		     c != NULL; c = json_next(c))
			if (streq(json_get_str(c, "type", ""), "Stalled"))
				stalled = json_get_str(c, "status", "");
		if ((stalled != NULL) != table[i].stalled ||
		    (stalled != NULL && !streq(stalled, "True")))
			fail_msg("%s", table[i].results);
		plan_done(&plan);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_gives_its_plan),
	    cmocka_unit_test(the_question_fits_the_stage),
	    cmocka_unit_test(a_config_that_cannot_be_read_is_not_said_to_be_missing),
	    cmocka_unit_test(the_first_status_is_guarded_and_complete),
	    cmocka_unit_test(an_overruled_policy_is_told_by_paths),
	    cmocka_unit_test(a_traceback_goes_into_the_event),
	    cmocka_unit_test(a_resumed_start_keeps_its_contract),
	    cmocka_unit_test(the_result_is_the_runners),
	    cmocka_unit_test(contract_limit),
	    cmocka_unit_test(the_failure_of_a_firing_is_told),
	    cmocka_unit_test(failed_is_not_in_progress),
	    cmocka_unit_test(refusals_are_told_in_the_apis_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
