#include "runner/http.h"

#include <poll.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/log.h"
#include "base/timefmt.h"

enum { CONNECT_MS = 10 * 1000, RETRY_AFTER_MAX_MS = 30 * 1000, SLICE_MS = 100 };

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

/* ---- headers ---- */

static char **find_header(const struct http_headers *headers, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < headers->count; i++)
		if (strncasecmp(headers->lines[i], name, len) == 0 && headers->lines[i][len] == ':')
			return &headers->lines[i];
	return NULL;
}

void http_header_set(struct http_headers *headers, const char *name, const char *value)
{
	char **line = find_header(headers, name);

	if (line == NULL) {
		headers->lines =
		    xrealloc(headers->lines, (headers->count + 1) * sizeof(*headers->lines));
		line = &headers->lines[headers->count++];
		*line = NULL;
	}
	free(*line);
	*line = xasprintf("%s: %s", name, value);
}

bool http_header_has(const struct http_headers *headers, const char *name)
{
	return find_header(headers, name) != NULL;
}

void http_headers_done(struct http_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		explicit_bzero(headers->lines[i], strlen(headers->lines[i]));
		free(headers->lines[i]);
	}
	free(headers->lines);
	*headers = (struct http_headers){0};
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool http_header_valid(const char *name, const char *value)
{
	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (!is_alnum(*name) && strchr("!#$%&'*+-.^_`|~", *name) == NULL)
			return false;
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7F)
			return false;
	return true;
}

/* libcurl takes "Name: " as a wish to leave the header out; "Name;" sends it without a value. */
static char *line_for_curl(const char *line)
{
	size_t len = strlen(line);

	if (len > 2 && streq(line + len - 2, ": "))
		return xasprintf("%.*s;", (int)(len - 2), line);
	return xstrdup(line);
}

static struct curl_slist *header_list(const struct http_headers *headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; headers != NULL && i < headers->count; i++) {
		auto_free char *line = line_for_curl(headers->lines[i]);

		list = curl_slist_append(list, line);
	}
	return list;
}

/* ---- URLs ---- */

int http_url_check(const char *url, struct err *err)
{
	auto_free char *safe = NULL;
	CURLU *parts = curl_url();
	bool good = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;

	curl_url_cleanup(parts);
	if (good && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0))
		return 0;
	safe = http_url_safe(url);
	return err_set(err, ERR_INVALID, "expected an http:// or https:// URL, found \"%s\"", safe);
}

char *http_url_safe(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme != NULL ? scheme + 3 : url;
	size_t len = strcspn(host, "?#");
	const char *at = memrchr(host, '@', strcspn(host, "/?#"));
	const char *start = at != NULL ? at + 1 : host;

	return xasprintf("%.*s%.*s", (int)(host - url), url, (int)(host + len - start), start);
}

/* ---- one try ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_reply *reply = arg;

	return buf_add(&reply->body, bytes, size * count) == 0 ? size * count : 0;
}

static int on_progress(void *arg, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED,
		       curl_off_t d UNUSED)
{
	const struct http_request *request = arg;

	return http_stop && !request->once;
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

static void set_request(CURL *easy, const struct http_request *request, struct http_reply *reply)
{
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "kserve-runner/" VERSION);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
	if (request->body != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->peer != NULL)
		set_peer(easy, request->peer);
}

/* Bad certificates stay bad; everything else on the way may pass. */
static enum err_kind kind_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_WRITE_ERROR:
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

static int explain(const struct http_request *request, const struct http_reply *reply,
		   CURLcode code, const char *detail, struct err *err)
{
	auto_free char *url = http_url_safe(request->url);

	if (reply->interrupted)
		return err_set(err, ERR_RETRY, "%s %s: interrupted by a signal", request->method,
			       url);
	if (code == CURLE_WRITE_ERROR)
		return err_set(err, ERR_LIMIT,
			       "%s %s: expected a reply of at most %zu bytes, found more",
			       request->method, url, reply->body.max);
	if (code == CURLE_OPERATION_TIMEDOUT && reply->sent)
		return err_set(err, ERR_RETRY,
			       "%s %s: expected an answer within %lld s, found none",
			       request->method, url, (long long)(call_timeout_ms / 1000));
	return err_set(err, kind_of(code), "%s %s: %s", request->method, url,
		       *detail != '\0' ? detail : curl_easy_strerror(code));
}

/* Also says when the server wants to be asked again, -1 if it does not say. */
static int try_once(const struct http_request *request, struct http_reply *reply, bool *again,
		    int64_t *retry_ms, struct err *err)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *list = header_list(request->headers);
	char detail[CURL_ERROR_SIZE] = "";
	curl_off_t after = 0, connected = 0;
	long status = 0;
	CURLcode code;

	buf_clear(&reply->body);
	set_request(easy, request, reply);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	curl_easy_cleanup(easy);
	curl_slist_free_all(list);

	reply->sent = connected > 0;
	reply->interrupted = code == CURLE_ABORTED_BY_CALLBACK;
	reply->status = code == CURLE_OK ? (int)status : 0;
	*retry_ms = after > 0 ? after * 1000 : -1;
	if (code == CURLE_OK) {
		*again = http_status_passing(reply->status) && !request->once;
		return 0;
	}
	*again = kind_of(code) == ERR_RETRY && !reply->interrupted &&
		 (!reply->sent || (!request->once && code != CURLE_OPERATION_TIMEDOUT));
	return explain(request, reply, code, detail, err);
}

/* ---- with retries ---- */

bool http_status_passing(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static void wait_ms(int64_t ms)
{
	int64_t end = time_mono_ms() + ms;

	for (int64_t left = ms; left > 0 && !http_stop; left = end - time_mono_ms())
		poll(NULL, 0, left < SLICE_MS ? (int)left : SLICE_MS);
}

static void log_retry(const struct http_request *request, const struct http_reply *reply,
		      int64_t wait, const struct err *err)
{
	auto_free char *url = http_url_safe(request->url);
	bool answered = reply->status != 0;

	log_warn("call failed, trying again", "method", request->method, "url", url, "status",
		 answered ? log_num(reply->status) : NULL, "error", answered ? NULL : err->msg,
		 "wait_ms", log_num(wait));
}

int http_call(const struct http_request *request, struct http_reply *reply, struct err *err)
{
	int64_t delay = retry_delay_ms;

	for (int left = HTTP_TRIES - 1;; left--, delay *= 2) {
		int64_t wanted = -1, wait;
		bool again = false;
		int rc;

		rc = try_once(request, reply, &again, &wanted, err);
		if (!again || left == 0)
			return rc;
		wait = wanted < 0                    ? delay
		       : wanted < RETRY_AFTER_MAX_MS ? wanted
						     : RETRY_AFTER_MAX_MS;
		log_retry(request, reply, wait, err);
		wait_ms(wait);
		if (http_stop) {
			reply->interrupted = true;
			return explain(request, reply, CURLE_ABORTED_BY_CALLBACK, "", err);
		}
	}
}

void http_reply_done(struct http_reply *reply)
{
	buf_done(&reply->body);
}
