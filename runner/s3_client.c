#include "runner/s3_client.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "runner/field.h"
#include "runner/http_try.h"
#include "runner/judge.h"
#include "runner/retry.h"
#include "runner/sigv4.h"
#include "runner/uri.h"
#include "runner/xml.h"

enum { BUCKET_MIN = 3, BUCKET_MAX = 63 };

enum reason s3_unavailable(const struct s3_client *client)
{
	return client->side == SIDE_INPUT ? REASON_INPUT_UNAVAILABLE : REASON_OUTPUT_UNAVAILABLE;
}

enum reason s3_rejected(const struct s3_client *client)
{
	return client->side == SIDE_INPUT ? REASON_INPUT_REJECTED : REASON_OUTPUT_REJECTED;
}

/* ---- settings ---- */

/* It becomes a part of a host name or of a path. */
static int check_bucket(const char *bucket, const char *where, struct err *err)
{
	size_t len =
	    strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	if (bucket[len] == '\0' && len >= BUCKET_MIN && len <= BUCKET_MAX && bucket[0] != '.')
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "%s.bucket: expected %d to %d letters, digits, dots and dashes, found \"%s\"", where,
	    BUCKET_MIN, BUCKET_MAX, bucket);
}

static int check_style(const char *style, const char *where, struct err *err)
{
	if (streq(style, "") || streq(style, "path") || streq(style, "virtual"))
		return 0;
	return err_set(err, ERR_INVALID, "%s.style: expected path or virtual, found \"%s\"", where,
		       style);
}

static int check_reference(const struct json *settings, const char *where, struct err *err)
{
	auto_free char *path = xasprintf("%s.endpointRef", where);
	const struct json *reference;
	const char *ignored;

	if (field_object(settings, where, "endpointRef", &reference, err) < 0 ||
	    field_needed(reference, path, "name", &ignored, err) < 0)
		return -1;
	return field_string(reference, path, "namespace", &ignored, err);
}

int s3_client_check(const struct section *section, struct err *err)
{
	const struct json *settings = section->settings;
	const char *where = section->where, *bucket, *style, *endpoint, *region;

	if (field_needed(settings, where, "bucket", &bucket, err) < 0 ||
	    check_bucket(bucket, where, err) < 0 ||
	    field_string(settings, where, "style", &style, err) < 0 ||
	    check_style(style, where, err) < 0 ||
	    field_string(settings, where, "region", &region, err) < 0 ||
	    field_string(settings, where, "endpoint", &endpoint, err) < 0 ||
	    check_reference(settings, where, err) < 0)
		return -1;
	if (*endpoint != '\0' && http_url_check(endpoint, err) < 0)
		return err_wrap(err, "%s.endpoint", where);
	return 0;
}

/* ---- opening ---- */

/* https://host/ and a bucket: https://host/bucket or https://bucket.host */
static char *bucket_url(const char *server, const char *bucket, bool is_virtual)
{
	const char *host = strstr(server, "://") + 3;
	size_t len = strlen(server);

	while (len > 0 && server[len - 1] == '/')
		len--;
	if (!is_virtual)
		return xasprintf("%.*s/%s", (int)len, server, bucket);
	return xasprintf("%.*s%s.%.*s", (int)(host - server), server, bucket,
			 (int)(server + len - host), host);
}

static int check_key(const struct sigv4_key *key, struct fault *fault)
{
	if (key == NULL)
		return fault_set(fault, REASON_SECRET_INVALID, ERR_INVALID,
				 "expected the keys aws-access-key and aws-secret-key, found none");
	if (streq(key->service, "s3"))
		return 0;
	return fault_set(fault, REASON_SECRET_INVALID, ERR_INVALID,
			 "key aws-service: expected s3, found \"%s\"", key->service);
}

static int load_secret(const struct json *reference, struct endpoint *out, struct fault *fault)
{
	const char *namespace = json_get_str(reference, "namespace", ""),
		   *name = json_get_str(reference, "name", "");

	if (endpoint_load(namespace, name, out, fault) < 0)
		return -1;
	if (check_key(out->peer.aws, fault) < 0)
		return err_wrap(&fault->err, "Secret %s/%s", namespace, name);
	return 0;
}

int s3_client_open(const struct section *section, struct s3_client *out, struct fault *fault)
{
	const struct json *settings = section->settings;
	const char *server = json_get_str(settings, "endpoint", ""),
		   *region = json_get_str(settings, "region", "");
	struct endpoint *endpoint = &out->endpoint;

	out->side = section->side;
	out->bucket = json_get_str(settings, "bucket", "");
	if (load_secret(json_get(settings, "endpointRef"), endpoint, fault) < 0)
		return err_wrap(&fault->err, "%s", section->where);
	if (*region != '\0') {
		free(endpoint->peer.aws->region);
		endpoint->peer.aws->region = xstrdup(region);
	}
	out->base = bucket_url(*server != '\0' ? server : endpoint->url, out->bucket,
			       streq(json_get_str(settings, "style", ""), "virtual"));
	return 0;
}

void s3_client_done(struct s3_client *client)
{
	endpoint_done(&client->endpoint);
	free(client->base);
}

char *s3_url(const struct s3_client *client, const char *key, const char *query)
{
	struct buf url = BUF_INIT(SIZE_MAX / 2);

	buf_addf(&url, "%s/", client->base);
	uri_encode(key, strlen(key), "/", &url);
	if (*query != '\0')
		buf_addf(&url, "?%s", query);
	return buf_steal(&url);
}

/* ---- calls ---- */

bool s3_passing(const struct http_reply *reply)
{
	auto_free char *code = NULL;

	switch (reply->status) {
	case 408:
	case 409:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	case 400:
		code = xml_find(reply->body.data, reply->body.len, "Error/Code");
		return code != NULL && streq(code, "RequestTimeout");
	default:
		return false;
	}
}

bool s3_wait(int tries, struct http_reply *reply, const char *what)
{
	int64_t wait = retry_wait(http_retry_delay(), tries, reply->retry_ms);

	if (tries >= HTTP_TRIES || http_stop)
		return false;
	log_warn("call failed, trying again", "call", what, "status",
		 reply->status != 0 ? log_num(reply->status) : NULL, "wait_ms", log_num(wait));
	http_wait(wait);
	reply->interrupted = http_stop;
	return !http_stop;
}

static int try_call(const struct s3_client *client, const struct s3_call *call,
		    struct http_reply *reply, struct err *err)
{
	struct http_headers headers = {0};
	struct http_request request = {
	    .method = call->method,
	    .url = call->url,
	    .peer = &client->endpoint.peer,
	    .headers = &headers,
	    .body = call->body,
	    .body_len = call->len,
	    .once = call->once,
	    .single = true,
	};
	int rc;

	if (call->extra != NULL)
		http_headers_copy(call->extra, &headers);
	if (call->body != NULL)
		http_header_set(&headers, "Content-Type", call->type);
	rc = http_call(&request, reply, err);
	http_headers_done(&headers);
	return rc;
}

int s3_call(const struct s3_client *client, const struct s3_call *call, struct http_reply *reply,
	    struct fault *fault)
{
	auto_free char *safe = http_url_safe(call->url);
	auto_free char *what = xasprintf("%s %s", call->method, safe);

	for (int tries = 1;; tries++) {
		int rc = try_call(client, call, reply, &fault->err);
		bool again = rc < 0 ? fault->err.kind == ERR_RETRY && !reply->interrupted
				    : s3_passing(reply);

		if (again && !call->once && s3_wait(tries, reply, what))
			continue;
		if (reply->interrupted)
			return fault_set(fault, REASON_INTERRUPTED, ERR_RETRY,
					 "%s: interrupted by a signal", what);
		return rc < 0 ? judge_no_answer(reply, s3_unavailable(client), fault) : 0;
	}
}

/* ---- answers ---- */

static enum err_kind kind_of(const struct http_reply *reply)
{
	if (s3_passing(reply))
		return ERR_RETRY;
	switch (reply->status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	default:
		return ERR_INVALID;
	}
}

/* The region that the server says the bucket is in, if that is not ours. */
static char *other_region(const struct s3_client *client, const struct http_reply *reply)
{
	char *region = http_reply_header(reply, "x-amz-bucket-region");

	if (region == NULL)
		region = xml_find(reply->body.data, reply->body.len, "Error/Region");
	if (region != NULL && !streq(region, client->endpoint.peer.aws->region))
		return region;
	free(region);
	return NULL;
}

static int clocks_differ(const struct http_reply *reply, const char *what, struct fault *fault)
{
	auto_free char *server = xml_find(reply->body.data, reply->body.len, "Error/ServerTime");
	char own[TIME_TEXT_MAX];

	time_format(time_now_ms(), false, own);
	return err_set(&fault->err, ERR_RETRY,
		       "%s: expected a clock that is right within 15 minutes, found %s here and %s "
		       "at the server: set the clock of the node",
		       what, own, server != NULL ? server : "another time");
}

static int explain(const struct s3_client *client, const struct http_reply *reply, const char *what,
		   struct fault *fault)
{
	const struct buf *body = &reply->body;
	auto_free char *code = xml_find(body->data, body->len, "Error/Code"),
		       *says = xml_find(body->data, body->len, "Error/Message"),
		       *region = other_region(client, reply);

	if (region != NULL)
		return err_set(&fault->err, ERR_INVALID,
			       "%s: expected the bucket in region %s, found it in %s: set region",
			       what, client->endpoint.peer.aws->region, region);
	if (code != NULL && streq(code, "RequestTimeTooSkewed"))
		return clocks_differ(reply, what, fault);
	return err_set(&fault->err, kind_of(reply),
		       "%s: expected HTTP status 2xx, found %d%s%s%s%s", what, reply->status,
		       code != NULL ? " " : "", code != NULL ? code : "", says != NULL ? ": " : "",
		       says != NULL ? says : "");
}

int s3_judge(const struct s3_client *client, const struct http_reply *reply, const char *what,
	     struct fault *fault)
{
	if (reply->status >= 200 && reply->status < 300)
		return 0;
	explain(client, reply, what, fault);
	fault->err.status = reply->status;
	return fault_as(fault, fault->err.kind == ERR_RETRY ? s3_unavailable(client)
							    : s3_rejected(client));
}
