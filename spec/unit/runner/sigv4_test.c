/*
 * What AWS publishes: the Signature Version 4 test suite (service "service"), and the examples of
 * the S3 API reference. Cases of the suite that fold dots and slashes of a path, which S3 forbids,
 * or that send a header twice, which the runner never does, are left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "runner/sigv4.h"

#define SUITE "http://example.amazonaws.com"
#define BUCKET "https://examplebucket.s3.amazonaws.com"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char token[] =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwA"
    "eMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8p"
    "hUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT"
    "38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/"
    "oLxBA==";

struct published {
	const char *method, *url, *headers[3], *body, *signature;
};

static char *sign(struct sigv4_key *key, const struct published *p, const char *time)
{
	struct http_headers headers = {0};
	char sha256[DIGEST_HEX_LEN + 1];
	char *found = NULL;
	int64_t now;

	assert_true(time_parse(time, &now));
	for (size_t i = 0; i < ARRAY_LEN(p->headers) && p->headers[i] != NULL; i++) {
		auto_free char *name = xstrdup(p->headers[i]);
		char *colon = strchr(name, ':');

		*colon = '\0';
		http_header_set(&headers, name, colon + 1);
	}
	digest_sha256(p->body != NULL ? p->body : "", p->body != NULL ? strlen(p->body) : 0,
		      sha256);
	sigv4_sign(key, p->method, p->url, sha256, now, &headers);
	for (size_t i = 0; i < headers.count; i++)
		if (has_prefix(headers.lines[i], "Authorization: "))
			found = xstrdup(headers.lines[i]);
	http_headers_done(&headers);
	assert_non_null(found);
	return found;
}

static void assert_signature(struct sigv4_key *key, const struct published *p, const char *time)
{
	auto_free char *header = sign(key, p, time);

	if (!streq(strstr(header, "Signature=") + strlen("Signature="), p->signature))
		fail_msg("%s %s: expected %s, found %s", p->method, p->url, p->signature, header);
}

static void test_suite_of_aws(void **state UNUSED)
{
	static const struct published table[] = {
	    {"GET",
	     SUITE "/",
	     {NULL},
	     NULL,
	     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	    {"GET",
	     SUITE "",
	     {NULL},
	     NULL,
	     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	    {"GET",
	     SUITE "/",
	     {"My-Header1: value1", "My-Header2: \"a   b   c\""},
	     NULL,
	     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	    {"GET",
	     SUITE "/" UNRESERVED,
	     {NULL},
	     NULL,
	     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
	    {"GET",
	     SUITE "/\u1234",
	     {NULL},
	     NULL,
	     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
	    {"GET",
	     SUITE "/example space/",
	     {NULL},
	     NULL,
	     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
	    {"GET",
	     SUITE "/example/$delete",
	     {NULL},
	     NULL,
	     "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27"},
	    {"GET",
	     SUITE "/?Param1=value1",
	     {NULL},
	     NULL,
	     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
	    {"GET",
	     SUITE "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
	     {NULL},
	     NULL,
	     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
	    {"GET",
	     SUITE "/?Param-3=Value3&Param=Value2&%e1%88%b4=Value1",
	     {NULL},
	     NULL,
	     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
	    {"GET",
	     SUITE "/?Param2=value2&Param1=value1",
	     {NULL},
	     NULL,
	     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	    {"GET",
	     SUITE "/?Param1=value2&Param1=Value1",
	     {NULL},
	     NULL,
	     "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
	    {"GET",
	     SUITE "/?Param1=value2&Param1=value1",
	     {NULL},
	     NULL,
	     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
	    {"GET",
	     SUITE "/?" UNRESERVED "=" UNRESERVED,
	     {NULL},
	     NULL,
	     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
	    {"GET",
	     SUITE "/?\u1234=bar",
	     {NULL},
	     NULL,
	     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
	    {"POST",
	     SUITE "/",
	     {NULL},
	     NULL,
	     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	    {"POST",
	     SUITE "/",
	     {"My-Header1:value1"},
	     NULL,
	     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
	    {"POST",
	     SUITE "/",
	     {"My-Header1:VALUE1"},
	     NULL,
	     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
	    {"POST",
	     SUITE "/?Param1=value1",
	     {NULL},
	     NULL,
	     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
	    {"POST",
	     SUITE "/",
	     {"Content-Type:application/x-www-form-urlencoded"},
	     "Param1=value1",
	     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	    {"POST",
	     SUITE "/",
	     {"Content-Type:application/x-www-form-urlencoded; charset=utf8"},
	     "Param1=value1",
	     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
	};
	struct sigv4_key key = {.access = "AKIDEXAMPLE",
				.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				.region = "us-east-1",
				.service = "service"};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_signature(&key, &table[i], "2015-08-30T12:36:00Z");
}

static void test_session_token(void **state UNUSED)
{
	static const struct published post = {
	    .method = "POST",
	    .url = SUITE "/",
	    .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"};
	struct sigv4_key key = {.access = "AKIDEXAMPLE",
				.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				.token = (char *)token,
				.region = "us-east-1",
				.service = "service"};

	assert_signature(&key, &post, "2015-08-30T12:36:00Z");
}

static struct sigv4_key s3_key(void)
{
	return (struct sigv4_key){.access = "AKIAIOSFODNN7EXAMPLE",
				  .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
				  .region = "us-east-1",
				  .service = "s3"};
}

static void test_examples_of_s3(void **state UNUSED)
{
	static const struct published table[] = {
	    {"GET",
	     BUCKET "/test.txt",
	     {"Range:bytes=0-9"},
	     NULL,
	     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	    {"PUT",
	     BUCKET "/test%24file.text",
	     {"Date:Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class:REDUCED_REDUNDANCY"},
	     "Welcome to Amazon S3.",
	     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	    {"PUT",
	     BUCKET "/test$file.text",
	     {"Date:Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class:REDUCED_REDUNDANCY"},
	     "Welcome to Amazon S3.",
	     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	    {"GET",
	     BUCKET "?lifecycle",
	     {NULL},
	     NULL,
	     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	    {"GET",
	     BUCKET "/?lifecycle=",
	     {NULL},
	     NULL,
	     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	    {"GET",
	     BUCKET "/?max-keys=2&prefix=J",
	     {NULL},
	     NULL,
	     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	    {"GET",
	     BUCKET "/?prefix=J&max-keys=2",
	     {NULL},
	     NULL,
	     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	};
	struct sigv4_key key = s3_key();

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_signature(&key, &table[i], "2013-05-24T00:00:00Z");
}

/* One key in many spellings is one request. */
static void test_the_decoded_key_counts(void **state UNUSED)
{
	static const char *const urls[] = {
	    BUCKET "/a+b=c%20%C3%A9//./x?k=a%2Fb&e", BUCKET "/a%2Bb%3Dc%20%c3%a9//./x?e=&k=a/b",
	    "https://u:p@examplebucket.s3.amazonaws.com/a%2bb%3dc \u00e9//./x?k=a%2fb&e#f"};
	struct sigv4_key key = s3_key();
	auto_free char *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const struct published p = {.method = "GET", .url = urls[i]};
		auto_free char *header = sign(&key, &p, "2013-05-24T00:00:00Z");

		if (first == NULL)
			first = steal(header);
		else
			assert_string_equal(first, header);
	}
}

/* What goes with the request, in the form that the documentation shows. */
static void test_headers(void **state UNUSED)
{
	static const struct published get = {
	    .method = "GET", .url = BUCKET "/test.txt", .headers = {"Range:bytes=0-9"}};
	struct sigv4_key key = s3_key();
	auto_free char *header = sign(&key, &get, "2013-05-24T00:00:00Z");

	assert_string_equal(
	    header, "Authorization: AWS4-HMAC-SHA256 "
		    "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_suite_of_aws),           cmocka_unit_test(test_session_token),
	    cmocka_unit_test(test_examples_of_s3),         cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_the_decoded_key_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
