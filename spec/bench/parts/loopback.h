/* loopback.h - blocking sockets on 127.0.0.1, for programs that measure. */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

/* A socket that listens on any free port; -1 with errno set. */
int loopback_listen(int *port);

#endif
