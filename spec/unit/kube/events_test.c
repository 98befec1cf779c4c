#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timefmt.h"
#include "base/utf8.h"
#include "kube/events.h"
#include "spec/unit/kube/fakeapi.h"

static int64_t now_ms;

static int64_t test_clock(void)
{
	return now_ms;
}

static struct json *reference(const char *name)
{
	return json_build("{'apiVersion': 'ai.krateo.io/v1', 'kind': 'InferenceRun', 'namespace': "
			  "'ns', 'name': %s, 'uid': 'u'}",
			  name);
}

struct sender {
	struct fake *fake;
	struct events *events;
};

static struct sender sender_new(const struct fake_answer *script, size_t steps)
{
	struct fake *fake = fake_new(script, steps);

	now_ms = 1;
	return (struct sender){
	    .fake = fake,
	    .events = events_new(fake->loop, fake->client,
				 &(struct events_spec){.component = "kserve-controller",
						       .instance = "host_1",
						       .retry_ms = 1,
						       .clock = test_clock}),
	};
}

static void sender_done(struct sender *s)
{
	events_free(s->events);
	fake_free(s->fake);
}

static void emit(struct sender *s, const char *name, const char *reason, const char *message)
{
	auto_json struct json *ref = reference(name);

	events_emit(s->events, ref, "Warning", reason, message);
}

static void drain(struct sender *s)
{
	for (int i = 0; i < 1000 && events_count(s->events).waiting > 0; i++)
		fake_run_for(s->fake, 5);
	assert_int_equal(events_count(s->events).waiting, 0);
}

/* The JSON of request n, counted from 0; its first line in *line if not NULL. */
static struct json *sent_body(const struct sender *s, size_t n, const char *method)
{
	const char *at = s->fake->log.data;
	struct err err = ERR_INIT;
	struct json *body;

	while (n-- > 0)
		at = strchr(at, '\n') + 1;
	assert_true(has_prefix(at, method));
	at = strchr(at, '{');
	body = json_parse(at, strcspn(at, "\n"), &err);
	assert_non_null(body);
	return body;
}

#define OK                                                                                         \
	{                                                                                          \
		.body = "{}"                                                                       \
	}

static void faults(void **state)
{
	static const struct {
		struct fake_answer script[14];
		size_t requests;
		uint64_t sent, failed;
	} cases[] = {
	    {{OK}, 1, 1, 0},
	    {{{.status = 500}, {.how = FAKE_CUT, .body = "{"}, OK}, 3, 1, 0},
	    {{{.status = 403}}, 1, 0, 1}, /* refused: not tried again */
	    {{{.status = 404}}, 1, 0, 1},
	    {{{.status = 422}}, 1, 0, 1},
	    {{{.how = FAKE_CUT, .body = "{"}, {.status = 409}}, 2, 1, 0}, /* it came through */
	    {{{.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      OK},
	     12,
	     1,
	     0},
	    {{{.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      {.status = 500},
	      OK},
	     12,
	     0,
	     1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sender s = sender_new(cases[i].script, ARRAY_LEN(cases[i].script));

		emit(&s, "a", "R", "m");
		drain(&s);
		assert_int_equal(s.fake->requests, cases[i].requests);
		assert_int_equal(events_count(s.events).sent, cases[i].sent);
		assert_int_equal(events_count(s.events).failed, cases[i].failed);
		sender_done(&s);
	}
}

static void an_expired_event_is_made_again(void **state)
{
	static const struct fake_answer script[] = {OK, {.status = 404}, OK, OK};
	struct sender s = sender_new(script, ARRAY_LEN(script));
	auto_json struct json *again = NULL;

	(void)state;
	emit(&s, "a", "R", "m");
	drain(&s);
	emit(&s, "a", "R", "m");
	drain(&s);
	again = sent_body(&s, 2, "POST /api/v1/namespaces/ns/events {");
	assert_int_equal(json_get_int(again, "count", 0), 2);
	emit(&s, "a", "R", "m");
	drain(&s);
	json_free(sent_body(&s, 3, "PATCH"));
	assert_int_equal(events_count(s.events).sent, 3);
	sender_done(&s);
}

static void the_queue_is_bounded(void **state)
{
	struct sender s = sender_new(NULL, 0); /* the first one is never answered */
	char name[16];

	(void)state;
	for (int i = 0; i <= EVENTS_QUEUE + 1; i++) {
		snprintf(name, sizeof(name), "run-%d", i);
		emit(&s, name, "R", "m");
		if (i == 0)
			fake_run_for(s.fake, 20);
		if (i == EVENTS_QUEUE)
			assert_int_equal(events_count(s.events).dropped, 0);
	}
	assert_int_equal(events_count(s.events).dropped, 1);
	assert_int_equal(events_count(s.events).waiting, EVENTS_QUEUE + 1);
	emit(&s, "run-1", "R", "m"); /* waits already: it joins that one */
	assert_int_equal(events_count(s.events).dropped, 1);
	sender_done(&s);
}

static void spam_is_counted(void **state)
{
	struct sender s = sender_new(NULL, 0);

	(void)state;
	for (int i = 0; i < 30; i++)
		emit(&s, "a", "R", "m");
	assert_int_equal(events_count(s.events).spam, 5);
	assert_int_equal(events_count(s.events).waiting, 1);
	sender_done(&s);
}

/* What waits outlives its place in the tables. */
static void eviction_does_not_lose_what_waits(void **state)
{
	static const struct fake_answer script[] = {{.how = FAKE_SILENT}};
	struct sender s = sender_new(script, 1);
	char name[16];

	(void)state;
	for (int i = 0; i < EVENTS_TABLE + EVENTS_QUEUE; i++) {
		snprintf(name, sizeof(name), "run-%d", i);
		emit(&s, name, "R", "m");
	}
	assert_int_equal(events_count(s.events).dropped, EVENTS_TABLE);
	sender_done(&s);
}

static void long_and_broken_messages(void **state)
{
	static const struct fake_answer script[] = {OK, OK, OK};
	struct sender s = sender_new(script, ARRAY_LEN(script));
	auto_json struct json *fits = NULL;
	auto_json struct json *cut = NULL;
	auto_json struct json *broken = NULL;
	char message[EVENTS_MESSAGE_MAX + 2];
	const char *text;

	(void)state;
	memset(message, 'x', sizeof(message));
	message[EVENTS_MESSAGE_MAX] = '\0';
	emit(&s, "a", "R", message);
	memcpy(message + EVENTS_MESSAGE_MAX - 1, "\xC3\xA9", 3); /* a character across the end */
	emit(&s, "b", "R", message);
	emit(&s, "c", "R", "\xFF\x01\"");
	drain(&s);
	fits = sent_body(&s, 0, "POST");
	cut = sent_body(&s, 1, "POST");
	broken = sent_body(&s, 2, "POST");
	assert_int_equal(strlen(json_get_str(fits, "message", "")), EVENTS_MESSAGE_MAX);
	text = json_get_str(cut, "message", "");
	assert_int_equal(strlen(text), EVENTS_MESSAGE_MAX - 1);
	assert_true(utf8_valid(text, strlen(text)));
	assert_string_equal(json_get_str(broken, "message", ""), "\xEF\xBF\xBD\x01\"");
	sender_done(&s);
}

static void what_is_sent(void **state)
{
	static const struct fake_answer script[] = {OK, OK};
	struct sender s = sender_new(script, ARRAY_LEN(script));
	auto_json struct json *event = NULL;
	auto_json struct json *patch = NULL;
	auto_json struct json *ref = reference("a");
	auto_free char *patched = NULL;
	const char *name;
	int64_t ms;

	(void)state;
	emit(&s, "a", "Started", "job made");
	emit(&s, "a", "Started", "job made");
	drain(&s);
	emit(&s, "a", "Started", "job made");
	drain(&s);
	event = sent_body(&s, 0, "POST /api/v1/namespaces/ns/events {");
	name = json_str(json_at(event, "metadata", "name"));
	assert_true(has_prefix(name, "a."));
	assert_int_equal(strspn(name + 2, "0123456789abcdef"), 16);
	assert_string_equal(json_str(json_at(event, "metadata", "namespace")), "ns");
	assert_true(json_equal(json_get(event, "involvedObject"), ref));
	assert_string_equal(json_get_str(event, "type", ""), "Warning");
	assert_string_equal(json_get_str(event, "reason", ""), "Started");
	assert_string_equal(json_get_str(event, "message", ""), "job made");
	assert_string_equal(json_str(json_at(event, "source", "component")), "kserve-controller");
	assert_string_equal(json_get_str(event, "reportingComponent", ""), "kserve-controller");
	assert_string_equal(json_get_str(event, "reportingInstance", ""), "host_1");
	assert_int_equal(json_get_int(event, "count", 0), 2); /* the second one had joined it */
	assert_true(time_parse(json_get_str(event, "firstTimestamp", ""), &ms));
	assert_true(time_parse(json_get_str(event, "lastTimestamp", ""), &ms));
	patched = xasprintf("PATCH /api/v1/namespaces/ns/events/%s {", name);
	patch = sent_body(&s, 1, patched);
	assert_int_equal(json_get_int(patch, "count", 0), 3);
	assert_true(time_parse(json_get_str(patch, "lastTimestamp", ""), &ms));
	assert_int_equal(json_len(patch), 3);
	sender_done(&s);
}

static void combined_events_say_so(void **state)
{
	struct fake_answer script[12];
	struct sender s;
	auto_json struct json *event = NULL;
	auto_json struct json *patch = NULL;
	char message[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(script); i++)
		script[i] = (struct fake_answer)OK;
	s = sender_new(script, ARRAY_LEN(script));
	for (int i = 1; i <= 12; i++) {
		snprintf(message, sizeof(message), "m%d", i);
		emit(&s, "a", "R", message);
		drain(&s);
	}
	event = sent_body(&s, 10, "POST");
	patch = sent_body(&s, 11, "PATCH");
	assert_string_equal(json_get_str(event, "message", ""),
			    "(combined from similar events): m11");
	assert_string_equal(json_get_str(patch, "message", ""),
			    "(combined from similar events): m12");
	sender_done(&s);
}

/* An object of the cluster has its Events in the namespace default. */
static void objects_without_a_namespace(void **state)
{
	static const struct fake_answer script[] = {
	    {.expect = "POST /api/v1/namespaces/default/events "}};
	struct sender s = sender_new(script, 1);
	auto_json struct json *ref = json_build("{'kind': 'Node', 'name': 'n'}");

	(void)state;
	events_emit(s.events, ref, "Normal", "R", "m");
	drain(&s);
	assert_int_equal(events_count(s.events).sent, 1);
	sender_done(&s);
}

static void freeing_at_any_time(void **state)
{
	static const struct fake_answer script[] = {{.status = 500}, {.how = FAKE_SILENT}};

	(void)state;
	for (int ms = -1; ms < 40; ms += 13) {
		struct sender s = sender_new(script, ARRAY_LEN(script));

		emit(&s, "a", "R", "m");
		emit(&s, "b", "R", "m");
		if (ms >= 0)
			fake_run_for(s.fake, ms);
		events_free(steal(s.events));
		events_free(NULL);
		fake_run_for(s.fake, 10);
		sender_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults),
	    cmocka_unit_test(an_expired_event_is_made_again),
	    cmocka_unit_test(the_queue_is_bounded),
	    cmocka_unit_test(spam_is_counted),
	    cmocka_unit_test(eviction_does_not_lose_what_waits),
	    cmocka_unit_test(long_and_broken_messages),
	    cmocka_unit_test(what_is_sent),
	    cmocka_unit_test(combined_events_say_so),
	    cmocka_unit_test(objects_without_a_namespace),
	    cmocka_unit_test(freeing_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
