#include "runner/s3_object.h"

#include "runner/contract.h"

static const char run_header[] = "x-amz-meta-kserve-run", rows_header[] = "x-amz-meta-kserve-rows";

void s3_run_digest(const struct contract *contract, const char *input, char out[DIGEST_HEX_LEN + 1])
{
	auto_free char *settings = json_print(contract->root);
	auto_free char *text = xasprintf("%s\n%s\n%s", contract_run_key(contract), settings,
					 input != NULL ? input : "");

	digest_sha256(text, strlen(text), out);
}

void s3_head_done(struct s3_head *head)
{
	free(head->etag);
}

/* A number that a header holds; -1 where it holds none. */
static int64_t number_of(const struct http_reply *reply, const char *name)
{
	auto_free char *text = http_reply_header(reply, name);
	char *end;
	long long number;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	number = strtoll(text, &end, 10);
	return *end == '\0' ? number : -1;
}

static void read_head(const struct http_reply *reply, struct s3_head *out)
{
	auto_free char *run = http_reply_header(reply, run_header);

	out->exists = true;
	out->etag = http_reply_header(reply, "ETag");
	out->size = number_of(reply, "Content-Length");
	out->mark.rows = number_of(reply, rows_header);
	snprintf(out->mark.run, sizeof(out->mark.run), "%s", run != NULL ? run : "");
}

int s3_head(const struct s3_client *client, const char *key, struct s3_head *out,
	    struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = s3_url(client, key, "");
	auto_free char *what = xasprintf("HEAD s3://%s/%s", client->bucket, key);
	const struct s3_call call = {.method = "HEAD", .url = url};

	*out = (struct s3_head){.exists = false};
	if (s3_call(client, &call, &reply, fault) < 0)
		return -1;
	if (reply.status == 404)
		return 0;
	if (s3_judge(client, &reply, what, fault) < 0)
		return -1;
	read_head(&reply, out);
	return 0;
}

void s3_mark_headers(const struct s3_mark *mark, bool replace, struct http_headers *out)
{
	char rows[24];

	snprintf(rows, sizeof(rows), "%lld", (long long)mark->rows);
	http_header_set(out, run_header, mark->run);
	http_header_set(out, rows_header, rows);
	if (!replace)
		http_header_set(out, "If-None-Match", "*");
}

int s3_settle(const struct s3_client *client, const char *key, const struct s3_mark *mark,
	      struct fault *fault)
{
	auto_s3_head struct s3_head found = {.exists = false};
	bool own;

	if (s3_head(client, key, &found, fault) < 0)
		return -1;
	own = found.exists && streq(found.mark.run, mark->run);
	if (own && found.mark.rows == mark->rows)
		return 0;
	if (own || !found.exists)
		return fault_set(
		    fault, REASON_OUTPUT_CONFLICT, ERR_RETRY,
		    "s3://%s/%s: expected no object, found one that another attempt of "
		    "this run has written meanwhile",
		    client->bucket, key);
	return fault_set(fault, REASON_OUTPUT_CONFLICT, ERR_CONFLICT,
			 "s3://%s/%s: expected no object, found one that is not of this run: "
			 "remove it, or name another place",
			 client->bucket, key);
}

int s3_put(const struct s3_client *client, const struct s3_put *put, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = s3_url(client, put->key, "");
	auto_free char *what = xasprintf("PUT s3://%s/%s", client->bucket, put->key);
	struct http_headers extra = {0};
	const struct s3_call call = {.method = "PUT",
				     .url = url,
				     .body = put->bytes,
				     .len = put->len,
				     .type = put->type,
				     .extra = &extra,
				     .once = put->once};
	int rc;

	s3_mark_headers(&put->mark, put->replace, &extra);
	rc = s3_call(client, &call, &reply, fault);
	http_headers_done(&extra);
	if (rc < 0)
		return -1;
	if (reply.status == 412)
		return s3_settle(client, put->key, &put->mark, fault);
	return s3_judge(client, &reply, what, fault);
}

int s3_delete(const struct s3_client *client, const char *key, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = s3_url(client, key, "");
	auto_free char *what = xasprintf("DELETE s3://%s/%s", client->bucket, key);
	const struct s3_call call = {.method = "DELETE", .url = url};

	if (s3_call(client, &call, &reply, fault) < 0)
		return -1;
	return reply.status == 404 ? 0 : s3_judge(client, &reply, what, fault);
}
