#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/kube/fakeapi.h"

static const struct kind kind_job = {"batch", "v1", "jobs", "Job"};
static const struct kind kind_pod = {"", "v1", "pods", "Pod"};

/* The end of one call. */
struct outcome {
	struct fake *fake;
	struct client *free_in_done; /* or NULL */
	struct client_call *call;
	int ends;
	struct err err;
	char *object;
	struct buf lines;
	int stop_at_line; /* 0: never */
	int cancel_at_line;
	int seen_lines;
};

static void ended(void *arg, const struct json *object, const struct err *err)
{
	struct outcome *o = arg;

	o->ends++;
	if (err != NULL)
		o->err = *err;
	o->object = object != NULL ? json_print(object) : NULL;
	if (o->free_in_done != NULL) {
		client_free(o->free_in_done);
		o->fake->client = NULL;
	}
	loop_stop(o->fake->loop);
}

static int line_came(void *arg, const char *line, size_t len, struct err *err)
{
	struct outcome *o = arg;

	buf_add(&o->lines, line, len);
	buf_addc(&o->lines, '|');
	o->seen_lines++;
	if (o->seen_lines == o->stop_at_line)
		return err_set(err, ERR_GONE, "no more of this");
	if (o->seen_lines == o->cancel_at_line) {
		if (o->free_in_done != NULL) {
			client_free(o->free_in_done);
			o->fake->client = NULL;
		} else {
			client_cancel(o->call);
		}
		loop_stop(o->fake->loop);
	}
	return 0;
}

static struct outcome outcome_new(struct fake *fake)
{
	return (struct outcome){.fake = fake, .lines = BUF_INIT(1 << 20)};
}

static void outcome_done(struct outcome *o)
{
	free(o->object);
	buf_done(&o->lines);
	fake_free(o->fake);
}

/* GET path answered by the script. */
static struct outcome get(const struct fake_answer *script, size_t steps, const char *path)
{
	struct fake *fake = fake_new(script, steps);
	struct outcome o = outcome_new(fake);

	client_get(fake->client, path, ended, &o);
	assert_int_equal(o.ends, 0);
	fake_run(fake);
	assert_int_equal(o.ends, 1);
	return o;
}

/* ---- errors ---- */

#define STATUS(code, rest) "{\"kind\":\"Status\",\"code\":" code "," rest "}"

static void replies_become_errors(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		const char *body, *message;
	} cases[] = {
	    {400, ERR_INVALID, "", "HTTP 400: the reply is empty"},
	    {401, ERR_DENIED, "", "HTTP 401"},
	    {403, ERR_DENIED, STATUS("403", "\"message\":\"jobs is forbidden\""),
	     "get /api/v1/namespaces/a: HTTP 403: jobs is forbidden"},
	    {404, ERR_NOT_FOUND, STATUS("404", "\"reason\":\"NotFound\""), "404: NotFound"},
	    {404, ERR_NOT_FOUND, "{}", "expected a Status object, found \"{}\""},
	    {405, ERR_INVALID, "", "405"},
	    {408, ERR_RETRY, "", "408"},
	    {409, ERR_CONFLICT, STATUS("200", "\"message\":\"changed\""), "HTTP 409: changed"},
	    {410, ERR_GONE, "", "410"},
	    {413, ERR_INVALID, "", "413"},
	    {415, ERR_INVALID, "", "415"},
	    {422, ERR_INVALID,
	     STATUS("422", "\"message\":\"x is invalid: a: bad\",\"details\":{\"causes\":["
			   "{\"field\":\"a\",\"message\":\"bad\"},"
			   "{\"field\":\"b\",\"message\":\"worse\"},{\"message\":\"c\\nd\"}]}"),
	     "HTTP 422: x is invalid: a: bad (b: worse; c\nd)"},
	    {429, ERR_RETRY, "", "429"},
	    {500, ERR_RETRY, "<html>\x01\xFF</html>", "found \"<html>\\u0001\xEF\xBF\xBD</html>\""},
	    {502, ERR_RETRY, "[", "502"},
	    {503, ERR_RETRY, "", "503"},
	    {504, ERR_RETRY, "", "504"},
	    {302, ERR_INVALID, "", "302"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_answer script[] = {
		    {.status = cases[i].status, .body = cases[i].body},
		    {.status = cases[i].status, .body = cases[i].body},
		};
		struct outcome o = get(script, ARRAY_LEN(script), "/api/v1/namespaces/a?secret=1");

		assert_int_equal(o.err.kind, cases[i].kind);
		assert_int_equal(o.err.status, cases[i].status);
		if (strstr(o.err.msg, cases[i].message) == NULL)
			fail_msg("expected %s in %s", cases[i].message, o.err.msg);
		assert_null(strstr(o.err.msg, "secret"));
		assert_null(strstr(o.err.msg, "s3cret"));
		outcome_done(&o);
	}
}

static void a_long_body_is_cut(void **state)
{
	char body[1000];
	struct fake_answer script[] = {{.status = 500, .body = body}};
	struct outcome o;

	(void)state;
	memset(body, 'x', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	o = get(script, 1, "/api/v1/pods");
	assert_null(strstr(o.err.msg, body + sizeof(body) - 1 - 201));
	assert_non_null(strstr(o.err.msg, body + sizeof(body) - 1 - 200));
	assert_non_null(strstr(o.err.msg, "..."));
	outcome_done(&o);
}

static void broken_connections_are_worth_a_retry(void **state)
{
	static const struct fake_answer scripts[] = {
	    {.how = FAKE_CLOSE},
	    {.how = FAKE_CUT, .body = "{"},
	    {.headers = "Content-Encoding: gzip\r\n", .body = "not gzip"},
	    {.body = "{\"a\":"},
	    {.body = "<html>"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		/* a kept connection that is closed may be tried again by the transport itself */
		const struct fake_answer script[] = {scripts[i], scripts[i]};
		struct outcome o = get(script, 2, "/api/v1/pods");

		assert_int_equal(o.err.kind, ERR_RETRY);
		assert_non_null(strstr(o.err.msg, "list /api/v1/pods: "));
		assert_null(o.object);
		outcome_done(&o);
	}
}

/* ---- what is tried again ---- */

static void a_401_is_tried_once_more(void **state)
{
	static const struct fake_answer once[] = {{.status = 401}, {.body = "{}"}};
	static const struct fake_answer twice[] = {{.status = 401}, {.status = 401}};
	struct outcome o;

	(void)state;
	o = get(once, 2, "/api/v1/pods");
	assert_int_equal(o.err.kind, ERR_NONE);
	assert_string_equal(o.object, "{}");
	outcome_done(&o);
	o = get(twice, 2, "/api/v1/pods");
	assert_int_equal(o.err.kind, ERR_DENIED);
	assert_int_equal(o.fake->requests, 2);
	outcome_done(&o);
}

static void short_waits_are_waited_out(void **state)
{
	static const struct fake_answer script[] = {
	    {.status = 429, .headers = "Retry-After: 1\r\n"},
	    {.status = 503, .headers = "Retry-After: 1\r\n"},
	    {.body = "{}"},
	};
	struct fake *fake = fake_new(script, ARRAY_LEN(script));
	struct outcome o = outcome_new(fake);
	auto_json struct json *job = json_build("{'n': 9007199254740993}");

	(void)state;
	client_create(fake->client, "/apis/batch/v1/namespaces/a/jobs", job, ended, &o);
	fake_run(fake);
	assert_int_equal(o.err.kind, ERR_NONE);
	assert_int_equal(fake->requests, 3);
	for (const char *p = fake->log.data; *p != '\0'; p = strchr(p, '\n') + 1)
		assert_true(has_prefix(p, "POST /apis/batch/v1/namespaces/a/jobs "
					  "{\"n\":9007199254740993}\n"));
	outcome_done(&o);
}

static void long_waits_are_the_callers(void **state)
{
	static const struct {
		int status;
		const char *headers;
		int64_t retry_ms;
	} cases[] = {
	    {429, "Retry-After: 11\r\n", 11000}, {503, "Retry-After: 3600\r\n", 3600000},
	    {500, "Retry-After: 1\r\n", 1000},   {429, NULL, 0},
	    {503, "Retry-After: soon\r\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_answer script[] = {
		    {.status = cases[i].status, .headers = cases[i].headers}};
		struct outcome o = get(script, 1, "/api/v1/pods");

		assert_int_equal(o.err.kind, ERR_RETRY);
		assert_int_equal(o.err.retry_ms, cases[i].retry_ms);
		outcome_done(&o);
	}
}

static void a_stream_does_not_wait(void **state)
{
	static const struct fake_answer script[] = {
	    {.status = 429, .headers = "Retry-After: 1\r\n", .body = "{}\n{}\n"}};
	struct fake *fake = fake_new(script, 1);
	struct outcome o = outcome_new(fake);

	(void)state;
	client_stream(fake->client, "/api/v1/pods?watch=true", 0, line_came, ended, &o);
	fake_run(fake);
	assert_int_equal(o.err.kind, ERR_RETRY);
	assert_int_equal(o.err.retry_ms, 1000);
	assert_string_equal(o.lines.data, "");
	outcome_done(&o);
}

/* ---- cancelling and freeing ---- */

static void nothing_comes_after_cancel(void **state)
{
	static const struct fake_answer script[] = {
	    {.status = 429, .headers = "Retry-After: 1\r\n"}};

	(void)state;
	for (int turns = 0; turns < 4; turns++) {
		struct fake *fake = fake_new(script, 1);
		struct outcome o = outcome_new(fake);
		struct client_call *call = client_get(fake->client, "/x", ended, &o);

		if (turns > 0) /* at 3 it waits for the second try */
			fake_run_for(fake, turns == 3 ? 100 : turns - 1);
		client_cancel(call);
		client_cancel(NULL);
		fake_run_for(fake, 20);
		assert_int_equal(o.ends, 0);
		outcome_done(&o);
	}
}

static void freeing_cancels_every_call(void **state)
{
	struct fake *fake = fake_new(NULL, 0);
	struct outcome o = outcome_new(fake);

	(void)state;
	for (int i = 0; i < 20; i++)
		client_get(fake->client, "/x", ended, &o);
	fake_run_for(fake, 20);
	client_get(fake->client, "/x", ended, &o);
	client_free(steal(fake->client));
	client_free(NULL);
	fake_run_for(fake, 20);
	assert_int_equal(o.ends, 0);
	outcome_done(&o);
}

static void done_may_free_the_client(void **state)
{
	static const struct fake_answer script[] = {{.body = "{\"a\":1}"}};
	struct fake *fake = fake_new(script, 1);
	struct outcome o = outcome_new(fake);

	(void)state;
	o.free_in_done = fake->client;
	client_get(fake->client, "/x", ended, &o);
	fake_run(fake);
	assert_string_equal(o.object, "{\"a\":1}");
	outcome_done(&o);
}

static void a_line_may_cancel_its_call_or_free_the_client(void **state)
{
	static const struct fake_answer script[] = {{.how = FAKE_STREAM, .body = "a\nb\nc\n"}};

	(void)state;
	for (int free_client = 0; free_client < 2; free_client++) {
		struct fake *fake = fake_new(script, 1);
		struct outcome o = outcome_new(fake);

		o.cancel_at_line = 2;
		o.free_in_done = free_client ? fake->client : NULL;
		o.call = client_stream(fake->client, "/x", 0, line_came, ended, &o);
		fake_run(fake);
		fake_run_for(fake, 20);
		assert_string_equal(o.lines.data, "a|b|");
		assert_int_equal(o.ends, 0);
		outcome_done(&o);
	}
}

/* ---- streams ---- */

static void streams(void **state)
{
	static const struct {
		struct fake_answer answer;
		const char *lines;
		int stop_at_line;
		enum err_kind kind;
	} cases[] = {
	    {{.how = FAKE_STREAM, .body = "a\nbc\n"}, "a|bc|", 0, ERR_NONE},
	    {{.how = FAKE_STREAM, .body = "a\nhalf"}, "a|", 0, ERR_NONE},
	    {{.how = FAKE_STREAM, .body = ""}, "", 0, ERR_NONE},
	    {{.how = FAKE_CUT, .body = "a\nhalf"}, "a|", 0, ERR_RETRY},
	    {{.how = FAKE_HOLD, .body = "a\nb\n"}, "a|b|", 2, ERR_GONE},
	    {{.how = FAKE_HOLD, .body = "a\n"}, "a|", 0, ERR_RETRY}, /* our timeout */
	    {{.how = FAKE_SILENT}, "", 0, ERR_RETRY},
	    {{.status = 410, .body = "a\n"}, "", 0, ERR_GONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake *fake = fake_new(&cases[i].answer, 1);
		struct outcome o = outcome_new(fake);

		o.stop_at_line = cases[i].stop_at_line;
		client_stream(fake->client, "/x", 300, line_came, ended, &o);
		fake_run(fake);
		assert_string_equal(o.lines.data, cases[i].lines);
		assert_int_equal(o.err.kind, cases[i].kind);
		assert_int_equal(o.ends, 1);
		outcome_done(&o);
	}
}

/* ---- requests ---- */

static void note_headers(void *arg, const struct fake_request *request, struct fake_answer *answer)
{
	buf_adds(arg, request->headers);
	*answer = (struct fake_answer){.status = 200};
}

static void note_method(void *arg, const char *method, int status, int64_t duration_ms)
{
	assert_true(duration_ms >= 0);
	buf_addf(arg, "%s %d ", method, status);
}

static void every_verb(void **state)
{
	struct fake *fake = fake_new(NULL, 0);
	struct client *c = fake->client;
	auto_json struct json *body = json_build("{'a': 1}");
	auto_buf struct buf headers = BUF_INIT(1 << 16);
	auto_buf struct buf methods = BUF_INIT(1 << 16);
	struct outcome o = outcome_new(fake);
	static const char *const expected[] = {
	    "Content-Type: application/json\r\n",
	    "Content-Type: application/merge-patch+json\r\n",
	    "Content-Type: application/json-patch+json\r\n",
	    ("User-Agent: kserve-controller/" VERSION "\r\n"),
	    "Accept: application/json\r\n",
	    "Authorization: Bearer s3cret-token\r\n",
	};

	(void)state;
	fake->fn = note_headers;
	fake->arg = &headers;
	client_observe(c, note_method, &methods);
	client_get(c, "/api/v1/pods", ended, &o);
	fake_run(fake);
	client_create(c, "/x", body, ended, &o);
	fake_run(fake);
	client_replace(c, "/x", body, ended, &o);
	fake_run(fake);
	client_patch(c, "/x", PATCH_MERGE, body, ended, &o);
	fake_run(fake);
	client_patch(c, "/x", PATCH_JSON, body, ended, &o);
	fake_run(fake);
	client_delete(c, "/x", NULL, NULL, ended, &o);
	fake_run(fake);
	client_delete(c, "/x", "u", "7", ended, &o);
	fake_run(fake);
	client_stream(c, "/x", 0, line_came, ended, &o);
	fake_run(fake);
	assert_string_equal(
	    fake->log.data,
	    "GET /api/v1/pods \nPOST /x {\"a\":1}\nPUT /x {\"a\":1}\nPATCH /x {\"a\":1}\n"
	    "PATCH /x {\"a\":1}\n"
	    "DELETE /x {\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
	    "\"propagationPolicy\":\"Background\",\"preconditions\":{}}\n"
	    "DELETE /x {\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
	    "\"propagationPolicy\":\"Background\","
	    "\"preconditions\":{\"uid\":\"u\",\"resourceVersion\":\"7\"}}\nGET /x \n");
	assert_string_equal(methods.data, "GET 200 POST 200 PUT 200 PATCH 200 PATCH 200 "
					  "DELETE 200 DELETE 200 GET 200 ");
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_non_null(strstr(headers.data, expected[i]));
	assert_int_equal(o.ends, 8);
	outcome_done(&o);
}

static void text_came(void *arg, const char *body, size_t len, const struct err *err)
{
	struct outcome *o = arg;

	if (err == NULL)
		buf_add(&o->lines, body, len);
	ended(o, NULL, err);
}

static void text_comes_as_it_is(void **state)
{
	static const struct fake_answer script[] = {
	    {.body = "<no JSON>"}, {.body = ""}, {.status = 404, .body = "x"}, {.how = FAKE_CUT}};
	static const enum err_kind kinds[] = {ERR_NONE, ERR_NONE, ERR_NOT_FOUND, ERR_RETRY};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(script); i++) {
		struct fake *fake = fake_new(&script[i], 1);
		struct outcome o = outcome_new(fake);

		client_get_text(fake->client, "/api/v1/pods", text_came, &o);
		fake_run(fake);
		assert_int_equal(o.ends, 1);
		assert_int_equal(o.err.kind, kinds[i]);
		assert_string_equal(o.lines.data, i == 0 ? "<no JSON>" : "");
		outcome_done(&o);
	}
}

static void reads_of_a_collection_are_lists(void **state)
{
	static const char *const cases[][2] = {
	    {"/api/v1/pods", "list"},
	    {"/api/v1/namespaces", "list"},
	    {"/api/v1/namespaces/a", "get"},
	    {"/api/v1/namespaces/a/pods?limit=1/2", "list"},
	    {"/api/v1/namespaces/a/pods/x", "get"},
	    {"/apis/batch/v1/jobs", "list"},
	    {"/apis/batch/v1/namespaces/a/jobs", "list"},
	    {"/apis/batch/v1/namespaces/a/jobs/x/status", "get"},
	    {"/version", "get"},
	    {"/", "get"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_answer script[] = {{.status = 404}};
		struct outcome o = get(script, 1, cases[i][0]);

		assert_true(has_prefix(o.err.msg, cases[i][1]));
		assert_int_equal(o.err.msg[strlen(cases[i][1])], ' ');
		outcome_done(&o);
	}
}

static void paths(void **state)
{
	static const struct {
		const struct kind *kind;
		const char *namespace, *name, *subresource, *path;
	} cases[] = {
	    {&kind_pod, NULL, NULL, NULL, "/api/v1/pods"},
	    {&kind_pod, "", "", "", "/api/v1/pods"},
	    {&kind_job, NULL, NULL, NULL, "/apis/batch/v1/jobs"},
	    {&kind_job, "ns", NULL, NULL, "/apis/batch/v1/namespaces/ns/jobs"},
	    {&kind_job, "ns", "a.b-c", "status", "/apis/batch/v1/namespaces/ns/jobs/a.b-c/status"},
	    {&kind_job, "ns", "../../secrets/x", NULL,
	     "/apis/batch/v1/namespaces/ns/jobs/..%2F..%2Fsecrets%2Fx"},
	    {&kind_pod, "..", ".", NULL, "/api/v1/namespaces/%2E%2E/pods/%2E"},
	    {&kind_pod, "a?b#c", "d e%\xC3\xA9", NULL,
	     "/api/v1/namespaces/a%3Fb%23c/pods/d%20e%25%C3%A9"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = client_path(cases[i].kind, cases[i].namespace, cases[i].name,
						   cases[i].subresource);

		assert_string_equal(path, cases[i].path);
	}
}

/* What the server sees of a hostile name must still be below the collection. */
static void dots_do_not_climb(void **state)
{
	auto_free char *path = client_path(&kind_pod, "ns", "..", NULL);
	struct fake_answer script[] = {{.status = 404}};
	struct outcome o = get(script, 1, path);

	(void)state;
	assert_string_equal(o.fake->log.data, "GET /api/v1/namespaces/ns/pods/%2E%2E \n");
	outcome_done(&o);
}

static void a_server_is_needed(void **state)
{
	struct loop *loop = loop_new();
	struct kube_config config = {.server = NULL};
	struct err err = ERR_INIT;

	(void)state;
	assert_null(client_new(loop, &config, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_become_errors),
	    cmocka_unit_test(a_long_body_is_cut),
	    cmocka_unit_test(broken_connections_are_worth_a_retry),
	    cmocka_unit_test(a_401_is_tried_once_more),
	    cmocka_unit_test(short_waits_are_waited_out),
	    cmocka_unit_test(long_waits_are_the_callers),
	    cmocka_unit_test(a_stream_does_not_wait),
	    cmocka_unit_test(nothing_comes_after_cancel),
	    cmocka_unit_test(freeing_cancels_every_call),
	    cmocka_unit_test(done_may_free_the_client),
	    cmocka_unit_test(a_line_may_cancel_its_call_or_free_the_client),
	    cmocka_unit_test(streams),
	    cmocka_unit_test(every_verb),
	    cmocka_unit_test(text_comes_as_it_is),
	    cmocka_unit_test(reads_of_a_collection_are_lists),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(dots_do_not_climb),
	    cmocka_unit_test(a_server_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
