/*
 * loop.h - the one event loop: timers, signals, file descriptors and "in the next turn".
 *
 * Rules of everything asynchronous in this project: x_start(..., done, arg) calls done exactly
 * once and never before x_start has returned; after x_cancel it never does; arg outlives it.
 * A callback may start, set, clear and free anything, also what called it.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/base.h"

struct loop;
struct timer;
struct io;

typedef void loop_fn(void *arg);
typedef void signal_fn(void *arg, int signo);
typedef void io_fn(void *arg);

struct loop *loop_new(void);
void loop_free(struct loop *loop); /* last of all: everything on it must be freed before */

void loop_run(struct loop *loop); /* returns after loop_stop */
void loop_stop(struct loop *loop);

/* Call fn(arg) in the next turn; loop_undefer forgets every such call with this arg. */
void loop_defer(struct loop *loop, loop_fn *fn, void *arg);
void loop_undefer(struct loop *loop, void *arg);

/* fn on every arrival of signo until the loop ends. SIGPIPE is ignored by loop_new. */
void loop_signal(struct loop *loop, int signo, signal_fn *fn, void *arg);

/* A one-shot timer. timer_set replaces what was set; ms < 0 counts as 0. */
struct timer *timer_new(struct loop *loop, loop_fn *fn, void *arg);
void timer_set(struct timer *timer, int64_t ms);
void timer_clear(struct timer *timer);
void timer_free(struct timer *timer); /* NULL is fine */

/* Call back while fd is readable or writable (level-triggered); starts with neither. The fd stays
 * the caller's and must be open until io_free. */
struct io *io_new(struct loop *loop, int fd, io_fn *readable, io_fn *writable, void *arg);
void io_want(struct io *io, bool read, bool write);
void io_free(struct io *io); /* NULL is fine */

/* For net/ alone: the libevent base. */
struct event_base;
struct event_base *loop_event_base(struct loop *loop);

#endif
