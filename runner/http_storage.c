#include "runner/http_storage.h"

#include <strings.h>

#include "runner/contract.h"
#include "runner/endpoint.h"
#include "runner/field.h"
#include "runner/headers.h"
#include "runner/http_stream.h"
#include "runner/judge.h"

struct storage {
	const struct contract *contract;
	struct endpoint endpoint;
	struct http_headers headers;
	struct http_request request;
	struct http_reply reply;
	char *url;

	/* the input */
	char *body, *tag;
	struct http_stream *stream;

	bool output;
	bool chunks, idempotent, status_is_enough;
	struct buf bytes; /* not sent yet */
	int64_t rows;     /* sent */
};

/* ---- checking ---- */

static int check_address(const struct section *section, struct err *err)
{
	auto_free char *ref_where = xasprintf("%s.endpointRef", section->where);
	const struct json *settings = section->settings, *ref = json_get(settings, "endpointRef");
	const char *url, *ignored;

	if (field_string(settings, section->where, "url", &url, err) < 0 ||
	    field_string(settings, section->where, "path", &ignored, err) < 0)
		return -1;
	if ((*url != '\0') == (ref != NULL))
		return err_set(err, ERR_INVALID, "%s: expected url or endpointRef, found %s",
			       section->where, ref != NULL ? "both" : "none");
	if (ref == NULL)
		return http_url_check(url, err) == 0 ? 0 : err_wrap(err, "%s.url", section->where);
	if (field_object(settings, section->where, "endpointRef", &ref, err) < 0 ||
	    field_needed(ref, ref_where, "name", &ignored, err) < 0)
		return -1;
	return field_string(ref, ref_where, "namespace", &ignored, err);
}

static int check_method(const struct section *section, struct err *err)
{
	static const char *const inputs[] = {"", "GET", "POST", NULL}, *const outputs[] = {
									   "", "POST", "PUT",
									   "PATCH", NULL};
	bool in = section->side == SIDE_INPUT;
	const char *method;

	if (field_string(section->settings, section->where, "method", &method, err) < 0)
		return -1;
	for (const char *const *known = in ? inputs : outputs; *known != NULL; known++)
		if (streq(method, *known))
			return 0;
	return err_set(err, ERR_INVALID, "%s.method: expected %s, found \"%s\"", section->where,
		       in ? "GET or POST" : "POST, PUT or PATCH", method);
}

static const char *path_of(const struct json *settings)
{
	return json_get_str(settings, *json_get_str(settings, "url", "") != '\0' ? "url" : "path",
			    "");
}

static int check_chunks(const struct section *section, struct err *err)
{
	const struct format *format = NULL;
	bool chunks = false;

	if (field_bool(section->settings, section->where, "chunks", &chunks, err) < 0 ||
	    format_choose(section->settings, section->where, path_of(section->settings), &format,
			  err) < 0)
		return -1;
	if (!chunks || format == &jsonl_format)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "%s.chunks: expected false, found true: only a part of JSON lines is a whole "
	    "text, one of %s is not",
	    section->where, format->name);
}

static int check_output(const struct section *section, struct err *err)
{
	const char *success;
	bool ignored;

	if (check_chunks(section, err) < 0 ||
	    field_bool(section->settings, section->where, "idempotent", &ignored, err) < 0 ||
	    field_string(section->settings, section->where, "success", &success, err) < 0)
		return -1;
	if (*success != '\0' && !streq(success, "status"))
		return err_set(err, ERR_INVALID, "%s.success: expected status, found \"%s\"",
			       section->where, success);
	return 0;
}

static int check(const struct section *section, struct err *err)
{
	if (check_address(section, err) < 0 || check_method(section, err) < 0 ||
	    check_output(section, err) < 0)
		return -1;
	return headers_check(json_get(section->settings, "headers"), section->where, err);
}

/* ---- opening ---- */

static void close_storage(struct storage *storage)
{
	if (storage->stream != NULL)
		http_stream_close(storage->stream);
	endpoint_done(&storage->endpoint);
	http_headers_done(&storage->headers);
	http_reply_done(&storage->reply);
	buf_done(&storage->bytes);
	free(storage->url);
	free(storage->body);
	free(storage->tag);
	free(storage);
}

static int find_server(struct storage *storage, const struct section *section, struct fault *fault)
{
	const struct json *settings = section->settings, *ref = json_get(settings, "endpointRef");

	if (ref == NULL) {
		storage->url = xstrdup(json_get_str(settings, "url", ""));
		return 0;
	}
	if (endpoint_load(json_get_str(ref, "namespace", ""), json_get_str(ref, "name", ""),
			  &storage->endpoint, fault) < 0)
		return err_wrap(&fault->err, "%s", section->where);
	storage->url = endpoint_join(&storage->endpoint, json_get_str(settings, "path", ""));
	return 0;
}

static void make_request(struct storage *storage, const struct section *section)
{
	bool in = section->side == SIDE_INPUT;
	const struct json *settings = section->settings, *body = json_get(settings, "body");
	const char *method = json_get_str(settings, "method", "");
	struct http_headers *headers = &storage->headers;

	storage->body = in && body != NULL ? json_print(body) : NULL;
	storage->request = (struct http_request){
	    .method = *method != '\0' ? method
		      : in            ? "GET"
				      : "POST",
	    .url = storage->url,
	    .peer = &storage->endpoint.peer,
	    .headers = headers,
	    .body = storage->body,
	    .body_len = storage->body != NULL ? strlen(storage->body) : 0,
	};
	http_header_set(headers, "Accept", in ? section->format->media : "application/json");
	if (!in || body != NULL)
		http_header_set(headers, "Content-Type",
				in ? "application/json" : section->format->media);
	if (storage->endpoint.authorization != NULL)
		http_header_set(headers, "Authorization", storage->endpoint.authorization);
	headers_add(json_get(settings, "headers"), headers);
}

/* What check() has looked at. */
static void read_settings(struct storage *storage, const struct json *settings)
{
	const struct json *idempotent = json_get(settings, "idempotent");

	storage->chunks = json_is_true(json_get(settings, "chunks"));
	storage->idempotent = json_type(idempotent) == JSON_BOOL
				  ? json_is_true(idempotent)
				  : streq(json_get_str(settings, "method", ""), "PUT");
	storage->status_is_enough = *json_get_str(settings, "success", "") != '\0';
}

static struct storage *open_storage(const struct contract *contract, const struct section *section,
				    struct fault *fault)
{
	struct storage *storage = xcalloc(1, sizeof(*storage));

	storage->contract = contract;
	storage->output = section->side == SIDE_OUTPUT;
	storage->reply = (struct http_reply)HTTP_REPLY_INIT;
	storage->bytes = (struct buf)BUF_INIT(HTTP_REPLY_MAX);
	read_settings(storage, section->settings);
	if (find_server(storage, section, fault) < 0) {
		close_storage(storage);
		return NULL;
	}
	make_request(storage, section);
	return storage;
}

/* ---- the input ---- */

static bool is_html(const char *type)
{
	return type != NULL && strncasecmp(type, "text/html", strlen("text/html")) == 0;
}

static int preflight_input(struct storage *storage, struct fault *fault)
{
	auto_free char *type = NULL;

	storage->stream = http_stream_open(&storage->request, &storage->reply, &fault->err);
	if (storage->stream == NULL)
		return judge_no_answer(&storage->reply, REASON_INPUT_UNAVAILABLE, fault);
	if (judge_status(&storage->reply, "the input", REASON_INPUT_REJECTED,
			 REASON_INPUT_UNAVAILABLE, fault) < 0)
		return -1;
	type = http_reply_header(&storage->reply, "Content-Type");
	if (is_html(type))
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_INVALID,
				 "the input: expected data, found a page: Content-Type %s", type);
	storage->tag = http_reply_header(&storage->reply, "ETag");
	return 0;
}

static int preflight(struct storage *storage, struct fault *fault)
{
	return storage->output ? 0 : preflight_input(storage, fault);
}

static int read_piece(struct storage *storage, struct buf *out, struct fault *fault)
{
	if (http_stream_read(storage->stream, out, &fault->err) < 0)
		return judge_no_answer(&storage->reply, REASON_INPUT_UNAVAILABLE, fault);
	return 0;
}

/* A weak tag does not tell bytes (RFC 9110, 8.8.1). */
static const char *identity(const struct storage *storage)
{
	return storage->tag != NULL && *storage->tag == '"' ? storage->tag : NULL;
}

/* ---- the output ---- */

static void set_key(struct storage *storage, int64_t rows)
{
	auto_buf struct buf key = BUF_INIT(4096);

	buf_addf(&key, "\"%s/%s", storage->contract->job_id, contract_run_key(storage->contract));
	if (storage->chunks)
		buf_addf(&key, "/%lld-%lld", (long long)storage->rows + 1,
			 (long long)storage->rows + (long long)rows);
	buf_addc(&key, '"');
	http_header_set(&storage->headers, "Idempotency-Key", key.data);
}

static int judge(const struct storage *storage, const struct http_reply *reply, struct fault *fault)
{
	if (storage->status_is_enough)
		return judge_stored_status(reply, fault);
	return judge_stored(reply, fault);
}

/* Send what is held: the results of so many rows. */
static int send(struct storage *storage, int64_t rows, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;

	set_key(storage, rows);
	storage->request.body = storage->bytes.data;
	storage->request.body_len = storage->bytes.len;
	storage->request.once = !storage->idempotent;
	if (http_call(&storage->request, &reply, &fault->err) < 0)
		return judge_no_answer(
		    &reply, reply.sent ? REASON_OUTPUT_AMBIGUOUS : REASON_OUTPUT_UNAVAILABLE,
		    fault);
	if (judge(storage, &reply, fault) < 0)
		return -1;
	storage->rows += rows;
	buf_clear(&storage->bytes);
	return 0;
}

static int begin(struct storage *storage UNUSED, const char *input UNUSED, int64_t *rows_done,
		 struct fault *fault UNUSED)
{
	*rows_done = 0;
	return 0;
}

static int write_piece(struct storage *storage, const char *bytes, size_t len, int64_t rows,
		       struct fault *fault)
{
	if (buf_add(&storage->bytes, bytes, len) < 0)
		return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_LIMIT,
				 "the output: expected at most %d bytes, found more: set chunks",
				 HTTP_REPLY_MAX);
	return storage->chunks && rows > 0 ? send(storage, rows, fault) : 0;
}

static int commit(struct storage *storage, struct fault *fault)
{
	return storage->chunks ? 0 : send(storage, 0, fault);
}

const struct provider http_provider = {
    .name = "http",
    .members = {"url", "endpointRef", "path", "method", "headers", "body", "chunks", "idempotent",
		"success"},
    .check = check,
    .path = path_of,
    .open = open_storage,
    .preflight = preflight,
    .read = read_piece,
    .identity = identity,
    .begin = begin,
    .write = write_piece,
    .commit = commit,
    .close = close_storage,
};
