#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/shadowdiff.h"

#define AAAA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 60 */

static const struct row {
	const char *what, *active, *shadow;
	enum shadow_result result;
	const char *differences; /* hook, path, active, shadow of each */
} rows[] = {
    {"the same", "{'contract': {'ok': {'a': 1}, 'usage': {'memory': 1}}}",
     "{'contract': {'ok': {'a': 1}, 'usage': {'memory': 2}}}", SHADOW_SAME, ""},
    {"a value", "{'contract': {'ok': {'a': {'b': 1}}}}", "{'contract': {'ok': {'a': {'b': 2}}}}",
     SHADOW_DIFFERS, "contract a.b 1 2\n"},
    {"the first place of each hook",
     "{'validate': {'ok': []}, 'contract': {'ok': {'a': 1, 'b': 1}}}",
     "{'validate': {'ok': [1]}, 'contract': {'ok': {'a': 2, 'b': 2}}}", SHADOW_DIFFERS,
     "validate [0] (nothing) 1\ncontract a 1 2\n"},
    {"a reject() is an answer", "{'validate': {'ok': []}}",
     "{'validate': {'error': {'kind': 'reject', 'message': 'no'}}}", SHADOW_DIFFERS,
     "validate  [0 items] \"rejected: no\"\n"},
    {"another reject()", "{'validate': {'error': {'kind': 'reject', 'message': 'no'}}}",
     "{'validate': {'error': {'kind': 'reject', 'message': 'never'}}}", SHADOW_DIFFERS,
     "validate  \"rejected: no\" \"rejected: never\"\n"},
    {"a script error is a failure", "{'contract': {'ok': {}}}",
     "{'contract': {'error': {'kind': 'script', 'message': 'contract.lua:1: x'}}}", SHADOW_FAILED,
     "contract  {0 members} \"error: contract.lua:1: x\"\n"},
    {"so is a limit", "{'contract': {'ok': {}}}",
     "{'contract': {'error': {'kind': 'limit', 'message': 'm'}}}", SHADOW_FAILED,
     "contract  {0 members} \"error: m\"\n"},
    {"only the active one fails", "{'contract': {'error': {'kind': 'script', 'message': 'm'}}}",
     "{'contract': {'ok': {}}}", SHADOW_DIFFERS, "contract  \"error: m\" {0 members}\n"},
    {"shape that was not asked for", "{'contract': {'ok': {}}}",
     "{'contract': {'ok': {}}, 'shape': {'ok': {'kind': 'Job'}}}", SHADOW_SAME, ""},
    {"shape that changes the manifest", "{}", "{'shape': {'ok': {'kind': 'Pod'}}}", SHADOW_DIFFERS,
     "shape kind \"Job\" \"Pod\"\n"},
    {"secrets by their place",
     "{'contract': {'ok': {'dbPassword': 'x'}}, 'status': {'ok': {'Authorization': 'x'}},"
     " 'validate': {'ok': {'apiKey': {'n': 1}}}}",
     "{'contract': {'ok': {'dbPassword': 'y'}}, 'status': {'ok': {'Authorization': 'y'}},"
     " 'validate': {'ok': {'apiKey': {'n': 2}}}}",
     SHADOW_DIFFERS,
     "contract dbPassword (hidden) (hidden)\nstatus Authorization (hidden) (hidden)\n"
     "validate apiKey.n (hidden) (hidden)\n"},
    {"a URL with a user", "{'contract': {'ok': {'u': 'http://h/x'}}}",
     "{'contract': {'ok': {'u': 'http://me:pw@h/x'}}}", SHADOW_DIFFERS,
     "contract u \"http://h/x\" (hidden)\n"},
    {"long values are cut", "{'contract': {'ok': {'a': '" AAAA AAAA AAAA "'}}}",
     "{'contract': {'ok': {'a': '" AAAA "'}}}", SHADOW_DIFFERS,
     "contract a \"" AAAA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \"" AAAA
     "\"\n"},
};

static char *summary(const struct json *differences)
{
	char *text = xstrdup("");

	for (const struct json *d = json_first(differences); d != NULL; d = json_next(d)) {
		char *longer =
		    xasprintf("%s%s %s %s %s\n", text, json_get_str(d, "hook", "?"),
			      json_get_str(d, "path", "?"), json_get_str(d, "active", "?"),
			      json_get_str(d, "shadow", "?"));

		assert_string_equal(json_get_str(d, "run", ""), "ns/a");
		free(text);
		text = longer;
	}
	return text;
}

static void each_pair_is_compared(void **state)
{
	auto_json struct json *manifest = json_build("{'kind': 'Job'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *active = json_build(rows[i].active);
		auto_json struct json *shadow = json_build(rows[i].shadow);
		auto_json struct json *differences = json_array();
		auto_free char *text = NULL;

		if (shadow_compare("ns/a", active, shadow, manifest, differences) != rows[i].result)
			fail_msg("%s: another result", rows[i].what);
		text = summary(differences);
		if (!streq(text, rows[i].differences))
			fail_msg("%s: expected\n%sgot\n%s", rows[i].what, rows[i].differences,
				 text);
	}
}

static void the_first_differences_stay(void **state)
{
	auto_json struct json *differences = json_array();

	(void)state;
	for (int i = 0; i < SHADOW_DIFFERENCES_MAX + 1; i++) {
		auto_json struct json *active = json_build("{'contract': {'ok': %d}}", (int64_t)i);
		auto_json struct json *shadow = json_build("{'contract': {'ok': 'x'}}");

		assert_int_equal(shadow_compare("ns/a", active, shadow, NULL, differences),
				 SHADOW_DIFFERS);
	}
	assert_int_equal(json_len(differences), SHADOW_DIFFERENCES_MAX);
	assert_string_equal(json_get_str(json_first(differences), "active", ""), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_pair_is_compared),
	    cmocka_unit_test(the_first_differences_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
