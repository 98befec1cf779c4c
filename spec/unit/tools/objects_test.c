#include "temporary.h"

#include "base/timefmt.h"
#include "tools/objects.h"

/* Reads text as a file; the message without the path, "" if all is well. Yours. */
static char *add(struct objects *objects, const char *folder, const char *text)
{
	auto_free char *path = file_of(folder, "objects", text);
	struct err err = ERR_INIT;

	if (objects_read(objects, path, "default", &err) == 0)
		return xstrdup("");
	assert_true(has_prefix(err.msg, path));
	return xstrdup(err.msg + strlen(path));
}

#define RUN "{apiVersion: ai.krateo.io/v1, kind: InferenceRun, metadata: {name: a"

static void what_is_refused(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	    {"{apiVersion: ai.krateo.io/v1, kind: InferenceRun}",
	     ": InferenceRun: expected metadata with a name, found nothing"},
	    {"{apiVersion: ai.krateo.io/v1, kind: InferenceRun, metadata: a}",
	     ": InferenceRun: expected metadata with a name, found string"},
	    {"{apiVersion: ai.krateo.io/v1, kind: InferenceConfig, metadata: {}}",
	     ": InferenceConfig: "},
	    {"{apiVersion: batch/v1, kind: Job, metadata: {name: a/b}}", ": Job: "},
	    {RUN "}}\n---\n" RUN "}}", ": InferenceRun default/a is given twice"},
	    {RUN "}}\n---\n" RUN ", namespace: default}}",
	     ": InferenceRun default/a is given twice"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects *objects = objects_new();
		auto_free char *found = add(objects, *state, rows[i].text);

		if (!has_prefix(found, rows[i].wanted))
			fail_msg("%s\n  found: %s", rows[i].text, found);
		objects_free(objects);
	}
}

/* The runs that are found in it, "ns/a ns/b". */
static void which_runs(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	    {"", "[]"},
	    {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "[]"},
	    {"{apiVersion: other/v1, kind: InferenceRun, metadata: {name: a}}", "[]"},
	    {"{kind: InferenceRun, metadata: {name: a}}", "[]"},
	    {RUN "}}", "[\"default/a\"]"},
	    {RUN ", namespace: x}}\n---\n" RUN "}}", "[\"x/a\",\"default/a\"]"},
	    {"{apiVersion: ai.krateo.io/v1, kind: InferenceRunList, items: [{metadata: {name: b}}, "
	     "{metadata: {name: a}}]}",
	     "[\"default/b\",\"default/a\"]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects *objects = objects_new();
		auto_free char *problem = add(objects, *state, rows[i].text), *runs = NULL;

		assert_string_equal(problem, "");
		runs = json_print(objects_runs(objects));
		assert_string_equal(runs, rows[i].wanted);
		objects_free(objects);
	}
}

static const char namespace_full[] =
    "apiVersion: v1\n"
    "kind: List\n"
    "items:\n"
    "- {apiVersion: ai.krateo.io/v1, kind: InferenceRun, metadata: {name: a, uid: abcdefgh-1},\n"
    "   spec: {configRef: {name: c}, parameters: {x: y}}, status: {phase: Succeeded}}\n"
    "- {apiVersion: ai.krateo.io/v1, kind: InferenceRun, metadata: {name: b},\n"
    "   spec: {configRef: {name: c, namespace: there}, schedule: '@daily'}}\n"
    "- {apiVersion: ai.krateo.io/v1, kind: InferenceConfig,\n"
    "   metadata: {name: c, managedFields: [1]}}\n"
    "- {apiVersion: ai.krateo.io/v1, kind: InferenceConfig,\n"
    "   metadata: {name: c, namespace: there}, spec: {image: other}}\n"
    "- {apiVersion: batch/v1, kind: Job, metadata: {name: inf-a-abcdefgh, uid: j},\n"
    "   spec: {suspend: true, template: {}}}\n"
    "- {apiVersion: batch/v1, kind: CronJob, metadata: {name: inf-b-00000000},\n"
    "   spec: {schedule: '@daily', jobTemplate: {}}}\n"
    "- {apiVersion: batch/v1, kind: Job, metadata: {name: inf-b-00000000}}\n"
    "- {apiVersion: v1, kind: Pod, spec: {nodeName: n, containers: []},\n"
    "   metadata: {name: p, ownerReferences: [{uid: j, controller: true}]}}\n"
    "- {apiVersion: v1, kind: Pod,\n"
    "   metadata: {name: q, ownerReferences: [{uid: another, controller: true}]}}\n";

static void assert_json(const struct json *value, const char *wanted)
{
	auto_free char *text = json_print(value);

	assert_string_equal(text, wanted);
}

/* As the controller sees it: cut down, but the run whole. */
static void what_belongs_to_a_run(void **state)
{
	struct objects *objects = objects_new();
	auto_free char *problem = add(objects, *state, namespace_full);
	struct view view;

	assert_string_equal(problem, "");
	objects_look(objects, "default/a", &view);
	assert_json(json_at(view.run, "spec", "parameters"), "{\"x\":\"y\"}");
	assert_json(json_get(view.config, "metadata"),
		    "{\"namespace\":\"default\",\"name\":\"c\"}");
	assert_json(json_get(view.job, "kind"), "\"Job\"");
	assert_json(json_get(view.job, "spec"), "{\"suspend\":true}");
	assert_int_equal(json_len(view.pods), 1);
	assert_json(json_get(json_first(view.pods), "spec"), "{\"nodeName\":\"n\"}");
	view_done(&view);
	objects_free(objects);
}

static void what_belongs_to_a_schedule(void **state)
{
	struct objects *objects = objects_new();
	auto_free char *problem = add(objects, *state, namespace_full);
	struct view view;

	assert_string_equal(problem, "");
	objects_look(objects, "default/b", &view);
	assert_json(json_at(view.run, "metadata", "uid"),
		    "\"00000000-0000-0000-0000-000000000000\"");
	assert_json(json_at(view.config, "spec", "image"), "\"other\"");
	assert_json(json_get(view.job, "kind"), "\"CronJob\"");
	assert_json(json_get(view.job, "spec"), "{\"schedule\":\"@daily\"}");
	assert_json(view.pods, "[]");
	view_done(&view);
	objects_free(objects);
}

static void a_run_alone(void **state)
{
	struct objects *objects = objects_new();
	auto_free char *problem = add(objects, *state, RUN "}}");
	struct view view;

	assert_string_equal(problem, "");
	objects_look(objects, "default/a", &view);
	assert_null(view.config);
	assert_null(view.job);
	assert_json(view.pods, "[]");
	view_done(&view);
	objects_free(objects);
}

/* When the run of this text is created; yours. */
static char *created(const char *folder, const char *text)
{
	struct objects *objects = objects_new();
	auto_free char *problem = add(objects, folder, text);
	struct view view;
	char *time;

	assert_string_equal(problem, "");
	objects_look(objects, "default/a", &view);
	time = xstrdup(json_str(json_at(view.run, "metadata", "creationTimestamp")));
	view_done(&view);
	objects_free(objects);
	return time;
}

static void a_run_is_created_now_unless_it_says_when(void **state)
{
	static const char *const unsaid[] = {RUN "}}", RUN ", creationTimestamp: null}}"};
	auto_free char *said = created(*state, RUN ", creationTimestamp: '2026-11-24T10:00:00Z'}}");
	int64_t ms;

	assert_string_equal(said, "2026-11-24T10:00:00Z");
	for (size_t i = 0; i < ARRAY_LEN(unsaid); i++) {
		auto_free char *now = created(*state, unsaid[i]);

		assert_true(time_parse(now, &ms));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(which_runs),
	    cmocka_unit_test(what_belongs_to_a_run),
	    cmocka_unit_test(what_belongs_to_a_schedule),
	    cmocka_unit_test(a_run_alone),
	    cmocka_unit_test(a_run_is_created_now_unless_it_says_when),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
