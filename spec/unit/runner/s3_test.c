/*
 * s3_test.c - the provider s3 against a scripted server: what a contract may say, and what the
 * program reports of each fault. With a real server: spec/e2e/s3_test.sh.
 */
#include "runner/contract.h"
#include "runner/s3.h"
#include "spec/unit/runner/world.h"

#define ERROR(code, more) "<Error><Code>" code "</Code><Message>so it is</Message>" more "</Error>"
#define HEAD ANSWER("200 OK", "ETag: \"e\"\r\nContent-Length: 12\r\n", "")
#define BODY ANSWER("200 OK", "ETag: \"e\"\r\nContent-Length: 12\r\n", "[1,2]\n[3,4]\n")
#define BROKEN ANSWER("200 OK", "ETag: \"e\"\r\nContent-Length: 12\r\n", "[1,2]\n[3")
#define REST ANSWER("206 Partial Content", "Content-Length: 4\r\n", ",4]\n")
#define LONG ANSWER("200 OK", "Content-Length: 18\r\n", "[1,2]\n[3,4]\n[5,6]\n")
#define SLOW_DOWN ANSWER("503 Slow Down", "", ERROR("SlowDown", ""))
#define DENIED ANSWER("403 Forbidden", "", ERROR("AccessDenied", ""))
#define BROKEN_INSIDE ANSWER("500 Internal Server Error", "", ERROR("InternalError", ""))
#define GONE ANSWER("404 Not Found", "", "")
#define EXISTS ANSWER("412 Precondition Failed", "", ERROR("PreconditionFailed", ""))
#define RACE ANSWER("409 Conflict", "", ERROR("ConditionalRequestConflict", ""))
#define DONE ANSWER("200 OK", "", "")
#define OUTPUTS                                                                                    \
	OK("{\"outputs\":[{\"name\":\"o\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[0,1]}]}")

/* Answers for the object that is read, for the one that is written, and for the bucket. */
struct s3_case {
	const char *name;
	const char *in[7], *out[7], *bucket;
	const char *reason, *message;
	int exit;
	bool unasked;     /* the model is not asked */
	const char *sent; /* stands in the last request for the input */
};

static const struct s3_case cases[] = {
    {"all is well", .reason = "Completed", .message = "2 rows in"},

    {"in: broken, resumed", .in = {HEAD, BROKEN, REST}, .reason = "Completed",
     .sent = "Range: bytes=8-\r\n"},
    {"in: broken twice", .in = {HEAD, BROKEN, SCRIPT_RESET, REST}, .reason = "Completed",
     .sent = "If-Match: \"e\"\r\n"},
    {"in: slow down", .in = {HEAD, SLOW_DOWN, BROKEN_INSIDE, SCRIPT_CLOSE, BODY},
     .reason = "Completed"},
    {"in: request timeout", .in = {ANSWER("400 Bad Request", "", ""), HEAD}, .exit = 13,
     .reason = "InputRejected", .message = "found 400", .unasked = true},
    {"in: request timeout, told", .reason = "Completed",
     .in = {HEAD, ANSWER("400 Bad Request", "", ERROR("RequestTimeout", "")), BODY}},
    {"in: always slow", .in = {HEAD, SLOW_DOWN}, .exit = 3, .reason = "InputUnavailable",
     .message = "GET s3://b-1/in.jsonl: expected HTTP status 2xx, found 503 SlowDown: so it is",
     .unasked = true},
    {"in: always down", .in = {SCRIPT_RESET}, .exit = 3, .reason = "InputUnavailable",
     .message = "HEAD http://", .unasked = true},
    {"in: missing", .in = {GONE}, .exit = 13, .reason = "InputRejected",
     .message = "s3://b-1/in.jsonl: expected an object, found none", .unasked = true},
    {"in: no ETag", .in = {DONE}, .exit = 13, .reason = "InputRejected",
     .message = "expected its ETag and Content-Length", .unasked = true},
    {"in: range ignored", .in = {HEAD, BROKEN, BODY}, .exit = 13, .reason = "InputRejected",
     .message = "expected HTTP status 206, found 200", .unasked = true},
    {"in: changed", .in = {HEAD, BROKEN, EXISTS}, .exit = 3, .reason = "InputUnavailable",
     .message = "has changed while it was read", .unasked = true},
    {"in: longer", .in = {HEAD, LONG}, .exit = 3, .reason = "InputUnavailable",
     .message = "has changed while it was read", .unasked = true},
    {"in: denied", .in = {HEAD, DENIED}, .exit = 13, .reason = "InputRejected",
     .message = "found 403 AccessDenied: so it is", .unasked = true},
    {"in: denied by a proxy", .in = {HEAD, ANSWER("403 Forbidden", "", "<html>no")}, .exit = 13,
     .reason = "InputRejected", .message = "found 403", .unasked = true},
    {"in: another region", .exit = 13, .reason = "InputRejected", .unasked = true,
     .in = {ANSWER("301 Moved Permanently",
		   "x-amz-bucket-region: eu-west-1\r\nLocation: /b-1/o.jsonl\r\n", "")},
     .message = "expected the bucket in region us-east-1, found it in eu-west-1: set region"},
    {"in: another region, in XML", .exit = 13, .reason = "InputRejected", .unasked = true,
     .in = {HEAD, ANSWER("400 Bad Request", "",
			 ERROR("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"))},
     .message = "found it in eu-west-1: set region"},
    {"in: redirect",
     .in = {HEAD, ANSWER("307 Temporary Redirect", "Location: /b-1/o.jsonl\r\n", "")}, .exit = 13,
     .reason = "InputRejected", .message = "found 307", .unasked = true},
    {"in: another time", .exit = 3, .reason = "InputUnavailable", .unasked = true,
     .in = {HEAD,
	    ANSWER("403 Forbidden", "",
		   ERROR("RequestTimeTooSkewed", "<ServerTime>2026-01-02T03:04:05Z</ServerTime>"))},
     .message = "2026-01-02T03:04:05Z at the server: set the clock of the node"},
    {"in: interrupted", .in = {SCRIPT_SIGNAL SCRIPT_HANG}, .exit = 7, .reason = "Interrupted",
     .unasked = true},
    {"in: interrupted in the midst", .in = {HEAD, SCRIPT_SIGNAL SCRIPT_STALL BROKEN}, .exit = 7,
     .reason = "Interrupted", .unasked = true},

    {"out: no bucket", .bucket = GONE, .exit = 15, .reason = "OutputRejected",
     .message = "s3://b-1: expected a bucket, found none", .unasked = true},
    {"out: not our bucket", .bucket = DENIED, .exit = 15, .reason = "OutputRejected",
     .message = "HEAD s3://b-1: expected HTTP status 2xx, found 403", .unasked = true},
    {"out: taken", .out = {HEAD}, .exit = 15, .reason = "OutputConflict",
     .message = "found one that is not of this run: remove it, name another key, or set overwrite",
     .unasked = true},
    {"out: taken meanwhile", .out = {GONE, EXISTS, HEAD}, .exit = 15, .reason = "OutputConflict",
     .message = "found one that is not of this run"},
    {"out: taken and gone", .out = {GONE, EXISTS, GONE}, .exit = 5, .reason = "OutputConflict",
     .message = "meanwhile"},
    {"out: a race", .out = {GONE, RACE, RACE, DONE}, .reason = "Completed"},
    {"out: slow down", .out = {GONE, SLOW_DOWN, SCRIPT_RESET, BROKEN_INSIDE, DONE},
     .reason = "Completed"},
    {"out: always slow", .out = {GONE, SLOW_DOWN}, .exit = 5, .reason = "OutputUnavailable",
     .message = "PUT s3://b-1/o.jsonl: expected HTTP status 2xx, found 503"},
    {"out: always down", .out = {GONE, SCRIPT_CLOSE}, .exit = 5, .reason = "OutputUnavailable",
     .message = "PUT http://"},
    {"out: denied", .out = {GONE, DENIED}, .exit = 15, .reason = "OutputRejected",
     .message = "found 403 AccessDenied"},
    {"out: no conditional writes",
     .out = {GONE, ANSWER("501 Not Implemented", "", ERROR("NotImplemented", ""))}, .exit = 15,
     .reason = "OutputRejected", .message = "found 501 NotImplemented: so it is"},
    {"out: interrupted", .out = {GONE, SCRIPT_SIGNAL SCRIPT_HANG}, .exit = 7,
     .reason = "Interrupted"},
};

static void add_answers(struct scripted *s, const char *path, const char *const *answers,
			const char *const *usual)
{
	struct scripted_route *route = s->routes;

	while (route->path != NULL)
		route++;
	route->path = path;
	if (answers[0] == NULL)
		answers = usual;
	for (int i = 0; answers[i] != NULL; i++)
		route->answers[i] = answers[i];
}

static char *make_s3_secret(int port)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d/", port);
	auto_buf struct buf text = BUF_INIT(4096);

	buf_adds(&text,
		 ANSWER("200 OK", JSON_TYPE, "{\"kind\":\"Secret\",\"data\":{\"server-url\":\""));
	base64_encode(url, strlen(url), &text);
	buf_adds(&text, "\",\"aws-access-key\":\"QUs=\",\"aws-secret-key\":\"aHVudGVyMg==\"}}");
	return buf_steal(&text);
}

#define SECTION(more)                                                                              \
	"{\"s3\":{\"bucket\":\"b-1\"," more ",\"endpointRef\":{\"name\":\"db\",\"namespace\":"     \
	"\"ns\"}}}"

static void write_contract(int port)
{
	auto_free char *text =
	    xasprintf("{\"jobId\":\"job-1\",\"jobName\":\"run-1\",\"kserve\":{\"modelUrl\":"
		      "\"127.0.0.1:%d/v2/models/m/infer\",\"modelInputName\":\"x\"},"
		      "\"input\":" SECTION("\"key\":\"in.jsonl\"") ",\"output\":" SECTION(
			  "\"key\":\"o.jsonl\"") "}",
		      port);

	write_file("contract.json", text);
}

static void run_case(const struct s3_case *c)
{
	static const char *const in[] = {HEAD, BODY, NULL}, *const out[] = {GONE, DONE, NULL};
	char *const args[] = {runner_path, NULL};
	struct scripted s = {0};
	struct outcome outcome;
	auto_free char *secret = NULL;
	const char *last;

	scripted_start(&s);
	secret = make_s3_secret(s.port);
	add_route(&s, SECRET_PATH, NULL, secret);
	add_route(&s, "/v2/models/m/infer", NULL, OUTPUTS);
	add_route(&s, "/b-1/", NULL, c->bucket != NULL ? c->bucket : DONE);
	add_answers(&s, "/b-1/in.jsonl", c->in, in);
	add_answers(&s, "/b-1/o.jsonl", c->out, out);
	write_contract(s.port);
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
	check_outcome(c->name, &outcome, c->exit, c->reason, c->message != NULL ? c->message : "");
	if ((scripted_seen(&s, "POST /v2", NULL) == 0) != c->unasked)
		fail_msg("%s: the model was %sasked", c->name, c->unasked ? "" : "not ");
	scripted_seen(&s, "GET /b-1/in.jsonl ", &last);
	if (c->sent != NULL && strstr(last, c->sent) == NULL)
		fail_msg("%s: expected %s, found %s", c->name, c->sent, last);
	if (scripted_seen(&s, "PUT /b-1/o.jsonl ", &last) > 0)
		assert_non_null(strstr(last, "\r\nIf-None-Match: *\r\n"));
	if (c->exit == 0 && *last != '\0')
		assert_string_equal(scripted_body(last),
				    "{\"row\":1,\"o\":0}\n{\"row\":2,\"o\":1}\n");
	outcome_done(&outcome);
	scripted_done(&s);
}

static void test_faults(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i]);
}

/* ---- the contract ---- */

#define REF "\"endpointRef\":{\"name\":\"n\"}"
#define KEY63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901"

static const struct {
	enum side side;
	const char *settings, *message; /* NULL: it is good */
} sections[] = {
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\"," REF "}", NULL},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"overwrite\":true," REF "}", NULL},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"partBytes\":1024," REF "}", NULL},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"partBytes\":67108864," REF "}", NULL},
    {SIDE_INPUT, "{\"bucket\":\"" KEY63 "\",\"key\":\"k\",\"style\":\"virtual\"," REF "}", NULL},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"endpoint\":\"http://h\"," REF "}", NULL},

    {SIDE_INPUT, "{\"key\":\"k\"," REF "}", "input.s3.bucket"},
    {SIDE_INPUT, "{\"bucket\":\"ab\",\"key\":\"k\"," REF "}", "expected 3 to 63"},
    {SIDE_INPUT, "{\"bucket\":\"" KEY63 "2\",\"key\":\"k\"," REF "}", "expected 3 to 63"},
    {SIDE_INPUT, "{\"bucket\":\"a/b\",\"key\":\"k\"," REF "}", "found \"a/b\""},
    {SIDE_INPUT, "{\"bucket\":\"..b\",\"key\":\"k\"," REF "}", "found \"..b\""},
    {SIDE_INPUT, "{\"bucket\":\"b-1\"," REF "}", "expected key or prefix, found none"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"prefix\":\"p\"," REF "}", "found both"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\"}", "endpointRef"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"endpointRef\":{}}", "endpointRef.name"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"style\":\"x\"," REF "}",
     "expected path or virtual, found \"x\""},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"endpoint\":\"h\"," REF "}",
     "input.s3.endpoint: expected an http"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"region\":1," REF "}", "input.s3.region"},
    {SIDE_INPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"overwrite\":true," REF "}",
     "input.s3.overwrite: expected it in an output with a key alone"},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"overwrite\":true," REF "}",
     "output.s3.overwrite"},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"key\":\"k\",\"partBytes\":1024," REF "}",
     "output.s3.partBytes: expected it in an output with a prefix alone"},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"partBytes\":1023," REF "}",
     "output.s3.partBytes"},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"partBytes\":67108865," REF "}",
     "output.s3.partBytes"},
    {SIDE_OUTPUT, "{\"bucket\":\"b-1\",\"prefix\":\"k\",\"format\":\"json\"," REF "}",
     "output.s3.format: expected a format of lines with a prefix, found json"},
    {SIDE_INPUT, "[]", "input.s3"},
};

static void test_sections(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const char *key = sections[i].side == SIDE_INPUT ? "input" : "output";
		auto_free char *text = xasprintf("{\"%s\":{\"s3\":%s}}", key, sections[i].settings);
		struct section section = {.provider = NULL};
		struct err err = ERR_INIT;
		auto_json struct json *root = json_parse(text, strlen(text), &err);
		int rc = section_read(root, key, sections[i].side, &section, &err);

		if ((rc == 0) != (sections[i].message == NULL) ||
		    (rc < 0 && strstr(err.msg, sections[i].message) == NULL))
			fail_msg("%s: found %s", text, err.msg);
		section_done(&section);
	}
}

static void test_key_limit(void **state UNUSED)
{
	for (int over = 0; over < 2; over++) {
		auto_free char *key = xmalloc(S3_KEY_MAX + 2);
		auto_free char *text = NULL;
		auto_json struct json *root = NULL;
		struct section section = {.provider = NULL};
		struct err err = ERR_INIT;

		memset(key, 'k', S3_KEY_MAX + 1);
		key[S3_KEY_MAX + over] = '\0';
		text = xasprintf("{\"input\":{\"s3\":{\"bucket\":\"b-1\",\"key\":\"%s\"," REF "}}}",
				 key);
		root = json_parse(text, strlen(text), &err);
		assert_int_equal(section_read(root, "input", SIDE_INPUT, &section, &err),
				 over ? -1 : 0);
		section_done(&section);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sections),
	    cmocka_unit_test(test_key_limit),
	    cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
