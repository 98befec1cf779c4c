#include "runner/s3_input.h"

#include "base/log.h"
#include "runner/judge.h"
#include "runner/s3_object.h"

void s3_input_init(struct s3_input *input, const struct s3_client *client)
{
	*input = (struct s3_input){.client = client, .reply = HTTP_REPLY_INIT};
}

static void close_stream(struct s3_input *input)
{
	if (input->stream != NULL)
		http_stream_close(input->stream);
	input->stream = NULL;
	http_headers_done(&input->headers);
	free(steal(input->url));
}

void s3_input_done(struct s3_input *input)
{
	close_stream(input);
	http_reply_done(&input->reply);
	s3_list_done(&input->list);
}

/* ---- what there is ---- */

static int find_key(struct s3_input *input, const char *key, struct fault *fault)
{
	auto_s3_head struct s3_head head = {.exists = false};

	if (s3_head(input->client, key, &head, fault) < 0)
		return -1;
	if (!head.exists)
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_NOT_FOUND,
				 "s3://%s/%s: expected an object, found none, or no such bucket",
				 input->client->bucket, key);
	if (head.etag == NULL || head.size < 0)
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_INVALID,
				 "s3://%s/%s: expected its ETag and Content-Length from the "
				 "server, found an answer without",
				 input->client->bucket, key);
	s3_list_add(&input->list, key, head.etag, head.size);
	return 0;
}

static bool is_data(const struct s3_object *object)
{
	const char *slash = strrchr(object->key, '/'),
		   *name = slash != NULL ? slash + 1 : object->key;

	return object->size > 0 && *name != '_' && *name != '.';
}

static int find_prefix(struct s3_input *input, const char *prefix, struct fault *fault)
{
	auto_s3_list struct s3_list all = {.count = 0};

	if (s3_list(input->client, prefix, &all, fault) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++)
		if (is_data(&all.objects[i]))
			s3_list_add(&input->list, all.objects[i].key, all.objects[i].etag,
				    all.objects[i].size);
	if (input->list.count == 0)
		log_warn("no object has this prefix", "bucket", input->client->bucket, "prefix",
			 prefix);
	return 0;
}

static void identify(struct s3_input *input)
{
	auto_buf struct buf text = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; i < input->list.count; i++)
		buf_addf(&text, "%s\n%s\n", input->list.objects[i].key,
			 input->list.objects[i].etag);
	digest_sha256(text.data, text.len, input->identity);
}

int s3_input_find(struct s3_input *input, const char *key, const char *prefix, struct fault *fault)
{
	int rc = key != NULL ? find_key(input, key, fault) : find_prefix(input, prefix, fault);

	if (rc == 0)
		identify(input);
	return rc;
}

/* ---- reading ---- */

static const struct s3_object *object_of(const struct s3_input *input)
{
	return &input->list.objects[input->at];
}

static char *name_of(const struct s3_input *input)
{
	return xasprintf("GET s3://%s/%s", input->client->bucket, object_of(input)->key);
}

static void make_request(struct s3_input *input)
{
	const struct s3_object *object = object_of(input);

	close_stream(input);
	input->url = s3_url(input->client, object->key, "");
	http_header_set(&input->headers, "If-Match", object->etag);
	if (input->offset > 0) {
		auto_free char *range = xasprintf("bytes=%lld-", (long long)input->offset);

		http_header_set(&input->headers, "Range", range);
	}
	input->request = (struct http_request){.method = "GET",
					       .url = input->url,
					       .peer = &input->client->endpoint.peer,
					       .headers = &input->headers,
					       .single = true};
}

static int changed(const struct s3_input *input, struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_UNAVAILABLE, ERR_RETRY,
			 "s3://%s/%s: expected the object with ETag %s, found that it has changed "
			 "while it was read",
			 input->client->bucket, object_of(input)->key, object_of(input)->etag);
}

static int judge(const struct s3_input *input, struct fault *fault)
{
	auto_free char *what = name_of(input);
	int wanted = input->offset > 0 ? 206 : 200;

	if (input->reply.status == 412)
		return changed(input, fault);
	if (s3_judge(input->client, &input->reply, what, fault) < 0)
		return -1;
	if (input->reply.status == wanted)
		return 0;
	return fault_set(fault, REASON_INPUT_REJECTED, ERR_INVALID,
			 "%s: expected HTTP status %d, found %d: the server cannot send an object "
			 "from byte %lld on",
			 what, wanted, input->reply.status, (long long)input->offset);
}

/* Open the stream; 0 also where another try will. */
static int open_stream(struct s3_input *input, struct fault *fault)
{
	auto_free char *what = name_of(input);
	bool again;

	make_request(input);
	input->stream = http_stream_open(&input->request, &input->reply, &fault->err);
	if (input->stream != NULL)
		again = s3_passing(&input->reply);
	else
		again = fault->err.kind == ERR_RETRY && !input->reply.interrupted;
	if (again && s3_wait(++input->tries, &input->reply, what)) {
		close_stream(input);
		return 0;
	}
	if (input->stream == NULL)
		return judge_no_answer(&input->reply, REASON_INPUT_UNAVAILABLE, fault);
	return judge(input, fault);
}

/* The connection broke: the next try goes on behind what has come. */
static int broken(struct s3_input *input, struct fault *fault)
{
	auto_free char *what = name_of(input);

	if (!input->reply.interrupted && fault->err.kind == ERR_RETRY &&
	    s3_wait(++input->tries, &input->reply, what)) {
		close_stream(input);
		return 0;
	}
	return judge_no_answer(&input->reply, REASON_INPUT_UNAVAILABLE, fault);
}

static int read_some(struct s3_input *input, struct buf *out, struct fault *fault)
{
	size_t before = out->len;

	if (http_stream_read(input->stream, out, &fault->err) < 0)
		return broken(input, fault);
	if (out->full)
		return 0;
	input->tries = 0;
	input->offset += (int64_t)(out->len - before);
	if (out->len > before && input->offset <= object_of(input)->size)
		return 0;
	return changed(input, fault);
}

static bool is_over(const struct s3_input *input)
{
	return input->at == input->list.count || input->offset == object_of(input)->size;
}

int s3_input_read(struct s3_input *input, struct buf *out, struct fault *fault)
{
	size_t before = out->len;

	while (out->len == before && !out->full && !is_over(input)) {
		int rc = input->stream == NULL ? open_stream(input, fault)
					       : read_some(input, out, fault);

		if (rc < 0)
			return -1;
	}
	return 0;
}

int s3_input_next(struct s3_input *input)
{
	close_stream(input);
	input->offset = 0;
	input->at += input->at < input->list.count;
	return input->at < input->list.count;
}

const char *s3_input_name(const struct s3_input *input)
{
	return input->at < input->list.count ? object_of(input)->key : "s3";
}
