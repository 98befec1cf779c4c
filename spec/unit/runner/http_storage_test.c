/*
 * http_storage_test.c - the program takes its input from a scripted server and sends its output
 * there: what it reports and what is really stored, for every fault on both ways.
 */
#include "spec/unit/runner/world.h"

#define LINES "[1, 2]\n[3, 4]\n"
#define NDJSON "Content-Type: application/x-ndjson\r\n"
#define GOOD ANSWER("200 OK", NDJSON, LINES)
#define CUT ANSWER("200 OK", NDJSON "Content-Length: 100\r\n", "[1, 2]\n[3")
#define STALLED ANSWER("200 OK", NDJSON "Content-Length: 100\r\n", "[1")
#define IN "\"url\":\"http://127.0.0.1:$/in.jsonl\""
#define OUT "\"url\":\"http://127.0.0.1:$/out\",\"format\":\"jsonl\""
#define ROW1 "{\"row\":1,\"o\":0}\n"
#define ROW2 "{\"row\":2,\"o\":0}\n"
#define ONE "{\"outputs\":[{\"name\":\"o\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[0]}]}"

struct http_case {
	const char *name;
	const char *in, *out; /* the sections; $ is the port. NULL: IN, OUT */
	const char *given[3],
	    *taken[3]; /* answers of the input and of the output; "" is the usual */
	const char *reason, *message;
	int exit;
	int sent; /* how many requests the output got */
	const char
	    *keys; /* their Idempotency-Keys, each with a blank behind it; NULL: do not look */
	const char *text; /* the body of the last */
};

#define WHOLE "\"job-1/inf-x\" "
#define CHUNK1 "\"job-1/inf-x/1-1\" "
#define CHUNK2 "\"job-1/inf-x/2-2\" "

static const struct http_case cases[] = {
    {"no address", .in = "\"path\":\"/in\"", .exit = 2, .reason = "ContractInvalid",
     .message = "input.http: expected url or endpointRef, found none"},
    {"two addresses", .out = OUT ",\"endpointRef\":{\"name\":\"db\"}", .exit = 2,
     .reason = "ContractInvalid",
     .message = "output.http: expected url or endpointRef, found both"},
    {"no URL", .in = "\"url\":\"ftp://h/x\"", .exit = 2, .reason = "ContractInvalid",
     .message = "input.http.url: expected an http://"},
    {"endpoint without a name", .in = "\"endpointRef\":{}", .exit = 2, .reason = "ContractInvalid",
     .message = "input.http.endpointRef.name"},
    {"DELETE as input", .in = IN ",\"method\":\"DELETE\"", .exit = 2, .reason = "ContractInvalid",
     .message = "input.http.method: expected GET or POST"},
    {"GET as output", .out = OUT ",\"method\":\"GET\"", .exit = 2, .reason = "ContractInvalid",
     .message = "output.http.method: expected POST, PUT or PATCH"},
    {"header of two lines", .in = IN ",\"headers\":[\"A: b\\r\\nC: d\"]", .exit = 2,
     .reason = "ContractInvalid", .message = "input.http.headers[0]"},
    {"chunks of JSON", .out = "\"url\":\"http://h/o\",\"chunks\":true", .exit = 2,
     .reason = "ContractInvalid", .message = "output.http.chunks: expected false"},
    {"success of another kind", .out = OUT ",\"success\":\"any\"", .exit = 2,
     .reason = "ContractInvalid", .message = "output.http.success: expected status"},

    {"input reset", .given = {SCRIPT_RESET}, .exit = 3, .reason = "InputUnavailable",
     .message = "/in"},
    {"input closed", .given = {SCRIPT_CLOSE}, .exit = 3, .reason = "InputUnavailable",
     .message = "/in"},
    {"input hangs", .given = {SCRIPT_HANG}, .exit = 3, .reason = "InputUnavailable",
     .message = "expected an answer within 3 s"},
    {"input is cut", .given = {CUT}, .exit = 3, .reason = "InputUnavailable", .message = "/in"},
    {"input stalls", .given = {SCRIPT_STALL STALLED}, .exit = 3, .reason = "InputUnavailable",
     .message = "expected an answer within 3 s"},
    {"input missing", .given = {ANSWER("404 Not Found", "", "no such rows")}, .exit = 13,
     .reason = "InputRejected", .message = "no such rows"},
    {"input forbidden", .given = {ANSWER("403 Forbidden", "", "")}, .exit = 13,
     .reason = "InputRejected", .message = "403"},
    {"input down", .given = {UNAVAILABLE}, .exit = 3, .reason = "InputUnavailable",
     .message = "503"},
    {"input is a page", .given = {ANSWER("200 OK", "Content-Type: text/html\r\n", LINES)},
     .exit = 13, .reason = "InputRejected", .message = "found a page"},
    {"input is an error text", .given = {ANSWER("200 OK", "", "cannot do that")}, .exit = 13,
     .reason = "InputNotJSON", .message = "row 1"},
    {"input is redirected", .given = {ANSWER("302 Found", "Location: /x\r\n", "")}, .exit = 13,
     .reason = "InputRejected", .message = "302"},
    {"input nothing", .given = {ANSWER("204 No Content", "", "")}, .exit = 0,
     .reason = "InputEmpty", .message = "empty input"},
    {"input after some trouble", .given = {UNAVAILABLE, SCRIPT_RESET, GOOD}, .exit = 0,
     .reason = "Completed", .message = "2 rows", .sent = 1, .keys = WHOLE, .text = ROW1 ROW2},

    {"output reset", .taken = {SCRIPT_RESET}, .exit = 5, .reason = "OutputAmbiguous",
     .message = "/out", .sent = 1},
    {"output hangs", .taken = {SCRIPT_HANG}, .exit = 5, .reason = "OutputAmbiguous",
     .message = "expected an answer", .sent = 1},
    {"output is cut", .taken = {ANSWER("200 OK", "Content-Length: 9\r\n", "{")}, .exit = 5,
     .reason = "OutputAmbiguous", .message = "/out", .sent = 1},
    {"output gateway", .taken = {ANSWER("502 Bad Gateway", "", "")}, .exit = 5,
     .reason = "OutputAmbiguous", .message = "502", .sent = 1},
    {"output down", .taken = {UNAVAILABLE}, .exit = 5, .reason = "OutputUnavailable",
     .message = "503", .sent = 1},
    {"output refused", .taken = {ANSWER("422 Unprocessable", "", "{\"error\":\"no\"}")}, .exit = 15,
     .reason = "OutputRejected", .message = "no", .sent = 1},
    {"output error in 200", .taken = {OK("{\"error\":\"boom\"}")}, .exit = 15,
     .reason = "OutputRejected", .message = "boom", .sent = 1},
    {"output page", .taken = {ANSWER("200 OK", "Content-Type: text/html\r\n", "<html>")},
     .exit = 15, .reason = "OutputRejected", .message = "<html>", .sent = 1},
    {"output text", .taken = {ANSWER("200 OK", "", "failed")}, .exit = 15,
     .reason = "OutputRejected", .message = "found: failed", .sent = 1},
    {"output text is a success", .out = OUT ",\"success\":\"status\"",
     .taken = {ANSWER("201 Created", "", "created")}, .exit = 0, .reason = "Completed",
     .message = "2 rows", .sent = 1},

    {"PUT is sent again", .out = OUT ",\"method\":\"PUT\"",
     .taken = {SCRIPT_RESET, ANSWER("504 x", "", ""), OK("")}, .exit = 0, .reason = "Completed",
     .message = "2 rows", .sent = 3, .keys = WHOLE WHOLE WHOLE, .text = ROW1 ROW2},
    {"PUT that is not", .out = OUT ",\"method\":\"PUT\",\"idempotent\":false",
     .taken = {SCRIPT_RESET}, .exit = 5, .reason = "OutputAmbiguous", .message = "/out", .sent = 1},
    {"POST that may be sent again", .out = OUT ",\"idempotent\":true",
     .taken = {SCRIPT_RESET, OK("")}, .exit = 0, .reason = "Completed", .message = "2 rows",
     .sent = 2, .keys = WHOLE WHOLE, .text = ROW1 ROW2},
    {"PUT in vain", .out = OUT ",\"method\":\"PUT\"", .taken = {SCRIPT_RESET}, .exit = 5,
     .reason = "OutputAmbiguous", .message = "/out", .sent = 5},
    {"chunks", .out = OUT ",\"chunks\":true", .exit = 0, .reason = "Completed", .message = "2 rows",
     .sent = 2, .keys = CHUNK1 CHUNK2, .text = ROW2},
    {"chunk sent again", .out = OUT ",\"chunks\":true,\"idempotent\":true",
     .taken = {OK(""), SCRIPT_RESET, OK("")}, .exit = 0, .reason = "Completed", .message = "2 rows",
     .sent = 3, .keys = CHUNK1 CHUNK2 CHUNK2, .text = ROW2},
    {"chunk refused", .out = OUT ",\"chunks\":true",
     .taken = {OK(""), ANSWER("400 Bad Request", "", "")}, .exit = 15, .reason = "OutputRejected",
     .message = "400", .sent = 2, .keys = CHUNK1 CHUNK2, .text = ROW2},

    {"POST as input, with a Secret",
     .in = "\"endpointRef\":{\"name\":\"db\",\"namespace\":\"ns\"},\"path\":\"in.jsonl?a=b\","
	   "\"format\":\"jsonl\",\"method\":\"POST\",\"body\":{\"day\":1},\"headers\":[\"X-A: 1\"]",
     .exit = 0, .reason = "Completed", .message = "2 rows", .sent = 1, .text = ROW1 ROW2},
    {"JSON", .in = "\"url\":\"http://127.0.0.1:$/in.jsonl\",\"format\":\"json\"",
     .out = "\"url\":\"http://127.0.0.1:$/out\",\"layout\":\"flat\"",
     .given = {OK("{\"result\":[[1,2],[3,4]]}")}, .exit = 0, .reason = "Completed",
     .message = "2 rows", .sent = 1, .text = "[0,0]"},
    {"CSV", .in = "\"url\":\"http://127.0.0.1:$/in.jsonl\",\"format\":\"csv\"",
     .out = "\"url\":\"http://127.0.0.1:$/out\",\"format\":\"csv\"",
     .given = {ANSWER("200 OK", "Content-Type: text/csv\r\n", "a,b\n1,2\n3,4\n")}, .exit = 0,
     .reason = "Completed", .message = "2 rows", .sent = 1, .text = "row,o\n1,0\n2,0\n"},
};

/* ---- the world of a case ---- */

static void add_section(struct buf *out, const char *text, int port)
{
	for (; *text != '\0'; text++) {
		if (*text == '$')
			buf_addf(out, "%d", port);
		else
			buf_addc(out, *text);
	}
}

static void make_http_contract(const struct http_case *c, int port)
{
	auto_buf struct buf text = BUF_INIT(8192);

	buf_addf(
	    &text,
	    "{\"jobId\":\"job-1\",\"jobName\":\"inf-x\",\"kserve\":{\"modelUrl\":"
	    "\"127.0.0.1:%d/v2/models/m/infer\",\"modelInputName\":\"x\",\"batch\":{\"rows\":1}},"
	    "\"input\":{\"http\":{",
	    port);
	add_section(&text, c->in != NULL ? c->in : IN, port);
	buf_adds(&text, "}},\"output\":{\"http\":{");
	add_section(&text, c->out != NULL ? c->out : OUT, port);
	buf_adds(&text, "}}}");
	write_file("contract.json", text.data);
}

static void add_keys(const struct scripted *s, struct buf *out)
{
	static const char header[] = "\r\nIdempotency-Key: ";

	for (int i = 0; i < s->count; i++) {
		const char *key = strstr(s->requests[i], header);

		if (key == NULL)
			continue;
		key += strlen(header);
		buf_add(out, key, strcspn(key, "\r"));
		buf_addc(out, ' ');
	}
}

/* A second request with a key is not stored, by a server that knows its keys. */
static void check_sent(const struct http_case *c, const struct scripted *s,
		       const struct outcome *outcome)
{
	bool put = c->out != NULL && strstr(c->out, "PUT") != NULL;
	auto_buf struct buf keys = BUF_INIT(4096);
	const char *last;
	int64_t stored = json_get_int(json_get(outcome->report, "rows"), "stored", -1);
	int sent = scripted_seen(s, put ? "PUT /out " : "POST /out ", &last);

	add_keys(s, &keys);
	if (sent != c->sent || stored != (c->exit == 0 && sent > 0 ? 2 : 0))
		fail_msg("%s: %d requests, %d rows stored", c->name, sent, (int)stored);
	if (c->keys != NULL)
		assert_string_equal(keys.data, c->keys);
	if (c->text != NULL)
		assert_string_equal(scripted_body(last), c->text);
}

static void check_posted_input(const struct scripted *s, const struct outcome *outcome)
{
	const char *last;

	assert_int_equal(scripted_seen(s, "POST /in.jsonl?a=b ", &last), 1);
	assert_string_equal(scripted_body(last), "{\"day\":1}");
	assert_non_null(strstr(last, "\r\nAuthorization: Basic dXNlcjpodW50ZXIy\r\n"));
	assert_non_null(strstr(last, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(last, "\r\nAccept: application/x-ndjson\r\n"));
	assert_non_null(strstr(last, "\r\nX-A: 1\r\n"));
	assert_non_null(strstr(outcome->log, "Authorization: ..., X-A: ...")); /* debug is true */
}

static void test_case(void **state)
{
	static char *const args[] = {"kserve-runner", NULL};
	const struct http_case *c = *state;
	struct scripted s = {.fd = -1};
	auto_free char *secret = NULL;
	struct outcome outcome;

	scripted_start(&s);
	secret = make_secret(s.port);
	make_http_contract(c, s.port);
	add_route(&s, SECRET_PATH, NULL, secret);
	add_route(&s, "/v2/models/m", NULL, OK("{}"));
	add_route(&s, "/v2/models/m/infer", NULL, OK(ONE));
	add_route(&s, "/in.jsonl", c->given, GOOD);
	add_route(&s, "/out", c->taken, OK(""));
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
	check_outcome(c->name, &outcome, c->exit, c->reason, c->message);
	check_sent(c, &s, &outcome);
	if (c->in != NULL && strstr(c->in, "\"body\"") != NULL)
		check_posted_input(&s, &outcome);
	outcome_done(&outcome);
	scripted_done(&s);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(cases)];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = test_case,
					       .initial_state = (void *)&cases[i]};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
