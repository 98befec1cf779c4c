/*
 * bench-measure: what a program needs.
 *
 *	bench-measure COMMAND [ARG...]
 *
 * runs it to its end and prints {"exit": ..., "seconds": ..., "cpu_seconds": ..., "peak_rss_mib":
 * ...}; 128 and the number of the signal stand for the exit code of a program that one has ended.
 * It writes to stderr what it would write to stdout, and its peak is its own: this process is
 * smaller than any.
 *
 *	bench-measure --first-byte TIMES COMMAND [ARG...] < TEXT
 *
 * starts it TIMES times with TEXT as standard input, {address} therein replaced by where we listen,
 * and prints how long it takes from exec to its first byte there: {"first_byte_ms": median,
 * "fastest_ms": ...}. It is killed then.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "spec/bench/parts/loopback.h"

enum { TIMES_MAX = 1000, PATIENCE_MS = 10000, TEXT_MAX = 1 << 20 };

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static pid_t start(char **argv, int stdin_fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (stdin_fd >= 0)
			dup2(stdin_fd, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		fprintf(stderr, "bench-measure: %s: %m\n", argv[0]);
		_exit(127);
	}
	return pid;
}

static int measure_whole(char **argv)
{
	double began = now_s();
	pid_t pid = start(argv, -1);
	struct rusage usage;
	int status;

	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return -1;
	printf("{\"exit\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.3f, \"peak_rss_mib\": %.2f}\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), now_s() - began,
	       seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
	       (double)usage.ru_maxrss / 1024);
	return 0;
}

/* ---- the first byte ---- */

/* A file without a name that holds the text with its {address}; -1 on failure. */
static int text_file(const char *text, int port)
{
	static const char mark[] = "{address}";
	const char *at = strstr(text, mark);
	FILE *file = tmpfile();
	int fd;

	if (file == NULL || at == NULL)
		return -1;
	fprintf(file, "%.*s127.0.0.1:%d%s", (int)(at - text), text, port, at + strlen(mark));
	fflush(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

static bool receive_byte(int listener)
{
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	char byte;
	bool came;
	int fd;

	if (poll(&waiting, 1, PATIENCE_MS) != 1)
		return false;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	came = fd >= 0 && recv(fd, &byte, 1, 0) == 1;
	close(fd);
	return came;
}

/* In ms; negative if none came. */
static double first_byte(char **argv, const char *text)
{
	int port, listener = loopback_listen(&port), in = text_file(text, port);
	double began = now_s(), ended;
	pid_t pid;
	bool came;

	if (listener < 0 || in < 0)
		return -1;
	lseek(in, 0, SEEK_SET);
	pid = start(argv, in);
	came = pid > 0 && receive_byte(listener);
	ended = now_s();
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(in);
	close(listener);
	return came ? (ended - began) * 1000 : -1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure_start(char **argv, long times)
{
	double *ms = xcalloc((size_t)times, sizeof(*ms));
	auto_buf struct buf text = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	if (file_read("-", &text, &err) < 0)
		return -1;
	for (long i = 0; i < times; i++) {
		ms[i] = first_byte(argv, text.data);
		if (ms[i] < 0) {
			free(ms);
			fprintf(stderr, "bench-measure: expected a byte from %s, found none\n",
				argv[0]);
			return -1;
		}
	}
	qsort(ms, (size_t)times, sizeof(*ms), compare);
	printf("{\"first_byte_ms\": %.2f, \"fastest_ms\": %.2f}\n", ms[times / 2], ms[0]);
	free(ms);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"first-byte", required_argument, NULL, 'f'}, {0}};
	long times = 0;
	int option;

	while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
		times = option == 'f' ? strtol(optarg, NULL, 10) : -1;
		if (times < 1 || times > TIMES_MAX)
			return 2;
	}
	if (optind == argc)
		return 2;
	return (times > 0 ? measure_start(argv + optind, times) : measure_whole(argv + optind)) < 0;
}
