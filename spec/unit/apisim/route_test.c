#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/apisim/route.h"

static void routes(void **state UNUSED)
{
	static const struct {
		const char *path;
		enum route_kind kind;
		const char *group, *version, *namespace, *plural, *name, *subresource;
	} rows[] = {
	    {"", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"/", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"version", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"//api", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"/api/v1/pods/a/b/c", ROUTE_UNKNOWN, "", "v1", "", "", "", ""},
	    {"/apis/a/b/c/d/e/f/g/h", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"/api/v1/namespaces/n/pods/a%00", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"/version", ROUTE_VERSION, "", "", "", "", "", ""},
	    {"/readyz", ROUTE_HEALTH, "", "", "", "", "", ""},
	    {"/openapi/v2", ROUTE_OPENAPI_V2, "", "", "", "", "", ""},
	    {"/openapi/v3", ROUTE_UNKNOWN, "", "", "", "", "", ""},
	    {"/apisim/watches/close", ROUTE_CONTROL, "", "", "", "", "watches", "close"},
	    {"/api", ROUTE_API, "", "", "", "", "", ""},
	    {"/apis/", ROUTE_APIS, "", "", "", "", "", ""},
	    {"/apis/batch", ROUTE_GROUP, "batch", "", "", "", "", ""},
	    {"/apis/batch/v1", ROUTE_RESOURCES, "batch", "v1", "", "", "", ""},
	    {"/api/v1", ROUTE_RESOURCES, "", "v1", "", "", "", ""},
	    {"/api/v1/pods", ROUTE_OBJECTS, "", "v1", "", "pods", "", ""},
	    {"/api/v1/namespaces", ROUTE_OBJECTS, "", "v1", "", "namespaces", "", ""},
	    {"/api/v1/namespaces/n", ROUTE_OBJECTS, "", "v1", "", "namespaces", "n", ""},
	    {"/api/v1/namespaces/n/status", ROUTE_OBJECTS, "", "v1", "", "namespaces", "n",
	     "status"},
	    {"/api/v1/namespaces/n/pods", ROUTE_OBJECTS, "", "v1", "n", "pods", "", ""},
	    {"/api/v1/namespaces/n/pods/p", ROUTE_OBJECTS, "", "v1", "n", "pods", "p", ""},
	    {"/api/v1/namespaces/n/pods/p/status", ROUTE_OBJECTS, "", "v1", "n", "pods", "p",
	     "status"},
	    {"/api/v1/namespaces/n/pods/a%2eb", ROUTE_OBJECTS, "", "v1", "n", "pods", "a.b", ""},
	    {"/apis/batch/v1/namespaces/n/jobs/j/status", ROUTE_OBJECTS, "batch", "v1", "n", "jobs",
	     "j", "status"},
	    {"/apis/x.io/v1/things/t/status", ROUTE_OBJECTS, "x.io", "v1", "", "things", "t",
	     "status"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct route route = route_parse(rows[i].path);

		if (route.kind != rows[i].kind)
			fail_msg("%s: %d", rows[i].path, (int)route.kind);
		if (route.kind == ROUTE_UNKNOWN)
			continue;
		assert_string_equal(route.group, rows[i].group);
		assert_string_equal(route.version, rows[i].version);
		assert_string_equal(route.namespace, rows[i].namespace);
		assert_string_equal(route.plural, rows[i].plural);
		assert_string_equal(route.name, rows[i].name);
		assert_string_equal(route.subresource, rows[i].subresource);
	}
}

static void long_names(void **state UNUSED)
{
	char path[600];
	struct route route;

	for (int len = 253; len <= 254; len++) {
		snprintf(path, sizeof(path), "/api/v1/pods/%0*d", len, 0);
		route = route_parse(path);
		assert_int_equal(route.kind, len == 253 ? ROUTE_OBJECTS : ROUTE_UNKNOWN);
	}
}

static void queries(void **state UNUSED)
{
	static const struct {
		const char *query, *expected;
	} rows[] = {
	    {"", NULL},
	    {"x", NULL},
	    {"x=", ""},
	    {"x=1", "1"},
	    {"xx=1&x=2", "2"},
	    {"x=1&x=2", "1"},
	    {"y=1&x=a%3Db", "a=b"},
	    {"x=a+b", "a b"},
	    {"x=%", "%"},
	    {"x=%4", "%4"},
	    {"x=%zz", "%zz"},
	    {"x=%00", NULL},
	    {"&&x=1", "1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *value = query_get(rows[i].query, "x");

		if (rows[i].expected == NULL)
			assert_null(value);
		else
			assert_string_equal(value, rows[i].expected);
	}
	assert_true(query_is_true("watch=1", "watch"));
	assert_true(query_is_true("watch=true", "watch"));
	assert_false(query_is_true("watch=0", "watch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(routes),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
