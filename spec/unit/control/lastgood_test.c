#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/kube/fakeapi.h"

#include "control/lastgood.h"

#define KEPT(owner, manager, text)                                                                 \
	"{\"metadata\":{\"name\":\"p-last-good\",\"resourceVersion\":\"7\",\"labels\":{\"app."     \
	"kubernetes.io/managed-by\":\"" manager "\"},\"ownerReferences\":[{\"uid\":\"" owner       \
	"\"}]},\"data\":{\"contract.lua\":\"" text "\"}}"
#define OURS(text) KEPT("u", "kserve-controller", text)
#define GET "GET /api/v1/namespaces/ns/configmaps/p-last-good "
#define PUT "PUT /api/v1/namespaces/ns/configmaps/p-last-good "
#define POST "POST /api/v1/namespaces/ns/configmaps "

struct scene {
	struct fake *fake;
	struct lastgood *lastgood;
	struct json *configmap, *files; /* files: what was read, or null */
	int answers;
	struct buf trouble;
};

static void on_trouble(void *arg, const struct err *err)
{
	struct scene *s = arg;

	buf_addf(&s->trouble, "%s\n", err->msg);
}

static void set_up(struct scene *s, const struct fake_answer *script, size_t steps)
{
	*s = (struct scene){.trouble = BUF_INIT(1 << 16)};
	s->fake = fake_new(script, steps);
	s->configmap = json_build("{'metadata': {'name': 'p', 'uid': 'u'}}");
	s->lastgood = lastgood_new(
	    s->fake->loop, s->fake->client,
	    &(struct lastgood_spec){
		.namespace = "ns", .name = "p", .again_ms = 1, .trouble = on_trouble, .arg = s});
}

static void tear_down(struct scene *s)
{
	lastgood_free(s->lastgood);
	fake_free(s->fake);
	json_free(s->configmap);
	json_free(s->files);
	buf_done(&s->trouble);
}

/* ---- reading ---- */

static void on_read(void *arg, const struct json *files)
{
	struct scene *s = arg;

	s->answers++;
	s->files = json_copy(files);
	loop_stop(s->fake->loop);
}

static void what_is_used_and_what_is_not(void **state)
{
	static const struct {
		struct fake_answer script[3];
		const char *files, *trouble;
	} rows[] = {
	    {{{.expect = GET, .body = OURS("x")}}, "{\"contract.lua\":\"x\"}", ""},
	    {{{.status = 404, .body = "{}"}}, "null", ""},
	    {{{.body = KEPT("other", "kserve-controller", "x")}}, "null", "belongs to the policy"},
	    {{{.body = KEPT("u", "me", "x")}}, "null", "belongs to the policy"},
	    {{{.body = "{}"}}, "null", "belongs to the policy"},
	    {{{.status = 403, .body = "{}"}}, "null", "p-last-good"},
	    {{{.status = 500, .body = "{}"}, {.how = FAKE_CLOSE}, {.body = OURS("x")}},
	     "{\"contract.lua\":\"x\"}",
	     "p-last-good"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *files = NULL;
		struct scene s;

		set_up(&s, rows[i].script, ARRAY_LEN(rows[i].script));
		lastgood_read(s.lastgood, s.configmap, on_read, &s);
		fake_run(s.fake);
		files = json_print(s.files);
		assert_string_equal(files, rows[i].files);
		assert_int_equal(s.answers, 1);
		assert_non_null(strstr(s.trouble.data, rows[i].trouble));
		assert_true(*rows[i].trouble != '\0' || s.trouble.len == 0);
		tear_down(&s);
	}
}

static void what_is_not_wanted_any_more_is_not_told(void **state)
{
	static const struct fake_answer script[] = {{.body = OURS("x")}, {.body = OURS("y")}};
	struct scene s;

	(void)state;
	set_up(&s, script, ARRAY_LEN(script));
	lastgood_read(s.lastgood, s.configmap, on_read, &s);
	lastgood_unread(s.lastgood);
	fake_run_for(s.fake, 20);
	assert_int_equal(s.answers, 0);
	lastgood_read(s.lastgood, s.configmap, on_read, &s);
	lastgood_read(s.lastgood, s.configmap, on_read, &s);
	fake_run(s.fake);
	assert_int_equal(s.answers, 1);
	tear_down(&s);
}

/* ---- writing ---- */

/* So many requests, and no more after them. */
static void assert_requests(struct scene *s, size_t count)
{
	for (int i = 0; i < 1500 && s->fake->requests < count; i++)
		fake_run_for(s->fake, 20);
	fake_run_for(s->fake, 50);
	assert_int_equal(s->fake->requests, count);
}

static void save(struct scene *s, const char *text)
{
	auto_json struct json *files = json_build("{'contract.lua': %s}", text);

	lastgood_save(s->lastgood, s->configmap, files, "sha256:d");
}

static void what_is_written(void **state)
{
	static const struct {
		struct fake_answer script[4];
		size_t requests;
		const char *trouble;
	} rows[] = {
	    {{{.expect = GET, .body = OURS("x")}}, 1, ""},
	    {{{.status = 404, .body = "{}"}, {.expect = POST, .body = OURS("x")}}, 2, ""},
	    {{{.body = OURS("old")}, {.expect = "\"resourceVersion\":\"7\"", .body = OURS("x")}},
	     2,
	     ""},
	    {{{.body = KEPT("gone", "kserve-controller", "x")}, {.expect = PUT, .body = OURS("x")}},
	     2,
	     ""},
	    /* somebody else's is left alone, and looked at again */
	    {{{.body = KEPT("u", "me", "old")}, {.expect = GET, .body = OURS("x")}},
	     2,
	     "is not this controller's"},
	    {{{.body = OURS("old")},
	      {.expect = PUT, .status = 409, .body = "{}"},
	      {.expect = GET, .body = OURS("x")}},
	     3,
	     ""},
	    {{{.status = 404, .body = "{}"},
	      {.expect = POST, .status = 500, .body = "{}"},
	      {.expect = GET, .status = 404, .body = "{}"},
	      {.expect = POST, .body = OURS("x")}},
	     4,
	     "HTTP 500"},
	    {{{.status = 403, .body = "{}"}, {.expect = GET, .body = OURS("x")}}, 2, "HTTP 403"},
	    /* a reply that shows something else: written again */
	    {{{.body = OURS("old")},
	      {.expect = PUT, .body = OURS("other")},
	      {.expect = PUT, .body = OURS("x")}},
	     3,
	     ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		set_up(&s, rows[i].script, ARRAY_LEN(rows[i].script));
		save(&s, "x");
		assert_requests(&s, rows[i].requests);
		assert_non_null(strstr(s.trouble.data, rows[i].trouble));
		assert_true(*rows[i].trouble != '\0' || s.trouble.len == 0);
		tear_down(&s);
	}
}

/* Of what comes while one is being written only the last is. */
static void edits_in_a_row_are_few_writes(void **state)
{
	static const struct fake_answer script[] = {
	    {.expect = GET, .body = OURS("old")},
	    {.expect = "\"contract.lua\":\"c\"", .body = OURS("c")},
	};
	struct scene s;

	(void)state;
	set_up(&s, script, ARRAY_LEN(script));
	save(&s, "a");
	save(&s, "b");
	save(&s, "c");
	assert_requests(&s, 2);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_used_and_what_is_not),
	    cmocka_unit_test(what_is_not_wanted_any_more_is_not_told),
	    cmocka_unit_test(what_is_written),
	    cmocka_unit_test(edits_in_a_row_are_few_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
