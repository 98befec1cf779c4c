#include "runner/krateo.h"

#include <sys/random.h>

#include "base/log.h"
#include "runner/endpoint.h"
#include "runner/field.h"
#include "runner/headers.h"
#include "runner/judge.h"

enum { BODY_MAX = 16 << 20, PIECE = 64 << 10 };

struct storage {
	const struct contract *contract;
	struct endpoint endpoint;
	char *url;
	const char *method;
	struct http_headers headers;
	bool fetched;
	struct http_reply reply; /* of the input */
	size_t at;               /* how much of it has been read */

	/* the output */
	bool output, upsert;
	struct buf predictions;
};

/* ---- checking ---- */

static int check_endpoint(const struct json *api, const char *where, struct err *err)
{
	auto_free char *path = xasprintf("%s.endpointRef", where);
	const struct json *ref;
	const char *ignored;

	if (field_object(api, where, "endpointRef", &ref, err) < 0 ||
	    field_needed(ref, path, "name", &ignored, err) < 0)
		return -1;
	return field_string(ref, path, "namespace", &ignored, err);
}

static int check_verb(const struct json *api, const char *where, struct err *err)
{
	static const char *const verbs[] = {"", "GET", "POST", "PUT", "PATCH", "DELETE"};
	const char *verb;

	if (field_string(api, where, "verb", &verb, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (streq(verb, verbs[i]))
			return 0;
	return err_set(err, ERR_INVALID,
		       "%s.verb: expected GET, POST, PUT, PATCH or DELETE, found \"%s\"", where,
		       verb);
}

static int check_upsert(const struct section *section, struct err *err)
{
	const char *format;
	bool upsert = false;

	if (field_bool(section->settings, section->where, "upsert", &upsert, err) < 0 ||
	    field_string(section->settings, section->where, "format", &format, err) < 0)
		return -1;
	if (!upsert || *format == '\0' || streq(format, json_format.name))
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "%s.upsert: expected the format json, found %s: chunks are cut out of a list",
	    section->where, format);
}

static int check(const struct section *section, struct err *err)
{
	auto_free char *path = xasprintf("%s.api", section->where);
	const struct json *api;
	const char *ignored;

	if (check_upsert(section, err) < 0 ||
	    field_object(section->settings, section->where, "api", &api, err) < 0 ||
	    check_endpoint(api, path, err) < 0 ||
	    field_string(api, path, "path", &ignored, err) < 0 || check_verb(api, path, err) < 0)
		return -1;
	return headers_check(json_get(api, "headers"), path, err);
}

/* ---- opening ---- */

/* A random UUID (RFC 9562, version 4), to find a call in the logs of both sides. */
static void make_trace_id(char out[37])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	b[6] = (b[6] & 0x0F) | 0x40;
	b[8] = (b[8] & 0x3F) | 0x80;
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

void krateo_headers(const struct json *section, const char *authorization, struct http_headers *out)
{
	char trace_id[37];

	make_trace_id(trace_id);
	http_header_set(out, "Accept", "application/json");
	http_header_set(out, "Content-Type", "application/json");
	http_header_set(out, "X-Krateo-TraceId", trace_id);
	if (authorization != NULL)
		http_header_set(out, "Authorization", authorization);
	headers_add(json_at(section, "api", "headers"), out);
}

static void close_storage(struct storage *storage)
{
	endpoint_done(&storage->endpoint);
	http_headers_done(&storage->headers);
	http_reply_done(&storage->reply);
	buf_done(&storage->predictions);
	free(storage->url);
	free(storage);
}

static struct storage *open_storage(const struct contract *contract, const struct section *section,
				    struct fault *fault)
{
	const struct json *api = json_get(section->settings, "api"),
			  *ref = json_get(api, "endpointRef");
	struct storage *storage = xcalloc(1, sizeof(*storage));
	const char *verb = json_get_str(api, "verb", "");

	storage->reply = (struct http_reply)HTTP_REPLY_INIT;
	storage->predictions = (struct buf)BUF_INIT(HTTP_REPLY_MAX);
	if (endpoint_load(json_get_str(ref, "namespace", ""), json_get_str(ref, "name", ""),
			  &storage->endpoint, fault) < 0) {
		err_wrap(&fault->err, "%s", section->where);
		close_storage(storage);
		return NULL;
	}
	storage->contract = contract;
	storage->output = section->side == SIDE_OUTPUT;
	storage->upsert = json_is_true(json_get(section->settings, "upsert"));
	storage->url = endpoint_join(&storage->endpoint, json_get_str(api, "path", ""));
	storage->method = *verb != '\0' ? verb : "GET";
	krateo_headers(section->settings, storage->endpoint.authorization, &storage->headers);
	return storage;
}

/* ---- answers ---- */

int krateo_judge_fetch(const struct http_reply *reply, struct fault *fault)
{
	auto_free char *says = NULL;

	if (judge_status(reply, "the input", REASON_INPUT_REJECTED, REASON_INPUT_UNAVAILABLE,
			 fault) < 0)
		return -1;
	switch (judge_body(reply->body.data, reply->body.len, &says)) {
	case BODY_JSON:
		return 0;
	case BODY_EMPTY:
		return fault_set(fault, REASON_INPUT_NOT_JSON, ERR_INVALID,
				 "the input: expected JSON, found an empty body: does the notebook "
				 "exist?");
	case BODY_ERROR:
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_INVALID,
				 "the input: expected rows, found an error: %s", says);
	case BODY_NOTEBOOK:
		return judge_notebook("the input", says, fault);
	case BODY_HTML:
	case BODY_TEXT:
		break;
	}
	return fault_set(fault, REASON_INPUT_NOT_JSON, ERR_INVALID,
			 "the input: expected JSON, found: %s", says);
}

/* ---- is the notebook there? ---- */

char *krateo_info_url(const char *url)
{
	static const char compute[] = "/compute/";
	const char *name = strrchr(url, '/');

	if (name == NULL || name[1] == '\0' || strpbrk(url, "?#") != NULL ||
	    (size_t)(name + 1 - url) < strlen(compute) ||
	    !has_prefix(name + 1 - strlen(compute), compute))
		return NULL;
	return xasprintf("%s/info", url);
}

bool krateo_info_missing(const struct http_reply *reply)
{
	struct err ignored = ERR_INIT;
	auto_json struct json *info = NULL;

	if (reply->status != 404)
		return false;
	info = json_parse(reply->body.data, reply->body.len, &ignored);
	return json_get(info, "notebook") != NULL;
}

/* The database handler answers a call of a notebook that is not there as one that prints nothing.
 * Others need not know the path of its information; what they say to it does not count. */
static int preflight(struct storage *storage, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = krateo_info_url(storage->url);
	struct http_request request = {.method = "GET",
				       .url = url,
				       .peer = &storage->endpoint.peer,
				       .headers = &storage->headers};
	auto_free char *safe = NULL;

	if (url == NULL)
		return 0;
	if (http_call(&request, &reply, &fault->err) < 0)
		return judge_no_answer(
		    &reply, storage->output ? REASON_OUTPUT_UNAVAILABLE : REASON_INPUT_UNAVAILABLE,
		    fault);
	if (!krateo_info_missing(&reply))
		return 0;
	safe = http_url_safe(storage->url);
	return fault_set(fault, REASON_NOTEBOOK_MISSING, ERR_NOT_FOUND,
			 "%s: expected a notebook, found none: is its name right, and is it "
			 "uploaded?",
			 safe);
}

/* ---- the two calls ---- */

static int call(struct storage *storage, const struct buf *body, bool once,
		struct http_reply *reply, struct err *err)
{
	struct http_request request = {
	    .method = storage->method,
	    .url = storage->url,
	    .peer = &storage->endpoint.peer,
	    .headers = &storage->headers,
	    .body = body->data,
	    .body_len = body->len,
	    .once = once,
	};

	return http_call(&request, reply, err);
}

static int fetch(struct storage *storage, struct fault *fault)
{
	auto_buf struct buf body = BUF_INIT(BODY_MAX);

	if (krateo_input_body(storage->contract, &body, fault) < 0)
		return -1;
	if (call(storage, &body, false, &storage->reply, &fault->err) < 0)
		return judge_no_answer(&storage->reply, REASON_INPUT_UNAVAILABLE, fault);
	return krateo_judge_fetch(&storage->reply, fault);
}

static int read_piece(struct storage *storage, struct buf *out, struct fault *fault)
{
	const struct buf *body = &storage->reply.body;
	size_t len;

	if (!storage->fetched && fetch(storage, fault) < 0)
		return -1;
	storage->fetched = true;
	len = body->len - storage->at < PIECE ? body->len - storage->at : PIECE;
	buf_add(out, body->data + storage->at, len);
	storage->at += len;
	return 0;
}

/* The stock notebooks cut a value at its second '='. The text of predictions is ours to escape;
 * parameters are not. */
static void warn_of_equal_signs(const struct contract *contract)
{
	for (const struct json *c = json_first(contract->parameters); c != NULL; c = json_next(c))
		if (json_str(c) != NULL && strchr(json_str(c), '=') != NULL)
			log_warn("a notebook may cut the parameter's value at '='", "parameter",
				 json_key(c));
}

static int begin(struct storage *storage UNUSED, const char *input UNUSED, int64_t *rows_done,
		 struct fault *fault UNUSED)
{
	*rows_done = 0;
	return 0;
}

static int write_piece(struct storage *storage, const char *bytes, size_t len, int64_t rows UNUSED,
		       struct fault *fault)
{
	if (buf_add(&storage->predictions, bytes, len) == 0)
		return 0;
	return fault_set(fault, REASON_ARG_TOO_LONG, ERR_LIMIT,
			 "predictions: expected at most %zu bytes, found more",
			 storage->predictions.max);
}

/* Send one body, whose store may be repeated if the notebook keeps each row once. */
static int store(struct storage *storage, const struct buf *body, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;

	if (call(storage, body, !storage->upsert, &reply, &fault->err) < 0)
		return judge_no_answer(
		    &reply, reply.sent ? REASON_OUTPUT_AMBIGUOUS : REASON_OUTPUT_UNAVAILABLE,
		    fault);
	return judge_stored(&reply, fault);
}

static int store_chunks(struct storage *storage, const char *pod_uid, struct fault *fault)
{
	struct krateo_cut cut;
	int rc = 0;

	krateo_cut_init(&cut, storage->predictions.data, storage->predictions.len);
	while (rc == 0 && krateo_cut_next(&cut)) {
		auto_buf struct buf body = BUF_INIT(BODY_MAX);

		rc = krateo_chunk_body(storage->contract, pod_uid, &cut, &body, fault);
		if (rc == 0)
			rc = store(storage, &body, fault);
	}
	krateo_cut_done(&cut);
	return rc;
}

static int commit(struct storage *storage, struct fault *fault)
{
	auto_buf struct buf body = BUF_INIT(BODY_MAX);
	const char *pod_uid = getenv("pod_uid");

	pod_uid = pod_uid != NULL ? pod_uid : "";
	warn_of_equal_signs(storage->contract);
	if (storage->upsert)
		return store_chunks(storage, pod_uid, fault);
	if (krateo_output_body(storage->contract, pod_uid, storage->predictions.data, &body,
			       fault) < 0)
		return -1;
	return store(storage, &body, fault);
}

const struct provider krateo_provider = {
    .name = "krateo",
    .whole = true,
    .members = {"api", "upsert"},
    .check = check,
    .open = open_storage,
    .preflight = preflight,
    .read = read_piece,
    .begin = begin,
    .write = write_piece,
    .commit = commit,
    .close = close_storage,
};
