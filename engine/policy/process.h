/*
 * process.h - the worker as a process: start it, talk to it, end it.
 */
#ifndef POLICY_PROCESS_H
#define POLICY_PROCESS_H

#include "base/err.h"

enum { PROCESS_HOW_MAX = 64 };

struct process {
	pid_t pid;
	int fd; /* our end of the socketpair, non-blocking; -1: no process */
};

#define PROCESS_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Start `program policy-worker`: the socketpair as descriptor 3, stdin and stdout /dev/null, our
 * stderr, no other descriptor, an empty environment. */
int process_start(struct process *p, const char *program, struct err *err);

/* Bytes, -1: not now, 0: no more. */
ssize_t process_read(const struct process *p, void *bytes, size_t len);
ssize_t process_write(const struct process *p, const void *bytes, size_t len);

/* SIGTERM: a worker that can still do so tells where it is, and ends. */
void process_ask_to_end(const struct process *p);

/* Kill and reap it, if there is one. how: "ended with status 1", "was ended by signal 9". */
void process_kill(struct process *p, char how[PROCESS_HOW_MAX]);

#endif
