#include "net/http_mux.h"

#include <curl/curl.h>

enum { SPARES = 8 };

struct mux {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	mux_ended_fn *ended;
	CURL *spare[SPARES];
	size_t spares;
	bool busy;
};

/* One socket of libcurl. */
struct sock {
	struct mux *mux;
	struct io *io;
	curl_socket_t fd;
};

static void drive(struct mux *mux, curl_socket_t fd, int events)
{
	CURLMsg *msg;
	int running, queued;

	mux->busy = true;
	curl_multi_socket_action(mux->multi, fd, events, &running);
	mux->busy = false;
	while ((msg = curl_multi_info_read(mux->multi, &queued)) != NULL) {
		CURLcode result = msg->data.result; /* removing the transfer frees msg */
		void *arg = NULL;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &arg);
		mux->ended(arg, result);
	}
}

static void sock_readable(void *arg)
{
	struct sock *sock = arg;

	drive(sock->mux, sock->fd, CURL_CSELECT_IN);
}

static void sock_writable(void *arg)
{
	struct sock *sock = arg;

	drive(sock->mux, sock->fd, CURL_CSELECT_OUT);
}

static void timer_due(void *arg)
{
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static struct sock *sock_new(struct mux *mux, curl_socket_t fd)
{
	struct sock *sock = xcalloc(1, sizeof(*sock));

	sock->mux = mux;
	sock->fd = fd;
	sock->io = io_new(mux->loop, fd, sock_readable, sock_writable, sock);
	curl_multi_assign(mux->multi, fd, sock);
	return sock;
}

/* CURLMOPT_SOCKETFUNCTION */
static int want_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct mux *mux = arg;
	struct sock *sock = assigned;

	if (what == CURL_POLL_REMOVE) {
		if (sock != NULL)
			io_free(sock->io);
		free(sock);
		return 0;
	}
	if (sock == NULL)
		sock = sock_new(mux, fd);
	io_want(sock->io, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
	return 0;
}

/* CURLMOPT_TIMERFUNCTION; 0 must not act here, but in the next turn. */
static int want_timer(CURLM *multi UNUSED, long ms, void *arg)
{
	struct mux *mux = arg;

	if (ms < 0)
		timer_clear(mux->timer);
	else
		timer_set(mux->timer, ms);
	return 0;
}

struct mux *mux_new(struct loop *loop, mux_ended_fn *ended)
{
	static bool initialized;
	struct mux *mux = xcalloc(1, sizeof(*mux));

	if (!initialized && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	initialized = true;
	mux->loop = loop;
	mux->ended = ended;
	mux->timer = timer_new(loop, timer_due, mux);
	mux->multi = curl_multi_init();
	if (mux->multi == NULL)
		abort();
	curl_multi_setopt(mux->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(mux->multi, CURLMOPT_SOCKETDATA, mux);
	curl_multi_setopt(mux->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(mux->multi, CURLMOPT_TIMERDATA, mux);
	return mux;
}

void mux_free(struct mux *mux)
{
	while (mux->spares > 0)
		curl_easy_cleanup(mux->spare[--mux->spares]);
	curl_multi_cleanup(mux->multi); /* calls want_socket and want_timer */
	timer_free(mux->timer);
	free(mux);
}

bool mux_busy(const struct mux *mux)
{
	return mux->busy;
}

void *mux_take(struct mux *mux)
{
	CURL *easy = mux->spares > 0 ? mux->spare[--mux->spares] : curl_easy_init();

	if (easy == NULL)
		abort();
	return easy;
}

void mux_give(struct mux *mux, void *easy)
{
	if (mux->spares == SPARES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	mux->spare[mux->spares++] = easy;
}

void mux_add(struct mux *mux, void *easy)
{
	if (curl_multi_add_handle(mux->multi, easy) != CURLM_OK)
		abort(); /* out of memory: every other reason is a bug of http.c */
}

void mux_remove(struct mux *mux, void *easy)
{
	curl_multi_remove_handle(mux->multi, easy);
}
