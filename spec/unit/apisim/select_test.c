#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "spec/apisim/select.h"

static const struct resource pods = {.group = "", .plural = "pods"};
static const struct resource runs = {.group = "ai.krateo.io", .plural = "inferenceruns"};

static void labels_refused(void **state UNUSED)
{
	static const char *const texts[] = {
	    "=a", "a,",    ",a",   "a b",  "a in x",     "a in (x", "a in (x,y",
	    "!",  "a=b=c", "a,,b", "!a=b", "a in (x) b", "(",       "a notin b",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;

		if (selector_labels(texts[i], &err) != NULL)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void limits(void **state UNUSED)
{
	auto_buf struct buf text = BUF_INIT(SELECTOR_TEXT_MAX * 2);
	struct selector *selector;
	struct err err = ERR_INIT;

	buf_adds(&text, "a");
	for (int i = 1; i < SELECTOR_TERMS_MAX; i++)
		buf_adds(&text, ",a");
	selector = selector_labels(text.data, &err);
	assert_non_null(selector);
	selector_free(selector);
	buf_adds(&text, ",a");
	assert_null(selector_labels(text.data, &err));

	buf_clear(&text);
	while (text.len < SELECTOR_TEXT_MAX)
		buf_addc(&text, 'a');
	selector = selector_labels(text.data, &err);
	assert_non_null(selector);
	selector_free(selector);
	buf_addc(&text, 'a');
	assert_null(selector_labels(text.data, &err));
}

static void labels_match(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
	    {"", true},
	    {"a=1", true},
	    {"a==1", true},
	    {" a = 1 , b = 2 ", true},
	    {"a=2", false},
	    {"a!=2", true},
	    {"a!=1", false},
	    {"z!=1", true},
	    {"a", true},
	    {"z", false},
	    {"!z", true},
	    {"!a", false},
	    {"a in (0,1)", true},
	    {"a in (0)", false},
	    {"z in (1)", false},
	    {"a notin (0,1)", false},
	    {"z notin (0,1)", true},
	    {"a in (1),b notin (1),!z", true},
	    {"x.io/y=3", true},
	    {"e=", true},
	    {"in=4", true},
	};
	auto_json struct json *object =
	    json_build("{'metadata':{'labels':{'a':'1','b':'2','x.io/y':'3','e':'','in':'4'}}}");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		auto_selector struct selector *selector = selector_labels(rows[i].text, &err);

		if (selector == NULL)
			fail_msg("%s: %s", rows[i].text, err.msg);
		if (selector_match(selector, object) != rows[i].matches)
			fail_msg("%s", rows[i].text);
	}
}

static void no_labels_at_all(void **state UNUSED)
{
	auto_json struct json *object = json_build("{'metadata':{}}");
	struct err err = ERR_INIT;
	auto_selector struct selector *without = selector_labels("!a", &err);
	auto_selector struct selector *with = selector_labels("a", &err);
	auto_selector struct selector *all = selector_labels(NULL, &err);

	assert_true(selector_match(without, object));
	assert_false(selector_match(with, object));
	assert_true(selector_all(all));
	assert_false(selector_all(with));
}

static void fields(void **state UNUSED)
{
	auto_json struct json *pod =
	    json_build("{'metadata':{'name':'p','namespace':'n'},'status':{'phase':'Running'}}");
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
	    {"metadata.name=p", true},
	    {"metadata.name=q", false},
	    {"status.phase!=Succeeded,status.phase!=Failed", true},
	    {"status.phase=Running,metadata.namespace=n", true},
	    {"spec.nodeName=", true},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_selector struct selector *s = selector_fields(rows[i].text, &pods, &err);

		assert_non_null(s);
		assert_int_equal(selector_match(s, pod), rows[i].matches);
	}
	assert_null(selector_fields("status.phase=Running", &runs, &err));
	assert_string_equal(err.msg, "\"status.phase\" is not a known field selector: only "
				     "\"metadata.name\", \"metadata.namespace\"");
	assert_null(selector_fields("spec.image=x", &pods, &err));
	assert_string_equal(err.msg, "field label not supported: spec.image");
	assert_null(selector_fields("metadata.name", &pods, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(labels_refused), cmocka_unit_test(limits),
	    cmocka_unit_test(labels_match),   cmocka_unit_test(no_labels_at_all),
	    cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
