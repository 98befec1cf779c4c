/*
 * Our CRDs: what the API server takes and refuses. The expectations were compared with
 * kube-apiserver's own validation (apiextensions-apiserver v0.32).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/yaml.h"
#include "spec/apisim/cron.h"
#include "spec/apisim/schema.h"

static struct {
	struct json *config_crd, *run_crd;
	struct schema *config, *run;
} crds;

static struct json *load(const char *path)
{
	auto_buf struct buf text = BUF_INIT(YAML_MAX);
	struct err err = ERR_INIT;
	struct json *documents = NULL;

	if (file_read(path, &text, &err) == 0)
		documents = yaml_parse_all(text.data, text.len, &err);
	if (documents == NULL)
		fail_msg("%s: %s (run from the top folder)", path, err.msg);
	return documents;
}

static struct schema *load_crd(const char *path, struct json **crd)
{
	struct err err = ERR_INIT;
	struct schema *schema;

	*crd = load(path);
	schema = schema_new(json_first(json_at(json_first(*crd), "spec", "versions")), NULL, &err);
	if (schema == NULL)
		fail_msg("%s: %s", path, err.msg);
	return schema;
}

static int load_crds(void **state)
{
	(void)state;
	crds.config =
	    load_crd("charts/crd-chart/templates/inferenceconfigs.yaml", &crds.config_crd);
	crds.run = load_crd("charts/crd-chart/templates/inferenceruns.yaml", &crds.run_crd);
	return 0;
}

static int free_crds(void **state)
{
	(void)state;
	schema_free(crds.config);
	schema_free(crds.run);
	json_free(crds.config_crd);
	json_free(crds.run_crd);
	return 0;
}

/* The refusal, or "" where the object is taken as it is but for defaults; yours. */
static char *verdict(const struct schema *schema, struct json *object, const struct json *old)
{
	struct err err = ERR_INIT;
	auto_json struct json *causes = json_array();

	if (schema_admit(schema, object, old, SCHEMA_STRICT, NULL, causes, &err) == 0)
		return xstrdup("");
	return json_len(causes) > 0 ? schema_message(causes) : xstrdup(err.msg);
}

static void expect(const char *what, const char *found, const char *expected)
{
	/* One of these comes with each finding that is not about a value; it says nothing new. */
	const char *stopped = strstr(found, ", <nil>: ");
	size_t len = stopped != NULL ? (size_t)(stopped - found) : strlen(found);
	const char *from = found + (stopped != NULL && *found == '[');

	len -= (size_t)(from - found);
	if (strlen(expected) != len || strncmp(from, expected, len) != 0)
		fail_msg("%s:\nexpected '%s'\nfound    '%s'", what, expected, found);
}

/* ---- InferenceConfig ---- */

struct example {
	const char *spec, *refusal;
};

static void check_spec(const struct schema *schema, const struct example *example)
{
	auto_free char *text = xasprintf("{'spec':%s}", example->spec);
	auto_json struct json *object = json_build(text);
	auto_free char *found = verdict(schema, object, NULL);

	expect(example->spec, found, example->refusal);
}

static void configs_are_refused(void **state)
{
	static const struct example examples[] = {
	    {"{}", "spec.image: Required value"},
	    {"{'image':'','modelUrl':'u'}",
	     "spec.image: Invalid value: \"\": spec.image in body should be at least 1 chars long"},
	    {"{'image':'x'}", "spec: Invalid value: \"object\": expected a model's address in "
			      "kserve.modelUrl (or modelUrl), found none"},
	    {"{'image':'x','modelUrl':'','kserve':{'modelUrl':''}}",
	     "spec: Invalid value: \"object\": expected a model's address in kserve.modelUrl (or "
	     "modelUrl), found none"},
	    {"{'image':'x','modelUrl':'u','autoDeletePolicy':'Always'}",
	     "spec.autoDeletePolicy: Unsupported value: \"Always\": supported values: \"None\", "
	     "\"DeleteOnCompletion\", \"DeleteOnSuccess\""},
	    {"{'image':'x','modelUrl':'u','backoffLimit':-1}",
	     "spec.backoffLimit: Invalid value: -1: spec.backoffLimit in body should be greater "
	     "than "
	     "or equal to 0"},
	    {"{'image':'x','modelUrl':'u','ttlSecondsAfterFinished':-1}",
	     "spec.ttlSecondsAfterFinished: Invalid value: -1: spec.ttlSecondsAfterFinished in "
	     "body "
	     "should be greater than or equal to 0"},
	    {"{'image':'x','modelUrl':'u','credentialsRef':{}}",
	     "spec.credentialsRef.name: Required value"},
	    {"{'image':'x','modelUrl':'u','storage':{'input':{'s3':'x'}}}",
	     "spec.storage.input.s3: Invalid value: \"string\": spec.storage.input.s3 in body must "
	     "be "
	     "of type object: \"string\""},
	    {"{'image':'x','modelUrl':'u','podTemplate':[]}",
	     "spec.podTemplate: Invalid value: \"array\": spec.podTemplate in body must be of type "
	     "object: \"array\""},
	    {"{'image':'x','modelUrl':'u','modelurl':'v'}",
	     "strict decoding error: unknown field \"spec.modelurl\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_spec(crds.config, &examples[i]);
}

static void configs_are_taken(void **state)
{
	static const struct example examples[] = {
	    {"{'image':'x','modelUrl':'u'}", ""},
	    {"{'image':'x','kserve':{'modelUrl':'u'}}", ""},
	    {"{'image':'x','kserve':{'modelUrl':''},'modelUrl':'u'}", ""},
	    {"{'image':'x','kserve':{'modelUrl':'u','modelName':'n','modelVersion':'v2',"
	     "'modelInputName':'i'},'modelName':'n','modelVersion':'v2','modelInputName':'i'}",
	     ""},
	    {"{'image':'x','modelUrl':'u','credentialsRef':{'name':'c'}}", ""},
	    {"{'image':'x','modelUrl':'u','credentialsRef':{'name':'c','namespace':'n'}}", ""},
	    {"{'image':'x','modelUrl':'u','backoffLimit':0,'ttlSecondsAfterFinished':0}", ""},
	    {"{'image':'x','modelUrl':'u','podTemplate':{'metadata':{'labels':{'a':'b'}},'spec':{"
	     "'containers':[{'name':'inference','env':[]}]}}}",
	     ""},
	    {"{'image':'x','modelUrl':'u','storage':{}}", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_spec(crds.config, &examples[i]);
}

static void configs_get_defaults_and_keep_storage_as_it_is(void **state)
{
	static const char storage[] =
	    "{'input':{'s3':{'n':9007199254740993,'r':0.10,'e':1e400,'z':null,'l':[[],{}]}},"
	    "'output':{'a.b/c':{}}}";
	auto_json struct json *expected = json_build(storage);
	auto_free char *text =
	    xasprintf("{'spec':{'image':'x','modelUrl':'u','storage':%s}}", storage);
	auto_json struct json *object = json_build(text);
	auto_free char *found = verdict(crds.config, object, NULL);
	const struct json *spec = json_get(object, "spec");

	(void)state;
	expect(storage, found, "");
	assert_true(json_equal(json_get(spec, "storage"), expected));
	assert_string_equal(json_get_str(spec, "autoDeletePolicy", ""), "None");
	assert_int_equal(json_get_int(spec, "backoffLimit", -1), 3);
	assert_int_equal(json_get_int(spec, "ttlSecondsAfterFinished", -1), 300);
}

/* ---- InferenceRun ---- */

static void runs_are_refused(void **state)
{
	static const struct example examples[] = {
	    {"{}", "spec.configRef: Required value"},
	    {"{'configRef':{}}", "spec.configRef.name: Required value"},
	    {"{'configRef':{'name':''}}", "spec.configRef.name: Invalid value: \"\": "
					  "spec.configRef.name in body should be at least 1 chars "
					  "long"},
	    {"{'configRef':{'name':'c'},'timeoutSeconds':0}",
	     "spec.timeoutSeconds: Invalid value: 0: spec.timeoutSeconds in body should be greater "
	     "than or equal to 1"},
	    {"{'configRef':{'name':'c'},'timeoutSeconds':'1'}",
	     "spec.timeoutSeconds: Invalid value: \"string\": spec.timeoutSeconds in body must be "
	     "of "
	     "type integer: \"string\""},
	    {"{'configRef':{'name':'c'},'parameters':{'n':512}}",
	     "spec.parameters.n: Invalid value: \"integer\": spec.parameters.n in body must be of "
	     "type "
	     "string: \"integer\""},
	    {"{'configRef':{'name':'c'},'schedule':'@daily','concurrencyPolicy':'Queue'}",
	     "spec.concurrencyPolicy: Unsupported value: \"Queue\": supported values: \"Allow\", "
	     "\"Forbid\", \"Replace\""},
	    {"{'configRef':{'name':'c'},'timeZone':'UTC'}",
	     "spec: Invalid value: \"object\": timeZone and concurrencyPolicy need a schedule"},
	    {"{'configRef':{'name':'c'},'failedJobsHistoryLimit':1}",
	     "spec: Invalid value: \"object\": startingDeadlineSeconds and the history limits need "
	     "a "
	     "schedule"},
	    {"{'configRef':{'name':'c'},'schedule':'@daily','failedJobsHistoryLimit':0}",
	     "spec.failedJobsHistoryLimit: Invalid value: 0: spec.failedJobsHistoryLimit in body "
	     "should be greater than or equal to 1"},
	    {"{'configRef':{'name':'c'},'schedule':'@daily','successfulJobsHistoryLimit':-1}",
	     "spec.successfulJobsHistoryLimit: Invalid value: -1: spec.successfulJobsHistoryLimit "
	     "in "
	     "body should be greater than or equal to 0"},
	    {"{'configRef':{'name':'c'},'schedule':'@daily','startingDeadlineSeconds':-1}",
	     "spec.startingDeadlineSeconds: Invalid value: -1: spec.startingDeadlineSeconds in "
	     "body "
	     "should be greater than or equal to 0"},
	    {"{'configRef':{'name':'c'},'schedule':'@daily','timeZone':'Europe Rome'}",
	     "spec.timeZone: Invalid value: \"Europe Rome\": spec.timeZone in body should match "
	     "'^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_spec(crds.run, &examples[i]);
}

static void parameters_are_limited(void **state)
{
	(void)state;
	for (int count = 256; count <= 257; count++) {
		auto_json struct json *object =
		    json_build("{'spec':{'configRef':{'name':'c'},'parameters':{}}}");
		struct json *parameters = json_mut(json_mut(object, "spec"), "parameters");
		auto_free char *found = NULL;

		for (int i = 0; i < count; i++) {
			auto_free char *key = xasprintf("k%d", i);

			json_set_str(parameters, key, "v");
		}
		found = verdict(crds.run, object, NULL);
		expect("parameters", found,
		       count == 256
			   ? ""
			   : "spec.parameters: Too many: 257: must have at most 256 items");
	}
}

static void a_parameter_is_limited(void **state)
{
	(void)state;
	for (size_t length = 131072; length <= 131073; length++) {
		auto_free char *value = xcalloc(1, length + 1);
		auto_json struct json *object = NULL;
		auto_free char *found = NULL;

		memset(value, 'x', length);
		object =
		    json_build("{'spec':{'configRef':{'name':'c'},'parameters':{'k':%s}}}", value);
		found = verdict(crds.run, object, NULL);
		if (length == 131072)
			assert_string_equal(found, "");
		else
			assert_non_null(strstr(found,
					       "spec.parameters.k: Too long: may not be more "
					       "than 131072 "));
	}
}

static void schedules(void **state)
{
	static const struct {
		const char *schedule;
		enum { TAKEN, FORM, RANGE } verdict;
	} examples[] = {
	    {"", FORM},
	    {"12345", FORM},
	    {"99 99 99 99 99", FORM},
	    {"garbage 1 2 3 4 5 zzz", FORM},
	    {"* * * *", FORM},
	    {"* * * * * *", FORM},
	    {"60 * * * *", FORM},
	    {"* 24 * * *", FORM},
	    {"* * 0 * *", FORM},
	    {"* * 32 * *", FORM},
	    {"* * * 0 *", FORM},
	    {"* * * 13 *", FORM},
	    {"* * * * 7", FORM},
	    {"* * * * MONDAY", FORM},
	    {"*/0 * * * *", FORM},
	    {"1, * * * *", FORM},
	    {"1- * * * *", FORM},
	    {"@hourl", FORM},
	    {"@every 5m", FORM},
	    {"CRON_TZ=UTC * * * * *", FORM},
	    {"*/-1 * * * *", FORM},
	    {"-1 * * * *", FORM},
	    {"1.5 * * * *", FORM},
	    {"0-60 * * * *", FORM},
	    {"* * * JAN-13 *", FORM},
	    {"* * * * 0-7", FORM},
	    {"* * * * * @daily", FORM},
	    {"5-1 * * * *", RANGE},
	    {"59-0 * * * *", RANGE},
	    {"10-9 * * * *", RANGE},
	    {"21-09 * * * *", RANGE},
	    {"09-08 * * * *", RANGE},
	    {"0,30-20/5 * * * *", RANGE},
	    {"* 23-22 * * *", RANGE},
	    {"* * 31-1 * *", RANGE},
	    {"* * * DEC-NOV *", RANGE},
	    {"* * * * FRI-MON", RANGE},
	    {"* * * * Sat-Sun", RANGE},
	    {"* * * * 6-0,1", RANGE},
	    {"5-5 * * * *", TAKEN},
	    {"9-10,08-09 09-21 1-31 NOV-DEC SUN-SAT", TAKEN},
	    {"0-59/59 * * JAN-JAN FRI", TAKEN},
	    {"*/61 * * * *", TAKEN},
	    {"TZ=UTC * * * * *", FORM},
	    {"* * * * *; x", FORM},
	    {"* * * * *", TAKEN},
	    {"1 * * * *", TAKEN},
	    {"0 9 * * MON-FRI", TAKEN},
	    {"*/15 0-23/2 1,15,L * *", FORM},
	    {"*/15 0-23/2 1,15 jan-dec sun", TAKEN},
	    {"59 23 31 12 6", TAKEN},
	    {"05 09 01 01 00", TAKEN},
	    {"0 0 ? * ?", TAKEN},
	    {"0  9   * * *", TAKEN},
	    {"1-5,10-20/3,30 * * JAN,Feb 1,WED", TAKEN},
	    {"@hourly", TAKEN},
	    {"@daily", TAKEN},
	    {"@midnight", TAKEN},
	    {"@weekly", TAKEN},
	    {"@monthly", TAKEN},
	    {"@yearly", TAKEN},
	    {"@annually", TAKEN},
	};

	static const char *const refusals[] = {
	    [TAKEN] = "",
	    [FORM] =
		("spec.schedule: Invalid value: \"string\": expected five cron fields (minute, "
		 "hour, day of month, month, day of week) such as \"0 9 * * MON-FRI\", or a word "
		 "such as @hourly"),
	    [RANGE] =
		("spec.schedule: Invalid value: \"string\": a range goes from the lower to the "
		 "higher value; one that wraps is written as a list, FRI-MON as FRI,SAT,SUN,MON"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		auto_json struct json *object = json_build(
		    "{'spec':{'configRef':{'name':'c'},'schedule':%s}}", examples[i].schedule);
		auto_free char *found = verdict(crds.run, object, NULL);
		struct err err = ERR_INIT;
		struct cron cron;

		expect(examples[i].schedule, found, refusals[examples[i].verdict]);
		/* What is taken here is taken by the CronJob's API, and the other way round. */
		if ((cron_parse(examples[i].schedule, &cron, &err) == 0) !=
		    (examples[i].verdict == TAKEN))
			fail_msg("%s: the CronJob's API differs", examples[i].schedule);
	}
}

/* Each change of a run's spec, before it has started and after. */
static void a_started_run_is_fixed(void **state)
{
	static const struct {
		const char *change, *field; /* field NULL: it can change at any time */
	} examples[] = {
	    {"{'timeoutSeconds':6}", "timeoutSeconds"},
	    {"{'timeoutSeconds':null}", "timeoutSeconds"},
	    {"{'parameters':{'a':'2'}}", "parameters"},
	    {"{'parameters':{'b':'1'}}", "parameters"},
	    {"{'parameters':null}", "parameters"},
	    {"{'configRef':{'name':'d'}}", "configRef"},
	    {"{'configRef':{'namespace':'n'}}", "configRef"},
	    {"{'timeZone':'Europe/Rome'}", "timeZone"},
	    {"{'concurrencyPolicy':'Forbid'}", "concurrencyPolicy"},
	    {"{'schedule':'1 * * * *'}", NULL},
	    {"{'suspend':true}", NULL},
	    {"{'suspend':null}", NULL},
	    {"{}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(examples); i++) {
		bool started = i % 2 == 1;
		const char *field = examples[i / 2].field;
		auto_json struct json *old = json_build(
		    "{'spec':{'configRef':{'name':'c'},'timeoutSeconds':5,'parameters':{'a':'1'},"
		    "'schedule':'* * * * *','suspend':false},'status':%j}",
		    NULL);
		auto_json struct json *patch = json_build(examples[i / 2].change);
		auto_json struct json *status =
		    json_build(started ? "{'jobStatus':{'name':'j'},'phase':'Scheduled'}"
				       : "{'phase':'Pending'}");
		auto_json struct json *object = NULL;
		auto_free char *found = NULL, *refusal = NULL;

		json_set(old, "status", json_copy(status));
		object = json_copy(old);
		json_merge_patch(json_mut(object, "spec"), patch);
		found = verdict(crds.run, object, old);
		refusal = xasprintf("spec.%s: Invalid value: \"object\": %s cannot change once the "
				    "run has started; create a new run instead",
				    field, field);
		expect(examples[i / 2].change, found, started && field != NULL ? refusal : "");
	}
}

static void a_schedule_cannot_come_or_go(void **state)
{
	auto_json struct json *with = json_build(
	    "{'spec':{'configRef':{'name':'c'},'schedule':'@daily'},'status':{'jobStatus':{}}}");
	auto_json struct json *without =
	    json_build("{'spec':{'configRef':{'name':'c'}},'status':{'jobStatus':{}}}");
	static const char refusal[] = "spec.schedule: Invalid value: \"object\": schedule can "
				      "change but not come or go once the "
				      "run has started; create a new run instead";
	auto_free char *gone = verdict(crds.run, without, with);
	auto_free char *came = verdict(crds.run, with, without);

	(void)state;
	expect("gone", gone, refusal);
	expect("came", came, refusal);
}

static void history_limits_cannot_go(void **state)
{
	static const struct {
		const char *change;
		bool refused;
	} examples[] = {
	    {"{'failedJobsHistoryLimit':9,'successfulJobsHistoryLimit':0}", false},
	    {"{'startingDeadlineSeconds':7}", false},
	    {"{'failedJobsHistoryLimit':null}", true},
	    {"{'successfulJobsHistoryLimit':null}", true},
	    {"{'startingDeadlineSeconds':null}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		auto_json struct json *old =
		    json_build("{'spec':{'configRef':{'name':'c'},'schedule':'@daily','"
			       "failedJobsHistoryLimit':"
			       "2,'successfulJobsHistoryLimit':2,'startingDeadlineSeconds':2},"
			       "'status':{'jobStatus':{}}}");
		auto_json struct json *object = json_copy(old),
				      *patch = json_build(examples[i].change);
		auto_free char *found = NULL;

		json_merge_patch(json_mut(object, "spec"), patch);
		found = verdict(crds.run, object, old);
		expect(
		    examples[i].change, found,
		    examples[i].refused
			? "spec: Invalid value: \"object\": startingDeadlineSeconds and the "
			  "history "
			  "limits can change but not go once the run has started; set them to what "
			  "they should be"
			: "");
	}
}

/* What the controller writes must pass: one status with every field. */
static void a_full_status_is_taken(void **state)
{
	auto_json struct json *object = json_build(
	    "{'spec':{'configRef':{'name':'c'}},'status':{'phase':'Succeeded','reason':'Completed',"
	    "'message':'m','observedGeneration':1,'conditions':[{'type':'Ready','status':'True',"
	    "'reason':'Completed','message':'m','lastTransitionTime':'2026-01-01T00:00:00Z',"
	    "'observedGeneration':1},{'type':'Synced','status':'True','reason':'ReconcileSuccess',"
	    "'lastTransitionTime':'2026-01-01T00:00:00Z'}],'startTime':'2026-01-01T00:00:00Z',"
	    "'completionTime':'2026-01-01T00:01:30Z','duration':'1m30s','model':'iris',"
	    "'contract':'e30=','jobStatus':{'apiVersion':'batch/v1','kind':'Job','namespace':'n',"
	    "'name':'j','uid':'u','active':1},'policy':{'digest':'sha256:0'},'result':{'rows':3,"
	    "'attempts':1,'exitCode':0,'more':{'x':0.10}},'lastScheduleTime':'2026-01-01T00:00:00Z'"
	    ","
	    "'lastSuccessfulTime':'2026-01-01T00:00:00Z','lastFailureTime':'2026-01-01T00:00:00Z',"
	    "'failures':[{'job':'j','reason':'r','message':'m','finishedAt':'2026-01-01T00:00:00Z'}"
	    "],"
	    "'active':[{'apiVersion':'batch/v1','kind':"
	    "'Job','namespace':'n','name':'j','uid':'u','resourceVersion':'1'}]}}");
	auto_json struct json *before = json_copy(object);
	auto_free char *found = verdict(crds.run, object, NULL);

	(void)state;
	expect("status", found, "");
	assert_true(json_equal(object, before));
}

static void a_wrong_status_is_refused(void **state)
{
	static const struct example examples[] = {
	    {"{'phase':'Done'}",
	     "status.phase: Unsupported value: \"Done\": supported values: \"Pending\", "
	     "\"Scheduled\", "
	     "\"Suspended\", \"Running\", \"Succeeded\", \"Failed\", \"Rejected\""},
	    {"{'contract':'@'}",
	     "status.contract: Invalid value: \"@\": status.contract in body must "
	     "be of type byte: \"@\""},
	    {"{'startTime':'now'}",
	     "status.startTime: Invalid value: \"now\": status.startTime in body must be of type "
	     "date-time: \"now\""},
	    {"{'conditions':[{'type':'Ready','status':'True','reason':'a','lastTransitionTime':"
	     "'2026-01-01T00:00:00Z'},{'type':'Ready','status':'True','reason':'a',"
	     "'lastTransitionTime':'2026-01-01T00:00:00Z'}]}",
	     "status.conditions[1]: Duplicate value: map[string]interface {}{\"type\":\"Ready\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		auto_free char *text =
		    xasprintf("{'spec':{'configRef':{'name':'c'}},'status':%s}", examples[i].spec);
		auto_json struct json *object = json_build(text);
		auto_free char *found = verdict(crds.run, object, NULL);

		expect(examples[i].spec, found, examples[i].refusal);
	}
}

/* ---- both ---- */

static void the_examples_are_taken(void **state)
{
	static const char *const paths[] = {
	    "examples/iris-config.yaml",   "examples/iris-run.yaml",
	    "examples/triton-config.yaml", "examples/triton-run.yaml",
	    "examples/scheduled-run.yaml", "examples/custom-storage.yaml",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_json struct json *documents = load(paths[i]);

		for (struct json *d = json_mut_first(documents); d != NULL; d = json_mut_next(d)) {
			bool run = streq(json_get_str(d, "kind", ""), "InferenceRun");
			auto_json struct json *storage = json_copy(json_at(d, "spec", "storage"));
			auto_free char *found = verdict(run ? crds.run : crds.config, d, NULL);

			expect(paths[i], found, "");
			assert_true(json_equal(json_at(d, "spec", "storage"), storage));
		}
	}
}

static void check_descriptions(const struct json *node, const char *name, bool whole_object)
{
	const struct json *properties = json_get(node, "properties");

	if (json_get(node, "description") == NULL)
		fail_msg("%s: expected a description", name);
	for (const struct json *p = json_first(properties); p != NULL; p = json_next(p))
		if (!whole_object || !streq(json_key(p), "metadata"))
			check_descriptions(p, json_key(p), false);
	if (json_get(node, "items") != NULL)
		check_descriptions(json_get(node, "items"), "items", false);
	if (json_type(json_get(node, "additionalProperties")) == JSON_OBJECT)
		check_descriptions(json_get(node, "additionalProperties"), "additionalProperties",
				   false);
}

static void every_field_is_described(void **state)
{
	const struct json *all[] = {crds.config_crd, crds.run_crd};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const struct json *version =
		    json_first(json_at(json_first(all[i]), "spec", "versions"));

		check_descriptions(json_at(version, "schema", "openAPIV3Schema"), "root", true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(configs_are_refused),
	    cmocka_unit_test(configs_are_taken),
	    cmocka_unit_test(configs_get_defaults_and_keep_storage_as_it_is),
	    cmocka_unit_test(runs_are_refused),
	    cmocka_unit_test(parameters_are_limited),
	    cmocka_unit_test(a_parameter_is_limited),
	    cmocka_unit_test(schedules),
	    cmocka_unit_test(a_started_run_is_fixed),
	    cmocka_unit_test(a_schedule_cannot_come_or_go),
	    cmocka_unit_test(history_limits_cannot_go),
	    cmocka_unit_test(a_full_status_is_taken),
	    cmocka_unit_test(a_wrong_status_is_refused),
	    cmocka_unit_test(the_examples_are_taken),
	    cmocka_unit_test(every_field_is_described),
	};

	return cmocka_run_group_tests(tests, load_crds, free_crds);
}
