#include "policy_util.h"

#include "base/digest.h"
#include "base/file.h"
#include "policy/eval.h"
#include "policy/frame.h"
#include "policy/host.h"

/* Names and sizes of files, digests, the check of a new bundle, what hooks may return. */

static void wrong_files_are_refused_by_name(void **state)
{
	static const struct {
		const char *files, *message;
	} cases[] = {
	    {"[]", "expected an object of files, found array"},
	    {"{\"contract.py\":\"\"}", "contract.py: not a policy file; expected contract.lua"},
	    {"{\"Contract.lua\":\"\"}", "Contract.lua: not a policy file"},
	    {"{\"../x.lua\":\"\"}", "../x.lua: not a policy file"},
	    {"{\".lua\":\"\"}", ".lua: not a policy file"},
	    {"{\"\":\"\"}", ": not a policy file"},
	    {"{\"x.lua.lua\":\"\"}", "x.lua.lua: not a policy file"},
	    {"{\"contract.lua\":1}", "contract.lua: expected the text of the file"},
	    {"{\"contracts.lua\":\"\"}", "contracts.lua: no other file says require \"contracts\""},
	    {"{\"util.lua\":\"require 'util'\"}", "util.lua: no other file says require"},
	    {"{\"contract.lua\":\"\\ufeffreturn {}\"}",
	     "contract.lua:1: starts with a byte order mark"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json struct json *files = json_of(cases[i].files);
		struct err err = ERR_INIT;

		assert_null(bundle_new(files, &err));
		if (strstr(err.msg, cases[i].message) == NULL)
			assert_string_equal(err.msg, cases[i].message);
	}
}

static void names_and_sizes_are_limited(void **state)
{
	auto_free char *longest = xasprintf("%0*d.lua", BUNDLE_NAME_MAX - 4, 0);
	auto_free char *too_long = xasprintf("%0*d.lua", BUNDLE_NAME_MAX - 3, 0);
	auto_free char *user = xasprintf("require '%.*s'", BUNDLE_NAME_MAX - 4, longest);
	auto_free char *big = xcalloc(1, POLICY_BUNDLE_MAX + 2);
	auto_json struct json *files = json_build("{'contract.lua': %s, %s: ''}", user, longest);
	auto_json struct json *wrong = json_build("{%s: ''}", too_long);
	auto_json struct json *full = NULL, *over = NULL;
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);

	(void)state;
	assert_non_null(bundle);
	bundle_free(bundle);
	assert_null(bundle_new(wrong, &err));
	assert_int_equal(err.kind, ERR_LIMIT);

	memset(big, ' ', POLICY_BUNDLE_MAX);
	full = json_build("{'contract.lua': %s}", big);
	bundle = bundle_new(full, &err);
	assert_non_null(bundle);
	bundle_free(bundle);
	big[POLICY_BUNDLE_MAX] = ' ';
	over = json_build("{'contract.lua': %s}", big);
	assert_null(bundle_new(over, &err));
	assert_non_null(strstr(err.msg, "hold more than 1048576 bytes"));
}

static void a_hook_that_is_missing_is_the_default_one(void **state)
{
	struct bundle *bundle = bundle_of("return 1"), *plain = bundle_new_default();

	(void)state;
	assert_string_equal(bundle_find(bundle, "contract.lua")->text, "return 1");
	assert_string_equal(bundle_find(bundle, "status.lua")->text,
			    bundle_find(plain, "status.lua")->text);
	assert_null(bundle_find(bundle, "job.lua"));
	bundle_free(bundle);
	bundle_free(plain);
}

static void embedded_texts_are_the_scripts(void **state)
{
	static const char *const names[] = {"contract.lua", "parameters.lua", "status.lua"};

	(void)state;
	assert_int_equal(default_bundle_count, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = xasprintf("scripts/%s", names[i]);
		auto_buf struct buf text = BUF_INIT(1 << 20);
		struct err err = ERR_INIT;

		assert_string_equal(default_bundle[i].name, names[i]);
		if (file_read(path, &text, &err) == 0) /* from the root of the repository */
			assert_string_equal(default_bundle[i].text, text.data);
	}
}

static void a_digest_tells_bundles_apart(void **state)
{
	static const char *const files[] = {
	    "{}",
	    "{\"contract.lua\":\"a\"}",
	    "{\"contract.lua\":\"a\",\"job.lua\":\"b\"}",
	    "{\"contract.lua\":\"a\\njob.lua 1 b\"}",
	    "{\"parameters.lua\":\"a\"}",
	};
	char digests[ARRAY_LEN(files)][BUNDLE_DIGEST_MAX], plain[BUNDLE_DIGEST_MAX];
	struct bundle *bundle = bundle_new_default();

	(void)state;
	bundle_digest(bundle, plain);
	bundle_free(bundle);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_json struct json *json = json_of(files[i]);
		struct err err = ERR_INIT;

		bundle = bundle_new(json, &err);
		bundle_digest(bundle, digests[i]);
		bundle_free(bundle);
		assert_int_equal(strlen(digests[i]), strlen("sha256:") + 12);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(digests[i], digests[j]);
	}
	assert_string_equal(digests[0], plain);
}

/* What a bundle requires of the default one is a part of what runs. */
static void a_digest_covers_the_default_hooks_that_are_required(void **state)
{
	struct bundle *bundle = bundle_of("return require 'default/contract'");
	auto_buf struct buf all = BUF_INIT(1 << 20);
	char sum[DIGEST_HEX_LEN + 1], digest[BUNDLE_DIGEST_MAX];

	(void)state;
	for (size_t i = 0; i < bundle_len(bundle); i++)
		buf_addf(&all, "%s %zu %s\n", bundle_at(bundle, i)->name, bundle_at(bundle, i)->len,
			 bundle_at(bundle, i)->text);
	for (size_t i = 0; i < default_bundle_count; i++)
		buf_addf(&all, "%s %zu %s\n", default_bundle[i].name,
			 strlen(default_bundle[i].text), default_bundle[i].text);
	digest_sha256(all.data, all.len, sum);
	bundle_digest(bundle, digest);
	assert_memory_equal(digest + strlen("sha256:"), sum, 12);
	bundle_free(bundle);
}

/* ---- checking ---- */

static char *check(const char *files_text)
{
	auto_json struct json *files = json_of(files_text), *result = NULL;
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);
	struct eval eval = {.bundle = bundle};

	if (bundle == NULL)
		return xstrdup(err.msg);
	result = eval_check(&eval);
	bundle_free(bundle);
	return xstrdup(
	    json_get(result, "ok") != NULL ? "ok" : json_str(json_at(result, "error", "message")));
}

static void a_new_bundle_is_run_before_it_is_taken(void **state)
{
	static const struct {
		const char *files, *outcome;
	} cases[] = {
	    {"{}", "ok"},
	    {"{\"contract.lua\":\"return {\"}", "contract.lua:1: unexpected symbol near <eof>"},
	    {"{\"contract.lua\":\"return {}\"}", "contract.lua: expected the function 'contract'"},
	    {"{\"status.lua\":\"return 1\"}", "status.lua: expected the file to return a table"},
	    {"{\"parameters.lua\":\"x = 1\"}", "parameters.lua:1: assignment to global 'x'"},
	    {"{\"job.lua\":\"return {}\"}", "job.lua: expected the function 'shape'"},
	    {"{\"job.lua\":\"return {shape = function(m) return m end}\"}", "ok"},
	    {"{\"contract.lua\":\"local u = require 'util' return {contract = u}\","
	     "\"util.lua\":\"\\n\\nlocal x = y.z\"}",
	     "util.lua:3: unknown global 'y'"},
	    {"{\"contract.lua\":\"local u = require 'util' return {contract = u.f}\","
	     "\"util.lua\":\"return {f = function() end}\"}",
	     "ok"},
	    {"{\"contract.lua\":\"require 'a' return {}\",\"a.lua\":\"require 'b'\","
	     "\"b.lua\":\"require 'a'\"}",
	     "the module requires itself"},
	    {"{\"parameters.lua\":\"local d = require 'default/parameters' "
	     "return {validate = function(p, r, c) return d.validate(p, r, c) end}\","
	     "\"examples.lua\":\"return {{hook = 'validate', input = {parameters = {pod_uid = "
	     "'x'}}, "
	     "output = {{field = 'spec.parameters.pod_uid', message = 'is reserved: the runner "
	     "sets "
	     "it'}}}}\"}",
	     "ok"},
	    {"{\"contract.lua\":\"\\nlocal d = require 'default/contract'\\nd.contract(nil)\"}",
	     "contract.lua:3: default/contract.lua:"},
	    {"{\"contract.lua\":\"require 'default/job'\"}",
	     "contract.lua:1: require \"default/job\": the bundle has no file default/job.lua"},
	    {"{\"contract.lua\":\"require 'default/'\"}", "the bundle has no file default/.lua"},
	    {"{\"contract.lua\":\"while true do end\"}",
	     "contract.lua:1: the script ran for more than"},
	    {"{\"examples.lua\":\"return 1\"}", "examples.lua: expected the file to return a list"},
	    {"{\"examples.lua\":\"return {{hook = 'x'}}\"}",
	     "examples.lua: case 1: expected {hook ="},
	    {"{\"examples.lua\":\"return {{hook = 'validate', input = {parameters = {a = 'b'}}, "
	     "output = {}}, {hook = 'validate', input = {}, output = {1}}}\"}",
	     "examples.lua: case 2 (validate): expected [1], found []"},
	    {"{\"parameters.lua\":\"return {validate = function() reject 'no' "
	     "end}\",\"examples.lua\":"
	     "\"return {{hook = 'validate', input = {}, error = 'no'}}\"}",
	     "ok"},
	    {"{\"parameters.lua\":\"return {validate = function() reject 'no' "
	     "end}\",\"examples.lua\":"
	     "\"return {{hook = 'validate', input = {}, error = 'yes'}}\"}",
	     "expected \"yes\", found \"no\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *outcome = check(cases[i].files);

		if (strstr(outcome, cases[i].outcome) == NULL)
			assert_string_equal(outcome, cases[i].outcome);
	}
}

/* ---- hooks ---- */

static char *hook_result(const char *file, const char *function, const char *hook, const char *body)
{
	auto_free char *text =
	    xasprintf("return {%s = function(a, b, c, d) %s end}", function, body);
	auto_json struct json *files = json_build("{%s: %s}", file, text), *result = NULL;
	auto_json struct json *request = json_of(
	    "{\"run\":{\"spec\":{\"parameters\":{\"p\":\"1\"}}},\"config\":{\"c\":1},\"job\":null,"
	    "\"pods\":[],\"now\":\"N\",\"manifest\":{\"kind\":\"Job\"}}");
	struct err err = ERR_INIT;
	struct bundle *bundle = bundle_new(files, &err);
	struct eval eval = {.bundle = bundle};

	result = eval_hook(&eval, hook, request);
	bundle_free(bundle);
	if (json_get(result, "ok") != NULL)
		return json_print(json_get(result, "ok"));
	return xasprintf("%s: %s", json_str(json_at(result, "error", "kind")),
			 json_str(json_at(result, "error", "message")));
}

static void results_of_another_shape_are_errors(void **state)
{
	static const struct {
		const char *file, *function, *hook, *body, *result;
	} cases[] = {
	    {"contract.lua", "contract", "contract", "return {a.spec.parameters, b, c == nil}",
	     "script: contract.lua: expected contract to return a table, found ["},
	    {"contract.lua", "contract", "contract",
	     "return {x = a.spec.parameters, y = b, z = c == nil}",
	     "{\"x\":{\"p\":\"1\"},\"y\":{\"c\":1},\"z\":true}"},
	    {"contract.lua", "contract", "contract", "", "found nothing"},
	    {"contract.lua", "contract", "contract", "reject('no')", "reject: no"},
	    {"parameters.lua", "validate", "validate", "", "[]"},
	    {"parameters.lua", "validate", "validate", "return {}", "[]"},
	    {"parameters.lua", "validate", "validate", "return json.array()", "[]"},
	    {"parameters.lua", "validate", "validate", "return {field = 'x'}",
	     "expected validate to return nothing or a list of"},
	    {"parameters.lua", "validate", "validate", "return {{field = 'x'}}",
	     "to return nothing or"},
	    {"parameters.lua", "validate", "validate", "return false", "to return nothing or"},
	    {"parameters.lua", "validate", "validate", "return {{field = a.p, message = 'm'}}",
	     "[{\"field\":\"1\",\"message\":\"m\"}]"},
	    {"status.lua", "status", "status", "return {phase = 'Running', message = d .. #c}",
	     "{\"message\":\"N0\",\"phase\":\"Running\"}"},
	    {"status.lua", "status", "status", "return {phase = 'Rejected'}",
	     "phase = \"Pending\""},
	    {"status.lua", "status", "status", "return {phase = 'Running', reason = 1}",
	     "reason and message are strings"},
	    {"status.lua", "status", "status", "return {phase = 'Running', conditions = {a = 1}}",
	     "conditions are a list"},
	    {"status.lua", "status", "status", "return 'Running'", "phase = \"Pending\""},
	    {"job.lua", "shape", "shape", "a.x = 1 return a", "{\"kind\":\"Job\",\"x\":1}"},
	    {"job.lua", "shape", "shape", "a.x = 1",
	     "expected shape to return a table, found nothing"},
	    {"contract.lua", "contract", "shape", "", "{\"kind\":\"Job\"}"},
	    {"contract.lua", "contract", "shapes", "", "script: unknown hook"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *found =
		    hook_result(cases[i].file, cases[i].function, cases[i].hook, cases[i].body);

		if (strstr(found, cases[i].result) == NULL)
			assert_string_equal(found, cases[i].result);
	}
}

/* ---- frames ---- */

static void frames_carry_what_they_are_given(void **state)
{
	auto_json struct json *message = json_of("{\"op\":\"eval\",\"run\":{\"a\":[1e3,null]}}");
	auto_json struct json *back = NULL;
	auto_buf struct buf out = BUF_INIT(FRAME_HEADER + FRAME_MAX);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(frame_pack(message, NULL, &out, &err), 0);
	assert_int_equal(frame_get_size(out.data), out.len - FRAME_HEADER);
	back = frame_unpack(out.data + FRAME_HEADER, out.len - FRAME_HEADER, &err);
	assert_true(json_equal(message, back));
	assert_null(frame_unpack("x", 1, &err));
	assert_null(frame_unpack("a {\n", 4, &err));
	assert_null(frame_unpack("a1\n", 3, &err));
}

static void a_frame_is_limited(void **state)
{
	size_t room = FRAME_MAX - strlen("a \"\"\n");
	auto_free char *text = xcalloc(1, room + 2);
	auto_json struct json *most = NULL, *more = NULL;
	auto_buf struct buf out = BUF_INIT(FRAME_HEADER + FRAME_MAX);
	struct err err = ERR_INIT;

	(void)state;
	memset(text, 'x', room);
	most = json_build("{'a': %s}", text);
	assert_int_equal(frame_pack(most, NULL, &out, &err), 0);
	buf_clear(&out);
	text[room] = 'x';
	more = json_build("{'a': %s}", text);
	assert_int_equal(frame_pack(more, NULL, &out, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_files_are_refused_by_name),
	    cmocka_unit_test(names_and_sizes_are_limited),
	    cmocka_unit_test(a_hook_that_is_missing_is_the_default_one),
	    cmocka_unit_test(embedded_texts_are_the_scripts),
	    cmocka_unit_test(a_digest_tells_bundles_apart),
	    cmocka_unit_test(a_digest_covers_the_default_hooks_that_are_required),
	    cmocka_unit_test(a_new_bundle_is_run_before_it_is_taken),
	    cmocka_unit_test(results_of_another_shape_are_errors),
	    cmocka_unit_test(frames_carry_what_they_are_given),
	    cmocka_unit_test(a_frame_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
