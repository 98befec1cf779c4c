#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "runner/contract.h"

#define API                                                                                        \
	"{\"krateo\":{\"api\":{\"endpointRef\":{\"name\":\"e\",\"namespace\":\"n\"},"              \
	"\"path\":\"/compute/x\",\"verb\":\"POST\",\"headers\":[\"Accept: application/json\"]}}}"
#define KSERVE "\"kserve\":{\"modelUrl\":\"m/v2/models/x/infer\"}"
#define WITH_API(api) "{" KSERVE ",\"input\":{\"krateo\":{\"api\":" api "}},\"output\":" API "}"
#define WITH_KSERVE(kserve) "{\"kserve\":" kserve ",\"input\":" API ",\"output\":" API "}"
#define WITH_RUNNER(runner)                                                                        \
	"{" KSERVE ",\"input\":" API ",\"output\":" API ",\"runner\":" runner "}"
#define WITH_PARAMETERS(p) "{" KSERVE ",\"input\":" API ",\"output\":" API ",\"parameters\":" p "}"

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"", "line 1, column 1"},
	    {"{\"jobId\": \"a\",\n \"jobId\": 1}", "line 2"},
	    {"{} x", "nothing behind"},
	    {"[]", "expected an object, found array"},
	    {"{\"jobId\": 7}", "jobId: expected a string, found number"},
	    {"{\"jobId\": \"a\\r\\nX-Header: b\"}",
	     "jobId: expected at most 1024 bytes of text on one"},
	    {"{\"jobName\": \"a\\n\"}", "jobName: expected at most"},
	    {"{}", "kserve: expected an object, found nothing"},
	    {WITH_KSERVE("null"), "kserve: expected an object, found null"},
	    {WITH_KSERVE("{}"), "kserve.modelUrl: expected a string, found nothing"},
	    {WITH_KSERVE("{\"modelUrl\":\"\"}"), "kserve.modelUrl: expected a string, found \"\""},
	    {WITH_KSERVE("{\"modelUrl\":1}"), "kserve.modelUrl: expected a string, found number"},
	    {WITH_KSERVE("{\"modelUrl\":\"ftp://h/x\"}"), "expected an http:// or https:// URL"},
	    {WITH_KSERVE("{\"modelUrl\":\"http://\"}"), "expected an http:// or https:// URL"},
	    {WITH_KSERVE("{\"modelUrl\":\"h\",\"modelInputName\":[]}"),
	     "kserve.modelInputName: expected a string, found array"},
	    {WITH_KSERVE("{\"modelUrl\":\"h\",\"shape\":[-1]}"), "kserve.shape"},
	    {WITH_KSERVE("{\"modelUrl\":\"h\",\"shape\":[-1,0]}"), "kserve.shape"},
	    {WITH_KSERVE("{\"modelUrl\":\"h\",\"shape\":[-1,1.0]}"), "kserve.shape"},
	    {WITH_KSERVE("{\"modelUrl\":\"h\",\"shape\":[1,1,1,1,1,1,1,1,1]}"), "kserve.shape"},
	    {WITH_RUNNER("7"), "runner: expected an object, found number"},
	    {WITH_RUNNER("{\"onEmpty\":\"wait\"}"), "runner.onEmpty: expected succeed or fail"},
	    {WITH_RUNNER("{\"maxFailedRows\":-1}"), "runner.maxFailedRows: expected an integer"},
	    {WITH_RUNNER("{\"maxFailedRows\":1}"), "needs the layout rows in output.krateo"},
	    {WITH_PARAMETERS("[]"), "parameters: expected an object, found array"},
	    {WITH_PARAMETERS("{\"a\":1}"), "parameters.a: expected a string, found number"},
	    {WITH_PARAMETERS("{\"a\":{}}"), "parameters.a: expected a string, found object"},
	    {"{" KSERVE "}", "input: expected an object, found nothing"},
	    {"{" KSERVE ",\"input\":" API "}", "output: expected an object, found nothing"},
	    {"{" KSERVE ",\"input\":{\"ftp\":{}}}", "input: expected a storage provider (krateo"},
	    {"{" KSERVE ",\"input\":{}}", "found none"},
	    {"{" KSERVE ",\"input\":{\"ftp\":{}}}", "found only ftp"},
	    {"{" KSERVE ",\"input\":{\"krateo\":[]}}", "input.krateo.api: expected an object"},
	    {WITH_API("{}"), "input.krateo.api.endpointRef: expected an object, found nothing"},
	    {WITH_API("{\"endpointRef\":{}}"), "input.krateo.api.endpointRef.name"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\",\"namespace\":1}}"),
	     "endpointRef.namespace"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"verb\":\"HEAD\"}"),
	     "verb: expected GET, POST, PUT, PATCH or DELETE, found \"HEAD\""},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"path\":1}"), "path: expected a string"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"headers\":{}}"), "expected an array"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"headers\":[\"a: b\",1]}"), "headers[1]"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"headers\":[\"a b: c\"]}"), "headers[0]"},
	    {WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"headers\":[\"a: b\\r\\nc: d\"]}"),
	     "headers[0]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_contract struct contract contract = {0};
		struct err err = ERR_INIT;

		if (contract_parse(cases[i].text, strlen(cases[i].text), &contract, &err) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (strstr(err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s", cases[i].text, err.msg);
	}
}

/* A password in the model's URL must not reach a message. */
static void test_length_of_ids(void **state UNUSED)
{
	for (size_t len = CONTRACT_ID_MAX; len <= CONTRACT_ID_MAX + 1; len++) {
		auto_free char *id = xcalloc(1, len + 1), *text = NULL;
		auto_contract struct contract contract = {0};
		struct err err = ERR_INIT;

		memset(id, 'i', len);
		text = xasprintf("{\"jobId\": \"%s\"}", id);
		assert_int_equal(contract_parse(text, strlen(text), &contract, &err), -1);
		assert_int_equal(has_prefix(err.msg, "jobId: expected at most"),
				 len > CONTRACT_ID_MAX);
	}
}

static void test_no_secret_in_message(void **state UNUSED)
{
	static const char text[] = WITH_KSERVE("{\"modelUrl\":\"ftp://u:hunter2@h/x?k=hunter3\"}");
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	assert_int_equal(contract_parse(text, strlen(text), &contract, &err), -1);
	assert_null(strstr(err.msg, "hunter"));
	assert_non_null(strstr(err.msg, "ftp://h/x"));
}

static int load_of_size(size_t size)
{
	static const char text[] = WITH_PARAMETERS("{}");
	char path[] = "/tmp/contract-test-XXXXXX";
	auto_contract struct contract contract = {0};
	auto_free char *blank = xmalloc(size);
	struct err err = ERR_INIT;
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	memset(blank, ' ', size);
	memcpy(blank, text, sizeof(text) - 1);
	assert_int_equal(write(fd, blank, size), size);
	close(fd);
	rc = contract_load(path, &contract, &err);
	unlink(path);
	if (rc < 0)
		assert_int_equal(err.kind, ERR_LIMIT);
	return rc;
}

static void test_size_limit(void **state UNUSED)
{
	assert_int_equal(load_of_size(CONTRACT_MAX + 1), -1);
	assert_int_equal(load_of_size(CONTRACT_MAX), 0);
}

static void test_file_missing(void **state UNUSED)
{
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	assert_int_equal(contract_load("/nonexistent", &contract, &err), -1);
	assert_non_null(strstr(err.msg, "/nonexistent"));
}

static void test_urls(void **state UNUSED)
{
	static const struct {
		const char *given, *used;
	} cases[] = {
	    {"h/v2/models/x/infer", "http://h/v2/models/x/infer"},
	    {"h:8080/x", "http://h:8080/x"},
	    {"http://h/x", "http://h/x"},
	    {"https://h/x", "https://h/x"},
	    {"h/x?u=http://y", "http://h/x?u=http://y"},
	    {"10.0.0.1", "http://10.0.0.1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_contract struct contract contract = {0};
		auto_free char *text =
		    xasprintf(WITH_KSERVE("{\"modelUrl\":\"%s\"}"), cases[i].given);
		struct err err = ERR_INIT;

		if (contract_parse(text, strlen(text), &contract, &err) < 0)
			fail_msg("%s: %s", cases[i].given, err.msg);
		assert_string_equal(contract.model.url, cases[i].used);
	}
}

static void test_all_fields(void **state UNUSED)
{
	static const char text[] =
	    "{\"jobId\":\"u\",\"jobName\":\"j\",\"kserve\":{\"modelName\":\"m\",\"modelUrl\":\"h\","
	    "\"modelVersion\":\"v2\",\"modelInputName\":\"x\",\"shape\":[-1,512,1]},"
	    "\"input\":" API ",\"output\":" API ",\"parameters\":{\"a\":\"b\",\"c\":null},"
	    "\"unknown\":{\"kept\":true}}";
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	assert_int_equal(contract_parse(text, strlen(text), &contract, &err), 0);
	assert_string_equal(contract.job_id, "u");
	assert_string_equal(contract.job_name, "j");
	assert_string_equal(contract.model.inputs[0].name, "x");
	assert_int_equal(contract.model.inputs[0].shape.rank, 3);
	assert_int_equal(contract.model.inputs[0].shape.dims[1], 512);
	assert_int_equal(json_len(contract.parameters), 2);
	assert_ptr_equal(contract.input.provider, &krateo_provider);
	assert_non_null(json_get(contract.output.settings, "api"));
}

static void test_least_fields(void **state UNUSED)
{
	static const char text[] =
	    WITH_API("{\"endpointRef\":{\"name\":\"e\"},\"headers\":[\"nocolon\"]}");
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	assert_int_equal(contract_parse(text, strlen(text), &contract, &err), 0);
	assert_string_equal(contract.job_id, "");
	assert_string_equal(contract.model.inputs[0].name, "");
	assert_null(contract.parameters);
	assert_int_equal(contract.model.inputs[0].shape.rank, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_length_of_ids),        cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_no_secret_in_message), cmocka_unit_test(test_size_limit),
	    cmocka_unit_test(test_file_missing),         cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_all_fields),           cmocka_unit_test(test_least_fields),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
