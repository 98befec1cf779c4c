#include "spec/podrunner/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PROBLEM_MAX = 512, FALLBACK_VARIABLES = 3 };

struct process {
	pid_t pid;
	int pidfd, problem_fd;
	struct io *io;
	process_done_fn *done;
	void *arg;
};

/* ---- the child, until it becomes the container ---- */

struct child {
	const struct process_spec *spec;
	int log_fd, problem_fd, binary_fd; /* binary_fd -1: look argv[0] up in PATH */
	char **env;
};

static void PRINTF_LIKE(2, 3) __attribute__((noreturn))
fail(const struct child *child, const char *fmt, ...)
{
	char text[PROBLEM_MAX];
	int number = errno, len;
	va_list args;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s", strerror(number));
	(void)!write(child->problem_fd, text, strlen(text));
	_exit(128);
}

static void become_user(const struct child *child)
{
	const struct layout *layout = child->spec->layout;

	if (geteuid() != 0)
		return; /* we can only be who we are */
	if (layout->gid >= 0 && (setgroups(0, NULL) < 0 || setgid((gid_t)layout->gid) < 0))
		fail(child, "failed to set the group %lld", (long long)layout->gid);
	if (layout->uid >= 0 && setuid((uid_t)layout->uid) < 0)
		fail(child, "failed to set the user %lld", (long long)layout->uid);
}

static void __attribute__((noreturn)) run_child(const struct child *child, pid_t parent)
{
	const struct layout *layout = child->spec->layout;
	const char *step = "";
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (dup2(null, 0) < 0 || dup2(child->log_fd, 1) < 0 || dup2(child->log_fd, 2) < 0)
		fail(child, "failed to open stdin, stdout and stderr");
	if (child->spec->namespaces && rootfs_enter(layout, &step) < 0)
		fail(child, "failed to make %s", step);
	become_user(child);
	/* After setuid(2), which would clear it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(128);
	if (chdir(layout->working_dir) < 0)
		fail(child, "failed to change to the working directory %s", layout->working_dir);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (child->binary_fd >= 0) {
		char magic[2] = "";

		/* A script's interpreter opens it again by this number. */
		if (pread(child->binary_fd, magic, 2, 0) == 2 && memcmp(magic, "#!", 2) == 0)
			fcntl(child->binary_fd, F_SETFD, 0);
		fexecve(child->binary_fd, layout->argv, child->env);
	} else {
		execvpe(layout->argv[0], layout->argv, child->env);
	}
	fail(child, "exec: \"%s\"", layout->argv[0]);
}

/* ---- the parent ---- */

/* env, and where the runner finds its files if it sees our root folder. */
static char **make_env(const struct process_spec *spec)
{
	const struct layout *layout = spec->layout;
	char **env = xcalloc(layout->env_count + FALLBACK_VARIABLES + 1, sizeof(*env));
	size_t count = 0;

	for (; count < layout->env_count; count++)
		env[count] = xstrdup(layout->env[count]);
	if (spec->namespaces)
		return env;
	if (layout->contract != NULL)
		env[count++] = xasprintf("KSERVE_CONTRACT=%s", layout->contract);
	if (layout->termination_log != NULL)
		env[count++] = xasprintf("KSERVE_TERMINATION_LOG=%s", layout->termination_log);
	if (layout->serviceaccount != NULL)
		env[count++] = xasprintf("KSERVE_SERVICEACCOUNT_DIR=%s", layout->serviceaccount);
	return env;
}

static void free_env(char **env)
{
	for (size_t i = 0; env[i] != NULL; i++)
		free(env[i]);
	free(env);
}

/* Readable: the process has ended. */
static void on_end(void *arg)
{
	struct process *process = arg;
	process_done_fn *done = process->done;
	char problem[PROBLEM_MAX];
	ssize_t len = read(process->problem_fd, problem, sizeof(problem) - 1);
	void *done_arg = process->arg;
	int status = 0;

	kill(-process->pid, SIGKILL); /* what it has left behind */
	waitpid(process->pid, &status, 0);
	process->pid = 0;
	process_free(process);
	problem[len > 0 ? len : 0] = '\0';
	done(done_arg, status, len > 0 ? problem : NULL);
}

static pid_t start_child(const struct child *child)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		run_child(child, parent);
	return pid;
}

/* The mapped binary may lie where the container cannot see it, so it is opened before. */
static int open_binary(const struct layout *layout)
{
	return strchr(layout->argv[0], '/') != NULL ? open(layout->argv[0], O_RDONLY | O_CLOEXEC)
						    : -1;
}

struct process *process_start(struct loop *loop, const struct process_spec *spec,
			      process_done_fn *done, void *arg, struct err *err)
{
	auto_close int log_fd = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	auto_close int binary_fd = open_binary(spec->layout);
	struct child child = {.spec = spec, .log_fd = log_fd, .binary_fd = binary_fd};
	struct process *process;
	int problem_pipe[2];

	if (log_fd < 0) {
		err_set(err, ERR_RETRY, "%s: expected to write the log there: %m", spec->log);
		return NULL;
	}
	if (pipe2(problem_pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		err_set(err, ERR_RETRY, "pipe: %m");
		return NULL;
	}
	child.problem_fd = problem_pipe[1];
	child.env = make_env(spec);
	process = xcalloc(1, sizeof(*process));
	process->problem_fd = problem_pipe[0];
	process->done = done;
	process->arg = arg;
	process->pid = start_child(&child);
	free_env(child.env);
	close(problem_pipe[1]);
	process->pidfd = process->pid > 0 ? pidfd_open(process->pid, 0) : -1;
	if (process->pidfd < 0) {
		err_set(err, ERR_RETRY, "expected to start a process: %m");
		process_free(process);
		return NULL;
	}
	process->io = io_new(loop, process->pidfd, on_end, NULL, process);
	io_want(process->io, true, false);
	return process;
}

void process_signal(struct process *process, int signo)
{
	kill(signo == SIGKILL ? -process->pid : process->pid, signo);
}

void process_free(struct process *process)
{
	if (process == NULL)
		return;
	if (process->pid > 0) {
		kill(-process->pid, SIGKILL);
		kill(process->pid, SIGKILL); /* it may not lead a group yet */
		waitpid(process->pid, NULL, 0);
	}
	io_free(process->io);
	if (process->pidfd >= 0)
		close(process->pidfd);
	close(process->problem_fd);
	free(process);
}

bool process_can_isolate(const char *root)
{
	struct layout layout = {.dir = xasprintf("%s/.try", root)};
	const char *step;
	int status = 1;
	pid_t pid;

	mkdir(layout.dir, 0755);
	pid = fork();
	if (pid == 0)
		_exit(rootfs_enter(&layout, &step) == 0 ? 0 : 1);
	if (pid > 0)
		waitpid(pid, &status, 0);
	layout_remove(layout.dir);
	free(layout.dir);
	return status == 0;
}
