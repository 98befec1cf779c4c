#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "spec/apisim/cel.h"

static const char object_text[] =
    "{'i':7,'j':2,'s':'h\\u00e9llo World','t':'lo','n':1.5,'b':true,'l':[1,2,3],'ls':['a','bb'],"
    "'m':{'k':'v','a.b':'w'},'namespace':'ns','a-b':'d','a__b':4,'o':{'x':7,'y':null},'z':0,"
    "'max':9223372036854775807,'min':-9223372036854775808}";

/* true, false, or the text of the failure. */
static char *outcome(const char *text, const struct json *self, const struct json *old)
{
	struct err err = ERR_INIT;
	auto_cel struct cel *cel = cel_parse(text, &err);
	bool result = false;

	if (cel == NULL)
		return xasprintf("parse: %s", err.msg);
	if (cel_eval_bool(cel, self, old, &result, &err) < 0)
		return xstrdup(err.msg);
	return xstrdup(result ? "true" : "false");
}

struct example {
	const char *rule, *outcome;
};

static void check(const struct example *examples, size_t count)
{
	auto_json struct json *self = json_build(object_text);

	for (size_t i = 0; i < count; i++) {
		auto_free char *found = outcome(examples[i].rule, self, NULL);

		if (!streq(found, examples[i].outcome))
			fail_msg("%s: expected '%s', found '%s'", examples[i].rule,
				 examples[i].outcome, found);
	}
}

static void refuses_what_it_cannot_parse(void **state)
{
	static const struct example examples[] = {
	    {"", "parse: line 1, column 1: expected a value, found the end"},
	    {"self.i >", "parse: line 1, column 9: expected a value, found the end"},
	    {"self.i\n > )", "parse: line 2, column 4: expected a value, found ')'"},
	    {"(self.i > 1",
	     "parse: line 1, column 12: expected a closing parenthesis, found the end"},
	    {"[1",
	     "parse: line 1, column 3: expected a comma or the end of the list, found the end"},
	    {"self[1", "parse: line 1, column 7: expected a closing bracket, found the end"},
	    {"self.", "parse: line 1, column 6: expected the name of a field, found the end"},
	    {"self.i 1", "parse: line 1, column 8: expected an operator or the end, found '1'"},
	    {"a ? b", "parse: line 1, column 6: expected a colon of ?:, found the end"},
	    {"self.s == \"x",
	     "parse: line 1, column 11: expected a string with its closing quote, found '\"x'"},
	    {"'\\q'",
	     "parse: line 1, column 3: expected one of the escapes \\n \\t \\r \\\\ \\' \\\" "
	     "\\u0041, found 'q''"},
	    {"'\\ud800'",
	     "parse: line 1, column 3: expected one of the escapes \\n \\t \\r \\\\ \\' "
	     "\\\" \\u0041, found 'ud800''"},
	    {"9223372036854775808", "parse: line 1, column 1: expected an integer of 64 bits or a "
				    "number such as 1.5, found '9223372036854775'"},
	    {"0x",
	     "parse: line 1, column 1: expected an integer of 64 bits or a number such as 1.5, "
	     "found '0x'"},
	    {"1e999", "parse: line 1, column 1: expected an integer of 64 bits or a number such as "
		      "1.5, found '1e999'"},
	    {"1u",
	     "parse: line 1, column 1: expected an integer of 64 bits or a number such as 1.5, "
	     "found '1u'"},
	    {"for == 1",
	     "parse: line 1, column 1: expected a name that is not reserved, found 'for == 1'"},
	    {"has(self)", "parse: line 1, column 10: expected has() around one field such as "
			  "has(self.a) before this, found the end"},
	    {"self.foo()", "parse: line 1, column 11: expected a function that exists, with its "
			   "number of arguments, before this, found the end"},
	    {"startsWith('a')",
	     "parse: line 1, column 16: expected a function that exists, with its "
	     "number of arguments, before this, found the end"},
	    {"self.all(1, true)",
	     "parse: line 1, column 18: expected a variable and a condition, as "
	     "in list.all(x, x > 0), before this, found the end"},
	    {"self.s.matches(self.t)",
	     "parse: line 1, column 23: expected matches() with a literal "
	     "pattern before this, found the end"},
	    {"self.s.matches('[')", "parse: expected ] after [, found the end of the pattern: line "
				    "1, column 20: expected a "
				    "valid pattern before this, found the end"},
	    {"unknown == 1", "parse: undeclared reference to 'unknown'"},
	    {"self.l.all(x, true) && x == 1", "parse: undeclared reference to 'x'"},
	    {"x.all(x, true)", "parse: undeclared reference to 'x'"},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

static void failures_are_told(void **state)
{
	static const struct example examples[] = {
	    {"self.nope == 1", "no such key: nope"},
	    {"self.l[3] == 1", "index out of bounds: 3"},
	    {"self.l[-1] == 1", "index out of bounds: -1"},
	    {"self.i / self.z == 1", "division by zero"},
	    {"self.i % self.z == 1", "modulus by zero"},
	    {"self.max + 1 > 0", "integer overflow"},
	    {"self.min - 1 < 0", "integer overflow"},
	    {"self.max * 2 > 0", "integer overflow"},
	    {"self.min / -1 > 0", "integer overflow"},
	    {"self.min % -1 == 0", "integer overflow"},
	    {"-self.min > 0", "integer overflow"},
	    {"self.n / 0.0 > 1.0", "the result is no finite number"},
	    {"self.s > 1", "no such overload: comparison of string and number"},
	    {"self.s - 'a' == ''", "no such overload: arithmetic of string and string"},
	    {"self.s && true", "no such overload: logic of string"},
	    {"!self.i", "no such overload: ! of number"},
	    {"self.i ? true : false", "no such overload: ?: of number"},
	    {"size(self.i) == 1", "no such overload: size of number"},
	    {"self.i.startsWith('x')",
	     "no such overload: a function of strings of number and string"},
	    {"1 in self.i", "no such overload: in of number and number"},
	    {"self.i.x == 1", "no such overload: a field of number"},
	    {"has(self.i.x)", "no such overload: has of number"},
	    {"self.i.all(x, true)", "no such overload: all or exists of number"},
	    {"self.l.all(x, x)", "no such overload: logic of number"},
	    {"oldSelf.i == 1", "undeclared reference to 'oldSelf'"},
	    {"self.i", "expected a rule that is true or false, found number"},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

static void evaluates(void **state)
{
	static const struct example examples[] = {
	    {"1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5", "true"},
	    {"self.i / self.j == 3 && self.i % self.j == 1 && -self.i / 2 == -3", "true"},
	    {"self.min == -9223372036854775808 && self.max > self.min", "true"},
	    {"self.i == 0x7 && self.n * 2.0 == 3.0 && self.n + 0.5 == 2.0 && 1e2 == 100", "true"},
	    {"self.n < 2 && self.n >= 1.5 && !(self.n > 1.5) && self.n <= 1.5", "true"},
	    {"size(self.s) == 11 && self.s.size() == 11", "true"},
	    {"size(self.l) == 3 && size(self.m) == 2 && size([]) == 0", "true"},
	    {"self.s.startsWith('h') && self.s.endsWith(\"World\") && self.s.contains(self.t)",
	     "true"},
	    {"self.s.lowerAscii() == 'h\\u00e9llo world'", "true"},
	    {"self.s.matches('^h.*d$') && !self.s.matches(r'\\d')", "true"},
	    {"'ab'.matches('^a' + r'b$')", "true"},
	    {"'ends'.endsWith('xends')", "false"},
	    {"self.s + self.t == 'h\\u00e9llo Worldlo'", "true"},
	    {"self.l + [4] == [1, 2, 3, 4]", "true"},
	    {"[1, 2, 3,] == self.l && [1] != self.l", "true"},
	    {"2 in self.l && !(4 in self.l) && self.i in [7, 8] && 1.0 in self.l", "true"},
	    {"'k' in self.m && !('x' in self.m) && self.m['k'] == 'v' && self.m.k == 'v'", "true"},
	    {"has(self.o.x) && !has(self.o.z) && has(self.o.y) && self.o.y == null", "true"},
	    {"self.l.all(x, x > 0) && self.l.exists(x, x > 2) && !self.l.exists(x, x > 3)", "true"},
	    {"self.l.all(x, self.ls.exists(y, size(y) <= x))", "true"},
	    {"self.l.all(self, self > 0)", "true"},
	    {"[].all(x, 1 / 0 > 0) && ![].exists(x, true)", "true"},
	    {"self.m.exists(k, k == 'a.b' && self.m[k] == 'w')", "true"},
	    {"self.__namespace__ == 'ns' && self.namespace == 'ns'", "true"},
	    {"self.a__dash__b == 'd' && self.a__underscores__b == 4", "true"},
	    {"self.b ? self.i > 0 : self.nope", "true"},
	    {"self.i == 7 ? false : true ? false : true", "false"},
	    {"!!self.b && !!!false && --1 == 1", "true"},
	    {"true // a comment\n && true", "true"},
	    {"'a' < 'b' && false < true", "true"},
	    {"'it\\'s \\u0041\\n' == \"it's A\\n\"", "true"},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

/* The rule of && and ||: an error counts only where the other side does not decide. */
static void errors_are_forgiven_where_they_do_not_matter(void **state)
{
	static const struct example examples[] = {
	    {"self.nope == 1 || true", "true"},
	    {"true || self.nope == 1", "true"},
	    {"self.nope == 1 && false", "false"},
	    {"self.nope == 1 || false", "no such key: nope"},
	    {"self.nope == 1 && true", "no such key: nope"},
	    {"self.nope == 1 && self.none == 1", "no such key: nope"},
	    {"self.l.exists(x, 1 / (x - 1) == 1)", "true"},
	    {"self.l.all(x, 1 / (x - 1) == 1)", "false"},
	    {"self.l.all(x, 4 / (x - 1) > 1)", "division by zero"},
	};

	(void)state;
	check(examples, ARRAY_LEN(examples));
}

static void a_transition_rule_sees_both(void **state)
{
	auto_json struct json *self = json_build("{'a': 1}");
	auto_json struct json *old = json_build("{'a': 2}");
	auto_free char *found = outcome("self.a == 1 && oldSelf.a == 2", self, old);
	struct err err = ERR_INIT;
	auto_cel struct cel *uses = cel_parse("self.all(x, oldSelf.a == x)", &err);
	auto_cel struct cel *uses_not = cel_parse("self.oldSelf == 1", &err);

	(void)state;
	assert_string_equal(found, "true");
	assert_true(cel_uses_old_self(uses));
	assert_false(cel_uses_old_self(uses_not));
}

static void a_message_is_a_string(void **state)
{
	auto_json struct json *self = json_build("{'a': 'x'}");
	struct err err = ERR_INIT;
	auto_cel struct cel *text = cel_parse("'found ' + self.a", &err);
	auto_cel struct cel *number = cel_parse("1", &err);
	auto_free char *message = cel_eval_string(text, self, NULL, &err);

	(void)state;
	assert_string_equal(message, "found x");
	assert_null(cel_eval_string(number, self, NULL, &err));
	assert_string_equal(err.msg, "expected a string, found number");
}

static void parse_depth(int levels, bool ok)
{
	struct buf text = BUF_INIT(CEL_TEXT_MAX);
	struct err err = ERR_INIT;

	for (int i = 1; i < levels; i++)
		buf_addc(&text, '(');
	buf_adds(&text, "true");
	for (int i = 1; i < levels; i++)
		buf_addc(&text, ')');
	{
		auto_cel struct cel *cel = cel_parse(text.data, &err);

		assert_int_equal(cel != NULL, ok);
		assert_int_equal(err.kind, ok ? ERR_NONE : ERR_LIMIT);
	}
	buf_done(&text);
}

static void parse_length(size_t length, bool ok)
{
	auto_free char *text = xmalloc(length + 1);
	struct err err = ERR_INIT;
	auto_cel struct cel *cel = NULL;

	memset(text, ' ', length);
	text[length] = '\0';
	memcpy(text, "true", 4);
	cel = cel_parse(text, &err);
	assert_int_equal(cel != NULL, ok);
	assert_int_equal(err.kind, ok ? ERR_NONE : ERR_LIMIT);
}

static void limits_hold(void **state)
{
	auto_json struct json *self = json_object();
	struct json *list = json_array();
	auto_free char *long_run = NULL, *short_run = NULL;

	(void)state;
	parse_depth(CEL_DEPTH_MAX, true);
	parse_depth(CEL_DEPTH_MAX + 1, false);
	parse_length(CEL_TEXT_MAX, true);
	parse_length(CEL_TEXT_MAX + 1, false);
	for (int i = 0; i < 500; i++)
		json_append(list, json_int(i));
	json_set(self, "l", list);
	long_run = outcome("self.l.all(x, self.l.all(y, x >= 0))", self, NULL);
	assert_string_equal(long_run, "the rule takes more than 100000 steps");
	short_run = outcome("self.l.all(x, x >= 0)", self, NULL);
	assert_string_equal(short_run, "true");
}

/* A chain of operators is a deep tree although it nests nothing. */
static void a_long_chain_is_fine(void **state)
{
	struct buf text = BUF_INIT(CEL_TEXT_MAX);
	auto_free char *found = NULL;

	(void)state;
	buf_adds(&text, "1");
	for (int i = 0; i < 4000; i++)
		buf_adds(&text, "+1");
	buf_adds(&text, "==4001");
	found = outcome(text.data, NULL, NULL);
	assert_string_equal(found, "true");
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_it_cannot_parse),
	    cmocka_unit_test(failures_are_told),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(a_long_chain_is_fine),
	    cmocka_unit_test(errors_are_forgiven_where_they_do_not_matter),
	    cmocka_unit_test(evaluates),
	    cmocka_unit_test(a_transition_rule_sees_both),
	    cmocka_unit_test(a_message_is_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
