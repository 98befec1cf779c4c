#include "net/http.h"

#include "base/buf.h"
#include "net/http_session.h"
#include "net/http_setup.h"

#include <curl/curl.h>
#include <sys/queue.h>

enum {
	HEADERS_MAX = 256 << 10, /* bytes of all header lines of a reply */
	RETRY_AFTER_MAX_S = 24 * 3600,
};

struct http {
	struct loop *loop;
	struct session *current;
	LIST_HEAD(, session) retired; /* freed when their last call has ended */
	LIST_HEAD(, http_call) calls;
	char *proxy;
	bool freed; /* from within libcurl: waits for the next turn */
};

struct http_call {
	LIST_ENTRY(http_call) link;
	struct http *http;
	struct session *session;
	http_done_fn *done;
	http_chunk_fn *chunk;
	void *arg;

	CURL *easy; /* NULL when the transfer is over */
	struct setup setup;
	bool added;     /* libcurl works on it */
	bool cancelled; /* from within libcurl: waits to be discarded */

	struct timer *late; /* NULL: no limit */
	int64_t begin_ms;

	int status;
	int64_t retry_after_ms;
	char *content_type;
	size_t header_bytes;
	struct buf body;
	struct err err;
};

static void ended(void *arg, int result);
static void destroy(struct http *http);

/* Frees what could not be freed while libcurl was working with it. */
static void tidy(void *arg)
{
	struct http *http = arg;
	struct session *next;

	if (http->freed) {
		destroy(http);
		return;
	}
	for (struct session *s = LIST_FIRST(&http->retired); s != NULL; s = next) {
		next = LIST_NEXT(s, link);
		if (s->calls > 0)
			continue;
		LIST_REMOVE(s, link);
		session_free(s);
	}
}

static void tidy_later(struct http *http)
{
	loop_undefer(http->loop, http);
	loop_defer(http->loop, tidy, http);
}

/* ---- the end of a call ---- */

static void hang_up(struct http_call *call)
{
	struct session *s = call->session;

	timer_free(call->late);
	call->late = NULL;
	if (call->easy == NULL)
		return;
	if (call->added)
		mux_remove(s->mux, call->easy);
	mux_give(s->mux, call->easy);
	call->easy = NULL;
	s->calls--;
	if (s->calls == 0 && s != call->http->current)
		tidy_later(call->http);
}

static void call_free(struct http_call *call)
{
	setup_done(&call->setup);
	free(call->content_type);
	buf_done(&call->body);
	free(call);
}

static void discard(void *arg)
{
	struct http_call *call = arg;

	hang_up(call);
	LIST_REMOVE(call, link);
	call_free(call);
}

static void deliver(void *arg)
{
	struct http_call *call = arg;
	struct http_reply reply = {
	    .status = call->status,
	    .body = call->body.data,
	    .len = call->body.len,
	    .retry_after_ms = call->retry_after_ms,
	    .content_type = call->content_type == NULL ? "" : call->content_type,
	};
	bool failed = call->err.kind != ERR_NONE;

	hang_up(call);
	LIST_REMOVE(call, link);
	if (failed)
		err_wrap(&call->err, "%s", call->setup.target);
	/* The callee may free the client: from here on the call stands alone. */
	call->done(call->arg, failed ? NULL : &reply, failed ? &call->err : NULL);
	call_free(call);
}

static void read_facts(struct http_call *call)
{
	curl_off_t retry_after = 0;
	char *type = NULL;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	if (retry_after < 0) /* a date that has passed */
		retry_after = 0;
	if (retry_after > RETRY_AFTER_MAX_S)
		retry_after = RETRY_AFTER_MAX_S;
	call->status = (int)status;
	call->retry_after_ms = retry_after * 1000;
	call->content_type = type == NULL ? NULL : xstrdup(type);
}

/* libcurl quotes the URL of a proxy that it cannot read, password and all. */
static bool quotes_url(const char *problem)
{
	return strchr(problem, '@') != NULL || strstr(problem, "://") != NULL;
}

/* Always RETRY: a certificate that is not trusted, too, is repaired at the server or in our
 * configuration, and then the same request works. */
static void tell_problem(struct http_call *call, int result)
{
	const char *problem = call->setup.problem;
	long number = 0;

	if (*problem == '\0' || quotes_url(problem))
		problem = curl_easy_strerror((CURLcode)result);
	if (result == CURLE_COULDNT_CONNECT) /* libcurl 7.88 does not say why */
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	err_set(&call->err, ERR_RETRY, "%s%s%s", problem, number == 0 ? "" : ": ",
		number == 0 ? "" : strerror((int)number));
}

/* From the mux: libcurl is done with the transfer. */
static void ended(void *arg, int result)
{
	struct http_call *call = arg;

	if (call->cancelled)
		return; /* it is discarded in the next turn */
	if (result == CURLE_OK)
		read_facts(call);
	else if (call->err.kind == ERR_NONE)
		tell_problem(call, result);
	hang_up(call);
	loop_defer(call->http->loop, deliver, call);
}

/* No callback from now on. */
static void mute(struct http_call *call)
{
	loop_undefer(call->http->loop, call);
	timer_free(call->late);
	call->late = NULL;
	call->cancelled = true;
}

void http_cancel(struct http_call *call)
{
	mute(call);
	if (mux_busy(call->session->mux))
		loop_defer(call->http->loop, discard, call);
	else
		discard(call);
}

/* ---- while it runs ---- */

/* CURLOPT_HEADERFUNCTION */
static size_t receive_header(char *bytes UNUSED, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;

	call->header_bytes += size * count;
	if (call->header_bytes <= HEADERS_MAX)
		return size * count;
	err_set(&call->err, ERR_LIMIT, "expected at most %d bytes of headers, found more",
		HEADERS_MAX);
	return 0;
}

static bool is_streamed(const struct http_call *call)
{
	long status = 0;

	if (call->chunk == NULL)
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status <= 299;
}

static int receive_piece(struct http_call *call, const char *bytes, size_t len)
{
	struct err err = ERR_INIT;

	if (call->chunk(call->arg, bytes, len, &err) == 0)
		return 0;
	if (err.kind == ERR_NONE)
		err_set(&err, ERR_BUG, "the body was refused without a reason");
	call->err = err;
	return -1;
}

/* CURLOPT_WRITEFUNCTION: decoded bytes; to return another count than theirs ends the transfer. */
static size_t receive_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;

	if (call->cancelled)
		return 0;
	if (is_streamed(call))
		return receive_piece(call, bytes, len) == 0 ? len : 0;
	if (buf_add(&call->body, bytes, len) == 0)
		return len;
	err_set(&call->err, ERR_LIMIT, "expected at most %zu bytes of body, found more",
		call->body.max);
	return 0;
}

static void check_begun(void *arg)
{
	struct http_call *call = arg;

	if (call->header_bytes > 0)
		return;
	err_set(&call->err, ERR_RETRY, "no reply within %lld ms", (long long)call->begin_ms);
	deliver(call);
}

static void begin(void *arg)
{
	struct http_call *call = arg;

	if (call->begin_ms > 0) {
		call->late = timer_new(call->http->loop, check_begun, call);
		timer_set(call->late, call->begin_ms);
	}
	mux_add(call->session->mux, call->easy);
	call->added = true;
}

struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn *done, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	struct session *s = http->current;
	bool ok;

	call->http = http;
	call->session = s;
	call->done = done;
	call->chunk = request->chunk;
	call->arg = arg;
	call->begin_ms = request->begin_ms;
	call->body = (struct buf)BUF_INIT(request->max_reply);
	call->easy = mux_take(s->mux);
	s->calls++;
	LIST_INSERT_HEAD(&http->calls, call, link);
	ok = setup_fill(&call->setup, call->easy, request, &s->tls, http->proxy, &call->err) == 0;
	EASY_SET(call->easy, CURLOPT_PRIVATE, call);
	EASY_SET(call->easy, CURLOPT_HEADERFUNCTION, receive_header);
	EASY_SET(call->easy, CURLOPT_HEADERDATA, call);
	EASY_SET(call->easy, CURLOPT_WRITEFUNCTION, receive_body);
	EASY_SET(call->easy, CURLOPT_WRITEDATA, call);
	/* Not now: done must not come before we return, and we may be within libcurl. */
	loop_defer(http->loop, ok ? begin : deliver, call);
	return call;
}

/* ---- the client ---- */

struct http *http_new(struct loop *loop)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->loop = loop;
	http->current = session_new(loop, ended, &(struct http_tls){0});
	return http;
}

void http_set_tls(struct http *http, const struct http_tls *tls)
{
	struct session *old = http->current;

	http->current = session_new(http->loop, ended, tls);
	LIST_INSERT_HEAD(&http->retired, old, link);
	if (old->calls == 0)
		tidy_later(http);
}

void http_set_proxy(struct http *http, const char *url)
{
	free(http->proxy);
	http->proxy = url == NULL || *url == '\0' ? NULL : xstrdup(url);
}

static void destroy(struct http *http)
{
	struct http_call *next;

	for (struct http_call *call = LIST_FIRST(&http->calls); call != NULL; call = next) {
		next = LIST_NEXT(call, link);
		http_cancel(call);
	}
	loop_undefer(http->loop, http);
	http->freed = false;
	tidy(http);
	session_free(http->current);
	free(http->proxy);
	free(http);
}

static bool is_busy(const struct http *http)
{
	const struct session *s;

	LIST_FOREACH(s, &http->retired, link)
	{
		if (mux_busy(s->mux))
			return true;
	}
	return mux_busy(http->current->mux);
}

void http_free(struct http *http)
{
	struct http_call *call;

	if (http == NULL)
		return;
	if (!is_busy(http)) {
		destroy(http);
		return;
	}
	LIST_FOREACH(call, &http->calls, link)
	mute(call);
	http->freed = true;
	tidy_later(http);
}
