#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/patch.h"

typedef int patch_fn(struct json **target, const struct json *patch, struct err *err);

struct row {
	const char *target, *patch, *expected; /* expected NULL: refused with status */
	int status;
};

/* Double quotes for single ones; yours. */
static char *quoted(const char *text)
{
	char *out = xstrdup(text);

	for (char *p = out; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return out;
}

static struct json *parse(const char *text)
{
	auto_free char *plain = quoted(text);
	struct err err = ERR_INIT;
	struct json *value = json_parse(plain, strlen(plain), &err);

	if (value == NULL)
		fail_msg("%s: %s", text, err.msg);
	return value;
}

static void check_rows(patch_fn *fn, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct json *target = parse(rows[i].target);
		auto_json struct json *patch = parse(rows[i].patch);
		auto_free char *text = NULL;
		auto_free char *expected = NULL;
		struct err err = ERR_INIT;
		int rc = fn(&target, patch, &err);

		if (rows[i].expected == NULL) {
			assert_int_equal(rc, -1);
			assert_int_equal(err.status, rows[i].status);
		} else {
			if (rc < 0)
				fail_msg("%s: %s", rows[i].patch, err.msg);
			text = json_print(target);
			expected = quoted(rows[i].expected);
			assert_string_equal(text, expected);
		}
		json_free(target);
	}
}

static void json_patch_refuses(void **state UNUSED)
{
	static const struct row rows[] = {
	    {"{}", "{}", NULL, 400},
	    {"{}", "[{}]", NULL, 400},
	    {"{}", "[1]", NULL, 400},
	    {"{}", "[{'op':'add','path':'a','value':1}]", NULL, 400},
	    {"{}", "[{'op':'jump','path':'/a','value':1}]", NULL, 400},
	    {"{}", "[{'op':'add','path':'/a'}]", NULL, 400},
	    {"{}", "[{'op':'move','path':'/a'}]", NULL, 400},
	    {"{}", "[{'op':'remove','path':'/a'}]", NULL, 422},
	    {"{}", "[{'op':'remove','path':''}]", NULL, 422},
	    {"{}", "[{'op':'replace','path':'/a','value':1}]", NULL, 422},
	    {"{}", "[{'op':'add','path':'/a/b','value':1}]", NULL, 422},
	    {"{'a':1}", "[{'op':'add','path':'/a/b','value':1}]", NULL, 422},
	    {"{'a':1}", "[{'op':'test','path':'/a','value':2}]", NULL, 422},
	    {"{'a':1}", "[{'op':'test','path':'/b','value':null}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'remove','path':'/a/1'}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'remove','path':'/a/-'}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/2','value':3}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/01','value':3}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/-1','value':3}]", NULL, 422},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/99999999999999999999','value':3}]", NULL, 422},
	    {"{'a~':1}", "[{'op':'remove','path':'/a~2'}]", NULL, 422},
	    {"{'a':1}", "[{'op':'copy','from':'/b','path':'/c'}]", NULL, 422},
	};

	check_rows(patch_json, rows, ARRAY_LEN(rows));
}

static void json_patch_applies(void **state UNUSED)
{
	static const struct row rows[] = {
	    {"{'a':1}", "[]", "{'a':1}", 0},
	    {"{}", "[{'op':'add','path':'/a','value':null}]", "{'a':null}", 0},
	    {"{'a':1}", "[{'op':'add','path':'/a','value':2}]", "{'a':2}", 0},
	    {"{'a':1}", "[{'op':'add','path':'','value':[]}]", "[]", 0},
	    {"{'a':[1,3]}", "[{'op':'add','path':'/a/1','value':2}]", "{'a':[1,2,3]}", 0},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/-','value':2}]", "{'a':[1,2]}", 0},
	    {"{'a':[1]}", "[{'op':'add','path':'/a/1','value':2}]", "{'a':[1,2]}", 0},
	    {"{'a':[]}", "[{'op':'add','path':'/a/0','value':2}]", "{'a':[2]}", 0},
	    {"{'a':[1,2,3]}", "[{'op':'remove','path':'/a/1'}]", "{'a':[1,3]}", 0},
	    {"{'a':[1,2]}", "[{'op':'replace','path':'/a/0','value':9}]", "{'a':[9,2]}", 0},
	    {"[[1],[2]]", "[{'op':'add','path':'/1/0','value':9}]", "[[1],[9,2]]", 0},
	    {"{'a/b':{'~':1}}", "[{'op':'replace','path':'/a~1b/~0','value':2}]", "{'a/b':{'~':2}}",
	     0},
	    {"{'a':1}", "[{'op':'move','from':'/a','path':'/b'}]", "{'b':1}", 0},
	    {"{'a':{'x':1}}", "[{'op':'copy','from':'/a','path':'/b'}]",
	     "{'a':{'x':1},'b':{'x':1}}", 0},
	    {"{'a':1}", "[{'op':'test','path':'/a','value':1},{'op':'remove','path':'/a'}]", "{}",
	     0},
	    {"{'a':9007199254740993}", "[{'op':'copy','from':'/a','path':'/b'}]",
	     "{'a':9007199254740993,'b':9007199254740993}", 0},
	};

	check_rows(patch_json, rows, ARRAY_LEN(rows));
}

static void merge_patch(void **state UNUSED)
{
	static const struct row rows[] = {
	    {"{}", "[]", NULL, 400},
	    {"{'a':1,'b':{'c':2,'d':3}}", "{'a':null,'b':{'c':null,'e':[1]}}",
	     "{'b':{'d':3,'e':[1]}}", 0},
	};

	check_rows(patch_merge, rows, ARRAY_LEN(rows));
}

static void strategic_patch(void **state UNUSED)
{
	static const struct row rows[] = {
	    {"{}", "1", NULL, 400},
	    {"{'containers':[{'name':'a','image':'x'},{'name':'b'}]}",
	     "{'containers':[{'name':'a','image':'y'},{'name':'c'}]}",
	     "{'containers':[{'name':'a','image':'y'},{'name':'b'},{'name':'c'}]}", 0},
	    {"{'containers':[{'name':'a'},{'name':'b'}]}",
	     "{'containers':[{'name':'a','$patch':'delete'}]}", "{'containers':[{'name':'b'}]}", 0},
	    {"{'env':[{'name':'a'}]}", "{'env':[{'$patch':'replace'},{'name':'b'}]}",
	     "{'env':[{'name':'b'}]}", 0},
	    {"{'args':['a','b']}", "{'args':['c']}", "{'args':['c']}", 0},
	    {"{'finalizers':['a']}", "{'finalizers':['a','b']}", "{'finalizers':['a','b']}", 0},
	    {"{'finalizers':['a','b']}", "{'$deleteFromPrimitiveList/finalizers':['a']}",
	     "{'finalizers':['b']}", 0},
	    {"{'a':{'x':1,'y':2}}", "{'a':{'$patch':'replace','z':3}}", "{'a':{'z':3}}", 0},
	    {"{'a':{'x':1,'y':2}}", "{'a':{'$retainKeys':['z'],'z':3}}", "{'a':{'z':3}}", 0},
	    {"{'a':1}", "{'$setElementOrder/containers':[{'name':'a'}],'a':null}", "{}", 0},
	    {"{'ports':[{'port':80,'name':'x'}]}", "{'ports':[{'port':80,'name':'y'}]}",
	     "{'ports':[{'port':80,'name':'y'}]}", 0},
	    {"{}", "{'a':{'b':{'c':null,'d':1}}}", "{'a':{'b':{'d':1}}}", 0},
	};

	check_rows(patch_strategic, rows, ARRAY_LEN(rows));
}

static void too_many_operations(void **state UNUSED)
{
	auto_json struct json *patch = json_array();
	struct json *target = json_object();
	struct err err = ERR_INIT;

	for (int i = 0; i < PATCH_OPERATIONS_MAX; i++)
		json_append(patch, json_build("{'op':'add','path':'/a','value':1}"));
	assert_int_equal(patch_json(&target, patch, &err), 0);
	json_append(patch, json_build("{'op':'add','path':'/a','value':1}"));
	assert_int_equal(patch_json(&target, patch, &err), -1);
	assert_int_equal(err.status, 400);
	json_free(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_patch_refuses),  cmocka_unit_test(json_patch_applies),
	    cmocka_unit_test(merge_patch),         cmocka_unit_test(strategic_patch),
	    cmocka_unit_test(too_many_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
