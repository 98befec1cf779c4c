#include "policy/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { CHANNEL = 3 };

/* posix_spawn(3) and not fork(2): other threads (a resolver's) may hold locks at this moment. */
static int spawn(pid_t *pid, const char *program, int fd)
{
	char *const argv[] = {"kserve-controller", "policy-worker", NULL};
	char *const env[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, ours;
	int rc;

	sigemptyset(&none);
	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE); /* ignored in the engine */
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &ours);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, fd, CHANNEL);
	posix_spawn_file_actions_addclosefrom_np(&files, CHANNEL + 1);
	rc = posix_spawn(pid, program, &files, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

int process_start(struct process *p, const char *program, struct err *err)
{
	int pair[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_RETRY, "socketpair: %s", strerror(errno));
	rc = spawn(&pid, program, pair[1]);
	close(pair[1]);
	if (rc == 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0) {
		*p = (struct process){.pid = pid, .fd = pair[0]};
		return 0;
	}
	close(pair[0]); /* a child that has started ends at once: its channel is closed */
	return err_set(err, ERR_RETRY, "%s cannot be started: %s", program, strerror(rc));
}

static ssize_t outcome(ssize_t n)
{
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return 0;
	return n;
}

ssize_t process_read(const struct process *p, void *bytes, size_t len)
{
	return outcome(recv(p->fd, bytes, len, 0));
}

ssize_t process_write(const struct process *p, const void *bytes, size_t len)
{
	return outcome(send(p->fd, bytes, len, MSG_NOSIGNAL));
}

void process_ask_to_end(const struct process *p)
{
	kill(p->pid, SIGTERM);
}

void process_kill(struct process *p, char how[PROCESS_HOW_MAX])
{
	int status = 0;

	how[0] = '\0';
	if (p->fd < 0)
		return;
	close(p->fd);
	p->fd = -1;
	/* One that is ending has its status already; SIGKILL does not change it. */
	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		snprintf(how, PROCESS_HOW_MAX, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(how, PROCESS_HOW_MAX, "ended with status %d", WEXITSTATUS(status));
}
