#include "net/http_setup.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	CONNECT_MS = 10000,
	RECEIVE_BUFFER = 16 << 10,
	SEND_BUFFER = 16 << 10,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_PROBE_S = 15,
	USER_TIMEOUT_MS = 60000,     /* keepalive is silent while data is unacknowledged */
	CONNECTION_LIFE_S = 15 * 60, /* so that load spreads over API servers that came later */
};

_Static_assert((int)SETUP_PROBLEM_MAX >= (int)CURL_ERROR_SIZE, "libcurl writes so much");

/* CURLOPT_SOCKOPTFUNCTION */
static int prepare_socket(void *arg UNUSED, curl_socket_t fd, curlsocktype purpose UNUSED)
{
	unsigned ms = USER_TIMEOUT_MS;

	/* Both are improvements only: a socket without them works. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

static void set_transport(CURL *easy, const struct http_request *request)
{
	EASY_SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	EASY_SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	EASY_SET(easy, CURLOPT_NOSIGNAL, 1L);
	EASY_SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	EASY_SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	EASY_SET(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	EASY_SET(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
	/* An improvement only. It is refused where the last transfer of this handle ended before it
	 * was connected, such as by a time-out of the resolver: libcurl has then kept the buffer.
	 */
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	EASY_SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
	EASY_SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	EASY_SET(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	EASY_SET(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_PROBE_S);
	EASY_SET(easy, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
	/* Without it, ending a call while its host name is being resolved would wait, with the
	 * whole loop, for the resolver's thread. */
	EASY_SET(easy, CURLOPT_QUICK_EXIT, 1L);
}

static void set_pem(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY};

	if (pem == NULL)
		return;
	blob.data = (void *)pem; /* not written to */
	blob.len = strlen(pem);
	EASY_SET(easy, option, &blob);
}

static void set_tls(CURL *easy, const struct http_tls *tls)
{
	EASY_SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	EASY_SET(easy, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
	EASY_SET(easy, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
	set_pem(easy, CURLOPT_CAINFO_BLOB, tls->ca);
	/* The folder of the system's certificates would be trusted beside our own. */
	if (tls->ca != NULL)
		EASY_SET(easy, CURLOPT_CAPATH, NULL);
	set_pem(easy, CURLOPT_SSLCERT_BLOB, tls->cert);
	set_pem(easy, CURLOPT_SSLKEY_BLOB, tls->key);
}

static void append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		abort();
	*list = longer;
}

static bool has_header(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *h = request->headers; h != NULL && *h != NULL; h++) {
		if (strncasecmp(*h, name, len) == 0 && (*h)[len] == ':')
			return true;
	}
	return false;
}

static int set_headers(struct setup *setup, CURL *easy, const struct http_request *request,
		       struct err *err)
{
	for (const char *const *h = request->headers; h != NULL && *h != NULL; h++) {
		if (strpbrk(*h, "\r\n") != NULL || strchr(*h, ':') == NULL)
			return err_set(
			    err, ERR_INVALID,
			    "expected a header as one line \"Name: value\", found another "
			    "text");
		append(&setup->headers, *h);
	}
	append(&setup->headers, "Expect:"); /* else bodies over 1 MiB wait for 100 Continue */
	if (!has_header(request, "Content-Type"))
		append(&setup->headers, "Content-Type:"); /* else libcurl calls a body a form */
	EASY_SET(easy, CURLOPT_HTTPHEADER, setup->headers);
	if (request->compressed)
		EASY_SET(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	return 0;
}

static int set_method(CURL *easy, const struct http_request *request, struct err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *method = request->method;
	const char *body = request->body;
	curl_off_t len = (curl_off_t)request->body_len;

	if (*method == '\0' || method[strspn(method, letters)] != '\0')
		return err_set(err, ERR_INVALID,
			       "expected a method in capital letters, found another text");
	/* These say Content-Length: 0 when there is no body (RFC 9110 8.6). */
	if (body == NULL &&
	    (streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH"))) {
		body = "";
		len = 0;
	}
	if (body != NULL) {
		EASY_SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, len);
		EASY_SET(easy, CURLOPT_COPYPOSTFIELDS, body);
	}
	if (streq(method, "HEAD"))
		EASY_SET(easy, CURLOPT_NOBODY, 1L);
	else
		EASY_SET(easy, CURLOPT_CUSTOMREQUEST, method);
	return 0;
}

/* A part of the URL, yours; NULL when it has none. */
static char *part(CURLU *url, CURLUPart which)
{
	char *text = NULL, *own;

	if (curl_url_get(url, which, &text, 0) != CURLUE_OK)
		return NULL;
	own = xstrdup(text);
	curl_free(text);
	return own;
}

/*
 * Expect another name than the host's in the certificate. libcurl takes the expected name, and
 * SNI, from the URL: put it there, and tell apart where to connect and what Host: says.
 */
static int set_server_name(struct setup *setup, CURL *easy, CURLU *url, const char *server_name,
			   const char *authority, bool host_given, struct err *err)
{
	auto_free char *host = part(url, CURLUPART_HOST);
	auto_free char *connect_to = xasprintf("::%s:", host);
	auto_free char *header = xasprintf("Host: %s", authority);
	auto_free char *renamed = NULL;

	if (curl_url_set(url, CURLUPART_HOST, server_name, 0) != CURLUE_OK)
		return err_set(err, ERR_INVALID,
			       "expected a host name as TLS server name, found \"%s\"",
			       server_name);
	renamed = part(url, CURLUPART_URL);
	append(&setup->connect_to, connect_to);
	if (!host_given)
		append(&setup->headers, header);
	EASY_SET(easy, CURLOPT_CONNECT_TO, setup->connect_to);
	EASY_SET(easy, CURLOPT_URL, renamed);
	return 0;
}

static int set_url(struct setup *setup, CURL *easy, CURLU *url, const struct http_request *request,
		   const char *server_name, struct err *err)
{
	CURLUcode code = curl_url_set(url, CURLUPART_URL, request->url, 0);
	auto_free char *scheme = part(url, CURLUPART_SCHEME);
	auto_free char *host = part(url, CURLUPART_HOST);
	auto_free char *port = part(url, CURLUPART_PORT);
	auto_free char *authority = NULL;
	bool https = scheme != NULL && streq(scheme, "https");
	bool known = https || (scheme != NULL && streq(scheme, "http"));

	if (code != CURLUE_OK || !known)
		return err_set(err, ERR_INVALID,
			       "expected a URL such as https://host/path, found another text (%s)",
			       code == CURLUE_OK ? "not http or https" : curl_url_strerror(code));
	authority = xasprintf("%s%s%s", host, port == NULL ? "" : ":", port == NULL ? "" : port);
	free(setup->target);
	setup->target = xasprintf("%s %s://%s", request->method, scheme, authority);
	if (https && server_name != NULL)
		return set_server_name(setup, easy, url, server_name, authority,
				       has_header(request, "Host"), err);
	EASY_SET(easy, CURLOPT_URL, request->url);
	return 0;
}

int setup_fill(struct setup *setup, CURL *easy, const struct http_request *request,
	       const struct http_tls *tls, const char *proxy, struct err *err)
{
	CURLU *url = curl_url();
	int result;

	if (url == NULL)
		abort();
	EASY_SET(easy, CURLOPT_ERRORBUFFER, setup->problem);
	set_transport(easy, request);
	set_tls(easy, tls);
	if (proxy != NULL)
		EASY_SET(easy, CURLOPT_PROXY, proxy);
	setup->target = xstrdup("HTTP request");
	result = set_method(easy, request, err);
	if (result == 0)
		result = set_url(setup, easy, url, request, tls->server_name, err);
	if (result == 0)
		result = set_headers(setup, easy, request, err);
	curl_url_cleanup(url);
	return result;
}

void setup_done(struct setup *setup)
{
	curl_slist_free_all(setup->headers);
	curl_slist_free_all(setup->connect_to);
	free(setup->target);
}
