/* Who may use an InferenceConfig, and what its status says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/timefmt.h"
#include "control/config.h"
#include "control/status.h"

#define NOW "2026-11-24T10:00:00Z"
#define META                                                                                       \
	"'metadata': {'namespace': 'ns', 'generation': 3, 'resourceVersion': '7', 'annotations': " \
	"{'ai.krateo.io/allow-namespaces': 'friends'}}"

static void who_may_use_it(void **state UNUSED)
{
	static const struct {
		const char *annotation, *namespace;
		bool allowed;
	} table[] = {
	    {NULL, "other", false},
	    {"", "other", false},
	    {",", "other", false},
	    {" , ,", "", false},
	    {"othe", "other", false},
	    {"others", "other", false},
	    {"a other2", "other", false},
	    {"**", "other", false},
	    {"oth*", "other", false},
	    {"Other", "other", false},
	    {"other", "other", true},
	    {"a,other", "other", true},
	    {" a , other ", "other", true},
	    {"other,", "other", true},
	    {"*", "other", true},
	    {"a, *", "other", true},
	    {NULL, "own", true},
	    {"other", "own", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *config =
		    json_build("{'metadata': {'namespace': 'own', 'annotations': {"
			       "'ai.krateo.io/allow-namespaces': %s}}}",
			       table[i].annotation);

		if (config_allows(config, table[i].namespace) != table[i].allowed)
			fail_msg("\"%s\" for %s", table[i].annotation, table[i].namespace);
	}
	assert_false(config_allows(NULL, "own"));
}

static void which_config_a_run_names(void **state UNUSED)
{
	static const struct {
		const char *ref, *key;
	} table[] = {
	    {"{'name': 'c'}", "ns/c"},
	    {"{'name': 'c', 'namespace': ''}", "ns/c"},
	    {"{'name': 'c', 'namespace': 'ns'}", "ns/c"},
	    {"{'name': 'c', 'namespace': 'other'}", "other/c"},
	    {"{}", "ns/"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *ref = json_build(table[i].ref);
		auto_json struct json *run =
		    json_build("{'metadata': {'namespace': 'ns'}, 'spec': {'configRef': %j}}", ref);
		auto_free char *key = config_key_of(run);

		assert_string_equal(key, table[i].key);
	}
}

static struct json *status_of(const struct json *config, const char *now_text, int64_t total)
{
	int64_t now;

	assert_true(time_parse(now_text, &now));
	return config_status(config, &(struct config_runs){total, total - 1}, now);
}

static void what_is_wrong_with_it(void **state UNUSED)
{
	static const struct {
		const char *spec, *reason;
	} table[] = {
	    {"{}", "ImageMissing"},
	    {"{'image': '', 'modelUrl': 'h/p'}", "ImageMissing"},
	    {"{'image': 'i'}", "ModelUrlMissing"},
	    {"{'image': 'i', 'kserve': null}", "ModelUrlMissing"},
	    {"{'image': 'i', 'kserve': {'modelUrl': ''}, 'modelUrl': ''}", "ModelUrlMissing"},
	    {"{'image': 'i', 'modelUrl': 'ftp://h/p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': '://h/p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': 'http://'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': 'http:///p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': '/p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': 'h /p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': 'h/p\\n'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'kserve': {'modelUrl': 'h p'}, 'modelUrl': 'h/p'}", "ModelUrlInvalid"},
	    {"{'image': 'i', 'modelUrl': 'h', 'credentialsRef': {'namespace': 'o'}}",
	     "CredentialsElsewhere"},
	    {"{'image': 'i', 'modelUrl': 'h', 'credentialsRef': {'name': 'a'}}", NULL},
	    {"{'image': 'i', 'modelUrl': 'h', 'credentialsRef': {'namespace': 'ns'}}", NULL},
	    {"{'image': 'i', 'modelUrl': 'h', 'credentialsRef': {'namespace': 'friends'}}", NULL},
	    {"{'image': 'i', 'modelUrl': 'h:80/v2/models/m/infer'}", NULL},
	    {"{'image': 'i', 'modelUrl': 'https://h/p'}", NULL},
	    {"{'image': 'i', 'kserve': {'modelUrl': 'http://h'}}", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_json struct json *spec = json_build(table[i].spec);
		auto_json struct json *config = json_build("{" META ", 'spec': %j}", spec);
		auto_json struct json *status = status_of(config, NOW, 1);
		const struct json *ready = json_first(json_get(status, "conditions"));
		bool wrong = table[i].reason != NULL;

		assert_int_equal(json_len(json_get(status, "conditions")), 1);
		if (!streq(json_get_str(ready, "reason", ""), wrong ? table[i].reason : "Valid"))
			fail_msg("%s: found %s", table[i].spec, json_get_str(ready, "reason", ""));
		assert_string_equal(json_get_str(ready, "status", ""), wrong ? "False" : "True");
		assert_int_equal(strlen(json_get_str(ready, "message", "")) > 0, wrong);
	}
}

static void its_status_moves_only_with_what_it_tells(void **state UNUSED)
{
	static const char spec[] = "{'image': 'i', 'modelUrl': 'h', 'modelName': 'flat',"
				   " 'kserve': {'modelName': 'nested'}}";
	auto_json struct json *fields = json_build(spec);
	auto_json struct json *config = json_build("{" META ", 'spec': %j}", fields);
	auto_json struct json *expected =
	    json_build("{'conditions': [{'type': 'Ready', 'lastTransitionTime': '" NOW "',"
		       " 'status': 'True', 'reason': 'Valid', 'message': '',"
		       " 'observedGeneration': 3}], 'model': 'nested',"
		       " 'runs': {'total': 5, 'active': 4}, 'observedGeneration': 3}");
	auto_json struct json *first = status_of(config, NOW, 5);
	auto_json struct json *later = NULL, *other = NULL;

	assert_true(json_equal(first, expected));
	json_set(config, "status", json_copy(first));
	later = status_of(config, "2026-11-24T11:00:00Z", 5);
	assert_null(status_patch(config, later));
	json_remove(json_mut(config, "spec"), "kserve");
	json_remove(json_mut(config, "spec"), "modelName");
	json_remove(json_mut(config, "spec"), "modelUrl");
	other = status_of(config, "2026-11-24T11:00:00Z", 5);
	assert_null(json_get(other, "model"));
	assert_string_equal(
	    json_get_str(json_first(json_get(other, "conditions")), "lastTransitionTime", ""),
	    "2026-11-24T11:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_config_a_run_names),
	    cmocka_unit_test(what_is_wrong_with_it),
	    cmocka_unit_test(its_status_moves_only_with_what_it_tells),
	    cmocka_unit_test(who_may_use_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
