/*
 * run_test.c - the program against a scripted Kubernetes API, database handler and model: what it
 * reports and what it stores, for every fault at every step.
 */
#include "spec/unit/runner/world.h"

#define TRACEBACK "Traceback (most recent call last):\n  File \"x\"\nValueError: no such table\n"
#define TRUNCATED ANSWER("200 OK", "Content-Length: 1000\r\n", "{\"result\": [[1, 2]")

enum { REFUSED_SECRET = 1, REFUSED_MODEL, REFUSED_DATABASE };

struct run_case {
	const char *name;
	const char *secret[3], *in[3], *infer[3], *out[3]; /* "" is the usual answer */
	const char *reason, *message;
	int refused; /* where the connection is refused */
	int exit;
	int stores; /* how many times the output was asked */
};

static const struct run_case cases[] = {
    {"secret refused", .refused = REFUSED_SECRET, .exit = 3, .reason = "SecretUnavailable",
     .message = "Secret ns/db"},
    {"secret forbidden", .secret = {ANSWER("403 Forbidden", "", "{}")}, .exit = 8,
     .reason = "SecretForbidden",
     .message = "input.krateo: Secret ns/db: the service account needs"},
    {"secret missing", .secret = {ANSWER("404 Not Found", "", "{}")}, .exit = 8,
     .reason = "SecretNotFound", .message = "404"},
    {"secret not JSON", .secret = {OK("x")}, .exit = 8, .reason = "SecretInvalid",
     .message = "line 1"},
    {"secret without URL", .secret = {OK("{\"data\":{}}")}, .exit = 8, .reason = "SecretInvalid",
     .message = "server-url"},
    {"secret API down", .secret = {UNAVAILABLE}, .exit = 3, .reason = "SecretUnavailable",
     .message = "503"},

    {"secret of the output missing", .secret = {"", ANSWER("404 Not Found", "", "{}")}, .exit = 8,
     .reason = "SecretNotFound", .message = "output.krateo: Secret ns/db"},
    {"input refused", .refused = REFUSED_DATABASE, .exit = 3, .reason = "InputUnavailable",
     .message = "POST http://127.0.0.1:"},
    {"input reset", .in = {SCRIPT_RESET}, .exit = 3, .reason = "InputUnavailable",
     .message = "/in"},
    {"input closed", .in = {SCRIPT_CLOSE}, .exit = 3, .reason = "InputUnavailable",
     .message = "/in"},
    {"input truncated", .in = {TRUNCATED}, .exit = 3, .reason = "InputUnavailable",
     .message = "/in"},
    {"input hangs", .in = {SCRIPT_HANG}, .exit = 3, .reason = "InputUnavailable",
     .message = "expected an answer within 3 s"},
    {"input traceback", .in = {ANSWER("200 OK", "", TRACEBACK)}, .exit = 13,
     .reason = "NotebookFailed", .message = "ValueError: no such table"},
    {"input without argument", .in = {OK("missing agument for call: t{\"result\": []}")},
     .exit = 13, .reason = "NotebookFailed", .message = "missing agument for call: t"},
    {"input without database", .in = {OK("no connection info for database")}, .exit = 13,
     .reason = "NotebookFailed", .message = "no connection info"},
    {"input error", .in = {OK("{\"error\": \"boom\"}")}, .exit = 13, .reason = "InputRejected",
     .message = "boom"},
    {"input HTML", .in = {ANSWER("200 OK", "Content-Type: text/html\r\n", "<html>")}, .exit = 13,
     .reason = "InputNotJSON", .message = "<html>"},
    {"input nothing", .in = {OK("")}, .exit = 13, .reason = "InputNotJSON",
     .message = "does the notebook exist"},
    {"input unauthorized", .in = {ANSWER("401 Unauthorized", "", "{\"error\": \"not basic\"}")},
     .exit = 13, .reason = "InputRejected", .message = "not basic"},
    {"input redirect", .in = {ANSWER("302 Found", "Location: /out\r\n", "")}, .exit = 13,
     .reason = "InputRejected", .message = "302"},
    {"input 500", .in = {ANSWER("500 Internal Server Error", "", "{\"error\": \"404 x\"}")},
     .exit = 3, .reason = "InputRejected", .message = "404 x"},
    {"input down", .in = {UNAVAILABLE}, .exit = 3, .reason = "InputUnavailable", .message = "503"},
    {"input ragged", .in = {OK("{\"result\": [[1, 2], [3]]}")}, .exit = 13,
     .reason = "InputInvalid", .message = "row 2: expected 2 values"},
    {"input empty", .in = {OK("{\"result\": []}")}, .exit = 0, .reason = "InputEmpty",
     .message = "empty input"},
    {"input interrupted", .in = {SCRIPT_SIGNAL SCRIPT_HANG}, .exit = 7, .reason = "Interrupted",
     .message = "interrupted by a signal"},

    {"model refused", .refused = REFUSED_MODEL, .exit = 4, .reason = "ModelUnavailable",
     .message = "127.0.0.1:"},
    {"model reset", .infer = {SCRIPT_RESET}, .exit = 4, .reason = "ModelUnavailable",
     .message = "/infer"},
    {"model truncated", .infer = {TRUNCATED}, .exit = 4, .reason = "ModelUnavailable",
     .message = "/infer"},
    {"model hangs", .infer = {SCRIPT_HANG}, .exit = 4, .reason = "ModelTimeout",
     .message = "expected an answer within"},
    {"model down", .infer = {UNAVAILABLE}, .exit = 4, .reason = "ModelUnavailable",
     .message = "503"},
    {"model missing", .infer = {ANSWER("404 Not Found", "", "{\"error\": \"no model m\"}")},
     .exit = 14, .reason = "ModelRejected", .message = "no model m"},
    {"model refuses", .infer = {ANSWER("400 Bad Request", "", "{\"error\": \"bad shape\"}")},
     .exit = 14, .reason = "ModelRejected", .message = "bad shape"},
    {"model error in 200", .infer = {OK("{\"error\": \"boom\"}")}, .exit = 14,
     .reason = "ModelRejected", .message = "boom"},
    {"model HTML", .infer = {ANSWER("200 OK", "", "<html>")}, .exit = 14,
     .reason = "ModelReplyInvalid", .message = "not JSON"},
    {"model other shape", .infer = {OK("{\"outputs\":[{\"shape\":[3],\"data\":[1,2]}]}")},
     .exit = 14, .reason = "ShapeMismatch", .message = "expected 3 values"},
    {"model other count", .infer = {OK("{\"outputs\":[{\"shape\":[1],\"data\":[1]}]}")}, .exit = 14,
     .reason = "ShapeMismatch", .message = "for 2 rows"},
    {"model interrupted", .infer = {SCRIPT_SIGNAL SCRIPT_HANG}, .exit = 7, .reason = "Interrupted",
     .message = "interrupted"},
    {"signal before the output", .infer = {SCRIPT_SIGNAL OK(REPLY)}, .exit = 7,
     .reason = "Interrupted", .message = "interrupted"},

    {"output reset", .out = {SCRIPT_RESET}, .exit = 5, .reason = "OutputAmbiguous",
     .message = "/out", .stores = 1},
    {"output truncated", .out = {TRUNCATED}, .exit = 5, .reason = "OutputAmbiguous",
     .message = "/out", .stores = 1},
    {"output hangs", .out = {SCRIPT_HANG}, .exit = 5, .reason = "OutputAmbiguous",
     .message = "expected an answer", .stores = 1},
    {"output gateway", .out = {ANSWER("504 Gateway Timeout", "", "")}, .exit = 5,
     .reason = "OutputAmbiguous", .message = "504", .stores = 1},
    {"output down", .out = {UNAVAILABLE}, .exit = 5, .reason = "OutputUnavailable",
     .message = "503", .stores = 1},
    {"output traceback", .out = {ANSWER("200 OK", "", TRACEBACK)}, .exit = 15,
     .reason = "NotebookFailed", .message = "ValueError", .stores = 1},
    {"output without argument", .out = {OK("missing agument for call: t")}, .exit = 15,
     .reason = "NotebookFailed", .message = "missing agument", .stores = 1},
    {"output error", .out = {OK("{\"error\": \"boom\"}")}, .exit = 15, .reason = "OutputRejected",
     .message = "boom", .stores = 1},
    {"output HTML", .out = {OK("<html>")}, .exit = 15, .reason = "OutputRejected",
     .message = "<html>", .stores = 1},
    {"output unauthorized", .out = {ANSWER("401 Unauthorized", "", "")}, .exit = 15,
     .reason = "OutputRejected", .message = "401", .stores = 1},

    {"trouble that passes", .secret = {UNAVAILABLE, ""},
     .in = {ANSWER("503 x", "Retry-After: 1\r\n", ""), SCRIPT_RESET, OK(ROWS)},
     .infer = {ANSWER("502 x", "", ""), ANSWER("429 x", "", ""), OK(REPLY)}, .exit = 0,
     .reason = "Completed", .message = "2 rows in, 2 values stored", .stores = 1},
    {"wrong content types", .in = {ANSWER("200 OK", "Content-Type: text/html\r\n", ROWS)},
     .infer = {ANSWER("200 OK", "", REPLY)}, .out = {ANSWER("200 OK", "", "")}, .exit = 0,
     .reason = "Completed", .message = "2 rows", .stores = 1},
    {"signal during the output", .out = {SCRIPT_SIGNAL OK("")}, .exit = 0, .reason = "Completed",
     .message = "2 rows", .stores = 1},
    {"all well", .exit = 0, .reason = "Completed", .message = "2 rows in, 2 values stored",
     .stores = 1},
};

static void check_stored(const struct run_case *c, const struct scripted *s,
			 const struct outcome *outcome)
{
	const char *last = NULL;
	int stores = scripted_seen(s, "POST /out ", &last);
	int64_t stored = json_get_int(json_get(outcome->report, "rows"), "stored", -1);

	if (stores != c->stores || stored != (c->exit == 0 && c->stores > 0 ? 2 : 0))
		fail_msg("%s: %d stores, %d rows stored", c->name, stores, (int)stored);
	if (stores > 0)
		assert_string_equal(scripted_body(last),
				    "{\"job_uid\":\"job-1\",\"pod_uid\":\"pod-1\","
				    "\"predictions\":\"[0,1.0]\",\"table\":\"t\\u003c1\\u003e\"}");
}

static void test_case(void **state)
{
	const struct run_case *c = *state;
	char *args[] = {"kserve-runner", NULL};
	struct scripted s = {.count = 0};
	int closed_port, closed = scripted_socket(&closed_port);
	auto_free char *secret = NULL, *contract = NULL;
	struct outcome outcome;

	scripted_start(&s);
	secret = make_secret(c->refused == REFUSED_DATABASE ? closed_port : s.port);
	contract = make_contract(c->refused == REFUSED_MODEL ? closed_port : s.port, "");
	write_file("contract.json", contract);
	add_route(&s, SECRET_PATH, c->secret, secret);
	add_route(&s, "/in", c->in, OK(ROWS));
	add_route(&s, "/v2/models/m/infer", c->infer, OK(REPLY));
	add_route(&s, "/out", c->out, OK(""));
	outcome = run(&s, args, c->refused == REFUSED_SECRET ? closed_port : s.port);
	scripted_stop(&s);
	close(closed);
	check_outcome(c->name, &outcome, c->exit, c->reason, c->message);
	check_stored(c, &s, &outcome);
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
