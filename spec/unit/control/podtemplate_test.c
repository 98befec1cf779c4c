#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/podtemplate.h"

/* JSON with single quotes, as for json_build, but without directives. */
static struct json *parsed(const char *text)
{
	auto_free char *quoted = xstrdup(text);
	struct err err = ERR_INIT;
	struct json *value;

	for (char *p = quoted; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	value = json_parse(quoted, strlen(quoted), &err);
	if (value == NULL)
		fail_msg("%s: %s", text, err.msg);
	return value;
}

static const struct {
	const char *target, *overlay, *result;
} rows[] = {
    /* what is no pod template changes nothing, and ends nothing */
    {"{'a': 1}", "[1, {'b': 2}]", "{'a': 1}"},
    {"{'a': 1}", "'text'", "{'a': 1}"},
    {"{'a': 1}", "null", "{'a': 1}"},
    {"{'a': 1}", "7", "{'a': 1}"},
    {"{'containers': [{'name': 'a'}]}", "{'containers': 'x'}", "{'containers': 'x'}"},
    {"{'containers': 'x'}", "{'containers': [{'name': 'a'}]}", "{'containers': [{'name': 'a'}]}"},
    {"{'containers': [{'name': 'a'}]}", "{'containers': [1, null, [], {'x': 1}]}",
     "{'containers': [{'name': 'a'}, 1, null, [], {'x': 1}]}"},
    {"{'containers': [1, {'name': ['a']}]}", "{'containers': [{'name': ['a'], 'x': 1}]}",
     "{'containers': [1, {'name': ['a'], 'x': 1}]}"},

    /* objects member by member; null removes */
    {"{'spec': {'a': 1, 'b': {'c': 2}}}", "{'spec': {'b': {'d': 3}, 'e': 4}}",
     "{'spec': {'a': 1, 'b': {'c': 2, 'd': 3}, 'e': 4}}"},
    {"{'a': {'b': 1, 'c': 2}}", "{'a': {'b': null}, 'd': null}", "{'a': {'c': 2}}"},
    {"{'a': {'b': 1}}", "{'a': 'text'}", "{'a': 'text'}"},
    {"{'a': 'text'}", "{'a': {'b': 1}}", "{'a': {'b': 1}}"},

    /* containers, ports, mounts and pull secrets are matched by key and merged */
    {"{'containers': [{'name': 'a', 'image': 'i', 'x': 1}, {'name': 'b'}]}",
     "{'containers': [{'name': 'c'}, {'name': 'a', 'x': 2, 'y': 3}]}",
     "{'containers': [{'name': 'a', 'image': 'i', 'x': 2, 'y': 3}, {'name': 'b'}, {'name': 'c'}]}"},
    {"{'initContainers': [{'name': 'a', 'x': 1}]}", "{'initContainers': [{'name': 'a', 'y': 2}]}",
     "{'initContainers': [{'name': 'a', 'x': 1, 'y': 2}]}"},
    {"{'volumeMounts': [{'mountPath': '/tmp', 'name': 'tmp', 'readOnly': true}]}",
     "{'volumeMounts': [{'mountPath': '/tmp', 'name': 'mine'}, {'mountPath': '/x', 'name': "
     "'tmp'}]}",
     "{'volumeMounts': [{'mountPath': '/tmp', 'name': 'mine', 'readOnly': true},"
     " {'mountPath': '/x', 'name': 'tmp'}]}"},
    {"{'ports': [{'containerPort': 80, 'name': 'a'}]}",
     "{'ports': [{'containerPort': 80, 'protocol': 'TCP'}, {'containerPort': 81}]}",
     "{'ports': [{'containerPort': 80, 'name': 'a', 'protocol': 'TCP'}, {'containerPort': 81}]}"},
    {"{'imagePullSecrets': [{'name': 'a'}]}",
     "{'imagePullSecrets': [{'name': 'b'}, {'name': 'a'}]}",
     "{'imagePullSecrets': [{'name': 'a'}, {'name': 'b'}]}"},
    {"{'volumeDevices': [{'devicePath': '/d', 'name': 'a'}]}",
     "{'volumeDevices': [{'devicePath': '/d', 'name': 'b'}]}",
     "{'volumeDevices': [{'devicePath': '/d', 'name': 'b'}]}"},

    /* a volume and a variable have one source of several: the new one alone */
    {"{'volumes': [{'name': 'v', 'emptyDir': {}}]}",
     "{'volumes': [{'name': 'v', 'secret': {'a': 1}}]}",
     "{'volumes': [{'name': 'v', 'secret': {'a': 1}}]}"},
    {"{'env': [{'name': 'A', 'value': '1'}, {'name': 'B', 'value': '2'}]}",
     "{'env': [{'name': 'A', 'valueFrom': {'x': 1}}, {'name': 'C'}]}",
     "{'env': [{'name': 'A', 'valueFrom': {'x': 1}}, {'name': 'B', 'value': '2'}, {'name': 'C'}]}"},

    /* every other list is replaced */
    {"{'args': ['a', 'b'], 'tolerations': [{'key': 'x'}]}",
     "{'args': ['c'], 'tolerations': [{'key': 'y'}]}",
     "{'args': ['c'], 'tolerations': [{'key': 'y'}]}"},

    /* as deep as a template goes */
    {"{'spec': {'containers': [{'name': 'a', 'env': [{'name': 'X', 'value': '1'}]}]}}",
     "{'spec': {'containers': [{'name': 'a', 'env': [{'name': 'Y', 'value': '2'}]}]}}",
     "{'spec': {'containers': [{'name': 'a', 'env': [{'name': 'X', 'value': '1'},"
     " {'name': 'Y', 'value': '2'}]}]}}"},
    {"{'containers': [{'name': 'a', 'env': [{'name': 'X'}]}]}",
     "{'containers': [{'name': 'a', 'env': null}]}", "{'containers': [{'name': 'a'}]}"},
};

static void overlays_are_laid_as_kubectl_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *target = parsed(rows[i].target),
				      *overlay = parsed(rows[i].overlay);
		auto_json struct json *result = parsed(rows[i].result);
		auto_free char *text = NULL;

		podtemplate_merge(target, overlay);
		text = json_print(target);
		if (!json_equal(target, result))
			fail_msg("row %zu: %s", i, text);
	}
}

static void an_overlay_twice_is_an_overlay_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *target = parsed(rows[i].target),
				      *overlay = parsed(rows[i].overlay);
		auto_json struct json *once = NULL;

		if (strstr(rows[i].overlay, "[1, null") !=
		    NULL) /* elements without a key only add up */
			continue;
		podtemplate_merge(target, overlay);
		once = json_copy(target);
		podtemplate_merge(target, overlay);
		assert_true(json_equal(target, once));
	}
}

static void a_missing_overlay_changes_nothing(void **state)
{
	auto_json struct json *target = parsed("{'a': 1}");
	auto_json struct json *expected = parsed("{'a': 1}");

	(void)state;
	podtemplate_merge(target, NULL);
	assert_true(json_equal(target, expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(overlays_are_laid_as_kubectl_would),
	    cmocka_unit_test(an_overlay_twice_is_an_overlay_once),
	    cmocka_unit_test(a_missing_overlay_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
