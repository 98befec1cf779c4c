#include "spec/unit/net/http_scene.h"

/* ---- limits ---- */

static void body_limit(void **state)
{
	struct scene *s = *state;
	char text[1001];

	memset(text, 'x', sizeof(text));
	answer(s, 200, text, 1000, NULL);
	run(s);
	assert_int_equal(s->status, 200);
	assert_int_equal(s->body.len, 1000);
	answer(s, 200, text, 1001, NULL);
	run(s);
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_non_null(strstr(s->err.msg, "at most 1000 bytes"));
	s->spec.max_reply = 0;
	answer(s, 200, "", 0, NULL);
	run(s);
	assert_int_equal(s->status, 200);
}

/* count bytes of 'x', compressed. */
static struct buf gzipped(size_t count)
{
	auto_free char *command = xasprintf("head -c %zu /dev/zero | tr '\\0' x | gzip -9", count);
	struct buf out = BUF_INIT(1 << 20);
	FILE *pipe = popen(command, "re");
	char bytes[4096];
	size_t n;

	assert_non_null(pipe);
	while ((n = fread(bytes, 1, sizeof(bytes), pipe)) > 0)
		buf_add(&out, bytes, n);
	assert_int_equal(pclose(pipe), 0);
	return out;
}

static const char *const gzip_headers[] = {"Content-Encoding: gzip", NULL};

static void limit_counts_decoded_bytes(void **state)
{
	struct scene *s = *state;
	auto_buf struct buf fits = gzipped(1000), over = gzipped(1001), bomb = gzipped(50 << 20);

	s->spec.compressed = true;
	answer(s, 200, fits.data, fits.len, gzip_headers);
	run(s);
	assert_int_equal(s->body.len, 1000);
	answer(s, 200, over.data, over.len, gzip_headers);
	run(s);
	assert_int_equal(s->err.kind, ERR_LIMIT);
	assert_true(bomb.len < 100000);
	answer(s, 200, bomb.data, bomb.len, gzip_headers);
	run(s);
	assert_int_equal(s->err.kind, ERR_LIMIT);
}

static void without_an_offer_nothing_is_decoded(void **state)
{
	struct scene *s = *state;
	auto_buf struct buf text = gzipped(1000);

	answer(s, 200, text.data, text.len, gzip_headers);
	run(s);
	assert_int_equal(s->body.len, text.len);
}

/* ---- requests that nobody could answer ---- */

static void broken_requests(void **state)
{
	static const char *const split[] = {"X: a\r\nY: b", NULL}, *const no_colon[] = {"nothing",
											NULL};
	static const struct {
		struct http_request spec;
		const char *message;
	} table[] = {
	    {{.method = "GET", .url = ""}, "expected a URL"},
	    {{.method = "GET", .url = "hunter2"}, "expected a URL"},
	    {{.method = "GET", .url = "//hunter2/"}, "expected a URL"},
	    {{.method = "GET", .url = "http://"}, "expected a URL"},
	    {{.method = "GET", .url = "http://hunter2 b/"}, "expected a URL"},
	    {{.method = "GET", .url = "http://h:99999/"}, "expected a URL"},
	    {{.method = "GET", .url = "http://h/\r\nX: hunter2"}, "expected a URL"},
	    {{.method = "GET", .url = "file:///etc/hunter2"}, "not http or https"},
	    {{.method = "GET", .url = "ftp://hunter2@h/"}, "not http or https"},
	    {{.method = "", .url = "http://h/"}, "expected a method"},
	    {{.method = "GET / HTTP/1.1", .url = "http://h/"}, "expected a method"},
	    {{.method = "GET", .url = "http://u:hunter2@h/hunter2?hunter2", .headers = split},
	     "GET http://h: expected a header"},
	    {{.method = "GET", .url = "http://h/", .headers = no_colon}, "expected a header"},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		s->spec = table[i].spec;
		run(s);
		assert_int_equal(s->err.kind, ERR_INVALID);
		if (strstr(s->err.msg, table[i].message) == NULL)
			fail_msg("expected \"%s\", found \"%s\"", table[i].message, s->err.msg);
		assert_null(strstr(s->err.msg, "hunter2"));
	}
}

/* ---- replies ---- */

static void redirects_are_replies(void **state)
{
	static const char *const headers[] = {"Location: http://127.0.0.1:1/", NULL};
	struct scene *s = *state;

	answer(s, 302, "", 0, headers);
	run(s);
	assert_int_equal(s->status, 302);
}

static void retry_after(void **state)
{
	static const struct {
		const char *header;
		int64_t least, most;
	} table[] = {
	    {"Retry-After: 7", 7000, 7000},
	    {"Retry-After: 0", 0, 0},
	    {"Retry-After: -5", 0, 0},
	    {"Retry-After: soon", 0, 0},
	    {"Retry-After: 99999999999999999999", 0, 86400000},
	    {"Retry-After: 86401", 86400000, 86400000},
	    {"Retry-After: Mon, 01 Jan 2001 00:00:00 GMT", 0, 0},
	    {"Retry-After: Tue, 01 Jan 2999 00:00:00 GMT", 86400000, 86400000},
	    {"X-Other: 1", 0, 0},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *const headers[] = {table[i].header, NULL};

		answer(s, 429, "slow", 4, headers);
		run(s);
		assert_int_equal(s->status, 429);
		assert_in_range(s->retry_after_ms, table[i].least, table[i].most);
	}
}

static void every_part_of_a_request_arrives(void **state)
{
	static const char *const headers[] = {"X-Test: yes", "Content-Type: application/json",
					      NULL};
	static const struct {
		struct http_request spec;
		const char *echo;
	} table[] = {
	    {{.method = "GET"}, "GET /a? .* len=- type=- expect=- x=- agent=- body=0:"},
	    {{.method = "DELETE"}, "DELETE /a? .* len=- type=- expect=- x=- agent=- body=0:"},
	    {{.method = "POST"}, "POST /a? .* len=0 type=- expect=- x=- agent=- body=0:"},
	    {{.method = "PUT", .body = "a", .body_len = 0},
	     "PUT /a? .* len=0 type=- expect=- x=- "
	     "agent=- body=0:"},
	    {{.method = "PATCH", .body = "{\"a\":1}", .body_len = 7, .headers = headers},
	     "PATCH /a? .* len=7 type=application/json expect=- x=yes agent=- body=7:{\"a\":1}"},
	    {{.method = "DELETE", .body = "why", .body_len = 3, .compressed = true},
	     "DELETE /a? .* len=3 type=- expect=- x=- agent=gzip body=3:why"},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *star = strstr(table[i].echo, ".*");

		s->spec = table[i].spec;
		s->spec.url = s->url;
		s->spec.max_reply = 1000;
		run(s);
		assert_int_equal(s->status, 200);
		assert_memory_equal(s->body.data, table[i].echo, (size_t)(star - table[i].echo));
		assert_string_equal(strstr(s->body.data, " len="), star + 2);
	}
	assert_string_equal(s->type, "text/plain; charset=utf-8");
}

static void a_large_body_with_every_byte(void **state)
{
	struct scene *s = *state;
	auto_free char *body = xcalloc(1, MAX_BODY);

	s->spec.method = "POST";
	s->spec.body = body;
	s->spec.body_len = MAX_BODY;
	run(s);
	assert_non_null(strstr(s->body.data, "expect=- "));
	assert_non_null(strstr(s->body.data, "body=4194304:"));
	s->spec.method = "HEAD";
	s->spec.body = NULL;
	run(s);
	assert_int_equal(s->status, 200);
	assert_int_equal(s->body.len, 0);
}

static void request_is_copied(void **state)
{
	struct scene *s = *state;
	char method[] = "POST", url[200], header[] = "X-Test: yes", body[] = "body";
	const char *headers[] = {header, NULL};

	snprintf(url, sizeof(url), "%s?q=1", s->url);
	s->spec = (struct http_request){.method = method,
					.url = url,
					.headers = headers,
					.body = body,
					.body_len = 4,
					.max_reply = 1000};
	s->call = http_start(s->http, &s->spec, done, s);
	memset(method, 'X', 4);
	memset(url, 'X', 20);
	memset(header, 'X', 8);
	memset(body, 'X', 4);
	headers[0] = NULL;
	loop_run(s->loop);
	assert_non_null(strstr(s->body.data, "POST /a?q=1"));
	assert_non_null(strstr(s->body.data, "x=yes"));
	assert_non_null(strstr(s->body.data, "body=4:body"));
}

static void many_at_once(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 100; i++)
		http_start(s->http, &s->spec, done, s);
	while (s->calls < 100)
		loop_run(s->loop);
	assert_int_equal(s->err.kind, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(body_limit),
	    scene_test(limit_counts_decoded_bytes),
	    scene_test(without_an_offer_nothing_is_decoded),
	    scene_test(broken_requests),
	    scene_test(redirects_are_replies),
	    scene_test(retry_after),
	    scene_test(every_part_of_a_request_arrives),
	    scene_test(a_large_body_with_every_byte),
	    scene_test(request_is_copied),
	    scene_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
