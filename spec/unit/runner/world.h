/*
 * world.h - what a run of the program needs around it: a directory with its files, a Secret that
 * leads to the scripted server, and the program itself. It is RUNNER, by default the
 * kserve-runner of the same build.
 */
#ifndef SPEC_UNIT_RUNNER_WORLD_H
#define SPEC_UNIT_RUNNER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "spec/unit/runner/scripted.h"

#define ROWS "{\"result\": [[5.1, 3.50], [9007199254740993, 0.1000000000000000055]]}"
#define REPLY                                                                                      \
	"{\"outputs\":[{\"name\":\"o\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[0, 1.0]}]}"
#define SECRET_PATH "/api/v1/namespaces/ns/secrets/db"
#define UNAVAILABLE ANSWER("503 Service Unavailable", "", "")

static char runner_path[4096];
static rlim_t memory_limit = RLIM_INFINITY; /* of the program's data */
static char dir[] = "/tmp/runner-test-XXXXXX";

struct outcome {
	int exit; /* -1: killed by a signal */
	struct json *report;
	char *log, *out;
};

/* ---- the world of one run ---- */

/* A file in the directory of the test. */
static inline void write_file(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_file FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
}

static inline char *read_file(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (file_read(path, &text, &err) < 0)
		fail_msg("%s", err.msg);
	return buf_steal(&text);
}

static inline char *make_secret(int port)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d/", port);
	auto_buf struct buf text = BUF_INIT(4096);

	buf_adds(&text,
		 ANSWER("200 OK", JSON_TYPE, "{\"kind\":\"Secret\",\"data\":{\"server-url\":\""));
	base64_encode(url, strlen(url), &text);
	buf_adds(&text, "\",\"username\":\"dXNlcg==\",\"password\":\"aHVudGVyMg==\"," /* hunter2 */
			"\"debug\":\"dHJ1ZQ==\"}}");
	return buf_steal(&text);
}

static inline char *make_contract(int model_port, const char *extra)
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

static inline void redirect(int fd, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(99);
}

static inline void exec_runner(char *const *args, int api_port)
{
	char *const env[] = {
	    xasprintf("KUBERNETES_SERVICE_HOST=http://127.0.0.1:%d", api_port),
	    xasprintf("KSERVE_SERVICEACCOUNT_DIR=%s", dir),
	    xasprintf("KSERVE_CONTRACT=%s/contract.json", dir),
	    xasprintf("KSERVE_TERMINATION_LOG=%s/report", dir),
	    "KSERVE_RETRY_DELAY=1ms",
	    "KSERVE_CALL_TIMEOUT=3s",
	    "KSERVE_PATIENCE=50ms",
	    "pod_uid=pod-1",
	    NULL,
	};

	const struct rlimit limit = {memory_limit, RLIM_INFINITY};

	setrlimit(RLIMIT_DATA, &limit);
	redirect(STDOUT_FILENO, "out");
	redirect(STDERR_FILENO, "log");
	execve(runner_path, args, env);
	_exit(98);
}

static inline struct outcome run(struct scripted *s, char *const *args, int api_port)
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
	    strstr(outcome.log, "api-token") != NULL ||
	    strstr(outcome.log, "dXNlcjpodW50ZXIy") != NULL)
		fail_msg("a secret shows: %s%s", outcome.log, text);
	return outcome;
}

static inline void outcome_done(struct outcome *outcome)
{
	json_free(outcome->report);
	free(outcome->log);
	free(outcome->out);
}

static inline void check_outcome(const char *name, const struct outcome *outcome, int code,
				 const char *reason, const char *message)
{
	const char *found = json_get_str(outcome->report, "reason", "");

	if (outcome->exit != code || !streq(found, reason) ||
	    strstr(json_get_str(outcome->report, "message", ""), message) == NULL ||
	    json_get_int(outcome->report, "exit", -1) != code || *outcome->out != '\0')
		fail_msg("%s: expected %d %s \"%s\", found %d %s; log:\n%s", name, code, reason,
			 message, outcome->exit, found, outcome->log);
}

static inline void add_route(struct scripted *s, const char *path, const char *const *answers,
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

static inline int set_up(void **state UNUSED)
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

static inline int tear_down(void **state UNUSED)
{
	static const char *const names[] = {"token", "contract.json", "report", "log", "out"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = xasprintf("%s/%s", dir, names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

#endif
