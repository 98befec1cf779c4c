#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "spec/apisim/table.h"
#include "spec/apisim/table_kinds.h"

static int64_t at(const char *time)
{
	int64_t ms = 0;

	assert_true(time_parse(time, &ms));
	return ms;
}

/* The cells of the row of one object, as JSON. */
static char *cells_of(const struct table_request *request, const char *object_text)
{
	auto_json struct json *object = json_build(object_text);
	const struct json *objects[] = {object};
	auto_json struct json *table = table_make(request, objects, 1, NULL);
	const struct json *row = json_first(json_get(table, "rows"));

	assert_int_equal(json_len(json_get(row, "cells")),
			 json_len(json_get(table, "columnDefinitions")));
	return json_print(json_get(row, "cells"));
}

static void check_built_in(const char *group, const char *resource, const char *object,
			   const char *cells)
{
	struct table_request request = {
	    .group = group, .resource = resource, .now_ms = at("2026-01-01T00:10:00Z")};
	auto_free char *found = cells_of(&request, object);

	assert_string_equal(found, cells);
}

static void durations_are_kubectls(void **state)
{
	static const struct {
		long long seconds;
		const char *words;
	} examples[] = {
	    {-2, "<invalid>"},     {-1, "0s"},        {0, "0s"},
	    {119, "119s"},         {120, "2m"},       {121, "2m1s"},
	    {599, "9m59s"},        {600, "10m"},      {10799, "179m"},
	    {10800, "3h"},         {10860, "3h1m"},   {28799, "7h59m"},
	    {28800, "8h"},         {172799, "47h"},   {172800, "2d"},
	    {176400, "2d1h"},      {691199, "7d23h"}, {691200, "8d"},
	    {63071999, "729d"},    {63072000, "2y"},  {63158400, "2y1d"},
	    {252287999, "7y364d"}, {252288000, "8y"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		auto_free char *words = table_duration(examples[i].seconds * 1000);

		assert_string_equal(words, examples[i].words);
	}
}

static void empty_objects_have_rows(void **state)
{
	(void)state;
	check_built_in(
	    "", "pods", "{}",
	    "[\"\",\"0/0\",\"Unknown\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\","
	    "\"<none>\"]");
	check_built_in("batch", "jobs", "{}",
		       "[\"\",\"Running\",\"0/1\",\"\",\"<unknown>\",\"\",\"\",\"<none>\"]");
	check_built_in("batch", "cronjobs", "{}",
		       "[\"\",\"\",\"<none>\",\"False\",0,\"<none>\",\"<unknown>\",\"\",\"\","
		       "\"<none>\"]");
	check_built_in("", "events", "{}",
		       "[\"<unknown>\",\"\",\"\",\"/\",\"\",\"\",\"\",\"<unknown>\",1,\"\"]");
	check_built_in("", "configmaps", "{}", "[\"\",0,\"<unknown>\"]");
	check_built_in("", "secrets", "{}", "[\"\",\"Opaque\",0,\"<unknown>\"]");
	check_built_in("", "namespaces", "{}", "[\"\",\"Active\",\"<unknown>\"]");
	check_built_in("", "serviceaccounts", "{}", "[\"\",0,\"<unknown>\"]");
	check_built_in("coordination.k8s.io", "leases", "{}", "[\"\",\"\",\"<unknown>\"]");
	check_built_in("apps", "deployments", "{}",
		       "[\"\",\"0/1\",0,0,\"<unknown>\",\"\",\"\",\"<none>\"]");
	check_built_in(
	    "", "services", "{}",
	    "[\"\",\"ClusterIP\",\"<none>\",\"<none>\",\"<none>\",\"<unknown>\",\"<none>\"]");
	check_built_in("rbac.authorization.k8s.io", "roles", "{}", "[\"\",\"<unknown>\"]");
	check_built_in("other.io", "pods", "{}", "[\"\",\"<unknown>\"]");
}

static void a_pod_says_why_it_does_not_run(void **state)
{
	static const struct {
		const char *status, *word;
	} examples[] = {
	    {"'phase':'Pending'", "Pending"},
	    {"'phase':'Pending','containerStatuses':[{'state':{'waiting':{'reason':"
	     "'ImagePullBackOff'}}}]",
	     "ImagePullBackOff"},
	    {"'phase':'Running','containerStatuses':[{'state':{'running':{}}}]", "Running"},
	    {"'phase':'Succeeded','containerStatuses':[{'state':{'terminated':{'reason':"
	     "'Completed','exitCode':0}}}]",
	     "Completed"},
	    {"'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':2}}}]",
	     "ExitCode:2"},
	    {"'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':137,"
	     "'signal':9}}}]",
	     "Signal:9"},
	    {"'phase':'Failed','reason':'Evicted'", "Evicted"},
	};
	struct table_request request = {.group = "", .resource = "pods"};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(examples); i++) {
		bool deleted = i % 2 == 1, over = false;
		auto_free char *object =
		    xasprintf("{'metadata':{%s},'status':{%s}}",
			      deleted ? "'deletionTimestamp':'2026-01-01T00:00:00Z'" : "",
			      examples[i / 2].status);
		auto_free char *cells = cells_of(&request, object);
		auto_free char *expected = NULL;

		over = strstr(object, "Succeeded") != NULL || strstr(object, "Failed") != NULL;
		expected = xasprintf("[\"\",\"0/0\",\"%s\",",
				     deleted && !over ? "Terminating" : examples[i / 2].word);
		assert_true(has_prefix(cells, expected));
	}
}

static void built_in_rows(void **state)
{
	(void)state;
	check_built_in(
	    "", "pods",
	    "{'metadata':{'name':'p','creationTimestamp':'2026-01-01T00:00:00Z'},'spec':{'nodeName'"
	    ":"
	    "'n','containers':[{'name':'a'},{'name':'b'}]},'status':{'phase':'Running','podIP':"
	    "'10.0.0.1','containerStatuses':[{'ready':true,'restartCount':2},{'restartCount':1}]}}",
	    "[\"p\",\"1/2\",\"Running\",\"3\",\"10m\",\"10.0.0.1\",\"n\",\"<none>\",\"<none>\"]");
	check_built_in(
	    "batch", "jobs",
	    "{'metadata':{'name':'j','creationTimestamp':'2026-01-01T00:00:00Z'},'spec':{'"
	    "completions':"
	    "1,'selector':{'matchLabels':{'a':'b','c':'d'}},'template':{'spec':{'containers':[{'"
	    "name':"
	    "'x','image':'i'},{'name':'y','image':'k'}]}}},'status':{'succeeded':1,'startTime':"
	    "'2026-01-01T00:00:00Z','completionTime':'2026-01-01T00:01:30Z','conditions':[{'type':"
	    "'Complete','status':'True'}]}}",
	    "[\"j\",\"Complete\",\"1/1\",\"90s\",\"10m\",\"x,y\",\"i,k\",\"a=b,c=d\"]");
	check_built_in("batch", "jobs",
		       "{'metadata':{'name':'j'},'status':{'startTime':'2026-01-01T00:05:00Z',"
		       "'conditions':[{'type':'Failed','status':'True'}]}}",
		       "[\"j\",\"Failed\",\"0/1\",\"5m\",\"<unknown>\",\"\",\"\",\"<none>\"]");
	check_built_in(
	    "batch", "cronjobs",
	    "{'metadata':{'name':'c','creationTimestamp':'2026-01-01T00:00:00Z'},'spec':{'schedule'"
	    ":"
	    "'* * * * *','timeZone':'UTC','suspend':true,'jobTemplate':{'spec':{'template':{'spec':"
	    "{'containers':[{'name':'x','image':'i'}]}}}}},'status':{'active':[{}],'"
	    "lastScheduleTime':"
	    "'2026-01-01T00:09:00Z'}}",
	    "[\"c\",\"* * * * *\",\"UTC\",\"True\",1,\"60s\",\"10m\",\"x\",\"i\",\"<none>\"]");
	check_built_in(
	    "", "events",
	    "{'metadata':{'name':'e'},'type':'Normal','reason':'R','message':'m','count':3,"
	    "'involvedObject':{'kind':'InferenceRun','name':'r'},'source':{'component':'c'},"
	    "'firstTimestamp':'2026-01-01T00:00:00Z','lastTimestamp':'2026-01-01T00:09:59Z'}",
	    "[\"1s\",\"Normal\",\"R\",\"inferencerun/r\",\"\",\"c\",\"m\",\"10m\",3,\"e\"]");
	check_built_in("", "configmaps",
		       "{'metadata':{'name':'m'},'data':{'a':'','b':''},'binaryData':{'c':''}}",
		       "[\"m\",3,\"<unknown>\"]");
	check_built_in("coordination.k8s.io", "leases",
		       "{'metadata':{'name':'l'},'spec':{'holderIdentity':'h'}}",
		       "[\"l\",\"h\",\"<unknown>\"]");
	check_built_in("apiextensions.k8s.io", "customresourcedefinitions",
		       "{'metadata':{'name':'d','creationTimestamp':'2026-01-01T00:00:00Z'}}",
		       "[\"d\",\"2026-01-01T00:00:00Z\"]");
}

static void custom_columns(void **state)
{
	auto_json struct json *columns = json_build(
	    "[{'name':'Phase','type':'string','jsonPath':'.status.phase','description':'d'},"
	    "{'name':'N','type':'integer','jsonPath':'.spec.n','priority':1},"
	    "{'name':'B','type':'boolean','jsonPath':'.spec.b'},"
	    "{'name':'Wrong','type':'integer','jsonPath':'.spec.s'},"
	    "{'name':'Text','type':'string','jsonPath':'.spec.o'},"
	    "{'name':'When','type':'date','jsonPath':'.spec.when'},"
	    "{'name':'Bad','type':'date','jsonPath':'.spec.s'},"
	    "{'name':'None','type':'date','jsonPath':'.spec.none'}]");
	struct table_request request = {.group = "g",
					.resource = "pods",
					.columns = columns,
					.custom = true,
					.now_ms = at("2026-01-01T00:10:00Z")};
	auto_free char *cells = cells_of(
	    &request, "{'metadata':{'name':'x'},'spec':{'n':5,'b':false,'s':'t','o':{'p':[1]},"
		      "'when':'2026-01-01T00:00:00Z'},'status':{'phase':'Running'}}");
	auto_free char *empty = cells_of(&request, "{}");
	auto_json struct json *table = table_make(&request, NULL, 0, NULL);
	const struct json *phase = json_next(json_first(json_get(table, "columnDefinitions")));
	auto_free char *first = json_print(phase);

	(void)state;
	assert_string_equal(cells, "[\"x\",\"Running\",5,false,null,\"{\\\"p\\\":[1]}\",\"10m\","
				   "\"<invalid>\",null]");
	assert_string_equal(empty, "[\"\",null,null,null,null,null,null,null,null]");
	assert_string_equal(first, "{\"name\":\"Phase\",\"type\":\"string\",\"format\":\"\","
				   "\"description\":\"d\",\"priority\":0}");
	assert_int_equal(json_get_int(json_next(phase), "priority", 0), 1);
	assert_string_equal(json_get_str(json_next(phase), "description", ""),
			    "Custom resource definition column (in JSONPath format): .spec.n");
}

static void a_custom_resource_without_columns_has_its_age(void **state)
{
	struct table_request request = {
	    .group = "g", .resource = "xs", .custom = true, .now_ms = at("2026-01-01T00:10:00Z")};
	auto_free char *cells = cells_of(
	    &request, "{'metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:00Z'}}");

	(void)state;
	assert_string_equal(cells, "[\"x\",\"10m\"]");
}

static void the_rows_carry_what_was_asked_for(void **state)
{
	static const struct {
		enum table_include include;
		const char *object;
	} examples[] = {
	    {TABLE_METADATA,
	     "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
	     "\"metadata\":{\"name\":\"x\"}}"},
	    {TABLE_OBJECT, "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"}}"},
	    {TABLE_NONE, NULL},
	};
	auto_json struct json *object = json_build("{'kind':'ConfigMap','metadata':{'name':'x'}}");
	auto_json struct json *metadata = json_build("{'resourceVersion':'7','continue':'c'}");
	const struct json *objects[] = {object, object};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		struct table_request request = {
		    .group = "", .resource = "configmaps", .include = examples[i].include};
		auto_json struct json *table = table_make(&request, objects, 2, metadata);
		const struct json *row = json_first(json_get(table, "rows"));
		auto_free char *carried =
		    json_get(row, "object") != NULL ? json_print(json_get(row, "object")) : NULL;

		assert_int_equal(json_len(json_get(table, "rows")), 2);
		assert_true(json_equal(json_get(table, "metadata"), metadata));
		assert_string_equal(json_get_str(table, "kind", ""), "Table");
		assert_int_equal(carried == NULL, examples[i].object == NULL);
		if (carried != NULL)
			assert_string_equal(carried, examples[i].object);
	}
}

static void the_accept_header_is_understood(void **state)
{
	static const struct {
		const char *accept;
		bool table;
	} examples[] = {
	    {NULL, false},
	    {"", false},
	    {"application/json", false},
	    {"application/json;as=Table;v=v1;g=meta.k8s.io", true},
	    {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", true},
	    {"application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", false},
	    {"application/json; as=Table; g=meta.k8s.io; v=v1", true},
	    {"application/json;as=Table,application/json;v=v1;g=meta.k8s.io", false},
	    {"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		assert_int_equal(table_accepted(examples[i].accept), examples[i].table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_are_kubectls),
	    cmocka_unit_test(empty_objects_have_rows),
	    cmocka_unit_test(a_pod_says_why_it_does_not_run),
	    cmocka_unit_test(built_in_rows),
	    cmocka_unit_test(custom_columns),
	    cmocka_unit_test(a_custom_resource_without_columns_has_its_age),
	    cmocka_unit_test(the_rows_carry_what_was_asked_for),
	    cmocka_unit_test(the_accept_header_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
