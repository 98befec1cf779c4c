/* Which patch makes a Job or CronJob what its run wants, and what is told to have no effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "control/upkeep.h"

#define QUEUE "'kueue.x-k8s.io/queue-name': 'q'"
#define OURS "'ai.krateo.io/suspended': 'true'"
#define DAILY "'schedule': '@daily'"

/* spec of the run; labels and spec of its Job or CronJob; the patch without name and uid. */
static const struct row {
	const char *what, *run, *labels, *job, *patch;
} rows[] = {
    {"nothing asked", "{}", "{}", "{}", NULL},
    {"nothing asked, someone else suspended it", "{}", "{}", "{'suspend': true}", NULL},
    {"suspend", "{'suspend': true}", "{}", "{'suspend': false}",
     "{'metadata': {'labels': {" OURS "}}, 'spec': {'suspend': true}}"},
    {"suspend, unset before", "{'suspend': true}", "{}", "{}",
     "{'metadata': {'labels': {" OURS "}}, 'spec': {'suspend': true}}"},
    {"suspended already", "{'suspend': true}", "{" OURS "}", "{'suspend': true}", NULL},
    {"someone else resumed it", "{'suspend': true}", "{" OURS "}", "{'suspend': false}",
     "{'metadata': {'labels': {" OURS "}}, 'spec': {'suspend': true}}"},
    {"resume", "{'suspend': false}", "{" OURS "}", "{'suspend': true}",
     "{'metadata': {'labels': {'ai.krateo.io/suspended': null}}, 'spec': {'suspend': false}}"},
    {"resume what someone else suspended", "{'suspend': false}", "{}", "{'suspend': true}",
     "{'metadata': {'labels': {'ai.krateo.io/suspended': null}}, 'spec': {'suspend': false}}"},
    {"suspend taken out of the run", "{}", "{" OURS "}", "{'suspend': true}",
     "{'metadata': {'labels': {'ai.krateo.io/suspended': null}}, 'spec': {'suspend': false}}"},
    {"running already", "{'suspend': false}", "{}", "{}", NULL},
    {"in a queue: not suspended", "{'suspend': true}", "{" QUEUE "}", "{'suspend': false}", NULL},
    {"in a queue: not resumed", "{'suspend': false}", "{" QUEUE "}", "{'suspend': true}", NULL},
    {"in a queue: not even if it began suspended", "{}", "{" QUEUE ", " OURS "}",
     "{'suspend': true}", NULL},
    {"a one-shot run has no schedule", "{'timeZone': 'UTC'}", "{}", "{}", NULL},
    {"the same schedule", "{" DAILY "}", "{}", "{" DAILY ", 'suspend': false}", NULL},
    {"all of a schedule",
     "{" DAILY ", 'timeZone': 'UTC', 'concurrencyPolicy': 'Forbid', 'startingDeadlineSeconds': 1,"
     " 'successfulJobsHistoryLimit': 2, 'failedJobsHistoryLimit': 3, 'suspend': true}",
     "{}", "{'schedule': '@hourly', 'suspend': false}",
     "{'metadata': {'labels': {" OURS "}}, 'spec': {" DAILY ", 'timeZone': 'UTC',"
     " 'concurrencyPolicy': 'Forbid', 'startingDeadlineSeconds': 1,"
     " 'successfulJobsHistoryLimit': 2, 'failedJobsHistoryLimit': 3, 'suspend': true}}"},
    {"what a policy may have set stays", "{" DAILY "}", "{}",
     "{" DAILY ", 'timeZone': 'UTC', 'failedJobsHistoryLimit': 9, 'suspend': true}", NULL},
    {"a schedule in a queue can be held: its Jobs queue, not it", "{" DAILY ", 'suspend': true}",
     "{" QUEUE "}", "{" DAILY "}",
     "{'metadata': {'labels': {" OURS "}}, 'spec': {'suspend': true}}"},
};

struct world {
	struct json *run, *config, *job;
	struct observed o;
};

static void world_init(struct world *w, const struct row *row, const char *config)
{
	auto_json struct json *spec = json_build(row->run), *job = json_build(row->job);
	auto_json struct json *labels = json_build(row->labels);

	*w = (struct world){
	    .run = json_build("{'metadata': {'generation': 2}, 'spec': %j}", spec),
	    .config = config != NULL ? json_build(config) : NULL,
	    .job = json_build("{'metadata': {'name': 'n', 'uid': 'u', 'labels': %j}, 'spec': %j}",
			      labels, job),
	};
	w->o = (struct observed){.run = w->run, .config = w->config, .job = w->job};
}

static void world_done(struct world *w)
{
	json_free(w->run);
	json_free(w->config);
	json_free(w->job);
}

static void each_row_gives_its_patch(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *wanted = NULL, *patch = NULL;
		auto_free char *text = NULL;
		struct world w;

		world_init(&w, &rows[i], NULL);
		patch = upkeep_changes(&w.o);
		text = json_print(patch);
		if (rows[i].patch != NULL) {
			wanted = json_build(rows[i].patch);
			json_set_str(json_obj(wanted, "metadata"), "name", "n");
			json_set_str(json_obj(wanted, "metadata"), "uid", "u");
		}
		if (!json_equal(patch, wanted))
			fail_msg("%s: found %s", rows[i].what, text);
		world_done(&w);
	}
}

/* Once it is applied, there is nothing left to do: nobody is fought with. */
static void a_patch_is_enough(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *patch = NULL, *again = NULL;
		struct world w;

		world_init(&w, &rows[i], NULL);
		patch = upkeep_changes(&w.o);
		if (patch != NULL)
			json_merge_patch(w.job, patch);
		again = upkeep_changes(&w.o);
		if (again != NULL)
			fail_msg("%s", rows[i].what);
		world_done(&w);
	}
}

static void what_has_no_effect_is_told(void **state UNUSED)
{
	static const struct {
		const char *config, *told;
		struct row row;
	} table[] = {
	    {"{}", "", {.run = "{" DAILY "}", .labels = "{}", .job = "{}"}},
	    {"{'spec': {'autoDeletePolicy': 'None'}}",
	     "",
	     {.run = "{" DAILY "}", .labels = "{}", .job = "{}"}},
	    {"{'spec': {'autoDeletePolicy': 'DeleteOnSuccess'}}",
	     "AutoDelete=False/Scheduled ",
	     {.run = "{" DAILY "}", .labels = "{}", .job = "{}"}},
	    {"{'spec': {'autoDeletePolicy': 'DeleteOnSuccess'}}",
	     "",
	     {.run = "{}", .labels = "{}", .job = "{}"}},
	    {NULL, "", {.run = "{" DAILY "}", .labels = "{}", .job = "{}"}},
	    {"{}",
	     "Suspend=False/Queued ",
	     {.run = "{'suspend': true}", .labels = "{" QUEUE "}", .job = "{}"}},
	    {"{}", "", {.run = "{'suspend': true}", .labels = "{}", .job = "{}"}},
	    {"{}", "", {.run = "{'suspend': false}", .labels = "{" QUEUE "}", .job = "{}"}},
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(table); i++) {
		bool had_both = i % 2 == 1;
		auto_json struct json *status = json_build(
		    had_both ? "{'conditions': [{'type': 'AutoDelete', 'status': 'False'},"
			       " {'type': 'Suspend', 'status': 'False'}]}"
			     : "{}");
		auto_buf struct buf told = BUF_INIT(256);
		struct world w;

		world_init(&w, &table[i / 2].row, table[i / 2].config);
		upkeep_note(&w.o, status);
		for (const struct json *c = json_first(json_get(status, "conditions")); c != NULL;
		     c = json_next(c))
			buf_addf(&told, "%s=%s/%s ", json_get_str(c, "type", ""),
				 json_get_str(c, "status", ""), json_get_str(c, "reason", ""));
		if (w.config == NULL && had_both) /* who knows: it stays */
			assert_string_equal(told.data, "AutoDelete=False/ ");
		else
			assert_string_equal(told.data, table[i / 2].told);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_gives_its_patch),
	    cmocka_unit_test(a_patch_is_enough),
	    cmocka_unit_test(what_has_no_effect_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
