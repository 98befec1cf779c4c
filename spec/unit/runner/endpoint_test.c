#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"
#include "runner/endpoint.h"
#include "runner/sigv4.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

static char *encode(const char *text)
{
	struct buf out = BUF_INIT(1 << 20);

	base64_encode(text, strlen(text), &out);
	return buf_steal(&out);
}

/* A Secret from pairs "key", "plain value", ..., NULL. */
static struct json *secret_of(const char *const *pairs)
{
	struct json *secret = json_object(), *data = json_obj(secret, "data");

	for (; *pairs != NULL; pairs += 2) {
		auto_free char *value = encode(pairs[1]);

		json_set_str(data, pairs[0], value);
	}
	return secret;
}

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *const pairs[9];
		const char *message;
	} cases[] = {
	    {{NULL}, "expected the key server-url"},
	    {{"server-url", ""}, "expected the key server-url"},
	    {{"server-url", "host:80"}, "key server-url: expected an http"},
	    {{"server-url", "https://u:s3cret/x@h"}, "as %2F %3F"},
	    {{"server-url", "https://u:s3cret?x@h"}, "password"},
	    {{"server-url", "https://u:s3cret#x@h"}, "password"},
	    {{"server-url", "http://h\n"},
	     "key server-url: expected one line of text, found a newline"},
	    {{"server-url", "http://h", "token", "a\rb"}, "key token: expected one line"},
	    {{"server-url", "http://h", "token", "s3cret", "password", "s3cret"}, "found both"},
	    {{"server-url", "http://h", "aws-access-key", "AK"}, "found only one"},
	    {{"server-url", "http://h", "aws-secret-key", "s3cret"}, "found only one"},
	    {{"server-url", "http://h", "aws-secret-key", "s3cret\n"},
	     "key aws-secret-key: expected one"},
	    {{"server-url", "http://h", "token", "t", "aws-access-key", "AK", "aws-secret-key",
	      "s3cret"},
	     "found two of them"},
	    {{"server-url", "http://h", "client-key-data", PEM}, "found only one"},
	    {{"server-url", "http://h", "client-certificate-data", PEM}, "found only one"},
	    {{"server-url", "http://h", "certificate-authority-data", "s3cret!"}, "base64 of PEM"},
	    {{"server-url", "http://h", "certificate-authority-data", "czNjcmV0"}, "base64 of PEM"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *secret = secret_of(cases[i].pairs);
		auto_endpoint struct endpoint endpoint = {0};
		struct err err = ERR_INIT;

		assert_int_equal(endpoint_from_secret(secret, &endpoint, &err), -1);
		if (strstr(err.msg, cases[i].message) == NULL || strstr(err.msg, "s3cret") != NULL)
			fail_msg("case %zu: %s", i, err.msg);
		assert_null(endpoint.url);
	}
}

static void test_bad_encoding(void **state UNUSED)
{
	static const char *const cases[] = {
	    "{'data': {'server-url': 'not base64!'}}",
	    "{'data': {'server-url': 7}}",
	    "{'data': {'server-url': 'aAA='}}", /* h NUL */
	    "{'data': []}",
	    "{}",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *secret = json_build(cases[i]);
		auto_endpoint struct endpoint endpoint = {0};
		struct err err = ERR_INIT;

		assert_int_equal(endpoint_from_secret(secret, &endpoint, &err), -1);
		assert_non_null(strstr(err.msg, "server-url"));
	}
}

static void test_credentials(void **state UNUSED)
{
	static const struct {
		const char *const pairs[7];
		const char *authorization;
	} cases[] = {
	    {{"server-url", "http://h"}, NULL},
	    {{"server-url", "http://h", "username", "u"}, NULL},
	    {{"server-url", "http://h", "password", "p"}, "Basic OnA="},
	    {{"server-url", "http://h", "username", "u", "password", "p"}, "Basic dTpw"},
	    {{"server-url", "http://h", "token", "t"}, "Bearer t"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *secret = secret_of(cases[i].pairs);
		auto_endpoint struct endpoint endpoint = {0};
		struct err err = ERR_INIT;

		assert_int_equal(endpoint_from_secret(secret, &endpoint, &err), 0);
		if (cases[i].authorization == NULL)
			assert_null(endpoint.authorization);
		else
			assert_string_equal(endpoint.authorization, cases[i].authorization);
	}
}

/* Krateo encodes PEM once more; others put it as it is; base64(1) breaks lines. */
static void test_pem(void **state UNUSED)
{
	auto_free char *twice = encode(PEM);
	auto_free char *broken = xasprintf("%.10s\n%s\n", twice, twice + 10);
	const char *const forms[] = {PEM, twice, broken};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *const pairs[] = {"server-url",
					     "https://h",
					     "certificate-authority-data",
					     forms[i],
					     "client-certificate-data",
					     forms[i],
					     "client-key-data",
					     forms[i],
					     NULL};
		auto_json struct json *secret = secret_of(pairs);
		auto_endpoint struct endpoint endpoint = {0};
		struct err err = ERR_INIT;

		if (endpoint_from_secret(secret, &endpoint, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(endpoint.peer.ca, PEM);
		assert_string_equal(endpoint.peer.cert, PEM);
		assert_string_equal(endpoint.peer.key, PEM);
		assert_false(endpoint.peer.insecure);
	}
}

static void test_switches(void **state UNUSED)
{
	static const struct {
		const char *word;
		bool yes;
	} cases[] = {{"1", true},    {"t", true},  {"T", true},    {"true", true}, {"TRUE", true},
		     {"True", true}, {"0", false}, {"yes", false}, {"", false},    {"tRUE", false}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const pairs[] = {"server-url", "https://h",   "insecure", cases[i].word,
					     "debug",      cases[i].word, NULL};
		auto_json struct json *secret = secret_of(pairs);
		auto_endpoint struct endpoint endpoint = {0};
		struct err err = ERR_INIT;

		assert_int_equal(endpoint_from_secret(secret, &endpoint, &err), 0);
		assert_int_equal(endpoint.peer.insecure, cases[i].yes);
		assert_int_equal(endpoint.peer.debug, cases[i].yes);
	}
}

static void test_join(void **state UNUSED)
{
	static const struct {
		const char *url, *path, *joined;
	} cases[] = {
	    {"http://h", "", "http://h"},
	    {"http://h/", "", "http://h"},
	    {"http://h", "/a", "http://h/a"},
	    {"http://h/", "a", "http://h/a"},
	    {"http://h/b/", "/a?q=/", "http://h/b/a?q=/"},
	    {"http://h//", "//a", "http://h///a"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint endpoint = {.url = (char *)cases[i].url};
		auto_free char *joined = endpoint_join(&endpoint, cases[i].path);

		assert_string_equal(joined, cases[i].joined);
	}
}

static void test_keys_for_signatures(void **state UNUSED)
{
	static const char *const pairs[] = {
	    "server-url", "http://h",  "aws-access-key", "AK", "aws-secret-key",    "SK",
	    "aws-region", "eu-west-1", "aws-service",    "s3", "aws-session-token", "T",
	    NULL};
	auto_json struct json *secret = secret_of(pairs);
	auto_endpoint struct endpoint endpoint = {0};
	struct err err = ERR_INIT;

	assert_int_equal(endpoint_from_secret(secret, &endpoint, &err), 0);
	assert_null(endpoint.authorization);
	assert_string_equal(endpoint.peer.aws->access, "AK");
	assert_string_equal(endpoint.peer.aws->secret, "SK");
	assert_string_equal(endpoint.peer.aws->region, "eu-west-1");
	assert_string_equal(endpoint.peer.aws->service, "s3");
	assert_string_equal(endpoint.peer.aws->token, "T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),      cmocka_unit_test(test_keys_for_signatures),
	    cmocka_unit_test(test_bad_encoding), cmocka_unit_test(test_credentials),
	    cmocka_unit_test(test_pem),          cmocka_unit_test(test_switches),
	    cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
