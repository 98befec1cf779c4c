/* Who may use an InferenceConfig. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/config.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_config_a_run_names),
	    cmocka_unit_test(who_may_use_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
