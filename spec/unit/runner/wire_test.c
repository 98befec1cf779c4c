/* wire_test.c - what the program sends: bodies, shapes, headers, and what is too long to send. */
#include "spec/unit/runner/world.h"

#define NO_METADATA ANSWER("404 Not Found", "", "")

/* A run where all goes well, but for these two answers of the model. */
static struct outcome run_usual(struct scripted *s, const char *kserve, const char *metadata,
				const char *reply)
{
	char *args[] = {"kserve-runner", NULL};
	auto_free char *secret = NULL, *contract = NULL;
	struct outcome outcome;

	scripted_start(s);
	secret = make_secret(s->port);
	contract = make_contract(s->port, kserve);
	write_file("contract.json", contract);
	add_route(s, SECRET_PATH, NULL, secret);
	add_route(s, "/in", NULL, OK(ROWS));
	add_route(s, "/v2/models/m", NULL, metadata);
	add_route(s, "/v2/models/m/infer", NULL, reply);
	add_route(s, "/out", NULL, OK(""));
	outcome = run(s, args, s->port);
	scripted_stop(s);
	return outcome;
}

/* Two rows of commas and digits that make an array of this length. */
static char *reply_of(size_t len)
{
	auto_buf struct buf data = BUF_INIT(1 << 20);
	size_t values = 2;

	while (2 * values + 1 + 2 * 8 < len)
		values += 2;
	for (size_t i = 0; i < values; i++)
		buf_addf(&data, "%s1", i > 0 ? "," : "");
	while (data.len + 2 < len)
		buf_addc(&data, '0');
	return xasprintf(OK("{\"outputs\":[{\"data\":[%s]}]}"), data.data);
}

/* The handler hands predictions= and its value to a notebook as one argument of 131071 bytes. */
static void test_too_long(void **state UNUSED)
{
	for (size_t len = 131059; len <= 131060; len++) {
		auto_free char *reply = reply_of(len);
		struct scripted s = {.count = 0};
		struct outcome outcome = run_usual(&s, "", NO_METADATA, reply);
		bool fits = len == 131059;

		check_outcome("length", &outcome, fits ? 0 : 15, fits ? "Completed" : "ArgTooLong",
			      fits ? "2 rows in" : "predictions: expected at most 131059 bytes");
		assert_int_equal(scripted_seen(&s, "POST /out ", NULL), fits ? 1 : 0);
		outcome_done(&outcome);
		scripted_done(&s);
	}
}

/* An input without rows is what the contract says it is; the output is not asked. */
static void test_empty(void **state UNUSED)
{
	static const struct {
		const char *kserve;
		int exit;
	} cases[] = {
	    {"", 0},
	    {"},\"runner\":{\"onEmpty\":\"succeed\"", 0},
	    {"},\"runner\":{\"onEmpty\":\"fail\"", 13},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scripted s = {
		    .routes = {{.path = "/in", .answers = {OK("{\"result\":[]}")}}}};
		struct outcome outcome = run_usual(&s, cases[i].kserve, NO_METADATA, OK(REPLY));

		check_outcome(cases[i].kserve, &outcome, cases[i].exit, "InputEmpty",
			      "empty input");
		assert_string_equal(json_get_str(outcome.report, "phase", ""), "input");
		assert_int_equal(scripted_seen(&s, "POST /out ", NULL), 0);
		outcome_done(&outcome);
		scripted_done(&s);
	}
}

static void check_shape(const char *kserve, const char *metadata, const char *shape, int asked)
{
	struct scripted s = {.count = 0};
	struct outcome outcome = run_usual(&s, kserve, metadata, OK(REPLY));
	auto_free char *expected = xasprintf(
	    "{\"inputs\":[{\"data\":[[5.1,3.50],[9007199254740993,"
	    "0.1000000000000000055]],\"datatype\":\"FP32\",\"name\":\"x\",\"shape\":%s}]}",
	    shape);
	const char *request;

	check_outcome(shape, &outcome, 0, "Completed", "");
	assert_int_equal(scripted_seen(&s, "GET /v2/models/m ", NULL), asked);
	assert_int_equal(scripted_seen(&s, "POST /v2/models/m/infer ", &request), 1);
	assert_string_equal(scripted_body(request), expected);
	outcome_done(&outcome);
	scripted_done(&s);
}

static void test_shapes(void **state UNUSED)
{
	check_shape("", NO_METADATA, "[2,2]", 1);
	check_shape("", OK("not JSON"), "[2,2]", 1);
	check_shape("", OK("{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,512,1]}]}"), "[2,2]", 1);
	check_shape("", OK("{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2,1]}]}"), "[2,2,1]", 1);
	check_shape(",\"shape\":[-1,1,2]", UNAVAILABLE, "[2,1,2]", 0);
}

/* A model that takes one row at a time is asked once for each; the values are stored in order. */
static void test_fixed_rows(void **state UNUSED)
{
	struct scripted s = {.routes = {{.path = "/v2/models/m/infer",
					 .answers = {OK("{\"outputs\":[{\"data\":[7]}]}"),
						     OK("{\"outputs\":[{\"data\":[8]}]}")}}}};
	struct outcome outcome = run_usual(&s, ",\"shape\":[1,2]", NO_METADATA, OK(REPLY));
	const char *request;

	check_outcome("fixed rows", &outcome, 0, "Completed", "2 rows in, 2 values stored");
	assert_int_equal(scripted_seen(&s, "POST /v2/models/m/infer ", &request), 2);
	assert_string_equal(scripted_body(request),
			    "{\"inputs\":[{\"data\":[[9007199254740993,0.1000000000000000055]],"
			    "\"datatype\":\"FP32\",\"name\":\"x\",\"shape\":[1,2]}]}");
	assert_int_equal(scripted_seen(&s, "POST /out ", &request), 1);
	assert_non_null(strstr(request, "\"predictions\":\"[7,8]\""));
	outcome_done(&outcome);
	scripted_done(&s);
}

static void test_headers(void **state UNUSED)
{
	struct scripted s = {.count = 0};
	struct outcome outcome = run_usual(&s, "", NO_METADATA, OK(REPLY));
	const char *request;

	assert_int_equal(scripted_seen(&s, "GET " SECRET_PATH " ", &request), 2);
	assert_non_null(strstr(request, "\r\nAuthorization: Bearer api-token\r\n"));
	assert_int_equal(scripted_seen(&s, "POST /in ", &request), 1);
	assert_non_null(strstr(request, "\r\nAuthorization: Basic dXNlcjpodW50ZXIy\r\n"));
	assert_non_null(strstr(request, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(request, "\r\nX-Krateo-TraceId: "));
	assert_null(strstr(request, "Expect:"));
	assert_string_equal(scripted_body(request), "{\"table\":\"t\\u003c1\\u003e\"}");
	assert_int_equal(scripted_seen(&s, "POST /v2/models/m/infer ", &request), 1);
	assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
	assert_null(strstr(request, "Authorization"));
	outcome_done(&outcome);
	scripted_done(&s);
}

/* A model behind a gateway: what the contract and its Secret say goes with every call to it. */
static void test_model_headers(void **state UNUSED)
{
	struct scripted s = {.count = 0};
	struct outcome outcome =
	    run_usual(&s,
		      ",\"headers\":[\"Host: iris.example.com\",\"X-A:b\"],"
		      "\"credentialsRef\":{\"name\":\"db\",\"namespace\":\"ns\"}",
		      NO_METADATA, OK(REPLY));
	const char *prefixes[] = {"POST /v2/models/m/infer ", "GET /v2/models/m "}, *request;

	check_outcome("headers", &outcome, 0, "Completed", "");
	assert_int_equal(scripted_seen(&s, "GET " SECRET_PATH " ", NULL), 3);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		assert_int_equal(scripted_seen(&s, prefixes[i], &request), 1);
		assert_non_null(strstr(request, "\r\nHost: iris.example.com\r\n"));
		assert_non_null(strstr(request, "\r\nX-A: b\r\n"));
		assert_non_null(strstr(request, "\r\nAuthorization: Basic dXNlcjpodW50ZXIy\r\n"));
	}
	outcome_done(&outcome);
	scripted_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_too_long),   cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_shapes),     cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_fixed_rows), cmocka_unit_test(test_model_headers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
