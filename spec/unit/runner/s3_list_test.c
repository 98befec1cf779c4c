/* s3_list_test.c - pages of a listing, as servers send them and as they should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/s3_list.h"

#define PAGE(inner)                                                                                \
	"<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\">" inner "</ListBucketResult>"
#define OBJECT(key)                                                                                \
	"<Contents><Key>" key "</Key><ETag>&quot;e&quot;</ETag><Size>12</Size>"                    \
	"<Owner><ID>me</ID></Owner></Contents>"

static int read_page(const char *text, struct s3_list *list, struct err *err)
{
	return s3_list_page(text, strlen(text), list, err);
}

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *message;
	} table[] = {
	    {"", "expected XML, found an early end"},
	    {"{}", "expected XML, found an early end"},
	    {"<html></html>", "expected ListBucketResult, found html"},
	    {"<ListAllMyBucketsResult/>", "expected ListBucketResult, found ListAllMyBuckets"},
	    {"<ListBucketResult>" OBJECT("a"), "expected XML, found an early end"},
	    {PAGE("<Contents></Contents>"), "expected Key, ETag and Size"},
	    {PAGE("<Contents><Key/><ETag>e</ETag><Size>1</Size></Contents>"), "expected Key"},
	    {PAGE("<Contents><Key>a</Key><Size>1</Size></Contents>"), "found \"a\" without"},
	    {PAGE("<Contents><Key>a</Key><ETag>e</ETag></Contents>"), "found \"a\" without"},
	    {PAGE("<Contents><Key>a</Key><ETag>e</ETag><Size>-1</Size></Contents>"), "without"},
	    {PAGE("<Contents><Key>a</Key><ETag>e</ETag><Size>1 </Size></Contents>"), "without"},
	    {PAGE(
		 "<Contents><Key>a</Key><ETag>e</ETag><Size>9999999999999999999</Size></Contents>"),
	     "without"},
	    {PAGE(OBJECT("a") "<Contents><Key>b</Key></Contents>"), "found \"b\" without"},
	    {PAGE("<IsTruncated>true</IsTruncated>"), "expected NextContinuationToken"},
	    {PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
	     "expected NextContinuationToken"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_s3_list struct s3_list list = {.count = 0};
		struct err err = ERR_INIT;

		assert_int_equal(read_page(table[i].text, &list, &err), -1);
		if (strstr(err.msg, table[i].message) == NULL)
			fail_msg("%s: expected %s, found %s", table[i].text, table[i].message,
				 err.msg);
	}
}

/* Without its query a DELETE of an upload would be one of the object. */
static void test_a_url_is_whole(void **state UNUSED)
{
	static char base[] = "http://h/b";
	const struct s3_client client = {.base = base};
	auto_free char *query = xcalloc(1, (1 << 20) + 1), *url = NULL;

	memset(query, 'q', 1 << 20);
	url = s3_url(&client, "k", query);
	assert_int_equal(strlen(url), strlen("http://h/b/k?") + strlen(query));
}

static void test_pages(void **state UNUSED)
{
	auto_s3_list struct s3_list list = {.count = 0};
	struct err err = ERR_INIT;

	assert_int_equal(read_page(PAGE("<Name>b</Name><IsTruncated>true</IsTruncated>" OBJECT(
				       "a &amp; &#x1;b") "<NextContinuationToken>t=</"
							 "NextContinuationToken>"),
				   &list, &err),
			 0);
	assert_string_equal(list.next, "t=");
	assert_int_equal(read_page(PAGE("<IsTruncated>false</IsTruncated>" OBJECT("\u00e9") OBJECT(
				       "z") "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"),
				   &list, &err),
			 0);
	assert_null(list.next);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.objects[0].key, "a & \001b");
	assert_string_equal(list.objects[0].etag, "\"e\"");
	assert_int_equal(list.objects[0].size, 12);
	assert_string_equal(list.objects[1].key, "\u00e9");
	assert_string_equal(list.objects[2].key, "z");
}

static void test_limit(void **state UNUSED)
{
	auto_s3_list struct s3_list list = {.count = 0};
	struct err err = ERR_INIT;

	while (list.count < S3_OBJECTS_MAX - 1)
		s3_list_add(&list, "k", "e", 1);
	assert_int_equal(read_page(PAGE(OBJECT("a")), &list, &err), 0);
	assert_int_equal(read_page(PAGE(OBJECT("b")), &list, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_a_url_is_whole),
	    cmocka_unit_test(test_pages),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
