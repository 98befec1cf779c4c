#include "runner/http_try.h"

#include <poll.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/sigv4.h"

enum { CONNECT_MS = 10 * 1000, SLICE_MS = 100, RETRY_AFTER_MAX_S = 24 * 3600 };

volatile sig_atomic_t http_stop;

static int64_t call_timeout_ms = 120 * 1000;
static int64_t retry_delay_ms = 1000;

static int read_duration(const char *variable, int64_t *ms, struct err *err)
{
	const char *text = getenv(variable);

	if (text == NULL || *text == '\0' || duration_parse(text, ms, err) == 0)
		return 0;
	return err_wrap(err, "environment variable %s", variable);
}

int http_setup(struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return err_set(err, ERR_BUG, "libcurl does not start");
	if (read_duration("KSERVE_CALL_TIMEOUT", &call_timeout_ms, err) < 0)
		return -1;
	return read_duration("KSERVE_RETRY_DELAY", &retry_delay_ms, err);
}

int64_t http_call_timeout(const struct http_request *request)
{
	return request->timeout_ms > 0 ? request->timeout_ms : call_timeout_ms;
}

int64_t http_retry_delay(void)
{
	return retry_delay_ms;
}

void http_wait(int64_t ms)
{
	int64_t end = time_mono_ms() + ms;

	for (int64_t left = ms; left > 0 && !http_stop; left = end - time_mono_ms())
		poll(NULL, 0, left < SLICE_MS ? (int)left : SLICE_MS);
}

/* ---- the handle ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_reply *reply = arg;

	return buf_add(&reply->body, bytes, size * count) == 0 ? size * count : 0;
}

/* The lines of the last header block; a 100 Continue or a proxy's answer may come before it. */
static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_reply *reply = arg;

	if (size * count > 5 && strncmp(bytes, "HTTP/", 5) == 0)
		buf_clear(&reply->headers);
	return buf_add(&reply->headers, bytes, size * count) == 0 ? size * count : 0;
}

static int on_progress(void *arg, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED,
		       curl_off_t d UNUSED)
{
	const struct http_request *request = arg;

	return http_stop && !request->once;
}

/* libcurl takes "Name: " as a wish to leave the header out; "Name;" sends it without a value. */
static char *line_for_curl(const char *line)
{
	size_t len = strlen(line);

	if (len > 2 && streq(line + len - 2, ": "))
		return xasprintf("%.*s;", (int)(len - 2), line);
	return xstrdup(line);
}

/* The headers of the request, and a signature where the peer wants one. */
static void make_headers(const struct http_request *request, struct http_headers *out)
{
	const struct sigv4_key *key = request->peer != NULL ? request->peer->aws : NULL;
	char sha256[DIGEST_HEX_LEN + 1];

	if (request->headers != NULL)
		http_headers_copy(request->headers, out);
	if (key == NULL || http_header_has(out, "Authorization"))
		return;
	digest_sha256(request->body != NULL ? request->body : "", request->body_len, sha256);
	sigv4_sign(key, request->method, request->url, sha256, time_now_ms(), out);
}

static struct curl_slist *header_list(const struct http_request *request)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct http_headers headers = {0};

	make_headers(request, &headers);
	for (size_t i = 0; i < headers.count; i++) {
		auto_free char *line = line_for_curl(headers.lines[i]);

		list = curl_slist_append(list, line);
	}
	http_headers_done(&headers);
	return list;
}

static void set_blob(CURL *easy, CURLoption option, const char *text)
{
	struct curl_blob blob = {
	    .data = (char *)text, .len = strlen(text), .flags = CURL_BLOB_COPY};

	curl_easy_setopt(easy, option, &blob);
}

static void set_peer(CURL *easy, const struct http_peer *peer)
{
	if (peer->proxy != NULL)
		curl_easy_setopt(easy, CURLOPT_PROXY, peer->proxy);
	if (peer->ca != NULL) {
		set_blob(easy, CURLOPT_CAINFO_BLOB, peer->ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (peer->cert != NULL)
		set_blob(easy, CURLOPT_SSLCERT_BLOB, peer->cert);
	if (peer->key != NULL)
		set_blob(easy, CURLOPT_SSLKEY_BLOB, peer->key);
	if (peer->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_body(CURL *easy, const struct http_request *request)
{
	if (request->body != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	}
	if (streq(request->method, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_limits(CURL *easy, const struct http_request *request)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)http_call_timeout(request));
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
}

static void set_reply(CURL *easy, struct http_reply *reply)
{
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, reply);
}

void http_try_begin(struct http_try *try, const struct http_request *request,
		    struct http_reply *reply)
{
	CURL *easy = curl_easy_init();

	*try = (struct http_try){
	    .request = request, .reply = reply, .easy = easy, .lines = header_list(request)};
	buf_clear(&reply->body);
	buf_clear(&reply->headers);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "kserve-runner/" VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, try->lines);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, try->detail);
	set_limits(easy, request);
	set_body(easy, request);
	set_reply(easy, reply);
	if (request->peer != NULL)
		set_peer(easy, request->peer);
}

/* ---- its end ---- */

/* Bad certificates stay bad; everything else on the way may pass. */
static enum err_kind kind_of(int code)
{
	switch (code) {
	case CURLE_WRITE_ERROR:
	case CURLE_OUT_OF_MEMORY:
		return ERR_LIMIT;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_INVALID;
	case CURLE_FAILED_INIT:
	case CURLE_BAD_FUNCTION_ARGUMENT:
		return ERR_BUG;
	default:
		return ERR_RETRY;
	}
}

int http_try_interrupted(const struct http_request *request, struct http_reply *reply,
			 struct err *err)
{
	auto_free char *url = http_url_safe(request->url);

	reply->interrupted = true;
	return err_set(err, ERR_RETRY, "%s %s: interrupted by a signal", request->method, url);
}

/* What libcurl says; but it quotes the URL of a proxy that it cannot read, password and all. */
static const char *detail_of(const struct http_try *try, int code)
{
	bool quotes_url = strchr(try->detail, '@') != NULL || strstr(try->detail, "://") != NULL;

	return *try->detail != '\0' && !quotes_url ? try->detail
						   : curl_easy_strerror((CURLcode)code);
}

int http_try_explain(const struct http_try *try, int code, struct err *err)
{
	const struct http_request *request = try->request;
	auto_free char *url = http_url_safe(request->url);

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return http_try_interrupted(request, try->reply, err);
	/* without memory, says libcurl of a line of more than 100 KiB */
	if ((code == CURLE_WRITE_ERROR && try->reply->headers.full) || code == CURLE_OUT_OF_MEMORY)
		return err_set(err, ERR_LIMIT,
			       "%s %s: expected a header of at most %d bytes, found more",
			       request->method, url, HTTP_HEADER_MAX);
	if (code == CURLE_WRITE_ERROR)
		return err_set(err, ERR_LIMIT,
			       "%s %s: expected a reply of at most %zu bytes, found more",
			       request->method, url, try->reply->body.max);
	if (code == CURLE_OPERATION_TIMEDOUT && try->reply->sent)
		return err_set(
		    err, ERR_RETRY, "%s %s: expected an answer within %lld s, found none",
		    request->method, url, (long long)(http_call_timeout(request) / 1000));
	return err_set(err, kind_of(code), "%s %s: %s", request->method, url, detail_of(try, code));
}

static void fill_reply(const struct http_try *try, int code)
{
	struct http_reply *reply = try->reply;
	curl_off_t after = 0, connected = 0;
	long status = 0;

	curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(try->easy, CURLINFO_RETRY_AFTER, &after);
	curl_easy_getinfo(try->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	reply->sent = connected > 0;
	reply->interrupted = code == CURLE_ABORTED_BY_CALLBACK;
	reply->timed_out = code == CURLE_OPERATION_TIMEDOUT && reply->sent;
	reply->status = code == CURLE_OK ? (int)status : 0;
	reply->retry_ms = after <= 0                  ? -1
			  : after < RETRY_AFTER_MAX_S ? after * 1000
						      : RETRY_AFTER_MAX_S * (int64_t)1000;
}

/* "Accept: application/json, Authorization: ..." */
static char *headers_for_log(const struct http_headers *headers)
{
	static const char *const plain[] = {"Accept", "Content-Type", "Idempotency-Key",
					    "X-Krateo-TraceId"};
	struct buf out = BUF_INIT(HTTP_HEADER_MAX);

	for (size_t i = 0; headers != NULL && i < headers->count; i++) {
		const char *line = headers->lines[i];
		size_t len = strcspn(line, ":");
		bool shown = false;

		for (size_t k = 0; k < ARRAY_LEN(plain); k++)
			shown = shown ||
				(strlen(plain[k]) == len && strncasecmp(plain[k], line, len) == 0);
		buf_addf(&out, "%s%.*s: %s", i > 0 ? ", " : "", (int)len, line,
			 shown ? line + len + 2 : "...");
	}
	return buf_steal(&out);
}

static void log_call(const struct http_try *try)
{
	const struct http_request *request = try->request;
	auto_free char *url = http_url_safe(request->url);
	auto_free char *headers = headers_for_log(request->headers);
	auto_free char *type = http_reply_header(try->reply, "Content-Type");

	log_info("call", "method", request->method, "url", url, "headers", headers, "sent_bytes",
		 log_num((int64_t)request->body_len), "status", log_num(try->reply->status),
		 "content_type", type, "bytes", log_num((int64_t)try->reply->body.len));
}

int http_try_end(struct http_try *try, int code, bool *again, struct err *err)
{
	const struct http_request *request = try->request;
	const struct http_reply *reply = try->reply;
	int rc = 0;

	fill_reply(try, code);
	if (request->peer != NULL && request->peer->debug)
		log_call(try);
	if (code == CURLE_OK) {
		*again = http_status_passing(reply->status) && !request->once;
	} else {
		*again = kind_of(code) == ERR_RETRY && !reply->interrupted &&
			 (!reply->sent || (!request->once && !reply->timed_out));
		rc = http_try_explain(try, code, err);
	}
	curl_easy_cleanup(try->easy);
	curl_slist_free_all(try->lines);
	return rc;
}
