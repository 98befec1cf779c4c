#include "runner/endpoint.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "runner/judge.h"
#include "runner/sigv4.h"

enum { VALUE_MAX = 1 << 20, NAME_MAX_LEN = 253 };

static const char default_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void endpoint_done(struct endpoint *endpoint)
{
	free(endpoint->url);
	wipe(endpoint->authorization);
	if (endpoint->peer.aws != NULL)
		sigv4_key_done(endpoint->peer.aws);
	free(endpoint->peer.aws);
	wipe(endpoint->peer.proxy);
	wipe(endpoint->peer.key);
	free(endpoint->peer.ca);
	free(endpoint->peer.cert);
	*endpoint = (struct endpoint){0};
}

static void move(struct endpoint *to, struct endpoint *from)
{
	*to = *from;
	*from = (struct endpoint){0};
}

char *endpoint_join(const struct endpoint *endpoint, const char *path)
{
	size_t len = strlen(endpoint->url);

	if (len > 0 && endpoint->url[len - 1] == '/')
		len--;
	if (*path == '\0')
		return xstrndup(endpoint->url, len);
	return xasprintf("%.*s/%s", (int)len, endpoint->url, *path == '/' ? path + 1 : path);
}

/* ---- the values of a Secret ---- */

/* The decoded value of a key, NULL in *out when it is absent or empty. */
static int value_of(const struct json *data, const char *key, char **out, struct err *err)
{
	const struct json *value = json_get(data, key);
	struct buf bytes = BUF_INIT(VALUE_MAX);
	const char *text = json_str(value);

	if (value == NULL || (text != NULL && *text == '\0')) {
		*out = NULL;
		return 0;
	}
	if (text == NULL || base64_decode(text, strlen(text), &bytes, err) < 0) {
		buf_done(&bytes);
		return err_set(err, ERR_INVALID, "key %s: expected base64", key);
	}
	if (memchr(bytes.data, '\0', bytes.len) != NULL) {
		buf_done(&bytes);
		return err_set(err, ERR_INVALID, "key %s: expected text, found a NUL byte", key);
	}
	*out = buf_steal(&bytes);
	return 0;
}

/* As value_of, for what goes into a header or a URL. */
static int line_of(const struct json *data, const char *key, char **out, struct err *err)
{
	char *value = NULL;

	if (value_of(data, key, &value, err) < 0)
		return -1;
	for (const char *p = value; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x20 && *p != 0x7F)
			continue;
		err_set(err, ERR_INVALID, "key %s: expected one line of text, found %s", key,
			p[1] == '\0' && *p == '\n' ? "a newline at its end"
						   : "a control character");
		wipe(value);
		return -1;
	}
	*out = value;
	return 0;
}

/* As value_of, for a PEM text that may be base64 once more, broken into lines or not. */
static int pem_of(const struct json *data, const char *key, char **out, struct err *err)
{
	auto_buf struct buf packed = BUF_INIT(VALUE_MAX), pem = BUF_INIT(VALUE_MAX);
	char *value = NULL;

	if (value_of(data, key, &value, err) < 0)
		return -1;
	if (value == NULL || has_prefix(value, "-----BEGIN")) {
		*out = value;
		return 0;
	}
	for (const char *p = value; *p != '\0'; p++)
		if (strchr(" \t\r\n", *p) == NULL)
			buf_addc(&packed, *p);
	wipe(value);
	if (base64_decode(packed.data, packed.len, &pem, err) < 0 ||
	    strstr(pem.data, "-----BEGIN") == NULL)
		return err_set(err, ERR_INVALID, "key %s: expected PEM, or base64 of PEM", key);
	*out = buf_steal(&pem);
	return 0;
}

/* As Go's strconv.ParseBool: what is no bool is false. */
static bool is_true(const char *text)
{
	static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True"};

	for (size_t i = 0; text != NULL && i < ARRAY_LEN(words); i++)
		if (streq(text, words[i]))
			return true;
	return false;
}

static char *basic(const char *username, const char *password)
{
	auto_buf struct buf encoded = BUF_INIT(VALUE_MAX);
	char *plain = xasprintf("%s:%s", username != NULL ? username : "", password);

	base64_encode(plain, strlen(plain), &encoded);
	wipe(plain);
	return xasprintf("Basic %s", encoded.data);
}

static int read_credentials(const struct json *data, struct endpoint *out, struct err *err)
{
	char *username = NULL, *password = NULL, *token = NULL;
	int rc = -1;

	if (line_of(data, "username", &username, err) < 0 ||
	    line_of(data, "password", &password, err) < 0 ||
	    line_of(data, "token", &token, err) < 0)
		goto done;
	if (password != NULL && token != NULL) {
		err_set(err, ERR_INVALID, "expected password or token, found both: remove one");
		goto done;
	}
	if (password != NULL)
		out->authorization = basic(username, password);
	else if (token != NULL)
		out->authorization = xasprintf("Bearer %s", token);
	rc = 0;
done:
	wipe(username);
	wipe(password);
	wipe(token);
	return rc;
}

static int read_aws(const struct json *data, struct sigv4_key *aws, struct err *err)
{
	if (line_of(data, "aws-access-key", &aws->access, err) < 0 ||
	    line_of(data, "aws-secret-key", &aws->secret, err) < 0 ||
	    line_of(data, "aws-session-token", &aws->token, err) < 0 ||
	    line_of(data, "aws-region", &aws->region, err) < 0 ||
	    line_of(data, "aws-service", &aws->service, err) < 0)
		return -1;
	if ((aws->access == NULL) != (aws->secret == NULL))
		return err_set(err, ERR_INVALID,
			       "expected aws-access-key and aws-secret-key, found only one");
	if (aws->region == NULL)
		aws->region = xstrdup("us-east-1");
	if (aws->service == NULL)
		aws->service = xstrdup("s3");
	return 0;
}

/* Sign requests, where the Secret has the keys for it. */
static int read_signing(const struct json *data, struct endpoint *out, struct err *err)
{
	struct sigv4_key aws = {.access = NULL};
	int rc = read_aws(data, &aws, err);

	if (rc == 0 && aws.access != NULL && out->authorization != NULL)
		rc = err_set(err, ERR_INVALID,
			     "expected aws-access-key, password or token, found two of them: "
			     "remove one");
	if (rc < 0 || aws.access == NULL) {
		sigv4_key_done(&aws);
		return rc;
	}
	out->peer.aws = xmalloc(sizeof(aws));
	*out->peer.aws = aws;
	return 0;
}

static int read_server(const struct json *data, struct endpoint *out, struct err *err)
{
	if (line_of(data, "server-url", &out->url, err) < 0 ||
	    line_of(data, "proxy-url", &out->peer.proxy, err) < 0)
		return -1;
	if (out->url == NULL)
		return err_set(err, ERR_INVALID, "expected the key server-url, found none");
	if (http_url_check(out->url, err) < 0)
		return err_wrap(err, "key server-url");
	return 0;
}

static int read_tls(const struct json *data, struct endpoint *out, struct err *err)
{
	auto_free char *insecure = NULL, *debug = NULL;
	struct http_peer *peer = &out->peer;

	if (pem_of(data, "certificate-authority-data", &peer->ca, err) < 0 ||
	    pem_of(data, "client-certificate-data", &peer->cert, err) < 0 ||
	    pem_of(data, "client-key-data", &peer->key, err) < 0 ||
	    line_of(data, "insecure", &insecure, err) < 0 ||
	    line_of(data, "debug", &debug, err) < 0)
		return -1;
	if ((peer->cert == NULL) != (peer->key == NULL))
		return err_set(
		    err, ERR_INVALID,
		    "expected client-certificate-data and client-key-data, found only one");
	peer->insecure = is_true(insecure);
	peer->debug = is_true(debug);
	return 0;
}

int endpoint_from_secret(const struct json *secret, struct endpoint *out, struct err *err)
{
	const struct json *data = json_get(secret, "data");
	auto_endpoint struct endpoint found = {0};

	if (read_server(data, &found, err) < 0 || read_credentials(data, &found, err) < 0 ||
	    read_signing(data, &found, err) < 0 || read_tls(data, &found, err) < 0)
		return -1;
	move(out, &found);
	return 0;
}

/* ---- reading the Secret ---- */

static int read_account_file(const char *name, char **out, struct err *err)
{
	const char *dir = getenv("KSERVE_SERVICEACCOUNT_DIR");
	auto_free char *path = xasprintf("%s/%s", dir != NULL ? dir : default_dir, name);
	struct buf text = BUF_INIT(VALUE_MAX);

	if (file_read(path, &text, err) < 0) {
		buf_done(&text);
		return -1;
	}
	while (text.len > 0 && (unsigned char)text.data[text.len - 1] <= ' ')
		text.data[--text.len] = '\0';
	*out = buf_steal(&text);
	return 0;
}

/* Where the Kubernetes API is, or NULL. */
static char *api_url(struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT");

	if (host == NULL || *host == '\0') {
		err_set(
		    err, ERR_INVALID,
		    "expected KUBERNETES_SERVICE_HOST in the environment, found none: the runner "
		    "must run in a pod");
		return NULL;
	}
	if (has_prefix(host, "http://") || has_prefix(host, "https://"))
		return xstrdup(host);
	return xasprintf(strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host,
			 port != NULL && *port != '\0' ? port : "443");
}

/* The API as an endpoint: its address, its CA and who we are to it. */
static int api_server(struct endpoint *out, struct err *err)
{
	auto_endpoint struct endpoint api = {.url = api_url(err)};
	auto_free char *token = NULL;

	if (api.url == NULL)
		return -1;
	if (has_prefix(api.url, "https://") && read_account_file("ca.crt", &api.peer.ca, err) < 0)
		return -1;
	if (read_account_file("token", &token, err) < 0) {
		if (has_prefix(api.url, "https://") || err->kind != ERR_NOT_FOUND)
			return -1;
	} else {
		api.authorization = xasprintf("Bearer %s", token);
		explicit_bzero(token, strlen(token));
	}
	move(out, &api);
	return 0;
}

/* Names go into a URL: what is no DNS name must not. */
static int check_name(const char *kind, const char *name, struct err *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	if (len == 0 || len > NAME_MAX_LEN || name[len] != '\0' || name[0] == '.')
		return err_set(err, ERR_INVALID, "expected a DNS name for the %s, found \"%s\"",
			       kind, name);
	return 0;
}

static int get_secret(const struct endpoint *api, const char *namespace, const char *name,
		      struct http_reply *reply, struct fault *fault)
{
	auto_free char *path = xasprintf("/api/v1/namespaces/%s/secrets/%s", namespace, name);
	auto_free char *url = endpoint_join(api, path);
	struct http_headers headers = {0};
	struct http_request request = {
	    .method = "GET", .url = url, .peer = &api->peer, .headers = &headers};
	int rc;

	http_header_set(&headers, "Accept", "application/json");
	if (api->authorization != NULL)
		http_header_set(&headers, "Authorization", api->authorization);
	rc = http_call(&request, reply, &fault->err);
	http_headers_done(&headers);
	if (rc < 0)
		return judge_no_answer(reply, REASON_SECRET_UNAVAILABLE, fault);
	if (judge_status(reply, "the Kubernetes API", REASON_SECRET_UNAVAILABLE,
			 REASON_SECRET_UNAVAILABLE, fault) == 0)
		return 0;
	if (reply->status == 404)
		return fault_as(fault, REASON_SECRET_NOT_FOUND);
	if (reply->status == 401 || reply->status == 403) {
		err_wrap(&fault->err, "the service account needs the verb get on this Secret");
		return fault_as(fault, REASON_SECRET_FORBIDDEN);
	}
	return -1;
}

static int load(const char *namespace, const char *name, struct endpoint *out, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_endpoint struct endpoint api = {0};
	auto_json struct json *secret = NULL;

	if (check_name("namespace", namespace, &fault->err) < 0 ||
	    check_name("name", name, &fault->err) < 0)
		return fault_as(fault, REASON_SECRET_INVALID);
	if (api_server(&api, &fault->err) < 0)
		return fault_as(fault, REASON_SECRET_UNAVAILABLE);
	if (get_secret(&api, namespace, name, &reply, fault) < 0)
		return -1;
	secret = json_parse(reply.body.data, reply.body.len, &fault->err);
	explicit_bzero(reply.body.data, reply.body.len);
	if (secret == NULL || endpoint_from_secret(secret, out, &fault->err) < 0)
		return fault_as(fault, REASON_SECRET_INVALID);
	return 0;
}

int endpoint_load(const char *namespace, const char *name, struct endpoint *out,
		  struct fault *fault)
{
	auto_free char *own = NULL;

	if (*namespace == '\0') {
		if (read_account_file("namespace", &own, &fault->err) < 0)
			return fault_as(fault, REASON_SECRET_INVALID);
		namespace = own;
	}
	if (load(namespace, name, out, fault) == 0) {
		if (out->peer.insecure)
			log_warn("the endpoint's certificate is not verified", "secret", name);
		return 0;
	}
	return err_wrap(&fault->err, "Secret %s/%s", namespace, name);
}
