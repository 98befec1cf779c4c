#include "runner/s3_upload.h"

#include "base/log.h"
#include "runner/contract.h"
#include "runner/uri.h"
#include "runner/xml.h"

void s3_upload_init(struct s3_upload *upload, const struct s3_client *client,
		    const struct contract *contract, const struct section *section)
{
	*upload = (struct s3_upload){
	    .client = client,
	    .contract = contract,
	    .key = json_get_str(section->settings, "key", ""),
	    .type = section->format->media,
	    .replace = json_is_true(json_get(section->settings, "overwrite")),
	    .held = BUF_INIT(SIZE_MAX / 2),
	    .finished = BUF_INIT(SIZE_MAX / 2),
	};
}

int s3_upload_begin(struct s3_upload *upload, const char *input, int64_t *rows_done,
		    struct fault *fault)
{
	auto_s3_head struct s3_head head = {.exists = false};

	s3_run_digest(upload->contract, input, upload->mark.run);
	if (s3_head(upload->client, upload->key, &head, fault) < 0)
		return -1;
	upload->whole = head.exists && streq(head.mark.run, upload->mark.run);
	*rows_done = upload->whole ? INT64_MAX : 0;
	if (upload->whole)
		log_info("an earlier attempt has stored everything", "object", upload->key);
	if (!head.exists || upload->whole || upload->replace)
		return 0;
	return fault_set(fault, REASON_OUTPUT_CONFLICT, ERR_CONFLICT,
			 "s3://%s/%s: expected no object, found one that is not of this run: "
			 "remove it, name another key, or set overwrite",
			 upload->client->bucket, upload->key);
}

/* ---- a multipart upload ---- */

/* Do one call of it. what is set in both cases; yours. */
static int call(const struct s3_upload *upload, const struct s3_call *plan, const char *query,
		struct http_reply *reply, struct fault *fault)
{
	auto_free char *url = s3_url(upload->client, upload->key, query);
	struct s3_call made = *plan;

	made.url = url;
	return s3_call(upload->client, &made, reply, fault);
}

static int judge(const struct s3_upload *upload, const struct http_reply *reply, const char *step,
		 struct fault *fault)
{
	auto_free char *what =
	    xasprintf("%s s3://%s/%s", step, upload->client->bucket, upload->key);

	return s3_judge(upload->client, reply, what, fault);
}

/* Of an answer that is not what S3 sends. */
static int strange(const struct s3_upload *upload, const char *expected, struct fault *fault)
{
	return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_INVALID,
			 "s3://%s/%s: expected %s in the server's answer, found none",
			 upload->client->bucket, upload->key, expected);
}

static int begin_multipart(struct s3_upload *upload, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct http_headers extra = {0};
	const struct s3_call plan = {
	    .method = "POST", .body = "", .type = upload->type, .extra = &extra};
	int rc;

	s3_mark_headers(&upload->mark, true, &extra);
	rc = call(upload, &plan, "uploads=", &reply, fault);
	http_headers_done(&extra);
	if (rc < 0 || judge(upload, &reply, "begin the upload of", fault) < 0)
		return -1;
	upload->id =
	    xml_find(reply.body.data, reply.body.len, "InitiateMultipartUploadResult/UploadId");
	return upload->id != NULL ? 0 : strange(upload, "an UploadId", fault);
}

static void add_id(const struct s3_upload *upload, struct buf *out)
{
	buf_adds(out, "uploadId=");
	uri_encode(upload->id, strlen(upload->id), "", out);
}

static void finish_piece(struct s3_upload *upload, const char *etag)
{
	buf_addf(&upload->finished, "<Part><ETag>");
	for (; *etag != '\0'; etag++) {
		if (strchr("<>&", *etag) != NULL)
			buf_addf(&upload->finished, "&#%d;", *etag);
		else
			buf_addc(&upload->finished, *etag);
	}
	buf_addf(&upload->finished, "</ETag><PartNumber>%d</PartNumber></Part>", upload->pieces);
	buf_clear(&upload->held);
}

static int put_piece(struct s3_upload *upload, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_buf struct buf query = BUF_INIT(SIZE_MAX / 2);
	auto_free char *etag = NULL;
	const struct s3_call plan = {.method = "PUT",
				     .body = upload->held.data,
				     .len = upload->held.len,
				     .type = upload->type};

	if (upload->pieces == S3_PIECES_MAX)
		return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_LIMIT,
				 "s3://%s/%s: expected at most %d pieces of %d bytes, found more: "
				 "name a prefix instead of a key",
				 upload->client->bucket, upload->key, S3_PIECES_MAX,
				 S3_UPLOAD_PIECE);
	buf_addf(&query, "partNumber=%d&", ++upload->pieces);
	add_id(upload, &query);
	if (call(upload, &plan, query.data, &reply, fault) < 0 ||
	    judge(upload, &reply, "upload a piece of", fault) < 0)
		return -1;
	etag = http_reply_header(&reply, "ETag");
	if (etag == NULL)
		return strange(upload, "an ETag", fault);
	finish_piece(upload, etag);
	return 0;
}

/* S3 may answer 200 and tell an error in the body (CompleteMultipartUpload). */
static int judge_completion(const struct s3_upload *upload, struct http_reply *reply,
			    struct fault *fault)
{
	auto_free char *code = xml_find(reply->body.data, reply->body.len, "Error/Code");

	if (reply->status == 412 || reply->status == 404)
		return s3_settle(upload->client, upload->key, &upload->mark, fault);
	if (reply->status == 200 && code != NULL)
		reply->status = 500;
	return judge(upload, reply, "complete the upload of", fault);
}

static int complete(struct s3_upload *upload, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_buf struct buf query = BUF_INIT(SIZE_MAX / 2);
	auto_free char *body = xasprintf("<CompleteMultipartUpload>%s</CompleteMultipartUpload>",
					 upload->finished.data);
	struct http_headers extra = {0};
	const struct s3_call plan = {.method = "POST",
				     .body = body,
				     .len = strlen(body),
				     .type = "application/xml",
				     .extra = &extra};
	int rc;

	if (!upload->replace)
		http_header_set(&extra, "If-None-Match", "*");
	add_id(upload, &query);
	rc = call(upload, &plan, query.data, &reply, fault);
	http_headers_done(&extra);
	if (rc < 0 || judge_completion(upload, &reply, fault) < 0)
		return -1;
	free(steal(upload->id));
	return 0;
}

/* ---- writing ---- */

int s3_upload_write(struct s3_upload *upload, const char *bytes, size_t len, int64_t rows,
		    struct fault *fault)
{
	(void)rows;
	buf_add(&upload->held, bytes, len);
	if (upload->held.len < S3_UPLOAD_PIECE)
		return 0;
	if (upload->id == NULL && begin_multipart(upload, fault) < 0)
		return -1;
	return put_piece(upload, fault);
}

static int put_whole(const struct s3_upload *upload, struct fault *fault)
{
	const struct s3_put put = {.key = upload->key,
				   .bytes = upload->held.data,
				   .len = upload->held.len,
				   .type = upload->type,
				   .mark = upload->mark,
				   .replace = upload->replace};

	return s3_put(upload->client, &put, fault);
}

int s3_upload_commit(struct s3_upload *upload, struct fault *fault)
{
	if (upload->whole)
		return 0;
	if (upload->id == NULL)
		return put_whole(upload, fault);
	if (upload->held.len > 0 && put_piece(upload, fault) < 0)
		return -1;
	return complete(upload, fault);
}

static void give_up(const struct s3_upload *upload)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_buf struct buf query = BUF_INIT(SIZE_MAX / 2);
	struct fault fault = FAULT_INIT;
	const struct s3_call plan = {.method = "DELETE", .once = true};

	add_id(upload, &query);
	if (call(upload, &plan, query.data, &reply, &fault) < 0 || reply.status >= 300)
		log_warn("an upload that is not complete stays: a lifecycle rule removes such",
			 "object", upload->key, "error", fault.err.msg);
}

void s3_upload_done(struct s3_upload *upload)
{
	if (upload->id != NULL)
		give_up(upload);
	buf_done(&upload->held);
	buf_done(&upload->finished);
	free(upload->id);
}
