#include "kube/client_call.h"

#include <sys/queue.h>

#include "base/timefmt.h"
#include "kube/auth.h"
#include "kube/random.h"
#include "kube/reply.h"

struct client {
	struct loop *loop;
	struct http *http;
	struct auth *auth;
	const struct kube_config *config;
	LIST_HEAD(, client_call) calls;
	client_observe_fn *observe;
	void *observe_arg;
};

/* A call waits for one thing at a time: the credentials, the exchange or the end of a pause; then
 * it ends, or begins again with the credentials. */
struct client_call {
	LIST_ENTRY(client_call) link;
	struct client *client;
	const struct client_verb *verb;
	char *path;
	char *body; /* NULL: none */
	int64_t timeout_ms;
	client_done_fn *done;
	client_text_fn *text_done; /* in place of done; or NULL */
	void *arg;

	struct auth_call *credentials;
	struct http_call *exchange;
	struct timer *pause;
	int64_t started_ms;
	int retries;
	bool refreshed; /* after a 401 */

	line_fn *line; /* NULL: no stream */
	struct lines lines;
	bool feeding;   /* lines are in use */
	bool cancelled; /* by its line function: freed when that is over */
};

static void begin(struct client_call *call);

static size_t path_len(const char *path)
{
	return strcspn(path, "?");
}

/* ---- the life of a call ---- */

static void destroy(struct client_call *call)
{
	lines_done(&call->lines);
	free(call->path);
	free(call->body);
	free(call);
}

static void release(struct client_call *call)
{
	LIST_REMOVE(call, link);
	if (call->credentials != NULL)
		auth_cancel(call->credentials);
	if (call->exchange != NULL)
		http_cancel(call->exchange);
	timer_free(call->pause);
	call->cancelled = true;
	if (!call->feeding)
		destroy(call);
}

void client_cancel(struct client_call *call)
{
	if (call != NULL)
		release(call);
}

/* The caller may free everything in done, so that the call goes first. */
static void finish(struct client_call *call, const struct json *object, const struct err *err)
{
	client_done_fn *done = call->done;
	client_text_fn *text_done = call->text_done;
	void *arg = call->arg;

	release(call);
	if (text_done != NULL)
		text_done(arg, NULL, 0, err);
	else
		done(arg, object, err);
}

static void finish_text(struct client_call *call, const char *body, size_t len)
{
	client_text_fn *text_done = call->text_done;
	void *arg = call->arg;

	release(call);
	text_done(arg, body, len, NULL);
}

static void fail(struct client_call *call, const struct err *cause)
{
	struct err err = *cause;

	err_wrap(&err, "%s %.*s", call->verb->name, (int)path_len(call->path), call->path);
	finish(call, NULL, &err);
}

static void resume(void *arg)
{
	begin(arg);
}

/* Those who were told to wait equally long come back apart. */
static void pause_for(struct client_call *call, int64_t ms)
{
	if (call->pause == NULL)
		call->pause = timer_new(call->client->loop, resume, call);
	timer_set(call->pause, ms + random_between(0, ms / 4));
}

static bool wants_retry(const struct client_call *call, const struct http_reply *reply)
{
	return (reply->status == 429 || reply->status == 503) && reply->retry_after_ms > 0 &&
	       reply->retry_after_ms <= CLIENT_PATIENCE_MS && call->line == NULL &&
	       call->retries < CLIENT_RETRIES;
}

static void refused(struct client_call *call, const struct http_reply *reply)
{
	struct err err = ERR_INIT;

	if (reply->status == 401 && !call->refreshed) {
		call->refreshed = true;
		auth_refused(call->client->auth);
		begin(call);
	} else if (wants_retry(call, reply)) {
		call->retries++;
		pause_for(call, reply->retry_after_ms);
	} else {
		reply_error(reply->status, reply->body, reply->len, &err);
		err.retry_ms = reply->retry_after_ms;
		fail(call, &err);
	}
}

static void accepted(struct client_call *call, const struct http_reply *reply)
{
	auto_json struct json *object = NULL;
	struct err err = ERR_INIT;

	if (call->text_done != NULL) {
		finish_text(call, reply->body, reply->len);
		return;
	}
	if (call->line == NULL && reply->len > 0) {
		object = json_parse(reply->body, reply->len, &err);
		if (object == NULL) {
			err_wrap(&err, "expected a JSON reply");
			err.kind = ERR_RETRY; /* whatever stands between us may go away */
			err.status = reply->status;
			fail(call, &err);
			return;
		}
	}
	finish(call, object, NULL);
}

static void exchanged(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct client_call *call = arg;
	struct client *c = call->client;

	call->exchange = NULL;
	if (c->observe != NULL)
		c->observe(c->observe_arg, call->verb->method, reply != NULL ? reply->status : 0,
			   time_mono_ms() - call->started_ms);
	if (reply == NULL)
		fail(call, err);
	else if (reply->status >= 200 && reply->status <= 299)
		accepted(call, reply);
	else
		refused(call, reply);
}

static int one_line(void *arg, const char *line, size_t len, struct err *err)
{
	struct client_call *call = arg;

	if (call->line(call->arg, line, len, err) < 0)
		return -1;
	return call->cancelled ? err_set(err, ERR_RETRY, "cancelled") : 0;
}

static int feed(void *arg, const char *bytes, size_t len, struct err *err)
{
	struct client_call *call = arg;
	int result;

	call->feeding = true;
	result = lines_feed(&call->lines, bytes, len, one_line, call, err);
	call->feeding = false;
	if (call->cancelled)
		destroy(call);
	return result;
}

static void authorized(void *arg, const char *header, const struct err *err)
{
	struct client_call *call = arg;
	auto_free char *url = xasprintf("%s%s", call->client->config->server, call->path);
	const char *headers[5] = {"Accept: application/json",
				  "User-Agent: kserve-controller/" VERSION};
	size_t n = 2;

	call->credentials = NULL;
	if (err != NULL) {
		fail(call, err);
		return;
	}
	if (call->body != NULL)
		headers[n++] = call->verb->content_type;
	if (header != NULL)
		headers[n++] = header;
	call->started_ms = time_mono_ms();
	call->exchange = http_start(call->client->http,
				    &(struct http_request){
					.method = call->verb->method,
					.url = url,
					.headers = headers,
					.body = call->body,
					.body_len = call->body != NULL ? strlen(call->body) : 0,
					.max_reply = CLIENT_REPLY_MAX,
					.timeout_ms = call->timeout_ms,
					.begin_ms = CLIENT_TIMEOUT_MS,
					.compressed = call->line == NULL,
					.chunk = call->line != NULL ? feed : NULL,
				    },
				    exchanged, call);
}

static void begin(struct client_call *call)
{
	call->credentials = auth_start(call->client->auth, authorized, call);
}

struct client_call *client_start(struct client *c, const struct client_request *request)
{
	struct client_call *call = xcalloc(1, sizeof(*call));

	call->client = c;
	call->verb = request->verb;
	call->path = xstrdup(request->path);
	call->body = request->body != NULL ? json_print(request->body) : NULL;
	call->timeout_ms = request->timeout_ms;
	call->line = request->line;
	call->done = request->done;
	call->text_done = request->text_done;
	call->arg = request->arg;
	lines_init(&call->lines);
	LIST_INSERT_HEAD(&c->calls, call, link);
	begin(call);
	return call;
}

/* ---- the client ---- */

struct client *client_new(struct loop *loop, const struct kube_config *config, struct err *err)
{
	struct client *c;

	if (config->server == NULL || *config->server == '\0') {
		err_set(err, ERR_INVALID, "expected the URL of the API server, found none");
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->loop = loop;
	c->config = config;
	c->http = http_new(loop);
	http_set_tls(c->http, &(struct http_tls){.ca = config->ca,
						 .cert = config->cert,
						 .key = config->key,
						 .server_name = config->server_name,
						 .insecure = config->insecure});
	http_set_proxy(c->http, config->proxy);
	c->auth = auth_new(loop, c->http, config);
	return c;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	for (struct client_call *next, *call = LIST_FIRST(&c->calls); call != NULL; call = next) {
		next = LIST_NEXT(call, link);
		client_cancel(call);
	}
	auth_free(c->auth);
	http_free(c->http);
	free(c);
}

void client_observe(struct client *c, client_observe_fn *fn, void *arg)
{
	c->observe = fn;
	c->observe_arg = arg;
}
