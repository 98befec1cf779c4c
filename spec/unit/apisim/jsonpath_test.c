#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/jsonpath.h"

static const char document[] =
    "{'a':{'b':'x','c.d':1,'e':[10,20,30]},'n':null,'list':[{'type':'Ready','status':'True','n':1},"
    "{'type':'Synced','status':'False','n':2,'ok':true}]}";

static void refuses_broken_paths(void **state)
{
	static const char *const paths[] = {
	    "a",
	    ".a.",
	    ".a..b",
	    ".a[",
	    ".a[]",
	    ".a[x]",
	    ".a[1",
	    ".a['b]",
	    ".a['b'",
	    ".a[ 1]",
	    ".a[?(@.b)]",
	    ".a[?(@.b=='x']",
	    ".a[?(@.b==)]",
	    ".a[?(@.b<1)]",
	    ".a b[",
	    ".a]b[",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err err = ERR_INIT;
		auto_json struct json *root = json_build(document);

		if (jsonpath_check(paths[i], &err) == 0)
			fail_msg("%s: expected a refusal", paths[i]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(jsonpath_first(paths[i], root));
	}
}

static void the_length_is_limited(void **state)
{
	auto_free char *path = xmalloc(JSONPATH_MAX + 2);
	struct err err = ERR_INIT;

	(void)state;
	memset(path, 'a', JSONPATH_MAX + 1);
	path[0] = '.';
	path[JSONPATH_MAX] = '\0';
	assert_int_equal(jsonpath_check(path, &err), 0);
	path[JSONPATH_MAX] = 'a';
	path[JSONPATH_MAX + 1] = '\0';
	assert_int_equal(jsonpath_check(path, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void finds_the_first(void **state)
{
	static const struct {
		const char *path, *found; /* found NULL: nothing */
	} examples[] = {
	    {".a.b", "\"x\""},
	    {".a.c\\.d", "1"},
	    {".a['c.d']", "1"},
	    {".a[\"c.d\"]", "1"},
	    {"['a'].b", "\"x\""},
	    {".a.e[0]", "10"},
	    {".a.e[-1]", "30"},
	    {".a.e[3]", NULL},
	    {".a.e[-4]", NULL},
	    {".a.e[*]", "10"},
	    {".a.e.*", "10"},
	    {".a.b.c", NULL},
	    {".a.b[0]", NULL},
	    {".a.nope.x.y[0]", NULL},
	    {".n", "null"},
	    {".list[?(@.type==\"Ready\")].status", "\"True\""},
	    {".list[?(@.type=='Synced')].status", "\"False\""},
	    {".list[?(@.type != 'Ready')].status", "\"False\""},
	    {".list[?(@.n==2)].type", "\"Synced\""},
	    {".list[?(@.ok==true)].type", "\"Synced\""},
	    {".list[?(@.n=='2')].type", NULL},
	    {".list[?(@.type==\"None\")].status", NULL},
	    {".a.e[?(@==20)]", "20"},
	    {".list[*].ok", "true"},
	    {".nope[?(@.type==\"Ready\")].status", NULL},
	};
	auto_json struct json *root = json_build(document);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct json *value = jsonpath_first(examples[i].path, root);
		auto_free char *text = value != NULL ? json_print(value) : NULL;
		struct err err = ERR_INIT;

		if (jsonpath_check(examples[i].path, &err) < 0)
			fail_msg("%s", err.msg);
		if ((text == NULL) != (examples[i].found == NULL) ||
		    (text != NULL && !streq(text, examples[i].found)))
			fail_msg("%s: expected %s, found %s", examples[i].path,
				 examples[i].found != NULL ? examples[i].found : "nothing",
				 text != NULL ? text : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_broken_paths),
	    cmocka_unit_test(the_length_is_limited),
	    cmocka_unit_test(finds_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
