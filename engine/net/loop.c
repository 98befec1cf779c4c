#include "net/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>

struct deferred {
	struct deferred *next;
	loop_fn *fn;
	void *arg;
};

struct handler {
	struct handler *next;
	struct event event;
	signal_fn *fn;
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event turn;
	struct deferred *due;     /* of this turn, in order */
	struct deferred *waiting; /* for the next turn, in order */
	struct deferred **last;   /* the link at the end of waiting */
	struct handler *handlers;
	bool stopped;
};

struct timer {
	struct event event;
	loop_fn *fn;
	void *arg;
};

/* Two events and not one: each callback may free the io, and libevent then drops the other. */
struct io {
	struct event read, write;
	io_fn *readable, *writable;
	void *arg;
};

/* ---- the next turn ---- */

static void run_due(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct loop *loop = arg;

	loop->due = loop->waiting;
	loop->waiting = NULL;
	loop->last = &loop->waiting;
	while (loop->due != NULL) {
		struct deferred *first = loop->due;
		struct deferred call = *first;

		loop->due = first->next;
		free(first);
		call.fn(call.arg);
	}
}

void loop_defer(struct loop *loop, loop_fn *fn, void *arg)
{
	struct deferred *call = xcalloc(1, sizeof(*call));

	/* A timer and not event_active(): that one would run within this very turn, and calls that
	 * defer each other would keep sockets and timers waiting for ever. */
	if (loop->waiting == NULL)
		event_add(&loop->turn, &(struct timeval){0});
	call->fn = fn;
	call->arg = arg;
	*loop->last = call;
	loop->last = &call->next;
}

static struct deferred **forget(struct deferred **link, const void *arg)
{
	while (*link != NULL) {
		struct deferred *call = *link;

		if (call->arg != arg) {
			link = &call->next;
			continue;
		}
		*link = call->next;
		free(call);
	}
	return link;
}

void loop_undefer(struct loop *loop, void *arg)
{
	forget(&loop->due, arg);
	loop->last = forget(&loop->waiting, arg);
	if (loop->waiting == NULL)
		event_del(&loop->turn);
}

/* ---- the loop ---- */

struct loop *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct loop *loop = xcalloc(1, sizeof(*loop));

	if (config == NULL)
		abort();
	/* With cached or coarse time, timers set after a long computation would fire early. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL) /* out of memory or of file descriptors at start */
		abort();
	loop->last = &loop->waiting;
	event_assign(&loop->turn, loop->base, -1, 0, run_due, loop);
	signal(SIGPIPE, SIG_IGN);
	return loop;
}

void loop_free(struct loop *loop)
{
	struct handler *handler;

	while ((handler = loop->handlers) != NULL) {
		loop->handlers = handler->next;
		event_del(&handler->event);
		free(handler);
	}
	while (loop->waiting != NULL)
		loop_undefer(loop, loop->waiting->arg);
	event_base_free(loop->base);
	free(loop);
}

void loop_run(struct loop *loop)
{
	/* libevent forgets a break that came before it ran. */
	if (!loop->stopped)
		event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

struct event_base *loop_event_base(struct loop *loop)
{
	return loop->base;
}

/* ---- signals ---- */

static void signalled(evutil_socket_t signo, short what UNUSED, void *arg)
{
	struct handler *handler = arg;

	handler->fn(handler->arg, (int)signo);
}

void loop_signal(struct loop *loop, int signo, signal_fn *fn, void *arg)
{
	struct handler *handler = xcalloc(1, sizeof(*handler));

	handler->fn = fn;
	handler->arg = arg;
	handler->next = loop->handlers;
	loop->handlers = handler;
	event_assign(&handler->event, loop->base, signo, EV_SIGNAL | EV_PERSIST, signalled,
		     handler);
	event_add(&handler->event, NULL);
}

/* ---- timers ---- */

static void timer_fired(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct timer *timer = arg;

	timer->fn(timer->arg);
}

struct timer *timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	timer->fn = fn;
	timer->arg = arg;
	event_assign(&timer->event, loop->base, -1, 0, timer_fired, timer);
	return timer;
}

void timer_set(struct timer *timer, int64_t ms)
{
	struct timeval time = {0};

	if (ms > 0)
		time = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(&timer->event, &time);
}

void timer_clear(struct timer *timer)
{
	event_del(&timer->event);
}

void timer_free(struct timer *timer)
{
	if (timer == NULL)
		return;
	event_del(&timer->event);
	free(timer);
}

/* ---- file descriptors ---- */

static void fd_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct io *io = arg;

	io->readable(io->arg);
}

static void fd_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct io *io = arg;

	io->writable(io->arg);
}

struct io *io_new(struct loop *loop, int fd, io_fn *readable, io_fn *writable, void *arg)
{
	struct io *io = xcalloc(1, sizeof(*io));

	io->readable = readable;
	io->writable = writable;
	io->arg = arg;
	event_assign(&io->read, loop->base, fd, EV_READ | EV_PERSIST, fd_readable, io);
	event_assign(&io->write, loop->base, fd, EV_WRITE | EV_PERSIST, fd_writable, io);
	return io;
}

static void want(struct event *event, bool wanted)
{
	if (wanted)
		event_add(event, NULL);
	else
		event_del(event);
}

void io_want(struct io *io, bool read, bool write)
{
	want(&io->read, read);
	want(&io->write, write);
}

void io_free(struct io *io)
{
	if (io == NULL)
		return;
	io_want(io, false, false);
	free(io);
}
