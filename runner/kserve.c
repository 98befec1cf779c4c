#include "runner/kserve.h"

#include "base/log.h"
#include "runner/gojson.h"
#include "runner/http.h"
#include "runner/judge.h"

/* ---- shapes ---- */

int kserve_fit(const struct shape *wanted, size_t count, size_t width, struct shape *out,
	       struct err *err)
{
	struct shape shape = *wanted;
	int64_t *open = NULL, product = 1;

	if (wanted->rank == 0) {
		*out = (struct shape){.dims = {(int64_t)count, (int64_t)width}, .rank = 2};
		return 0;
	}
	if (shape.dims[0] == -1)
		shape.dims[0] = (int64_t)count;
	if (shape.dims[0] != (int64_t)count)
		return err_set(err, ERR_INVALID, "the model wants %lld rows, found %zu",
			       (long long)shape.dims[0], count);
	for (size_t i = 1; i < shape.rank; i++) {
		if (shape.dims[i] == -1) {
			shape.dims[i] = 1;
			open = open == NULL ? &shape.dims[i] : open;
		}
		if (__builtin_mul_overflow(product, shape.dims[i], &product))
			return err_set(err, ERR_INVALID, "the model wants more values than exist");
	}
	if (open != NULL && (int64_t)width % product == 0) {
		*open = (int64_t)width / product;
		product = (int64_t)width;
	}
	if (product != (int64_t)width)
		return err_set(err, ERR_INVALID, "the model wants rows of %lld values, found %zu",
			       (long long)product, width);
	*out = shape;
	return 0;
}

char *kserve_metadata_url(const char *url)
{
	static const char suffix[] = "/infer";
	size_t len = strlen(url), tail = strlen(suffix);

	if (len <= tail || !streq(url + len - tail, suffix))
		return NULL;
	return xstrndup(url, len - tail);
}

bool kserve_metadata_shape(const char *text, size_t len, const char *input_name, struct shape *out)
{
	struct err ignored = ERR_INIT;
	auto_json struct json *root = json_parse(text, len, &ignored);
	const struct json *inputs = json_get(root, "inputs");

	if (json_type(inputs) != JSON_ARRAY)
		return false;
	for (const struct json *c = json_first(inputs); c != NULL; c = json_next(c))
		if (streq(json_get_str(c, "name", ""), input_name) || json_len(inputs) == 1)
			return shape_read(json_get(c, "shape"), out);
	return false;
}

/* ---- the request ---- */

/* As Go writes a map: keys in byte order. */
void kserve_request(const char *input_name, const struct rows *rows, const struct shape *shape,
		    struct buf *out)
{
	buf_adds(out, "{\"inputs\":[{\"data\":[");
	buf_add(out, rows->text.data, rows->text.len);
	buf_adds(out, "],\"datatype\":\"FP32\",\"name\":");
	gojson_add_string(out, input_name);
	buf_adds(out, ",\"shape\":[");
	for (size_t i = 0; i < shape->rank; i++)
		buf_addf(out, "%s%lld", i > 0 ? "," : "", (long long)shape->dims[i]);
	buf_adds(out, "]}]}");
}

/* ---- the reply ---- */

/* What is known of the first output while its members come in any order. */
struct output {
	struct buf *data;
	size_t values;
	bool has_data, has_shape;
	int64_t first, product; /* of the shape: its first dimension, all multiplied */
};

static int reply_invalid(struct fault *fault, const char *where, const char *expected,
			 enum scan_token found)
{
	return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
			 "the model's reply: %s: expected %s, found %s", where, expected,
			 scan_token_name(found));
}

static int reply_not_json(const struct scan *s, struct fault *fault)
{
	scan_fail(s, &fault->err);
	err_wrap(&fault->err, "the model's reply is not JSON");
	return fault_as(fault, REASON_MODEL_REPLY_INVALID);
}

/* A string goes on as it came, but '=' is escaped: notebooks cut their arguments at it. */
static void add_string(struct buf *out, const struct scan *s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s->span_len; i++) {
		if (s->span[i] == '=')
			buf_adds(out, "\\u003d");
		else
			buf_addc(out, s->span[i]);
	}
	buf_addc(out, '"');
}

static int read_value(struct scan *s, enum scan_token token, struct output *output,
		      struct fault *fault)
{
	if (token == SCAN_ERROR)
		return reply_not_json(s, fault);
	if (token != SCAN_NUMBER && token != SCAN_STRING && token != SCAN_TRUE &&
	    token != SCAN_FALSE) {
		auto_free char *where = xasprintf("outputs[0].data, value %zu", output->values + 1);

		return reply_invalid(fault, where, "a number, a string or a boolean", token);
	}
	if (output->values++ > 0)
		buf_addc(output->data, ',');
	if (token == SCAN_STRING)
		add_string(output->data, s);
	else
		buf_add(output->data, s->span, s->span_len);
	return 0;
}

/* data may be flat or nested. */
static int read_data(struct scan *s, struct output *output, struct fault *fault)
{
	enum scan_token token = scan_next(s);
	int depth = 1;

	if (output->has_data || token != SCAN_ARRAY)
		return token == SCAN_ERROR
			   ? reply_not_json(s, fault)
			   : reply_invalid(fault, "outputs[0].data", "one array", token);
	output->has_data = true;
	buf_addc(output->data, '[');
	while (depth > 0) {
		token = scan_next(s);
		if (token == SCAN_ARRAY)
			depth++;
		else if (token == SCAN_ARRAY_END)
			depth--;
		else if (read_value(s, token, output, fault) < 0)
			return -1;
	}
	buf_addc(output->data, ']');
	return 0;
}

static bool read_dim(const struct scan *s, int64_t *out)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->span_len; i++) {
		if (s->span[i] < '0' || s->span[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s->span[i] - '0', &n))
			return false;
	}
	*out = n;
	return true;
}

static int read_shape(struct scan *s, struct output *output, struct fault *fault)
{
	enum scan_token token = scan_next(s);
	int64_t dim;

	if (output->has_shape || token != SCAN_ARRAY)
		return token == SCAN_ERROR
			   ? reply_not_json(s, fault)
			   : reply_invalid(fault, "outputs[0].shape", "one array", token);
	output->product = 1;
	output->first = 1;
	while ((token = scan_next(s)) == SCAN_NUMBER) {
		if (!read_dim(s, &dim) ||
		    __builtin_mul_overflow(output->product, dim, &output->product))
			return reply_invalid(fault, "outputs[0].shape", "whole numbers", token);
		if (!output->has_shape)
			output->first = dim;
		output->has_shape = true;
	}
	output->has_shape = true;
	if (token == SCAN_ERROR)
		return reply_not_json(s, fault);
	return token == SCAN_ARRAY_END
		   ? 0
		   : reply_invalid(fault, "outputs[0].shape", "whole numbers", token);
}

/* With '{' just read. */
static int read_output(struct scan *s, struct output *output, struct fault *fault)
{
	enum scan_token token;
	int rc = 0;

	while (rc == 0 && (token = scan_next(s)) == SCAN_KEY) {
		if (scan_key_is(s, "data"))
			rc = read_data(s, output, fault);
		else if (scan_key_is(s, "shape"))
			rc = read_shape(s, output, fault);
		else
			scan_skip(s, scan_next(s));
	}
	if (rc == 0 && token == SCAN_ERROR)
		return reply_not_json(s, fault);
	return rc;
}

static int read_outputs(struct scan *s, struct output *output, size_t *outputs, struct fault *fault)
{
	enum scan_token token = scan_next(s);

	if (token == SCAN_ARRAY && *outputs == 0) {
		while ((token = scan_next(s)) == SCAN_OBJECT) {
			if ((*outputs)++ > 0)
				scan_skip(s, token);
			else if (read_output(s, output, fault) < 0)
				return -1;
		}
		if (token == SCAN_ARRAY_END)
			return 0;
	}
	if (token == SCAN_ERROR)
		return reply_not_json(s, fault);
	return reply_invalid(fault, "outputs", "one array of objects", token);
}

static int read_reply(struct scan *s, struct output *output, size_t *outputs, struct fault *fault)
{
	enum scan_token token = scan_next(s);

	if (token == SCAN_ERROR)
		return reply_not_json(s, fault);
	if (token != SCAN_OBJECT)
		return reply_invalid(fault, "its root", "an object", token);
	while ((token = scan_next(s)) == SCAN_KEY) {
		if (!scan_key_is(s, "outputs"))
			scan_skip(s, scan_next(s));
		else if (read_outputs(s, output, outputs, fault) < 0)
			return -1;
	}
	if (token == SCAN_ERROR || scan_next(s) != SCAN_END)
		return reply_not_json(s, fault);
	if (*outputs == 0 || !output->has_data)
		return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
				 "the model's reply: expected outputs[0].data, found none");
	return 0;
}

static int check_counts(const struct output *output, size_t row_count, struct fault *fault)
{
	if (output->has_shape && output->product != (int64_t)output->values)
		return fault_set(
		    fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
		    "the model's reply: expected %lld values by the shape of outputs[0], "
		    "found %zu",
		    (long long)output->product, output->values);
	if (output->has_shape && output->first != (int64_t)row_count)
		return fault_set(fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
				 "the model's reply: expected outputs[0] for %zu rows, found %lld",
				 row_count, (long long)output->first);
	if (output->values == 0 || output->values % row_count != 0)
		return fault_set(
		    fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
		    "the model's reply: expected values for %zu rows, found %zu values", row_count,
		    output->values);
	return 0;
}

int kserve_reply(const char *text, size_t len, size_t row_count, struct buf *predictions,
		 size_t *count, struct fault *fault)
{
	struct output output = {.data = predictions};
	auto_free char *says = NULL;
	size_t outputs = 0;
	struct scan s;

	if (judge_body(text, len, &says) == BODY_ERROR)
		return fault_set(fault, REASON_MODEL_REJECTED, ERR_INVALID,
				 "the model: HTTP status 200, but an error: %s", says);
	scan_init(&s, text, len);
	if (read_reply(&s, &output, &outputs, fault) < 0 ||
	    check_counts(&output, row_count, fault) < 0)
		return -1;
	if (outputs > 1)
		log_warn("the model has more outputs than one: only the first is stored", "outputs",
			 log_num(outputs));
	*count = output.values;
	return 0;
}

/* ---- the calls ---- */

/* The shape that the model's metadata asks for; rank 0 if it says nothing that fits the rows. */
static int ask_shape(const struct contract *contract, const struct rows *rows, struct shape *out,
		     struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = kserve_metadata_url(contract->model_url);
	struct http_request request = {.method = "GET", .url = url};
	struct shape wanted = {.rank = 0}, fitted;
	struct err err = ERR_INIT;

	*out = (struct shape){.rank = 0};
	if (url == NULL)
		return 0;
	if (http_call(&request, &reply, &fault->err) < 0)
		return judge_no_answer(&reply, REASON_MODEL_UNAVAILABLE, fault);
	if (http_status_passing(reply.status))
		return judge_status(&reply, "the model", REASON_MODEL_REJECTED,
				    REASON_MODEL_UNAVAILABLE, fault);
	if (reply.status != 200 ||
	    !kserve_metadata_shape(reply.body.data, reply.body.len, contract->input_name, &wanted))
		return 0;
	if (kserve_fit(&wanted, rows->count, rows->width, &fitted, &err) == 0)
		*out = wanted;
	else
		log_warn("the model's metadata does not fit the input", "error", err.msg);
	return 0;
}

static int call_model(const struct contract *contract, const struct buf *body,
		      struct http_reply *reply, struct fault *fault)
{
	struct http_headers headers = {0};
	struct http_request request = {.method = "POST",
				       .url = contract->model_url,
				       .headers = &headers,
				       .body = body->data,
				       .body_len = body->len};
	int rc;

	http_header_set(&headers, "Content-Type", "application/json");
	rc = http_call(&request, reply, &fault->err);
	http_headers_done(&headers);
	if (rc < 0)
		return judge_no_answer(reply, REASON_MODEL_UNAVAILABLE, fault);
	return judge_status(reply, "the model", REASON_MODEL_REJECTED, REASON_MODEL_UNAVAILABLE,
			    fault);
}

int kserve_infer(const struct contract *contract, const struct rows *rows, struct buf *predictions,
		 size_t *count, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_buf struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct shape wanted = contract->shape, shape = {.rank = 0};

	if (wanted.rank == 0 && ask_shape(contract, rows, &wanted, fault) < 0)
		return -1;
	if (kserve_fit(&wanted, rows->count, rows->width, &shape, &fault->err) < 0)
		return fault_as(fault, REASON_SHAPE_MISMATCH);
	kserve_request(contract->input_name, rows, &shape, &body);
	if (call_model(contract, &body, &reply, fault) < 0)
		return -1;
	return kserve_reply(reply.body.data, reply.body.len, rows->count, predictions, count,
			    fault);
}
