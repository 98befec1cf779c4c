/* Every row of the state table in docs/lifecycle.md: what is observed, what the policies say,
 * and the plan in short form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "control/manifest.h"
#include "spec/unit/control/decidescene.h"

static const struct row {
	const char *what, *run, *config, *job, *pods, *results /* or Events, an array */, *plan;
} rows[] = {
    {"the run is being deleted", "{" META ", 'deletionTimestamp': '" NOW "'}, " SPEC "}", CONFIG,
     NULL, NULL, NULL, ""},

    /* NO_CONFIG */
    {"the config is not there", NEW_RUN, NULL, NULL, NULL, NULL, "status Pending/ConfigNotFound"},
    {"the config is not there any more, and the start was interrupted", STARTING_RUN, NULL, NULL,
     NULL, NULL, "status Pending/ConfigNotFound"},

    {"a config of another namespace is not there", RUN_ELSEWHERE, NULL, NULL, NULL, NULL,
     "status Pending/ConfigNotAllowed"},
    {"a config of another namespace does not allow the run's", RUN_ELSEWHERE,
     CONFIG_ELSEWHERE("n, nsx"), NULL, NULL, NULL, "status Pending/ConfigNotAllowed"},
    {"a config of another namespace allows the run's", RUN_ELSEWHERE, CONFIG_ELSEWHERE("a,ns"),
     NULL, NULL, ACCEPTED, "status Pending/Starting; create ConfigMap; create Job; event Started"},

    /* NEW */
    {"a new run, its policies content", NEW_RUN, CONFIG, NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started"},
    {"a new run with a schedule",
     "{" META "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '0 0 * * *'}}", CONFIG, NULL,
     NULL, ACCEPTED, "status Pending/Starting; create ConfigMap; create CronJob; event Started"},
    {"validate has violations", NEW_RUN, CONFIG, NULL, NULL,
     "{'validate': {'ok': [{'field': 'spec.parameters.x', 'message': 'no'}]}, 'contract': {'ok': "
     "{}}}",
     "status Rejected/ParametersRejected; event ParametersRejected"},
    {"validate has violations, and contract cannot do with such a run", NEW_RUN, CONFIG, NULL, NULL,
     "{'validate': {'ok': [{'field': 'spec.parameters.x', 'message': 'no'}]}, 'contract': "
     "{'error': "
     "{'kind': 'script', 'message': 'contract.lua:3: boom'}}}",
     "status Rejected/ParametersRejected; event ParametersRejected"},
    {"a hook calls reject()", NEW_RUN, CONFIG, NULL, NULL, ERROR("contract", "reject"),
     "status Rejected/Rejected; event Rejected"},
    {"a hook fails before the start", NEW_RUN, CONFIG, NULL, NULL, ERROR("contract", "script"),
     "status Pending/PolicyError; event PolicyError; backoff"},
    {"a hook passes a limit before the start", NEW_RUN, CONFIG, NULL, NULL,
     ERROR("validate", "limit"), "status Pending/PolicyLimit; event PolicyLimit; backoff"},
    {"the config's own policies are not there", NEW_RUN, CONFIG, NULL, NULL,
     ERROR("policy", "unavailable"),
     "status Pending/PolicyUnavailable; event PolicyUnavailable; backoff"},
    {"the config's own policies are not allowed", NEW_RUN, CONFIG, NULL, NULL,
     ERROR("policy", "not-allowed"),
     "status Pending/PolicyRefNotAllowed; event PolicyRefNotAllowed; backoff"},
    {"the pod template sets what is ours", NEW_RUN,
     "{'metadata': {'namespace': 'ns'}, 'spec': {'image': 'i', 'podTemplate': {'spec': "
     "{'restartPolicy': 'Always'}}}}",
     NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started; event "
     "PodTemplateOverruled"},
    {"shape() changes what is ours", NEW_RUN, CONFIG, NULL, NULL,
     "{'validate': {'ok': []}, 'contract': {'ok': {}}, 'shape': {'ok': {'spec': {'parallelism': "
     "2}}}}",
     "status Pending/Starting; create ConfigMap; create Job; event Started; event "
     "PolicyOverruled"},
    {"a rejected run has been edited",
     "{'metadata': {'name': 'a', 'namespace': 'ns', 'uid': 'u', 'generation': 2}, " SPEC
     ", 'status': {'phase': 'Rejected', 'observedGeneration': 1, 'completionTime': 'x'}}",
     CONFIG, NULL, NULL, ACCEPTED,
     "status Pending/Starting; create ConfigMap; create Job; event Started"},

    /* STARTING */
    {"the start was interrupted", STARTING_RUN, CONFIG, NULL, NULL, ACCEPTED,
     "confirm; create ConfigMap; create Job"},
    {"the CronJob has vanished",
     "{" META
     "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '0 0 * * *'}, 'status': {'phase': "
     "'Scheduled', " REF ", 'uid': 'j'}}}",
     CONFIG, NULL, NULL, ACCEPTED, "confirm; create ConfigMap; create CronJob"},

    /* STARTED */
    {"the Pod runs", STARTED_RUN, CONFIG, JOB("'ready': 1, 'startTime': '" NOW "'"), "[]",
     SAYS("Running", "Running"), "status Running/Running; event Running"},
    {"nothing has changed", "SAME", CONFIG, JOB("'active': 1"), "[]", SAYS("Running", "Running"),
     ""},
    {"the config is not there any more, and the Job is", STARTED_RUN, NULL, JOB("'active': 1"),
     "[]", SAYS("Running", "Running"), "status Running/Running; event Running"},
    {"the Job is complete", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)), ENDED_POD,
     SAYS("Succeeded", "Completed"), "status Succeeded/Completed; event Completed"},
    {"the Job has failed", RUNNING_RUN, CONFIG, JOB(FAILED("2026-11-24T09:00:00Z")), "[]",
     SAYS("Failed", "OOMKilled"), "status Failed/OOMKilled; event OOMKilled"},
    {"the Job is complete, and the status policy calls it a failure", RUNNING_RUN, CONFIG,
     JOB(COMPLETE(NOW)), ENDED_POD, SAYS("Failed", "Partial"),
     "status Failed/Partial; event Partial"},
    {"the Job has finished, and the end of its Pod is not seen yet", RUNNING_RUN, CONFIG,
     JOB(COMPLETE(NOW)), "[]", SAYS("Succeeded", "Completed"), "requeue=200"},
    {"the Job has finished, and the end of its Pod has not been seen for 5 s", RUNNING_RUN, CONFIG,
     JOB(COMPLETE("2026-11-24T09:59:54Z")), "[]", SAYS("Succeeded", "Completed"),
     "status Succeeded/Completed; event Completed"},
    {"the status policy ends what runs", RUNNING_RUN, CONFIG, JOB("'active': 1"), "[]",
     SAYS("Succeeded", "X"), "status Running/PolicyError; event PolicyError; backoff"},
    {"the status policy keeps alive what has ended", RUNNING_RUN, CONFIG, JOB(COMPLETE(NOW)),
     ENDED_POD, SAYS("Running", "X"), "status Running/PolicyError; event PolicyError; backoff"},
    {"the status policy gives a reason that is not one word", RUNNING_RUN, CONFIG,
     JOB("'active': 1"), "[]", SAYS("Running", "not one word"),
     "status Running/PolicyError; event PolicyError; backoff"},
    {"the status policy fails", RUNNING_RUN, CONFIG, JOB("'active': 1"), "[]",
     ERROR("status", "script"), "status Running/PolicyError; event PolicyError; backoff"},
    {"the config's own policies are not there any more, and the Job is", RUNNING_RUN, CONFIG,
     JOB("'active': 1"), "[]", ERROR("policy", "unavailable"),
     "status Running/PolicyUnavailable; event PolicyUnavailable; backoff"},
    {"the run's suspend is not the Job's",
     "{" META
     "}, 'spec': {'configRef': {'name': 'c'}, 'suspend': true}, 'status': {'phase': 'Running'}}",
     CONFIG, JOB("'active': 1"), "[]", SAYS("Running", "Running"),
     "patch Job; status Running/Running"},
    {"the run's schedule is not the CronJob's",
     "{" META "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '1 1 * * *'}, 'status': "
     "{'phase': 'Scheduled'}}",
     CONFIG, "{" JOB_META ", 'spec': {'schedule': '0 0 * * *'}, 'status': {}}", "[]",
     SAYS("Scheduled", "Scheduled"), "patch CronJob; status Scheduled/Scheduled"},

    {"the runner could not start in its time", STARTED_RUN, CONFIG, JOB("'active': 1"),
     HOPELESS_POD("2026-11-24T09:50:00Z"), SAYS("Pending", "ErrImagePull"),
     "status Failed/StartTimeout; patch Job; event StartTimeout"},
    {"the runner cannot start, and has time left", STARTED_RUN, CONFIG, JOB("'active': 1"),
     HOPELESS_POD("2026-11-24T09:50:01Z"), SAYS("Pending", "ErrImagePull"),
     "status Pending/ErrImagePull; requeue=1000"},
    {"the runner could not start in its time, and the status policy fails", STARTED_RUN, CONFIG,
     JOB("'active': 1"), HOPELESS_POD("2026-11-24T09:50:00Z"), ERROR("status", "script"),
     "status Failed/StartTimeout; patch Job; event StartTimeout"},

    {"the Job has made no Pod yet", STARTED_RUN, CONFIG, JOB("'startTime': '2026-11-24T09:59:56Z'"),
     "[]", SAYS("Pending", "PodNotCreated"), "status Pending/PodNotCreated; requeue=6000"},
    {"only the words differ, and something has just happened", BUSY_RUN, CONFIG, JOB("'ready': 1"),
     "[]", SAYS("Running", "Other"), "requeue=2000"},
    {"an attempt has failed, and another will follow", BUSY_RUN, CONFIG, JOB("'active': 1"),
     FAILED_POD("3"), SAYS("Running", "WaitingToRetry"),
     "status Running/WaitingToRetry; requeue=10000"},
    {"the last attempt has failed, and the Job does not say so yet", BUSY_RUN, CONFIG,
     JOB("'failed': 4"), FAILED_POD("3"), SAYS("Running", "WaitingToRetry"), "requeue=2000"},
    {"an attempt has failed for good, and the Job does not say so yet", BUSY_RUN, CONFIG,
     JOB("'active': 1"), FAILED_POD("2"), SAYS("Running", "WaitingToRetry"), "requeue=2000"},

    /* FOREIGN, LOST */
    {"a Job of the name is somebody else's", NEW_RUN, CONFIG,
     "{'metadata': {'ownerReferences': [{'uid': 'o'}]}}", NULL, NULL,
     "status Pending/JobNameTaken; backoff"},
    {"a Job of the name is nobody's", NEW_RUN, CONFIG, "{'metadata': {}}", NULL, NULL,
     "status Pending/JobNameTaken; backoff"},
    {"the Job was seen and is gone", STARTED_RUN, CONFIG, NULL, NULL, NULL,
     "absent Job; status Failed/JobLost; event JobLost"},

    {"the start was interrupted, and a Pod had been made", STARTING_RUN, CONFIG, NULL, NULL,
     "[{'reason': 'SuccessfulCreate'}]", "absent Job; status Failed/JobLost; event JobLost"},

    /* FINISHED */
    {"finished, the Job is gone", ENDED("Failed", NOW), CONFIG, NULL, NULL, NULL, ""},
    {"finished, the Job tells something else", ENDED("Failed", NOW), CONFIG, JOB(COMPLETE(NOW)),
     "[]", NULL, ""},
    {"finished, and the Job still runs", ENDED("Failed", NOW), CONFIG, JOB("'active': 1"), "[]",
     NULL, "patch Job"},
    {"finished, and the Job is being ended", ENDED("Failed", NOW), CONFIG,
     "{" JOB_META ", 'spec': {'activeDeadlineSeconds': 1}}", "[]", NULL, ""},
    {"finished, and a Job of the name is somebody else's", ENDED("Failed", NOW),
     CONFIG_DELETE("DeleteOnSuccess"), "{'metadata': {'ownerReferences': [{'uid': 'o'}]}}", "[]",
     NULL, ""},
    {"finished, the config is not there", ENDED("Succeeded", NOW), NULL, NULL, NULL, NULL, ""},
    {"finished, to be deleted later", ENDED("Succeeded", "2026-11-24T09:59:50Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, "requeue=50000"},
    {"finished, to be deleted now", ENDED("Succeeded", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, "event AutoDeleted; delete"},
    {"failed, with DeleteOnSuccess", ENDED("Failed", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, NULL, ""},
    {"failed, with DeleteOnCompletion", ENDED("Failed", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnCompletion"), NULL, NULL, NULL, "event AutoDeleted; delete"},
    {"rejected, with DeleteOnCompletion", ENDED("Rejected", "2026-11-24T09:59:00Z"),
     CONFIG_DELETE("DeleteOnCompletion"), NULL, NULL, NULL, ""},
    {"finished, and the Job may expire now", ENDED("Failed", NOW), CONFIG_DELETE("DeleteOnSuccess"),
     JOB(FAILED(NOW)), NULL, NULL, "patch Job"},
};

static void world_of_row(struct world *w, const struct row *row)
{
	world_init(w, streq(row->run, "SAME") ? RUNNING_RUN : row->run, row->config, row->job,
		   row->pods);
	w->results = parse(row->results);
	w->o.events = json_type(w->results) == JSON_ARRAY ? w->results : NULL;
}

static void each_row_gives_its_plan(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		bool same = streq(row->run, "SAME");
		auto_free char *plan_text = NULL;
		struct world w;
		struct plan plan;

		world_of_row(&w, row);
		plan_init(&plan);
		decide(&w.o, w.results, &plan);
		if (same) { /* once more, after the first has been applied */
			apply_status(&w, &plan);
			plan_done(&plan);
			decide(&w.o, w.results, &plan);
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

/* "| NEW | a new run | status ... |": a row as docs/lifecycle.md has it. */
static char *line_of(const struct row *row)
{
	static const char *const stages[] = {
	    [STAGE_NEW] = "NEW",           [STAGE_STARTING] = "STARTING",
	    [STAGE_STARTED] = "STARTED",   [STAGE_LOST] = "LOST",
	    [STAGE_FINISHED] = "FINISHED", [STAGE_NO_CONFIG] = "NO_CONFIG",
	    [STAGE_FOREIGN] = "FOREIGN",   [STAGE_DELETING] = "DELETING",
	};
	struct world w;
	char *line;

	world_of_row(&w, row);
	line = xasprintf("\n| %s | %s | %s |\n", stages[decide_stage(&w.o)], row->what,
			 *row->plan != '\0' ? row->plan : "nothing");
	world_done(&w);
	return line;
}

static size_t count_text(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

static void the_documented_table_is_this_one(void **state UNUSED)
{
	struct err err = ERR_INIT;
	auto_buf struct buf text = BUF_INIT(1 << 20);
	const char *table;

	if (file_read("docs/lifecycle.md", &text, &err) < 0) /* from the root of the repository */
		fail_msg("%s", err.msg);
	table = strstr(text.data, "| stage | observed | plan |");
	assert_non_null(table);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *line = line_of(&rows[i]);

		if (count_text(table, line) != 1)
			fail_msg("docs/lifecycle.md: expected once:%s", line);
	}
	assert_int_equal(count_text(table, "\n| "), ARRAY_LEN(rows));
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
	    {ACTION_CREATE, ERR_LIMIT, "long", "status Pending/Refused; event Refused; backoff"},
	    {ACTION_CREATE, ERR_RETRY, "reset", "backoff"},
	    {ACTION_PATCH, ERR_CONFLICT, "moved", "backoff"},
	    {ACTION_ABSENT, ERR_RETRY, "there", "backoff"},
	    {ACTION_DELETE, ERR_DENIED, "forbidden", "backoff"},
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

static void a_refusal_is_told_once(void **state UNUSED)
{
	struct action action = {.type = ACTION_CREATE, .kind = &KIND_JOB};
	struct err err = ERR_INIT;
	struct world w;
	struct plan plan;

	err_set(&err, ERR_DENIED, "exceeded quota: q");
	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		plan_init(&plan);
		decide_failure(&w.o, &action, &err, &plan);
		apply_status(&w, &plan);
		assert_int_equal(plan.len, i == 0 ? 2 : 0);
		assert_true(plan.backoff);
		plan_done(&plan);
	}
	world_done(&w);
}

/* The cache keeps little of a finished run: a status made from that would wipe out the rest. */
static void a_refused_clean_up_leaves_the_outcome_alone(void **state UNUSED)
{
	static const char *const runs[] = {ENDED("Succeeded", NOW), ENDED("Failed", NOW)};
	struct action action = {.type = ACTION_PATCH, .kind = &KIND_JOB};

	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		auto_free char *text = NULL;
		struct err err = ERR_INIT;
		struct world w;
		struct plan plan;

		err_set(&err, ERR_DENIED, "jobs.batch is forbidden: no");
		world_init(&w, runs[i], CONFIG_DELETE("DeleteOnCompletion"), NULL, NULL);
		plan_init(&plan);
		decide_failure(&w.o, &action, &err, &plan);
		text = summary(&plan);
		assert_string_equal(text, "event Forbidden; backoff");
		plan_done(&plan);
		world_done(&w);
	}
}

static void too_many_violations_are_cut(void **state UNUSED)
{
	auto_json struct json *results = parse("{'validate': {'ok': []}}");
	struct json *list = json_mut(json_mut(results, "validate"), "ok");
	const char *message;
	struct world w;
	struct plan plan;

	for (int i = 0; i < 1000; i++)
		json_append(list, json_build("{'field': 'spec.parameters.x', 'message': 'no'}"));
	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	message = json_str(json_at(plan.actions[0].body, "status", "message"));
	assert_non_null(strstr(message, "spec.parameters.x: no; spec.parameters.x: no"));
	assert_string_equal(strrchr(message, ';'), "; and more, too many to list");
	plan_done(&plan);
	world_done(&w);
}

static void a_long_violation_is_cut_and_told(void **state UNUSED)
{
	auto_json struct json *results = parse("{'validate': {'ok': []}}");
	auto_free char *long_text = xcalloc(1, (20 << 10) + 1);
	const char *message;
	struct world w;
	struct plan plan;

	memset(long_text, 'x', 20 << 10);
	for (int i = 0; i < 2; i++)
		json_append(json_mut(json_mut(results, "validate"), "ok"),
			    json_build("{'field': 'spec.parameters.x', 'message': %s}", long_text));
	world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
	plan_init(&plan);
	decide(&w.o, results, &plan);
	message = json_str(json_at(plan.actions[0].body, "status", "message"));
	assert_true(has_prefix(message, "spec.parameters.x: xxx"));
	assert_non_null(strstr(message, "xxx; spec.parameters.x: xxx"));
	plan_done(&plan);
	world_done(&w);
}

/* Else the API would refuse the status, and the run would never start. */
static void the_models_name_fits_its_column(void **state UNUSED)
{
	for (size_t len = 1024; len <= 1025; len++) {
		auto_free char *model = xcalloc(1, len + 1);
		auto_json struct json *results = NULL;
		struct world w;
		struct plan plan;

		memset(model, 'm', len);
		results = json_build("{'validate': {'ok': []}, 'contract': {'ok': {'kserve': "
				     "{'modelName': %s}}}}",
				     model);
		world_init(&w, NEW_RUN, CONFIG, NULL, NULL);
		plan_init(&plan);
		decide(&w.o, results, &plan);
		assert_int_equal(strlen(json_str(json_at(plan.actions[0].body, "status", "model"))),
				 1024);
		plan_done(&plan);
		world_done(&w);
	}
}

static void survive(const char *run, const char *job, const struct json *results)
{
	struct world w;
	struct plan plan;

	world_init(&w, run, CONFIG, job, "[]");
	plan_init(&plan);
	decide(&w.o, results, &plan);
	plan_done(&plan);
	world_done(&w);
}

/* Whatever the worker answers, which is not trusted: it does not end the controller. */
static void any_answer_is_survived(void **state UNUSED)
{
	static const char *const values[] = {
	    "null",
	    "5",
	    "[5]",
	    "{}",
	    "{'phase': 'Running', 'conditions': [5, {}]}",
	    "{'kserve': {'modelName': 5}}",
	    "{'metadata': 5, 'spec': []}",
	    "{'metadata': {'labels': 5, 'annotations': [], 'ownerReferences': 5}}",
	    "{'spec': {'template': {'spec': 5}, 'jobTemplate': 5}}",
	    "{'spec': {'template': {'spec': {'containers': [5, {}, {'name': 5}], 'volumes': 5}}}}",
	};
	static const char scheduled[] =
	    "{" META "}, 'spec': {'configRef': {'name': 'c'}, 'schedule': '@daily'}}";

	for (size_t i = 0; i < ARRAY_LEN(values) * ARRAY_LEN(values); i++) {
		auto_json struct json *a = json_build(values[i / ARRAY_LEN(values)]);
		auto_json struct json *b = json_build(values[i % ARRAY_LEN(values)]);
		auto_json struct json *good =
		    json_build("{'validate': {'ok': []}, 'contract': {'ok': %j},"
			       " 'shape': {'ok': %j}, 'status': {'ok': %j}}",
			       a, b, b);
		auto_json struct json *bad =
		    json_build("{'validate': {'ok': %j}, 'contract': {'error': %j}}", a, b);

		survive(NEW_RUN, NULL, good);
		survive(scheduled, NULL, good);
		survive(STARTING_RUN, NULL, good);
		survive(STARTED_RUN, JOB("'ready': 1"), good);
		survive(NEW_RUN, NULL, bad);
		survive(NEW_RUN, NULL, a);
	}
}

static void odd_states_do_no_harm(void **state UNUSED)
{
	static const struct {
		const char *what, *run, *config, *job, *results, *plan;
	} table[] = {
	    {"an interrupted start, and a hook fails", STARTING_RUN, CONFIG, NULL,
	     ERROR("contract", "script"), "status Pending/PolicyError; event PolicyError; backoff"},
	    {"a kept contract that is no base64",
	     "{" META "}, " SPEC ", 'status': {'phase': 'Pending', 'contract': '!', " REF "}}}",
	     CONFIG, NULL, ACCEPTED, "confirm; create ConfigMap; create Job"},
	    {"a finished run without a time, to be deleted",
	     "{" META "}, " SPEC ", 'status': {'phase': 'Succeeded'}}",
	     CONFIG_DELETE("DeleteOnSuccess"), NULL, NULL, ""},
	    {"a finished run that is to stay for ever", ENDED("Succeeded", NOW),
	     "{'spec': {'autoDeletePolicy': 'DeleteOnSuccess', 'ttlSecondsAfterFinished': "
	     "9223372036854775807}}",
	     NULL, NULL, "requeue=2147483647000"},
	    {"a policy error for a run that has no phase", NEW_RUN, CONFIG, JOB("'ready': 1"),
	     ERROR("status", "script"), "status Pending/PolicyError; event PolicyError; backoff"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *results = parse(table[i].results);
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, table[i].run, table[i].config, table[i].job, "[]");
		text = plan_of(&w, results);
		if (!streq(text, table[i].plan))
			fail_msg("%s: expected \"%s\", got \"%s\"", table[i].what, table[i].plan,
				 text);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_gives_its_plan),
	    cmocka_unit_test(the_documented_table_is_this_one),
	    cmocka_unit_test(the_question_fits_the_stage),
	    cmocka_unit_test(a_config_that_cannot_be_read_is_not_said_to_be_missing),
	    cmocka_unit_test(the_first_status_is_guarded_and_complete),
	    cmocka_unit_test(an_overruled_policy_is_told_by_paths),
	    cmocka_unit_test(a_traceback_goes_into_the_event),
	    cmocka_unit_test(a_resumed_start_keeps_its_contract),
	    cmocka_unit_test(contract_limit),
	    cmocka_unit_test(refusals_are_told_in_the_apis_words),
	    cmocka_unit_test(a_refusal_is_told_once),
	    cmocka_unit_test(a_refused_clean_up_leaves_the_outcome_alone),
	    cmocka_unit_test(too_many_violations_are_cut),
	    cmocka_unit_test(a_long_violation_is_cut_and_told),
	    cmocka_unit_test(the_models_name_fits_its_column),
	    cmocka_unit_test(any_answer_is_survived),
	    cmocka_unit_test(odd_states_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
