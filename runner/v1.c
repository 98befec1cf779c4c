/* v1.c - the protocols v1 and raw, where a row goes to the model as it is. */
#include "runner/judge.h"
#include "runner/protocol.h"

static struct row_rule any_row(const struct model *model UNUSED)
{
	return (struct row_rule){.leaves = LEAF_ANY, .scalars = true, .nested = true};
}

/* ---- v1 ---- */

static int v1_request(const struct model *model UNUSED, const struct rows *rows, size_t from,
		      size_t count, struct buf *out, struct fault *fault UNUSED)
{
	size_t len;
	const char *text = rows_slice(rows, from, count, &len);

	buf_adds(out, "{\"instances\":[");
	buf_add(out, text, len);
	buf_adds(out, "]}");
	return 0;
}

/* With the first token of predictions read: count its elements. */
static int read_predictions(struct scan *s, enum scan_token token, struct output *output,
			    struct fault *fault)
{
	const char *start = s->span;

	if (token != SCAN_ARRAY)
		return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
				 "the model's reply: predictions: expected an array, found %s",
				 scan_token_name(token));
	output->values = 0;
	while ((token = scan_next(s)) != SCAN_ARRAY_END) {
		if (token == SCAN_ERROR || scan_skip(s, token) == SCAN_ERROR)
			return judge_not_json(s, fault);
		output->values++;
	}
	output->data = start;
	output->len = (size_t)(s->at - start);
	return 0;
}

/* KServe's batcher answers 200 with {"message": "...", "predictions": null} when it fails
 * (https://github.com/kserve/kserve, pkg/batcher/handler.go). */
static int refuse_null(char *message, struct fault *fault)
{
	return fault_set(fault, REASON_MODEL_REJECTED, ERR_INVALID,
			 "the model: HTTP status 200, but no predictions%s%s",
			 message != NULL ? ": " : "", message != NULL ? message : "");
}

static int read_reply(struct scan *s, struct output *output, struct fault *fault)
{
	enum scan_token token = scan_next(s);
	auto_free char *message = NULL;

	if (token != SCAN_OBJECT)
		return token == SCAN_ERROR
			   ? judge_not_json(s, fault)
			   : fault_set(
				 fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
				 "the model's reply: expected {\"predictions\": [...]}, found %s",
				 scan_token_name(token));
	while ((token = scan_next(s)) == SCAN_KEY) {
		bool predictions = scan_key_is(s, "predictions"),
		     is_message = scan_key_is(s, "message") && message == NULL;

		token = scan_next(s);
		if (predictions && token != SCAN_NULL && token != SCAN_ERROR) {
			if (read_predictions(s, token, output, fault) < 0)
				return -1;
			continue;
		}
		if (is_message && token == SCAN_STRING)
			message = scan_text(s);
		scan_skip(s, token);
	}
	if (token == SCAN_ERROR || scan_next(s) != SCAN_END)
		return judge_not_json(s, fault);
	return output->data != NULL ? 0 : refuse_null(message, fault);
}

static int v1_reply(const struct model *model UNUSED, const char *text, size_t len, size_t rows,
		    struct results *out, struct fault *fault)
{
	struct output output = {.are = VALUES_ELEMENTS};
	struct scan s;

	if (judge_reply(text, len, fault) < 0)
		return -1;
	scan_init(&s, text, len);
	if (read_reply(&s, &output, fault) < 0)
		return -1;
	if (output.values != rows)
		return fault_set(fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
				 "the model's reply: expected %zu predictions, found %zu", rows,
				 output.values);
	output.name = xstrdup("prediction");
	output.datatype = xstrdup("");
	*out = (struct results){.outputs = {output}, .count = 1, .rows = rows};
	return 0;
}

const struct protocol v1_protocol = {
    .name = "v1",
    .rule = any_row,
    .request = v1_request,
    .reply = v1_reply,
};

/* ---- raw ---- */

static int raw_request(const struct model *model UNUSED, const struct rows *rows, size_t from,
		       size_t count, struct buf *out, struct fault *fault UNUSED)
{
	size_t len;
	const char *text = rows_slice(rows, from, count, &len);

	buf_add(out, text, len);
	return 0;
}

static int raw_reply(const struct model *model UNUSED, const char *text, size_t len,
		     size_t rows UNUSED, struct results *out, struct fault *fault)
{
	struct output output = {.values = 1, .are = VALUES_WHOLE};
	struct scan s;

	scan_init(&s, text, len);
	scan_skip(&s, scan_next(&s));
	if (scan_next(&s) != SCAN_END)
		return judge_not_json(&s, fault);
	output.data = text;
	output.len = len;
	output.name = xstrdup("response");
	output.datatype = xstrdup("");
	*out = (struct results){.outputs = {output}, .count = 1, .rows = 1};
	return 0;
}

const struct protocol raw_protocol = {
    .name = "raw",
    .one_row = true,
    .rule = any_row,
    .request = raw_request,
    .reply = raw_reply,
};
