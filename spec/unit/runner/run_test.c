/*
 * run_test.c - the program against a scripted Kubernetes API, database handler and model: what it
 * reports and what it stores, for every fault at every step. The program is RUNNER, by default
 * the kserve-runner of the same build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "spec/unit/runner/scripted.h"

#define ROWS "{\"result\": [[5.1, 3.50], [9007199254740993, 0.1000000000000000055]]}"
#define REPLY                                                                                      \
	"{\"outputs\":[{\"name\":\"o\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[0, 1.0]}]}"
#define SECRET_PATH "/api/v1/namespaces/ns/secrets/db"
#define TRACEBACK "Traceback (most recent call last):\n  File \"x\"\nValueError: no such table\n"
#define UNAVAILABLE ANSWER("503 Service Unavailable", "", "")
#define TRUNCATED ANSWER("200 OK", "Content-Length: 1000\r\n", "{\"result\": [[1, 2]")

enum { REFUSED_SECRET = 1, REFUSED_MODEL, REFUSED_DATABASE };

static char runner_path[4096];
static char dir[] = "/tmp/runner-test-XXXXXX";

struct outcome {
	int exit; /* -1: killed by a signal */
	struct json *report;
	char *log, *out;
};

/* ---- the world of one run ---- */

static void write_file(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_file FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
}

static char *read_file(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (file_read(path, &text, &err) < 0)
		fail_msg("%s", err.msg);
	return buf_steal(&text);
}

static char *make_secret(int port)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d/", port);
	auto_buf struct buf text = BUF_INIT(4096);

	buf_adds(&text,
		 ANSWER("200 OK", JSON_TYPE, "{\"kind\":\"Secret\",\"data\":{\"server-url\":\""));
	base64_encode(url, strlen(url), &text);
	buf_adds(&text,
		 "\",\"username\":\"dXNlcg==\",\"password\":\"aHVudGVyMg==\"}}"); /* hunter2 */
	return buf_steal(&text);
}

static char *make_contract(int model_port, const char *extra)
{
	return xasprintf("{\"jobId\":\"job-1\",\"jobName\":\"inf-x\",\"kserve\":{\"modelUrl\":"
			 "\"127.0.0.1:%d/v2/models/m/infer\",\"modelInputName\":\"x\"%s},"
			 "\"input\":{\"krateo\":{\"api\":{\"endpointRef\":{\"name\":\"db\","
			 "\"namespace\":\"ns\"},"
			 "\"path\":\"/in\",\"verb\":\"POST\"}}},"
			 "\"output\":{\"krateo\":{\"api\":{\"endpointRef\":{\"name\":\"db\","
			 "\"namespace\":\"ns\"},"
			 "\"path\":\"/out\",\"verb\":\"POST\"}}},"
			 "\"parameters\":{\"table\":\"t<1>\"}}",
			 model_port, extra);
}

static void redirect(int fd, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(99);
}

static void exec_runner(char *const *args, int api_port)
{
	char *const env[] = {
	    xasprintf("KUBERNETES_SERVICE_HOST=http://127.0.0.1:%d", api_port),
	    xasprintf("KSERVE_SERVICEACCOUNT_DIR=%s", dir),
	    xasprintf("KSERVE_CONTRACT=%s/contract.json", dir),
	    xasprintf("KSERVE_TERMINATION_LOG=%s/report", dir),
	    "KSERVE_RETRY_DELAY=1ms",
	    "KSERVE_CALL_TIMEOUT=3s",
	    "pod_uid=pod-1",
	    NULL,
	};

	redirect(STDOUT_FILENO, "out");
	redirect(STDERR_FILENO, "log");
	execve(runner_path, args, env);
	_exit(98);
}

static struct outcome run(struct scripted *s, char *const *args, int api_port)
{
	struct outcome outcome = {.exit = -1};
	auto_free char *text = NULL;
	struct err err = ERR_INIT;
	pid_t pid;
	int status;

	write_file("report", "");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		exec_runner(args, api_port);
	s->victim = pid;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		outcome.exit = WEXITSTATUS(status);
	outcome.log = read_file("log");
	outcome.out = read_file("out");
	text = read_file("report");
	outcome.report = json_parse(text, strlen(text), &err);
	if (strstr(outcome.log, "hunter2") != NULL || strstr(text, "hunter2") != NULL ||
	    strstr(outcome.log, "api-token") != NULL)
		fail_msg("a secret shows: %s%s", outcome.log, text);
	return outcome;
}

static void outcome_done(struct outcome *outcome)
{
	json_free(outcome->report);
	free(outcome->log);
	free(outcome->out);
}

static void check_outcome(const char *name, const struct outcome *outcome, int code,
			  const char *reason, const char *message)
{
	const char *found = json_get_str(outcome->report, "reason", "");

	if (outcome->exit != code || !streq(found, reason) ||
	    strstr(json_get_str(outcome->report, "message", ""), message) == NULL ||
	    json_get_int(outcome->report, "exit", -1) != code || *outcome->out != '\0')
		fail_msg("%s: expected %d %s \"%s\", found %d %s; log:\n%s", name, code, reason,
			 message, outcome->exit, found, outcome->log);
}

/* ---- the table ---- */

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
    {"secret forbidden", .secret = {ANSWER("403 Forbidden", "", "{}")}, .exit = 3,
     .reason = "SecretForbidden", .message = "input: Secret ns/db: the service account needs"},
    {"secret missing", .secret = {ANSWER("404 Not Found", "", "{}")}, .exit = 3,
     .reason = "SecretNotFound", .message = "404"},
    {"secret not JSON", .secret = {OK("x")}, .exit = 3, .reason = "SecretInvalid",
     .message = "line 1"},
    {"secret without URL", .secret = {OK("{\"data\":{}}")}, .exit = 3, .reason = "SecretInvalid",
     .message = "server-url"},
    {"secret API down", .secret = {UNAVAILABLE}, .exit = 3, .reason = "SecretUnavailable",
     .message = "503"},

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
    {"input traceback", .in = {ANSWER("200 OK", "", TRACEBACK)}, .exit = 3,
     .reason = "NotebookFailed", .message = "ValueError: no such table"},
    {"input without argument", .in = {OK("missing agument for call: t{\"result\": []}")}, .exit = 3,
     .reason = "NotebookFailed", .message = "missing agument for call: t"},
    {"input without database", .in = {OK("no connection info for database")}, .exit = 3,
     .reason = "NotebookFailed", .message = "no connection info"},
    {"input error", .in = {OK("{\"error\": \"boom\"}")}, .exit = 3, .reason = "InputRejected",
     .message = "boom"},
    {"input HTML", .in = {ANSWER("200 OK", "Content-Type: text/html\r\n", "<html>")}, .exit = 3,
     .reason = "InputNotJSON", .message = "<html>"},
    {"input nothing", .in = {OK("")}, .exit = 3, .reason = "InputNotJSON",
     .message = "does the notebook exist"},
    {"input unauthorized", .in = {ANSWER("401 Unauthorized", "", "{\"error\": \"not basic\"}")},
     .exit = 3, .reason = "InputRejected", .message = "not basic"},
    {"input redirect", .in = {ANSWER("302 Found", "Location: /out\r\n", "")}, .exit = 3,
     .reason = "InputRejected", .message = "302"},
    {"input 500", .in = {ANSWER("500 Internal Server Error", "", "{\"error\": \"404 x\"}")},
     .exit = 3, .reason = "InputRejected", .message = "404 x"},
    {"input down", .in = {UNAVAILABLE}, .exit = 3, .reason = "InputUnavailable", .message = "503"},
    {"input ragged", .in = {OK("{\"result\": [[1, 2], [3]]}")}, .exit = 3, .reason = "InputInvalid",
     .message = "row 2: expected 2 values"},
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
    {"model hangs", .infer = {SCRIPT_HANG}, .exit = 4, .reason = "ModelUnavailable",
     .message = "expected an answer within"},
    {"model down", .infer = {UNAVAILABLE}, .exit = 4, .reason = "ModelUnavailable",
     .message = "503"},
    {"model missing", .infer = {ANSWER("404 Not Found", "", "{\"error\": \"no model m\"}")},
     .exit = 4, .reason = "ModelRejected", .message = "no model m"},
    {"model refuses", .infer = {ANSWER("400 Bad Request", "", "{\"error\": \"bad shape\"}")},
     .exit = 4, .reason = "ModelRejected", .message = "bad shape"},
    {"model error in 200", .infer = {OK("{\"error\": \"boom\"}")}, .exit = 4,
     .reason = "ModelRejected", .message = "boom"},
    {"model HTML", .infer = {ANSWER("200 OK", "", "<html>")}, .exit = 4,
     .reason = "ModelReplyInvalid", .message = "not JSON"},
    {"model other shape", .infer = {OK("{\"outputs\":[{\"shape\":[3],\"data\":[1,2]}]}")},
     .exit = 4, .reason = "ShapeMismatch", .message = "expected 3 values"},
    {"model other count", .infer = {OK("{\"outputs\":[{\"shape\":[1],\"data\":[1]}]}")}, .exit = 4,
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
    {"output traceback", .out = {ANSWER("200 OK", "", TRACEBACK)}, .exit = 5,
     .reason = "NotebookFailed", .message = "ValueError", .stores = 1},
    {"output without argument", .out = {OK("missing agument for call: t")}, .exit = 5,
     .reason = "NotebookFailed", .message = "missing agument", .stores = 1},
    {"output error", .out = {OK("{\"error\": \"boom\"}")}, .exit = 5, .reason = "OutputRejected",
     .message = "boom", .stores = 1},
    {"output HTML", .out = {OK("<html>")}, .exit = 5, .reason = "OutputRejected",
     .message = "<html>", .stores = 1},
    {"output unauthorized", .out = {ANSWER("401 Unauthorized", "", "")}, .exit = 5,
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

static void add_route(struct scripted *s, const char *path, const char *const *answers,
		      const char *usual)
{
	struct scripted_route *route = s->routes;
	int i = 0;

	while (route->path != NULL)
		route++;
	route->path = path;
	for (; i < 3 && answers != NULL && answers[i] != NULL; i++)
		route->answers[i] = *answers[i] != '\0' ? answers[i] : usual;
	if (i == 0)
		route->answers[0] = usual;
}

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

static void run_case(const struct run_case *c)
{
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

static void test_table(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i]);
}

/* ---- what is on the wire ---- */

static void check_shape(const char *extra, const char *metadata, const char *shape, int asked)
{
	char *args[] = {"kserve-runner", NULL};
	struct scripted s = {.count = 0};
	auto_free char *secret = NULL, *contract = NULL, *expected = NULL;
	const char *request = NULL;
	struct outcome outcome;

	scripted_start(&s);
	secret = make_secret(s.port);
	contract = make_contract(s.port, extra);
	write_file("contract.json", contract);
	add_route(&s, SECRET_PATH, NULL, secret);
	add_route(&s, "/in", NULL, OK(ROWS));
	add_route(&s, "/v2/models/m", NULL, metadata);
	add_route(&s, "/v2/models/m/infer", NULL, OK(REPLY));
	add_route(&s, "/out", NULL, OK(""));
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
	check_outcome(shape, &outcome, 0, "Completed", "");
	assert_int_equal(scripted_seen(&s, "GET /v2/models/m ", NULL), asked);
	assert_int_equal(scripted_seen(&s, "POST /v2/models/m/infer ", &request), 1);
	expected = xasprintf(
	    "{\"inputs\":[{\"data\":[[5.1,3.50],[9007199254740993,"
	    "0.1000000000000000055]],\"datatype\":\"FP32\",\"name\":\"x\",\"shape\":%s}]}",
	    shape);
	assert_string_equal(scripted_body(request), expected);
	assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
	outcome_done(&outcome);
	scripted_done(&s);
}

static void test_shapes(void **state UNUSED)
{
	check_shape("", ANSWER("404 Not Found", "", ""), "[2,2]", 1);
	check_shape("", OK("not JSON"), "[2,2]", 1);
	check_shape("", OK("{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,512,1]}]}"), "[2,2]", 1);
	check_shape("", OK("{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2,1]}]}"), "[2,2,1]", 1);
	check_shape(",\"shape\":[-1,1,2]", UNAVAILABLE, "[2,1,2]", 0);
}

static void test_headers(void **state UNUSED)
{
	static const struct run_case good = {.exit = 0};
	char *args[] = {"kserve-runner", NULL};
	struct scripted s = {.count = 0};
	auto_free char *secret = NULL, *contract = NULL;
	const char *request = NULL;
	struct outcome outcome;

	scripted_start(&s);
	secret = make_secret(s.port);
	contract = make_contract(s.port, "");
	write_file("contract.json", contract);
	add_route(&s, SECRET_PATH, good.secret, secret);
	add_route(&s, "/in", NULL, OK(ROWS));
	add_route(&s, "/v2/models/m/infer", NULL, OK(REPLY));
	outcome = run(&s, args, s.port);
	scripted_stop(&s);
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
	assert_null(strstr(request, "Authorization"));
	outcome_done(&outcome);
	scripted_done(&s);
}

/* ---- the command line ---- */

static void test_contract_trouble(void **state UNUSED)
{
	static const struct {
		const char *contract, *message;
	} bad[] = {
	    {"{\"jobId\": ", "contract.json: line 1, column 11"},
	    {"{}", "contract.json: kserve: expected an object"},
	};
	char *args[] = {"kserve-runner", NULL}, *check[] = {"kserve-runner", "--check", NULL};
	struct scripted s = {.count = 0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome outcome;

		write_file("contract.json", bad[i].contract);
		outcome = run(&s, args, 1);
		check_outcome(bad[i].contract, &outcome, 2, "ContractInvalid", bad[i].message);
		outcome_done(&outcome);
		outcome = run(&s, check, 1);
		assert_int_equal(outcome.exit, 2);
		assert_non_null(strstr(outcome.log, bad[i].message));
		assert_ptr_equal(strchr(outcome.log, '\n'), strchr(outcome.log, '\0') - 1);
		outcome_done(&outcome);
	}
}

static void test_usage_trouble(void **state UNUSED)
{
	char *bad[][4] = {{"kserve-runner", "--nonsense"},
			  {"kserve-runner", "word"},
			  {"kserve-runner", "--contract", "/nonexistent"},
			  {"kserve-runner", "--contract"}};
	struct scripted s = {.count = 0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome outcome = run(&s, bad[i], 1);

		check_outcome(bad[i][1], &outcome, 2, "ContractInvalid", "");
		outcome_done(&outcome);
	}
}

static void test_help_version_check(void **state UNUSED)
{
	char *help[] = {"kserve-runner", "--help", NULL};
	char *version[] = {"kserve-runner", "--version", NULL};
	char *check[] = {"kserve-runner", "--check", NULL};
	auto_free char *contract = make_contract(1, "");
	struct scripted s = {.count = 0};
	struct outcome outcome = run(&s, help, 1);

	assert_int_equal(outcome.exit, 0);
	assert_non_null(strstr(outcome.out, "KSERVE_SERVICEACCOUNT_DIR"));
	outcome_done(&outcome);
	outcome = run(&s, version, 1);
	assert_int_equal(outcome.exit, 0);
	assert_string_equal(outcome.out, "kserve-runner " VERSION "\n");
	outcome_done(&outcome);
	write_file("contract.json", contract);
	outcome = run(&s, check, 1);
	assert_int_equal(outcome.exit, 0);
	assert_string_equal(outcome.log, "");
	outcome_done(&outcome);
}

static int set_up(void **state UNUSED)
{
	const char *given = getenv("RUNNER");
	ssize_t len = readlink("/proc/self/exe", runner_path, sizeof(runner_path) - 64);

	if (len < 0 || mkdtemp(dir) == NULL)
		return -1;
	for (int up = 0; up < 4; up++)
		*strrchr(runner_path, '/') = '\0';
	snprintf(runner_path + strlen(runner_path), 32, "/kserve-runner");
	if (given != NULL)
		snprintf(runner_path, sizeof(runner_path), "%s", given);
	write_file("token", "api-token\n");
	return access(runner_path, X_OK);
}

static int tear_down(void **state UNUSED)
{
	static const char *const names[] = {"token", "contract.json", "report", "log", "out"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = xasprintf("%s/%s", dir, names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),         cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_headers),       cmocka_unit_test(test_contract_trouble),
	    cmocka_unit_test(test_usage_trouble), cmocka_unit_test(test_help_version_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
