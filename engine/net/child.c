#include "net/child.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

extern char **environ;

struct child {
	child_done_fn *done;
	void *arg;
	char *name;
	int64_t timeout_ms;
	pid_t pid;
	int exit_fd; /* readable when the program has exited */
	int out_fd;
	struct io *exit, *out;
	struct timer *timer;
	struct buf text;
};

/* ---- the end ---- */

static void child_free(struct child *child)
{
	io_free(child->exit);
	io_free(child->out);
	timer_free(child->timer);
	if (child->exit_fd >= 0)
		close(child->exit_fd);
	if (child->out_fd >= 0)
		close(child->out_fd);
	buf_done(&child->text);
	free(child->name);
	free(child);
}

/* SIGKILL to the whole group, and no zombie: the wait is short, as the signal cannot be caught. */
static void kill_group(struct child *child)
{
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The handle is gone before done runs: the callee may start or free anything. */
static void finish(struct child *child, const struct err *err)
{
	child_done_fn *done = child->done;
	void *arg = child->arg;
	auto_buf struct buf text = child->text;

	child->text = (struct buf)BUF_INIT(0);
	child_free(child);
	done(arg, err == NULL ? text.data : NULL, err == NULL ? text.len : 0, err);
}

static void give_up(struct child *child, struct err *err)
{
	kill_group(child);
	finish(child, err);
}

static void too_much(struct child *child)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_LIMIT, "%s: expected at most %zu bytes of output, found more",
		child->name, child->text.max);
	give_up(child, &err);
}

static void timed_out(void *arg)
{
	struct child *child = arg;
	struct err err = ERR_INIT;

	err_set(&err, ERR_RETRY, "%s: expected it to end within %lld ms; killed it", child->name,
		(long long)child->timeout_ms);
	give_up(child, &err);
}

/* Read what is there: 1 maybe more, 0 nothing now or never, -1 too much. */
static int read_some(struct child *child)
{
	char bytes[4096];
	ssize_t n = read(child->out_fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) { /* the end: only its exit is left to wait for */
		io_want(child->out, false, false);
		return 0;
	}
	return buf_add(&child->text, bytes, (size_t)n) < 0 ? -1 : 1;
}

static void output(void *arg)
{
	struct child *child = arg;

	if (read_some(child) < 0)
		too_much(child);
}

static void exited(void *arg)
{
	struct child *child = arg;
	struct err err = ERR_INIT;
	int status = 0, more;

	/* All that the program wrote is in the pipe. We do not wait for its end: a daemon that the
	 * program left behind may hold it open. */
	while ((more = read_some(child)) > 0)
		;
	if (more < 0) {
		too_much(child);
		return;
	}
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		err_set(&err, ERR_RETRY, "%s: expected exit code 0, found %d", child->name,
			WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		err_set(&err, ERR_RETRY, "%s: killed by signal %d", child->name, WTERMSIG(status));
	finish(child, err.kind == ERR_NONE ? NULL : &err);
}

void child_cancel(struct child *child)
{
	kill_group(child);
	child_free(child);
}

/* ---- the start ---- */

/* Our environment and what the spec adds: a name of ours that it sets is left out. The strings
 * stay with their owners. */
static char **environment(const char *const *more)
{
	size_t ours = 0, added = 0, at = 0;
	char **all;

	while (environ[ours] != NULL)
		ours++;
	while (more != NULL && more[added] != NULL)
		added++;
	all = xcalloc(ours + added + 1, sizeof(*all));
	for (size_t i = 0; i < added; i++)
		all[at++] = (char *)more[i];
	for (size_t i = 0; i < ours; i++) {
		size_t name = strcspn(environ[i], "=") + 1;
		bool replaced = false;

		for (size_t j = 0; j < added && !replaced; j++)
			replaced = strncmp(environ[i], more[j], name) == 0;
		if (!replaced)
			all[at++] = environ[i];
	}
	return all;
}

static int spawn(const struct child_spec *spec, int out_fd, pid_t *pid)
{
	auto_free char **env = environment(spec->env);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, every;
	int code;

	sigemptyset(&none);
	sigfillset(&every);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &every); /* SIGPIPE, above all */
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, 1);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	code = posix_spawnp(pid, spec->argv[0], &files, &attr, (char *const *)spec->argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return code;
}

static int start(struct child *child, const struct child_spec *spec, struct err *err)
{
	auto_close int write_end = -1;
	int fds[2], code;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_RETRY, "%s: pipe: %s", child->name, strerror(errno));
	child->out_fd = fds[0];
	write_end = fds[1];
	/* Only our end: the program expects a stdout that blocks. */
	fcntl(child->out_fd, F_SETFL, O_NONBLOCK);
	code = spawn(spec, write_end, &child->pid);
	if (code != 0)
		return err_set(err, code == EAGAIN ? ERR_RETRY : ERR_INVALID,
			       "%s: expected a program that can be started: %s", child->name,
			       strerror(code));
	child->exit_fd = pidfd_open(child->pid, 0);
	if (child->exit_fd < 0) {
		err_set(err, ERR_RETRY, "%s: pidfd_open: %s", child->name, strerror(errno));
		kill_group(child);
		return -1;
	}
	return 0;
}

struct child *child_start(struct loop *loop, const struct child_spec *spec, child_done_fn *done,
			  void *arg, struct err *err)
{
	struct child *child = xcalloc(1, sizeof(*child));

	child->done = done;
	child->arg = arg;
	child->name = xstrdup(spec->argv[0]);
	child->timeout_ms = spec->timeout_ms;
	child->text = (struct buf)BUF_INIT(spec->max_output);
	child->exit_fd = child->out_fd = -1;
	if (start(child, spec, err) < 0) {
		child_free(child);
		return NULL;
	}
	child->out = io_new(loop, child->out_fd, output, NULL, child);
	child->exit = io_new(loop, child->exit_fd, exited, NULL, child);
	child->timer = timer_new(loop, timed_out, child);
	io_want(child->out, true, false);
	io_want(child->exit, true, false);
	timer_set(child->timer, spec->timeout_ms);
	return child;
}
