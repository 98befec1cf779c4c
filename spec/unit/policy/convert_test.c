#include "policy_util.h"

#include "policy/convert.h"

/* JSON through Lua and back: what comes back, and what is refused with its place. */

struct round_trip {
	const char *in, *out; /* out NULL: the same */
};

/* The value goes in as an argument, the script answers it; a failure answers "KIND: MESSAGE". */
static char *through(const char *script, const char *in)
{
	struct bundle *bundle = bundle_of(script);
	struct json *value = json_of(in);
	struct sandbox_options options = {.bundle = bundle};
	struct sandbox_call call = {.file = "contract.lua",
				    .function = "contract",
				    .want = SANDBOX_RESULT,
				    .args = {value},
				    .arg_count = 1};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct sandbox *box = sandbox_new(&options);
	struct policy_fault fault;

	if (sandbox_call(box, &call, &out, &fault) < 0) {
		buf_clear(&out);
		buf_addf(&out, "%s: %s", fault.kind, fault.message);
	}
	sandbox_free(box);
	json_free(value);
	bundle_free(bundle);
	return buf_steal(&out);
}

static char *evaluate(const char *expression)
{
	auto_free char *script =
	    xasprintf("return {contract = function(x) return %s end}", expression);

	return through(script, "{\"int\":3,\"long\":9007199254740993.0,\"exp\":1e3,\"ten\":0.10,"
			       "\"null\":null,\"list\":[1],\"none\":[],\"map\":{}}");
}

static void check_expressions(const char *const cases[][2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *found = evaluate(cases[i][0]);

		if (strstr(found, cases[i][1]) == NULL) {
			fprintf(stderr, "FAILED: %s\n", cases[i][0]);
			assert_string_equal(found, cases[i][1]);
		}
	}
}

static void what_json_cannot_hold_is_refused_with_its_place(void **state)
{
	static const char *const cases[][2] = {
	    {"{a = {b = {1, 2, 0/0}}}", "result.a.b[3]: JSON has no NaN and no infinity"},
	    {"math.huge", "result: JSON has no NaN"},
	    {"{a = error}", "result.a: JSON cannot hold a function"},
	    {"(function() local t = {} t.t = t return t end)()", "does a table contain itself?"},
	    {"{[1] = 1, [1 << 53] = 2}", "result: a list with a hole"},
	    {"{1, nil, 3}", "result: a list with a hole"},
	    {"{1, 2, a = 3}",
	     "a table is a list or an object, this one has items and named fields"},
	    {"{['1'] = 1, [1] = 2}", "has items and named fields"},
	    {"{[0] = 1}", "a key must be a string, or a whole number from 1 on"},
	    {"{[1.5] = 1}", "a key must be a string"},
	    {"{[true] = 1}", "a key must be a string"},
	    {"{['\\xff'] = 1}", "the string is not UTF-8"},
	    {"{a = '\\xed\\xa0\\x80'}", "result.a: the string is not UTF-8"},
	    {"{a = 'x\\0y'}", "result.a: the string holds a NUL byte"},
	    {"(function() x.none.a = 1 return x.none end)()", "a json.array with a named field"},
	    {"(function() x.map[1] = 1 return x end)()",
	     "result.map: a json.object with a numbered"},
	    {"('x'):rep(1 << 20)", "the result is larger than 1048576 bytes"},
	    {"json.array(setmetatable({}, {}))", "the table has a metatable of its own"},
	    {"json.array(1)", "table expected"},
	    {"-math.huge", "result: JSON has no NaN and no infinity"},
	    {"{a = json.array{1, nil, 3}}", "result.a: a list with a hole (an item is nil)"},
	    {"{[-1] = 1}", "a key must be a string, or a whole number from 1 on"},
	    {"{[2] = 1}", "result: a list with a hole"},
	    {"{a = {[math.maxinteger] = 1}}", "result.a: a list with a hole"},
	    {"{[{}] = 1}", "a key must be a string"},
	    {"{[x.ten] = 1}", "a key must be a string"},
	    {"{[json.null] = 1}", "a key must be a string"},
	    {"{a = {['k\\0'] = 1}}", "the string holds a NUL byte"},
	    {"{a = {['b.c d'] = {{error}}}}", "result.a.b.c d[1][1]: JSON cannot hold a function"},
	    {"{1, {2, {x = 0/0}}}", "result[2][2].x: JSON has no NaN"},
	    {"{'\\xc3'}", "result[1]: the string is not UTF-8"},
	    {"{'\\xc0\\x80'}", "result[1]: the string is not UTF-8"},
	    {"{'\\xf4\\x90\\x80\\x80'}", "result[1]: the string is not UTF-8"},
	    {"{f = function() end}", "result.f: JSON cannot hold a function"},
	    {"{p = pairs({})}", "result.p: JSON cannot hold a function"},
	    {"(function() local t = {} t[1] = {t} return t end)()", "result[1][1][1][1][1]"},
	    {"(function() local t = {} t[t] = 1 return t end)()", "a key must be a string"},
	    {"(function() local t = {f = error} for i = 1, 40 do t = {['\\u{e4}'] = t} end return "
	     "t "
	     "end)()",
	     "\xC3\xA4.\xC3\xA4.f: JSON cannot hold a function"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

/* The way back must not call into the script: a trap would raise outside of all limits. */
static void metamethods_do_not_run(void **state)
{
	static const char *const cases[][2] = {
	    {"setmetatable({a = 1}, {__index = error, __pairs = error, __len = error})",
	     "{\"a\":1}"},
	    {"setmetatable({1, 2}, {__index = error, __len = function() return 99 end})", "[1,2]"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

/* depth times what opens, then core, then depth times what closes. */
static char *nested(size_t depth, const char *open, const char *core, const char *close)
{
	struct buf text = BUF_INIT(1 << 16);

	for (size_t i = 0; i < depth; i++)
		buf_adds(&text, open);
	buf_adds(&text, core);
	for (size_t i = 0; i < depth; i++)
		buf_adds(&text, close);
	return buf_steal(&text);
}

static void depth_is_limited(void **state)
{
	static const char *const units[][3] = {{"[", "1", "]"}, {"{\"a\":", "{}", "}"}};
	static const char script[] = "return {contract = function(x) return x end}";
	static const char deeper[] = "return {contract = function(x) return {x} end}";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t own = streq(units[i][1], "{}") ? 1 : 0;
		auto_free char *most =
		    nested(CONVERT_DEPTH_MAX - own, units[i][0], units[i][1], units[i][2]);
		auto_free char *same = through(script, most), *more = through(deeper, most);

		assert_string_equal(same, most);
		assert_non_null(strstr(more, "nested deeper than 64 levels"));
		assert_non_null(strstr(more, i == 0 ? "result[1][1][1]" : "result[1].a.a"));
	}
}

static void depth_in_text_is_limited(void **state)
{
	auto_free char *most = evaluate("json.parse(('['):rep(64) .. (']'):rep(64))");
	auto_free char *more = evaluate("{select(2, json.parse(('['):rep(65) .. (']'):rep(65)))}");
	auto_free char *expected = nested(CONVERT_DEPTH_MAX, "[", "", "]");

	(void)state;
	assert_string_equal(most, expected);
	assert_non_null(strstr(more, "nest"));
}

static void size_is_limited(void **state)
{
	/* Two quotes and the text. */
	auto_free char *most = evaluate("('x'):rep((1 << 20) - 2)");
	auto_free char *more = evaluate("('x'):rep((1 << 20) - 1)");
	auto_free char *shared =
	    evaluate("(function() local t = {} for i = 1, 60 do t = {t, t} end "
		     "return t end)()");

	(void)state;
	assert_int_equal(strlen(most), SANDBOX_OUTPUT_MAX);
	assert_non_null(strstr(more, "is larger than"));
	assert_true(strstr(shared, "is larger than") != NULL || has_prefix(shared, "limit"));
}

static void values_come_back_as_they_went_in(void **state)
{
	static const struct round_trip cases[] = {
	    {"{}", NULL},
	    {"[]", NULL},
	    {"{\"a\":{},\"b\":[]}", NULL},
	    {"[[],{},[[]],[{}]]", NULL},
	    {"[null,true,false]", NULL},
	    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
	    {"{\"1\":1}", NULL},
	    {"{\"\":1}", NULL},
	    {"\"\\u00e4\\n\\\"\"", "\"\xC3\xA4\\n\\\"\""},
	    {"9007199254740993", NULL},
	    {"9223372036854775807", NULL},
	    {"-9223372036854775808", NULL},
	    {"9223372036854775808", NULL},
	    {"123456789012345678901234567890", NULL},
	    {"1e400", NULL},
	    {"-0", NULL},
	    {"-0.0", NULL},
	    {"0.10", NULL},
	    {"0.1", NULL},
	    {"1.0", NULL},
	    {"1", NULL},
	    {"1E5", NULL},
	    {"1e5", NULL},
	    {"100000.0", NULL},
	    {"1.7976931348623157e+308", NULL},
	    {"5e-324", NULL},
	    {"0.30000000000000004", NULL},
	    {"[0.10,1e3,-0]", NULL},
	    {"-9223372036854775809", NULL},
	    {"18446744073709551616", NULL},
	    {"9007199254740992.0", NULL},
	    {"9007199254740993.0", NULL},
	    {"1.0000000000000000000000000000000001", NULL},
	    {"3.141592653589793238462643383279", NULL},
	    {"1e-400", NULL},
	    {"-1e400", NULL},
	    {"0e0", NULL},
	    {"0.0", NULL},
	    {"1E+05", NULL},
	    {"1.50", NULL},
	    {"\"\"", NULL},
	    {"\"\\u0001\\u001f\x7F\"", "\"\\u0001\\u001f\\u007f\""},
	    {"\"\\/\"", "\"/\""},
	    {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
	    {"\"\xF4\x8F\xBF\xBF\xE2\x80\xA8\xEF\xBF\xBF\"", NULL},
	    {"{\"10\":1,\"9\":2,\"a b\":3,\"\\n\":4}", "{\"\\n\":4,\"10\":1,\"9\":2,\"a b\":3}"},
	    {"[null,[null],{\"a\":null}]", NULL},
	    {"{\"a\":[[],[{}],[[[]]]]}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *found =
		    through("return {contract = function(x) return x end}", cases[i].in);

		assert_string_equal(found, cases[i].out != NULL ? cases[i].out : cases[i].in);
	}
}

static void numbers_that_lua_would_change_still_count(void **state)
{
	static const char *const cases[][2] = {
	    {"x.exp + 1", "1001.0"},
	    {"1 - x.exp", "-999.0"},
	    {"-x.exp", "-1000.0"},
	    {"x.exp * 2 / 4 % 7 // 1 ^ 2", "3.0"},
	    {"x.exp > 999 and x.exp >= x.ten and x.ten < 1 and not (x.ten > x.exp)", "true"},
	    {"x.exp == x.exp", "true"},
	    {"tonumber(x.exp) == 1000", "true"},
	    {"tonumber('0x10') + tonumber('11', 2)", "19"},
	    {"x.exp .. '!' .. x.ten", "\"1e3!0.10\""},
	    {"tostring(x.ten)", "\"0.10\""},
	    {"string.format('%s %.1f', x.ten, x.exp)", "\"0.10 1000.0\""},
	    {"math.type(x.int)", "\"integer\""},
	    {"x.exp + {}", "expected a number beside a json.number, found a table"},
	    {"x.exp + '1'", "found a string"},
	    {"x.exp < 'a'", "found a string"},
	    {"x.exp.y", "attempt to index a json.number value"},
	    {"getmetatable(x.exp)", "false"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

static void scripts_make_lists_objects_and_null(void **state)
{
	static const char *const cases[][2] = {
	    {"{}", "{}"},
	    {"json.array()", "[]"},
	    {"json.array{}", "[]"},
	    {"json.object()", "{}"},
	    {"json.object(json.array())", "{}"},
	    {"{a = json.null}", "{\"a\":null}"},
	    {"x.null == json.null", "true"},
	    {"x.absent == nil", "true"},
	    {"getmetatable(x.none) .. getmetatable(x.map)", "\"arrayobject\""},
	    {"#x.list", "1"},
	    {"(function() table.insert(x.none, 1) return x.none end)()", "[1]"},
	    {"(function() x.map.a = 1 return x.map end)()", "{\"a\":1}"},
	    {"json.parse('{\"a\":[1.50,{}]}')", "{\"a\":[1.50,{}]}"},
	    {"{json.parse('x')}", "a list with a hole"},
	    {"select(2, json.parse('[1,]'))", "line 1, column 4"},
	    {"json.parse([[{\"a\\u00e9\":\"\\n\\ud83d\\ude00\",\"\\\\\":[true,false,null]}]])",
	     "{\"\\\\\":[true,false,null],\"aé\":\"\\n😀\"}"},
	    {"json.parse([[ [0, -0, 9223372036854775807, -9223372036854775809, 0.5, 1E2] ]])",
	     "[0,-0,9223372036854775807,-9223372036854775809,0.5,1E2]"},
	    {"json.parse('[' .. ('1'):rep(40) .. ',0.' .. ('1'):rep(30) .. ']')",
	     "[1111111111111111111111111111111111111111,0.111111111111111111111111111111]"},
	    {"select(2, json.parse([[{\"a\":1,\"\\u0061\":2}]]))", "each key once"},
	    {"select(2, json.parse([[{\"a\":null,\"a\":2}]]))", "each key once"},
	    {"select(2, json.parse('1 2'))", "line 1, column 3"},
	    {"select(2, json.parse('{\"a\":}'))", "line 1, column 6"},
	    {"json.parse(('['):rep(70)) == nil", "true"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

static void helpers_answer(void **state)
{
	static const char *const cases[][2] = {
	    {"time.parse('2026-11-24T10:00:00Z')", "1795514400"},
	    {"time.parse('2026-11-24T10:00:00.5Z')", "1795514400.5"},
	    {"time.parse('yesterday') == nil", "true"},
	    {"time.format(1795514400)", "\"2026-11-24T10:00:00Z\""},
	    {"time.format(1e300)", "not a time of the years 0 to 9999"},
	    {"time.format(0/0)", "not a time"},
	    {"time.parts(1795514400)", "{\"day\":24,\"hour\":10,\"minute\":0,\"month\":11,"
				       "\"second\":0,\"weekday\":\"Tue\",\"year\":2026}"},
	    {"time.parts(-0.5)", "{\"day\":31,\"hour\":23,\"minute\":59,\"month\":12,"
				 "\"second\":59,\"weekday\":\"Wed\",\"year\":1969}"},
	    {"time.parts(253402300800)", "not a time of the years 0 to 9999"},
	    {"duration.format(90)", "\"1m30s\""},
	    {"duration.format(3600)", "\"1h\""},
	    {"duration.format(86400.25)", "\"24h250ms\""},
	    {"duration.format(0)", "\"0s\""},
	    {"duration.format(0.0004)", "\"0s\""},
	    {"duration.format(9007199254740)", "\"2501999792h59m\""},
	    {"duration.format(9007199254741)", "not a duration"},
	    {"duration.format(-1)", "not a duration"},
	    {"duration.format(0/0)", "not a duration"},
	    {"duration.parse('1m30s')", "90"},
	    {"duration.parse('250ms')", "0.25"},
	    {"duration.parse('soon') == nil", "true"},
	    {"dns.label('a-1')", "true"},
	    {"dns.label('-a') or dns.label('a-') or dns.label('A') or dns.label('') or "
	     "dns.label('a.b')",
	     "false"},
	    {"dns.label(('a'):rep(63)) and not dns.label(('a'):rep(64))", "true"},
	    {"dns.label('a\\0b')", "false"},
	    {"dns.name('a') and dns.name('a-1.b.2')", "true"},
	    {"dns.name('') or dns.name('.') or dns.name('a.') or dns.name('.a') or "
	     "dns.name('a..b') or dns.name('A.b') or dns.name('a_b') or dns.name('a\\0.b') or "
	     "dns.name('a.b\\0')",
	     "false"},
	    {"dns.name(('a.'):rep(126) .. 'a') and not dns.name(('a.'):rep(127) .. 'a')", "true"},
	    {"dns.name('b.' .. ('a'):rep(63)) and not dns.name('b.' .. ('a'):rep(64))", "true"},
	    {"quantity.format(536870912)", "\"512Mi\""},
	    {"quantity.format(quantity.parse('1.5Gi'))", "\"1536Mi\""},
	    {"quantity.format(1000)", "\"1000\""},
	    {"quantity.format(0)", "\"0\""},
	    {"quantity.format(-2048)", "\"-2Ki\""},
	    {"quantity.format(1 << 62)", "\"4Ei\""},
	    {"quantity.format(9007199254740993)", "\"9007199254740993\""},
	    {"quantity.format(2.0)", "\"2\""},
	    {"quantity.format(0.1)", "\"100m\""},
	    {"quantity.format(0.1 * 3)", "\"300m\""},
	    {"quantity.format(0.0001)", "\"1m\""},
	    {"quantity.format(-1.5)", "\"-1500m\""},
	    {"quantity.format(1e300)", "not a quantity"},
	    {"quantity.format(0/0)", "not a quantity"},
	    {"quantity.format('x')", "number expected"},
	    {"quantity.parse('512Mi')", "536870912"},
	    {"quantity.parse('500m')", "0.5"},
	    {"quantity.parse('100m') == 0.1", "true"},
	    {"quantity.parse('2000m')", "2"},
	    {"quantity.parse('1.5Gi')", "1610612736"},
	    {"quantity.parse('1E')", "1000000000000000000"},
	    {"quantity.parse('1e3')", "1000"},
	    {"quantity.parse('9007199254740993')", "9007199254740993"},
	    {"quantity.parse('-.5')", "-0.5"},
	    {"quantity.parse('16Ei')", "e+19"},
	    {"quantity.parse('') or quantity.parse('.') or quantity.parse('1 Gi') or "
	     "quantity.parse('1gi') or quantity.parse('Gi') or quantity.parse('1e') or "
	     "quantity.parse('1e9999') or false",
	     "false"},
	    {"merge({a = {b = 1, c = 2}, d = 3}, {a = {c = 4}, d = json.null, e = {5}})",
	     "{\"a\":{\"b\":1,\"c\":4},\"e\":[5]}"},
	    {"merge({a = {1, 2}}, {a = {3}})", "{\"a\":[3]}"},
	    {"merge(x, {none = json.array()}).none", "[]"},
	    {"merge(x, {map = {}}).map", "{}"},
	    {"(function() local t = {} t.t = t return merge({}, t) end)()", "merge: nested deeper"},
	    {"merge(1, {})", "table expected"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

static void schemas_name_what_is_wrong(void **state)
{
	static const char *const cases[][2] = {
	    {"schema.check({}, {})", "{}"},
	    {"schema.check(nil, {a = {}})", "{}"},
	    {"schema.check({a = '1'}, {})",
	     "[{\"field\":\"spec.parameters.a\",\"message\":\"no such parameter\"}]"},
	    {"schema.check({a = '1'}, {['*'] = {}})", "{}"},
	    {"schema.check({}, {a = {required = true}})", "\"message\":\"is required\""},
	    {"schema.check({a = 'x'}, {a = {type = 'integer'}})",
	     "expected a whole number, found \\\"x"},
	    {"schema.check({a = '1.5'}, {a = {type = 'integer'}})", "expected a whole number"},
	    {"schema.check({a = '0x10'}, {a = {type = 'number'}})", "expected a number"},
	    {"schema.check({a = '-1.5e3'}, {a = {type = 'number'}})", "{}"},
	    {"schema.check({a = 'yes'}, {a = {type = 'boolean'}})", "expected true or false"},
	    {"schema.check({a = '9'}, {a = {min = 1, max = 9}})", "{}"},
	    {"schema.check({a = '10'}, {a = {min = 1, max = 9}})",
	     "expected at most 9, found \\\"10"},
	    {"schema.check({a = '0'}, {a = {min = 1, max = 9}})", "expected at least 1"},
	    {"schema.check({a = 'c'}, {a = {enum = {'a', 'b'}}})",
	     "expected one of a, b, found \\\"c"},
	    {"schema.check({a = 'b'}, {a = {enum = {'a', 'b'}}})", "{}"},
	    {"schema.check({a = 'abc'}, {a = {maxLength = 3}})", "{}"},
	    {"schema.check({a = 'abcd'}, {a = {maxLength = 3}})",
	     "expected at most 3 bytes, found 4"},
	    {"schema.check({a = 'a b'}, {a = {pattern = '^%w+$'}})", "expected the form ^%w+$"},
	    {"schema.check({a = 'ab'}, {a = {pattern = '^%w+$'}})", "{}"},
	    {"schema.check({a = 1}, {a = {}})", "expected a string, found a number"},
	    {"schema.check({a = '1'}, {a = {type = 'int'}})", "unknown type 'int'"},
	    {"schema.check({a = '1'}, {a = 1})", "the rule for 'a' is a number"},
	    {"#schema.check({b = '', a = ''}, {c = {required = true}})", "3"},
	    /* a rule that is wrong is so whether the parameter is there or not */
	    {"schema.check({}, {a = {type = 'int'}})",
	     "unknown type 'int' in the rule for 'a'; expected string, integer, number or boolean"},
	    {"schema.check({}, {a = {min = 1, maximum = 3}})",
	     "the rule for 'a' has the unknown word 'maximum'; expected required, type, enum, min, "
	     "max, maxLength or pattern"},
	    {"schema.check({}, {['*'] = {maximum = 3}})", "the rule for '*' has the unknown word"},
	    {"schema.check({}, {a = {'required'}})", "the rule for 'a' has the unknown word '1'"},
	    {"schema.check({}, {'a'})", "the rule for '1' is a string, expected a table"},
	    {"schema.check({}, {a = {max = '3'}})",
	     "max in the rule for 'a' is a string, expected a number"},
	    {"schema.check({}, {a = {required = 1}})", "is a number, expected a boolean"},
	    {"schema.check({a = '1'}, {a = setmetatable({}, {__index = {max = {}}})})",
	     "max in the rule for 'a' is a table, expected a number"},
	    {"schema.check({a = '1'}, {a = {enum = {'1', true}}})",
	     "enum in the rule for 'a' has a boolean, expected strings"},
	    {"schema.check({a = '2'}, {a = {enum = {1, 2}}})", "{}"},
	    {"schema.check({a = 'abc'}, {a = {maxLength = 2.5}})", "expected at most 2.5 bytes"},
	};

	(void)state;
	check_expressions(cases, ARRAY_LEN(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_json_cannot_hold_is_refused_with_its_place),
	    cmocka_unit_test(metamethods_do_not_run),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(depth_in_text_is_limited),
	    cmocka_unit_test(size_is_limited),
	    cmocka_unit_test(values_come_back_as_they_went_in),
	    cmocka_unit_test(numbers_that_lua_would_change_still_count),
	    cmocka_unit_test(scripts_make_lists_objects_and_null),
	    cmocka_unit_test(helpers_answer),
	    cmocka_unit_test(schemas_name_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
