#include "lua/worker.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "policy/frame.h"
#include "policy/host.h"

enum { CHANNEL = 3 };

_Noreturn static void become_worker(int fd)
{
	if (dup2(fd, CHANNEL) < 0)
		_exit(EXIT_FAILURE);
	closefrom(CHANNEL + 1);
	policy_worker_main();
}

static int start(struct worker *worker, struct err *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_RETRY, "socketpair: %s", strerror(errno));
	fflush(NULL); /* else the child would have what waits to be written a second time */
	pid = fork();
	if (pid == 0)
		become_worker(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_set(err, ERR_RETRY, "fork: %s", strerror(errno));
	}
	worker->process = (struct process){.pid = pid, .fd = pair[0]};
	worker->taken = 0;
	return 0;
}

void worker_stop(struct worker *worker)
{
	char how[PROCESS_HOW_MAX];

	process_kill(&worker->process, how);
}

/* ---- frames ---- */

static void set_patience(const struct worker *worker)
{
	const struct timeval patience = {.tv_sec = worker->patience_ms / 1000,
					 .tv_usec = worker->patience_ms % 1000 * 1000};

	setsockopt(worker->process.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(worker->process.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static int lose(struct worker *worker, bool late, struct err *err)
{
	char how[PROCESS_HOW_MAX];

	process_kill(&worker->process, how);
	if (late)
		return err_set(err, ERR_LIMIT,
			       "the policy worker did not answer within %d ms and was ended",
			       worker->patience_ms);
	return err_set(err, ERR_LIMIT, "the policy worker %s", how);
}

static int send_frame(struct worker *worker, const struct json *message, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(FRAME_HEADER + FRAME_MAX);

	if (frame_pack(message, NULL, &out, err) < 0)
		return -1;
	set_patience(worker);
	while (out.len > 0) {
		ssize_t n = process_write(&worker->process, out.data, out.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lose(worker, n < 0, err);
		buf_consume(&out, (size_t)n);
	}
	return 0;
}

static int receive(struct worker *worker, void *bytes, size_t len, struct err *err)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = process_read(&worker->process, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lose(worker, n < 0, err);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static struct json *receive_frame(struct worker *worker, struct err *err)
{
	unsigned char header[FRAME_HEADER];
	auto_free char *body = NULL;
	struct json *answer;
	size_t len;

	if (receive(worker, header, sizeof(header), err) < 0)
		return NULL;
	len = frame_get_size(header);
	if (len > FRAME_MAX) {
		err_set(err, ERR_BUG, "the policy worker answered with %zu bytes", len);
		return NULL;
	}
	body = xmalloc(len + 1);
	if (receive(worker, body, len, err) < 0)
		return NULL;
	answer = frame_unpack(body, len, err);
	if (json_is_true(json_get(answer, "last")))
		worker_stop(worker);
	return answer;
}

/* ---- questions ---- */

struct json *worker_load(struct worker *worker, uint64_t id, const struct json *files,
			 bool coverage, struct err *err)
{
	auto_json struct json *message = json_build("{'op': 'load', 'coverage': %b}", coverage);
	struct json *answer;

	json_set(message, "files", json_copy(files));
	if (worker->process.fd < 0 && start(worker, err) < 0)
		return NULL;
	if (send_frame(worker, message, err) < 0)
		return NULL;
	answer = receive_frame(worker, err);
	if (json_get(answer, "ok") != NULL)
		worker->taken = id;
	return answer;
}

static int take(struct worker *worker, uint64_t id, const struct json *files, struct err *err)
{
	auto_json struct json *message = json_build("{'op': 'use'}");

	if (worker->process.fd < 0 && start(worker, err) < 0)
		return -1;
	if (worker->taken == id)
		return 0;
	json_set(message, "files", json_copy(files));
	if (send_frame(worker, message, err) < 0)
		return -1;
	worker->taken = id;
	return 0;
}

struct json *worker_eval(struct worker *worker, uint64_t id, const struct json *files,
			 const struct json *request, struct err *err)
{
	auto_json struct json *message = json_copy(request);

	json_set_str(message, "op", "eval");
	if (take(worker, id, files, err) < 0 || send_frame(worker, message, err) < 0)
		return NULL;
	return receive_frame(worker, err);
}
