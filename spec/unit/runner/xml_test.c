#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/xml.h"

/* The elements with their text, such as "r/a=1 r/b= r=", or "! problem". */
static char *flatten(const char *text, size_t len)
{
	struct buf out = BUF_INIT(1 << 20);
	auto_xml struct xml x;
	enum xml_token token;

	xml_init(&x, text, len);
	while ((token = xml_next(&x)) == XML_OPEN || token == XML_CLOSE)
		if (token == XML_CLOSE)
			buf_addf(&out, "%s%s=%s", out.len > 0 ? " " : "", x.path.data, x.text.data);
	if (token == XML_ERROR) {
		buf_clear(&out);
		buf_addf(&out, "! %s", x.problem);
		assert_int_equal(xml_next(&x), XML_ERROR);
	}
	return buf_steal(&out);
}

static char *repeat(const char *text, int times)
{
	struct buf out = BUF_INIT(1 << 20);

	while (times-- > 0)
		buf_adds(&out, text);
	return buf_steal(&out);
}

static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *problem;
	} table[] = {
	    {"", "! an early end"},
	    {"  ", "! an early end"},
	    {"<a>", "! an early end"},
	    {"<a", "! a tag without an end"},
	    {"<a b='", "! a tag without an end"},
	    {"<a b='>", "! a tag without an end"},
	    {"<a <b/>", "! a tag without an end"},
	    {"<a></a", "! a tag without an end"},
	    {"<a></a b>", "! a tag without an end"},
	    {"<a></b>", "! the end of an element that is not open"},
	    {"<a></aa>", "! the end of an element that is not open"},
	    {"</a>", "! the end of an element that is not open"},
	    {"<a/></a>", "! the end of an element that is not open"},
	    {"<a/><b/>", "! a second root"},
	    {"<a/>x", "! text behind the root"},
	    {"x<a/>", "! text beside elements"},
	    {"<a>x<b/></a>", "! text beside elements"},
	    {"<a><b/>x</a>", "! text beside elements"},
	    {"<a><b/>x<b/></a>", "! text beside elements"},
	    {"<>", "! a tag without a name, or with a long one"},
	    {"< a/>", "! a tag without a name, or with a long one"},
	    {"<a>&b;</a>", "! an unknown entity"},
	    {"<a>&;</a>", "! an unknown entity"},
	    {"<a>&#;</a>", "! an unknown entity"},
	    {"<a>&#x;</a>", "! an unknown entity"},
	    {"<a>&#0;</a>", "! an unknown entity"},
	    {"<a>&#-1;</a>", "! an unknown entity"},
	    {"<a>&#xD800;</a>", "! an unknown entity"},
	    {"<a>&#x110000;</a>", "! an unknown entity"},
	    {"<a>&#x1F6001F600;</a>", "! an unknown entity"},
	    {"<a>&amp</a>", "! an unknown entity"},
	    {"<a>&", "! an unknown entity"},
	    {"<a>\xff</a>", "! invalid UTF-8, or a NUL byte"},
	    {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "! a declaration"},
	    {"<a><![CDATA[x]]></a>", "! a declaration"},
	    {"<a><?php ?></a>", "! a declaration"},
	    {"<!-- x", "! a declaration"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_free char *found = flatten(table[i].text, strlen(table[i].text));

		if (!streq(found, table[i].problem))
			fail_msg("%s: expected %s, found %s", table[i].text, table[i].problem,
				 found);
	}
}

static void test_nul(void **state UNUSED)
{
	auto_free char *found = flatten("<a>\0</a>", 8);

	assert_string_equal(found, "! invalid UTF-8, or a NUL byte");
}

static void assert_flat(const char *text, const char *wanted)
{
	auto_free char *found = flatten(text, strlen(text));

	assert_string_equal(found, wanted);
}

static void test_limits(void **state UNUSED)
{
	auto_free char *opens = repeat("<a>", XML_DEPTH_MAX),
		       *closes = repeat("</a>", XML_DEPTH_MAX);
	auto_free char *fits = xasprintf("%s%s", opens, closes);
	auto_free char *deep = xasprintf("%s<a></a>%s", opens, closes);
	auto_free char *name = repeat("n", XML_NAME_MAX);
	auto_free char *named = xasprintf("<%s/>", name), *named_n = xasprintf("<%sn/>", name);
	auto_free char *flat = flatten(fits, strlen(fits)), *wanted = xasprintf("%s=", name);

	assert_true(flat[0] == 'a');
	assert_flat(deep, "! elements too deep in each other");
	assert_flat(named, wanted);
	assert_flat(named_n, "! a tag without a name, or with a long one");
}

static void test_read(void **state UNUSED)
{
	assert_flat("<a/>", "a=");
	assert_flat("<?xml version=\"1.0\"?>\n<!-- x -->\n<a></a>\n<!-- y -->", "a=");
	assert_flat("<r xmlns=\"http://x/>\" b = '>' ><a>1</a>\n <b />\n</r >", "r/a=1 r/b= r=");
	assert_flat("<r><a><b>1</b></a><b>2</b></r>", "r/a/b=1 r/a= r/b=2 r=");
	assert_flat("<k> &lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x20ac;&#x1F600;&#1; \n</k>",
		    "k= <>&\"'AB\u20ac\U0001F600\x01 \n");
	assert_flat("<k>a<!-- not -->b</k>", "k=ab");
}

static void test_find(void **state UNUSED)
{
	static const char text[] = "<Error><Code>A</Code><Code>B</Code><Broken>";
	auto_free char *code = xml_find(text, strlen(text), "Error/Code");

	assert_string_equal(code, "A");
	assert_null(xml_find(text, strlen(text), "Error/Message"));
	assert_null(xml_find(text, strlen(text), "Error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused), cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_limits),  cmocka_unit_test(test_read),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
