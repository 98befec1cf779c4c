#include "spec/unit/net/http_scene.h"

static int take(void *arg, const char *bytes, size_t len, struct err *err UNUSED)
{
	struct scene *s = arg;

	s->chunks++;
	return buf_add(&s->streamed, bytes, len);
}

static int refuses(void *arg UNUSED, const char *bytes UNUSED, size_t len UNUSED, struct err *err)
{
	return err_set(err, ERR_GONE, "too old");
}

static int refuses_without_a_word(void *arg UNUSED, const char *bytes UNUSED, size_t len UNUSED,
				  struct err *err UNUSED)
{
	return -1;
}

static void error_of_a_chunk_ends_the_call(void **state)
{
	struct scene *s = *state;

	s->spec.chunk = refuses;
	run(s);
	assert_int_equal(s->err.kind, ERR_GONE);
	assert_non_null(strstr(s->err.msg, "too old"));
	s->spec.chunk = refuses_without_a_word;
	run(s);
	assert_int_equal(s->err.kind, ERR_BUG);
}

static void only_a_2xx_body_is_streamed(void **state)
{
	struct scene *s = *state;

	s->spec.chunk = take;
	answer(s, 500, "trouble", 7, NULL);
	run(s);
	assert_int_equal(s->chunks, 0);
	assert_string_equal(s->body.data, "trouble");
	answer(s, 201, "made", 4, NULL);
	run(s);
	assert_string_equal(s->streamed.data, "made");
	assert_string_equal(s->body.data, "");
}

static void a_stream_has_no_size_limit(void **state)
{
	struct scene *s = *state;
	auto_free char *text = xcalloc(1, MAX_BODY);

	s->spec.chunk = take;
	answer(s, 200, text, MAX_BODY, NULL);
	run(s);
	assert_int_equal(s->streamed.len, MAX_BODY);
	assert_true(s->chunks > 1);
}

static int cancels(void *arg, const char *bytes UNUSED, size_t len UNUSED, struct err *err UNUSED)
{
	struct scene *s = arg;

	assert_int_equal(s->chunks++, 0);
	http_cancel(s->call);
	return 0;
}

static void a_chunk_may_cancel_its_call(void **state)
{
	struct scene *s = *state;
	auto_free char *text = xcalloc(1, MAX_BODY);

	answer(s, 200, text, MAX_BODY, NULL);
	s->spec.chunk = cancels;
	s->call = http_start(s->http, &s->spec, never, s);
	while (s->chunks == 0)
		settle(s);
	assert_int_equal(s->chunks, 1);
	http_start(s->http, &s->spec, never, s); /* another one, and then the client goes */
	s->chunks = 0;
}

static int frees_the_client(void *arg, const char *bytes UNUSED, size_t len UNUSED,
			    struct err *err UNUSED)
{
	struct scene *s = arg;

	http_set_tls(s->http, &(struct http_tls){0});
	http_cancel(http_start(s->http, &s->spec, never, s));
	http_start(s->http, &s->spec, never, s);
	http_free(s->http);
	s->http = NULL;
	return 0;
}

static void a_chunk_may_free_the_client(void **state)
{
	struct scene *s = *state;

	s->spec.chunk = frees_the_client;
	http_start(s->http, &s->spec, never, s);
	settle(s);
	assert_null(s->http);
}

static int starts_another(void *arg, const char *bytes UNUSED, size_t len UNUSED,
			  struct err *err UNUSED)
{
	struct scene *s = arg;
	struct http_request next = s->spec;

	next.chunk = NULL;
	http_start(s->http, &next, done, s);
	http_cancel(s->call);
	return 0;
}

static void a_chunk_may_start_another(void **state)
{
	struct scene *s = *state;

	s->spec.chunk = starts_another;
	s->call = http_start(s->http, &s->spec, never, s);
	loop_run(s->loop);
	assert_int_equal(s->status, 200);
}

static void frees_in_done(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct scene *s = arg;

	http_free(s->http);
	s->http = NULL;
	done(arg, reply, err); /* the reply outlives the client */
}

static void done_may_free_the_client(void **state)
{
	struct scene *s = *state;

	http_start(s->http, &s->spec, frees_in_done, s);
	loop_run(s->loop);
	assert_int_equal(s->status, 200);
	assert_true(s->body.len > 0);
}

static void starts_in_done(void *arg, const struct http_reply *reply UNUSED,
			   const struct err *err UNUSED)
{
	struct scene *s = arg;

	http_start(s->http, &s->spec, done, s);
}

static void done_may_start_another(void **state)
{
	struct scene *s = *state;

	http_start(s->http, &s->spec, starts_in_done, s);
	loop_run(s->loop);
	assert_int_equal(s->calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    scene_test(error_of_a_chunk_ends_the_call), scene_test(only_a_2xx_body_is_streamed),
	    scene_test(a_stream_has_no_size_limit),     scene_test(a_chunk_may_cancel_its_call),
	    scene_test(a_chunk_may_free_the_client),    scene_test(a_chunk_may_start_another),
	    scene_test(done_may_free_the_client),       scene_test(done_may_start_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
