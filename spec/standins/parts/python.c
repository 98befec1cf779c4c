#include "spec/standins/parts/python.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { OWN_ARGS = 6 };

static _Noreturn void become(const char *path, char *const *args, int out_fd, int err_fd)
{
	size_t count = 0;
	const char **argv;

	while (args[count] != NULL)
		count++;
	argv = xcalloc(OWN_ARGS + count + 1, sizeof(*argv));
	argv[0] = "python3";
	argv[1] = path;
	argv[2] = "127.0.0.1";
	argv[3] = "4200";
	argv[4] = "user";
	argv[5] = "password";
	memcpy(argv + OWN_ARGS, args, count * sizeof(*argv));
	if (dup2(out_fd, STDOUT_FILENO) >= 0 && dup2(err_fd, STDERR_FILENO) >= 0)
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void collect(int fd, struct buf *out)
{
	char piece[4096];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(out, piece, (size_t)n);
}

void python_run(const char *path, char *const *args, struct buf *out, struct buf *traceback)
{
	auto_close int out_fd = memfd_create("stdout", MFD_CLOEXEC);
	auto_close int err_fd = memfd_create("stderr", MFD_CLOEXEC);
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		become(path, args, out_fd, err_fd);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (status == 0)
		collect(out_fd, out);
	else
		collect(err_fd, traceback);
	if (status != 0 && traceback->len == 0)
		buf_adds(traceback, "Traceback (most recent call last): python3 does not start");
}
