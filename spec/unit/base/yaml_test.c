#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "base/yaml.h"

static void assert_becomes(const char *yaml, const char *json)
{
	struct err err = ERR_INIT;
	auto_json struct json *value = yaml_parse(yaml, strlen(yaml), &err);
	auto_free char *text = NULL;

	if (value == NULL)
		fail_msg("%s: %s", yaml, err.msg);
	text = json_print(value);
	assert_string_equal(text, json);
}

static void assert_refused(const char *yaml, size_t len, const char *message)
{
	struct err err = ERR_INIT;
	auto_json struct json *value = yaml_parse(yaml, len, &err);

	if (value != NULL)
		fail_msg("%s: was accepted", yaml);
	if (strstr(err.msg, message) == NULL)
		fail_msg("%s: \"%s\" does not hold \"%s\"", yaml, err.msg, message);
}

/* ---- what is refused ---- */

static void traps_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *yaml, *message;
	} rows[] = {
	    {"a: *x", "line 1, column 4: aliases (*name) are not supported"},
	    {"a: 1\nb: [1, *x]", "line 2, column 8: aliases"},
	    {"*x : 1", "line 1, column 1: "},
	    {"a: &x 1", "line 1, column 4: anchors (&name) are not supported"},
	    {"a: &x {}", "line 1, column 4: anchors"},
	    {"a: &x [1]", "line 1, column 4: anchors"},
	    {"&x a: 1", "line 1, column 1: anchors"},
	    {"a: &x\n  b: 1\nc: *x", "line 1, column 4: anchors"},
	    {"a: !!str 1", "line 1, column 4: tags (!name) are not supported"},
	    {"a: !!python/object:os.system x", "tags"},
	    {"a: !local {}", "tags"},
	    {"!!set {a: 1}", "line 1, column 1: tags"},
	    {"!!str a: 1", "line 1, column 1: tags"},
	    {"a:\n  <<: {b: 1}", "line 2, column 3: merge keys (<<) are not supported"},
	    {"a: 1\nb: 2\na: 3", "line 3, column 1: expected each key once, found one twice"},
	    {"{a: 1, \"a\": 2}", "line 1, column 8: expected each key once"},
	    {"? [a]\n: 1", "line 1, column 3: expected a key, found a collection"},
	    {"? {a: 1}\n: 1", "expected a key, found a collection"},
	    {"a: \"x\\0y\"", "line 1, column 4: a NUL character is not supported"},
	    {"\"a\\0b\": 1", "line 1, column 1: a NUL character is not supported"},
	    {"a: \"\\ud800\"", "line 1, column "},
	    {"a: [1", "line "},
	    {"a: 'x", "line "},
	    {"a: b: c", "line 1, column 5"},
	    {"a:\n\t- 1", "line 2, column 1"},
	    {"a: @x", "line 1, column 4"},
	    {"- a\nb: 1", "line 2, column 1"},
	    {"a: 1\nb: \xFF", "byte 9: invalid leading UTF-8 octet"},
	    {"a: \xED\xA0\x80", "byte 4: invalid Unicode character"},
	    {"a: \x01", "byte 4: control characters"},
	    {"", "expected one YAML document, found 0"},
	    {"# only a comment\n", "expected one YAML document, found 0"},
	    {"a: 1\n---\nb: 2\n", "expected one YAML document, found 2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].yaml, strlen(rows[i].yaml), rows[i].message);
}

static void odd_numbers_are_refused(void **state)
{
	static const char *const rows[] = {
	    "0644",
	    "-0644",
	    "+07",
	    "00",
	    "1.",
	    "+1.",
	    ".5",
	    "-.5",
	    "+.5",
	    "00.5",
	    ".5e3",
	    "1.e3",
	    "01e5",
	    "-.5E-3",
	    ".inf",
	    "-.inf",
	    "+.INF",
	    ".Inf",
	    ".nan",
	    ".NaN",
	    ".NAN",
	    "0xFFFFFFFFFFFFFFFF",
	    "0x8000000000000000",
	    "0o1000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *plain = xasprintf("a: %s", rows[i]);
		auto_free char *quoted = xasprintf("a: '%s'", rows[i]);
		auto_free char *expected = xasprintf("{\"a\":\"%s\"}", rows[i]);

		assert_refused(plain, strlen(plain),
			       "line 1, column 4: expected a JSON number or a quoted");
		assert_becomes(quoted, expected);
	}
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	for (int levels = SCAN_DEPTH_MAX; levels <= SCAN_DEPTH_MAX + 1; levels++) {
		auto_buf struct buf text = BUF_INIT(1024);

		for (int i = 0; i < levels; i++)
			buf_addc(&text, '[');
		buf_addc(&text, '1');
		for (int i = 0; i < levels; i++)
			buf_addc(&text, ']');
		if (levels == SCAN_DEPTH_MAX)
			assert_becomes(text.data, text.data);
		else
			assert_refused(text.data, text.len,
				       "column 65: expected at most 64 levels");
	}
}

static void size_has_a_limit(void **state)
{
	auto_free char *text = xmalloc(YAML_MAX + 1);
	auto_json struct json *value = NULL;
	struct err err = ERR_INIT;

	(void)state;
	memset(text, 'x', YAML_MAX + 1);
	text[0] = 'a';
	text[1] = ':';
	text[2] = ' ';
	text[3] = '#'; /* a comment: the parser keeps nothing of it */
	value = yaml_parse(text, YAML_MAX, &err);
	assert_string_equal(err.msg, "");
	assert_non_null(value);
	assert_null(yaml_parse(text, YAML_MAX + 1, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "expected at most 4194304 bytes of YAML, found 4194305"));
}

static void every_truncation_ends(void **state)
{
	static const char text[] = "a: [1, {b: \"x\\u00e9\"}]\nc: |\n  text\n---\nd: 'y'\n...\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		auto_free char *prefix = xmalloc(len);
		struct err err = ERR_INIT;

		memcpy(prefix, text, len);
		json_free(yaml_parse_all(prefix, len, &err));
	}
}

/* ---- what is accepted ---- */

static void plain_scalars_follow_the_core_schema(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
	    {"", "null"},
	    {"~", "null"},
	    {"null", "null"},
	    {"Null", "null"},
	    {"NULL", "null"},
	    {"nULL", "\"nULL\""},
	    {"true", "true"},
	    {"True", "true"},
	    {"TRUE", "true"},
	    {"tRUE", "\"tRUE\""},
	    {"false", "false"},
	    {"False", "false"},
	    {"FALSE", "false"},
	    {"yes", "\"yes\""},
	    {"No", "\"No\""},
	    {"on", "\"on\""},
	    {"OFF", "\"OFF\""},
	    {"y", "\"y\""},
	    {"0", "0"},
	    {"-0", "-0"},
	    {"+7", "7"},
	    {"+-7", "\"+-7\""},
	    {"-+7", "\"-+7\""},
	    {"++7", "\"++7\""},
	    {"1.0", "1.0"},
	    {"+1.50", "1.50"},
	    {"-1e3", "-1e3"},
	    {"1E+400", "1E+400"},
	    {"9007199254740993", "9007199254740993"},
	    {"1e", "\"1e\""},
	    {"1e5x", "\"1e5x\""},
	    {"0x1F", "31"},
	    {"0x7FFFFFFFFFFFFFFF", "9223372036854775807"},
	    {"0x", "\"0x\""},
	    {"0xG", "\"0xG\""},
	    {"0x0x1F", "\"0x0x1F\""},
	    {"0X1F", "\"0X1F\""},
	    {"-0x1F", "\"-0x1F\""},
	    {"0o17", "15"},
	    {"0o18", "\"0o18\""},
	    {"0o", "\"0o\""},
	    {"0b11", "\"0b11\""},
	    {"1_000", "\"1_000\""},
	    {"12:30:45", "\"12:30:45\""},
	    {"2026-11-24", "\"2026-11-24\""},
	    {"2026-11-24T10:00:00Z", "\"2026-11-24T10:00:00Z\""},
	    {"1.2.3", "\"1.2.3\""},
	    {"0.1.0", "\"0.1.0\""},
	    {"10.0.0.1", "\"10.0.0.1\""},
	    {"+", "\"+\""},
	    {".", "\".\""},
	    {"..", "\"..\""},
	    {"e5", "\"e5\""},
	    {"infinity", "\"infinity\""},
	    {"NaN", "\"NaN\""},
	    {"-x", "\"-x\""},
	    {"a b", "\"a b\""},
	    {"=", "\"=\""},
	    {"\xC3\xA9", "\"\xC3\xA9\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *yaml = xasprintf("--- %s\n", rows[i].yaml);

		assert_becomes(yaml, rows[i].json);
	}
}

static void quoted_and_block_scalars_are_strings(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
	    {"'true'", "\"true\""},
	    {"\"1\"", "\"1\""},
	    {"''", "\"\""},
	    {"'it''s'", "\"it's\""},
	    {"\"a\\tb\\u00e9\\U0001F600\"", "\"a\\tb\xC3\xA9\xF0\x9F\x98\x80\""},
	    {"|\n  1\n  2\n", "\"1\\n2\\n\""},
	    {"|-\n  1\n", "\"1\""},
	    {"|+\n  x\n\n", "\"x\\n\\n\""},
	    {">\n  a\n  b\n", "\"a b\\n\""},
	    {"{a: '~', ? b : \"null\", '<<': x}", "{\"a\":\"~\",\"b\":\"null\",\"<<\":\"x\"}"},
	    {"[a, {b: }, [], {}]", "[\"a\",{\"b\":null},[],{}]"},
	    {"{1: x, true: y, ~: z}", "{\"1\":\"x\",\"true\":\"y\",\"~\":\"z\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_becomes(rows[i].yaml, rows[i].json);
}

static void documents_are_told_apart(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
	    {"", "[]"},
	    {"\n# nothing\n", "[]"},
	    {"a: 1\n", "[{\"a\":1}]"},
	    {"---\na: 1\n---\n- b\n...\n---\n\n", "[{\"a\":1},[\"b\"],null]"},
	    {"--- 1\n--- 2\n--- '3'\n", "[1,2,\"3\"]"},
	    {"%YAML 1.2\n---\na: 1\n", "[{\"a\":1}]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		auto_json struct json *all =
		    yaml_parse_all(rows[i].yaml, strlen(rows[i].yaml), &err);
		auto_free char *text = NULL;

		assert_string_equal(err.msg, "");
		text = json_print(all);
		assert_string_equal(text, rows[i].json);
	}
}

static void a_kubeconfig_is_read(void **state)
{
	(void)state;
	assert_becomes(
	    "apiVersion: v1\nkind: Config\ncurrent-context: dev\n"
	    "clusters:\n- cluster:\n    server: https://127.0.0.1:6443\n    "
	    "insecure-skip-tls-verify: true\n"
	    "  name: dev\n"
	    "users:\n- name: me\n  user:\n    exec:\n      args: [--format, 'json']\n      env: "
	    "null\n"
	    "preferences: {}\n",
	    "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"current-context\":\"dev\",\"clusters\":"
	    "[{\"cluster\":{\"server\":\"https://"
	    "127.0.0.1:6443\",\"insecure-skip-tls-verify\":true},"
	    "\"name\":\"dev\"}],\"users\":[{\"name\":\"me\",\"user\":{\"exec\":{\"args\":"
	    "[\"--format\",\"json\"],\"env\":null}}}],\"preferences\":{}}");
}

static void the_example_of_a_run_is_read(void **state)
{
	(void)state;
	assert_becomes(
	    "apiVersion: ai.krateo.io/v1\nkind: InferenceRun\nmetadata:\n  name: iris-run-january\n"
	    "spec:\n  configRef:\n    name: example-inference-config\n  timeoutSeconds: 3600 # an "
	    "hour\n"
	    "  parameters:\n    input_table_name: kserve_controller_input\n    rows: \"512\"\n",
	    "{\"apiVersion\":\"ai.krateo.io/v1\",\"kind\":\"InferenceRun\",\"metadata\":{\"name\":"
	    "\"iris-run-january\"},\"spec\":{\"configRef\":{\"name\":\"example-inference-config\"},"
	    "\"timeoutSeconds\":3600,\"parameters\":{\"input_table_name\":"
	    "\"kserve_controller_input\",\"rows\":\"512\"}}}");
}

/* ---- printing ---- */

static void print(void **state)
{
	static const struct {
		const char *json, *yaml;
	} rows[] = {
	    {"null", "null\n"},
	    {"1e400", "1e400\n"},
	    {"\"a\"", "a\n"},
	    {"[]", "[]\n"},
	    {"{}", "{}\n"},
	    {"{\"a\":{\"b\":[1,{\"c\":null,\"d\":[]},[true,[\"x\"]],{}]},\"e\":{}}",
	     "a:\n  b:\n  - 1\n  - c: null\n    d: []\n  -\n    - true\n    -\n      - x\n  - {}\n"
	     "e: {}\n"},
	    {"[{\"a\":[{\"b\":1}]}]", "- a:\n  - b: 1\n"},
	    {"[\"\",\"no\",\"Null\",\"1\",\"-\",\"a: b\",\"a:b\",\"a:\",\"a #b\",\" a\",\"a "
	     "\",\"*a\"]",
	     "- \"\"\n- \"no\"\n- \"Null\"\n- \"1\"\n- \"-\"\n- \"a: b\"\n- a:b\n- \"a:\"\n"
	     "- \"a #b\"\n- \" a\"\n- \"a \"\n- \"*a\"\n"},
	    {"{\"\":1,\"on\":2,\"a.b/c\":3}", "\"\": 1\n\"on\": 2\na.b/c: 3\n"},
	    {"\"a\\nb\\u007f\\u0085\\u2028\\ufeff\\uffff\\u00e9\"",
	     "\"a\\nb\\u007f\\u0085\\u2028\\uFEFF\\uFFFF\u00e9\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		auto_json struct json *value = json_parse(rows[i].json, strlen(rows[i].json), &err);
		auto_free char *text = yaml_print(value);
		auto_json struct json *back = yaml_parse(text, strlen(text), &err);

		assert_string_equal(text, rows[i].yaml);
		assert_true(json_equal(value, back));
	}
}

/* Every character of the plane, alone and inside: it reads back as it was. */
static void every_character_is_read_back(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10FFFF; c += c < 0x3000 || c > 0xFE00 ? 1 : 97) {
		char text[16] = "", inner[24];
		struct err err = ERR_INIT;

		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		if (c > 0x10100)
			c += 0x3FFF;
		text[utf8_encode(c, text)] = '\0';
		snprintf(inner, sizeof(inner), "a%s b", text);
		for (int i = 0; i < 2; i++) {
			auto_json struct json *value = json_string(i == 0 ? text : inner);
			auto_free char *yaml = yaml_print(value);
			auto_json struct json *back = yaml_parse(yaml, strlen(yaml), &err);

			if (!json_equal(value, back))
				fail_msg("U+%04X: %s", c, err.msg);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(traps_are_refused_with_their_place),
	    cmocka_unit_test(odd_numbers_are_refused),
	    cmocka_unit_test(nesting_has_a_limit),
	    cmocka_unit_test(size_has_a_limit),
	    cmocka_unit_test(every_truncation_ends),
	    cmocka_unit_test(plain_scalars_follow_the_core_schema),
	    cmocka_unit_test(quoted_and_block_scalars_are_strings),
	    cmocka_unit_test(documents_are_told_apart),
	    cmocka_unit_test(a_kubeconfig_is_read),
	    cmocka_unit_test(the_example_of_a_run_is_read),
	    cmocka_unit_test(print),
	    cmocka_unit_test(every_character_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
