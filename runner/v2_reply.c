/* v2_reply.c - what a model answers by the Open Inference Protocol. */
#include "runner/judge.h"
#include "runner/v2.h"

/* An output while its members come in any order. */
struct reading {
	struct output output;
	size_t index;
	bool has_shape, has_null;
};

static int reply_invalid(struct fault *fault, const struct reading *r, const char *member,
			 const char *expected, enum scan_token found)
{
	return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
			 "the model's reply: outputs[%zu].%s: expected %s, found %s", r->index,
			 member, expected, scan_token_name(found));
}

static int read_leaf(struct scan *s, enum scan_token token, struct reading *r, struct fault *fault)
{
	auto_free char *member = NULL;

	if (token == SCAN_ERROR)
		return judge_not_json(s, fault);
	r->output.values++;
	r->has_null = r->has_null || token == SCAN_NULL;
	if (token != SCAN_OBJECT && token != SCAN_KEY)
		return 0;
	member = xasprintf("data, value %zu", r->output.values);
	return reply_invalid(fault, r, member, "a number, a string or a boolean", token);
}

/* data may be flat or nested. */
static int read_data(struct scan *s, struct reading *r, struct fault *fault)
{
	enum scan_token token = scan_next(s);
	const char *start = s->span;
	int depth = 1;

	if (r->output.data != NULL || token != SCAN_ARRAY)
		return token == SCAN_ERROR ? judge_not_json(s, fault)
					   : reply_invalid(fault, r, "data", "one array", token);
	while (depth > 0) {
		token = scan_next(s);
		if (token == SCAN_ARRAY)
			depth++;
		else if (token == SCAN_ARRAY_END)
			depth--;
		else if (read_leaf(s, token, r, fault) < 0)
			return -1;
	}
	r->output.data = start;
	r->output.len = (size_t)(s->at - start);
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

static int read_shape(struct scan *s, struct reading *r, struct fault *fault)
{
	struct shape *shape = &r->output.shape;
	enum scan_token token = scan_next(s);

	if (r->has_shape || token != SCAN_ARRAY)
		return token == SCAN_ERROR ? judge_not_json(s, fault)
					   : reply_invalid(fault, r, "shape", "one array", token);
	r->has_shape = true;
	while ((token = scan_next(s)) == SCAN_NUMBER && shape->rank < SHAPE_RANK_MAX)
		if (!read_dim(s, &shape->dims[shape->rank++]))
			break;
	if (token == SCAN_ERROR)
		return judge_not_json(s, fault);
	return token == SCAN_ARRAY_END
		   ? 0
		   : reply_invalid(fault, r, "shape", "at most 8 whole numbers", token);
}

static int read_text(struct scan *s, char **out, const struct reading *r, const char *member,
		     struct fault *fault)
{
	enum scan_token token = scan_next(s);

	if (token == SCAN_ERROR)
		return judge_not_json(s, fault);
	if (token != SCAN_STRING || *out != NULL)
		return reply_invalid(fault, r, member, "one string", token);
	*out = scan_text(s);
	return 0;
}

/* With '{' just read. */
static int read_members(struct scan *s, struct reading *r, struct fault *fault)
{
	enum scan_token token;
	int rc = 0;

	while (rc == 0 && (token = scan_next(s)) == SCAN_KEY) {
		if (scan_key_is(s, "data"))
			rc = read_data(s, r, fault);
		else if (scan_key_is(s, "shape"))
			rc = read_shape(s, r, fault);
		else if (scan_key_is(s, "name"))
			rc = read_text(s, &r->output.name, r, "name", fault);
		else if (scan_key_is(s, "datatype"))
			rc = read_text(s, &r->output.datatype, r, "datatype", fault);
		else
			scan_skip(s, scan_next(s));
	}
	if (rc == 0 && token == SCAN_ERROR)
		return judge_not_json(s, fault);
	return rc;
}

static int mismatch(const struct reading *r, const char *what, int64_t expected, int64_t found,
		    struct fault *fault)
{
	return fault_set(fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
			 "the model's reply: outputs[%zu]: expected %s%lld%s, found %lld", r->index,
			 what, (long long)expected,
			 *what == '\0' ? " values by its shape" : " rows", (long long)found);
}

static int check_output(const struct model *model, const struct reading *r, size_t rows,
			struct fault *fault)
{
	const struct output *output = &r->output;
	int64_t product = 1;

	if (output->data == NULL)
		return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
				 "the model's reply: expected outputs[%zu].data, found none",
				 r->index);
	for (size_t i = 0; i < output->shape.rank; i++)
		if (__builtin_mul_overflow(product, output->shape.dims[i], &product))
			return reply_invalid(fault, r, "shape",
					     "whole numbers that a memory can hold", SCAN_NUMBER);
	if (r->has_shape && product != (int64_t)output->values)
		return mismatch(r, "", product, (int64_t)output->values, fault);
	if (r->has_null && model->nonfinite == NONFINITE_FAIL)
		return fault_set(fault, REASON_NON_FINITE, ERR_INVALID,
				 "the model's reply: outputs[%zu].data: expected values, found "
				 "null: see kserve.nonFinite",
				 r->index);
	if (r->index > 0) /* whether it is one value a row is for the layout to say */
		return 0;
	if (output->shape.rank > 0 && output->shape.dims[0] != (int64_t)rows)
		return mismatch(r, "values for ", (int64_t)rows, output->shape.dims[0], fault);
	if (output->values == 0 || output->values % rows != 0)
		return fault_set(fault, REASON_SHAPE_MISMATCH, ERR_INVALID,
				 "the model's reply: expected values for %zu rows in outputs[%zu], "
				 "found %zu values",
				 rows, r->index, output->values);
	return 0;
}

static int read_output(struct scan *s, const struct model *model, struct results *out,
		       struct fault *fault)
{
	struct reading r = {.index = out->count};
	int rc = read_members(s, &r, fault);

	if (rc == 0 && out->count == OUTPUTS_MAX)
		rc = fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_LIMIT,
			       "the model's reply: expected at most %d outputs, found more",
			       OUTPUTS_MAX);
	if (rc == 0)
		rc = check_output(model, &r, out->rows, fault);
	if (rc < 0) {
		free(r.output.name);
		free(r.output.datatype);
		return -1;
	}
	if (r.output.name == NULL)
		r.output.name = xasprintf("output-%zu", out->count);
	if (r.output.datatype == NULL)
		r.output.datatype = xstrdup("");
	out->outputs[out->count++] = r.output;
	return 0;
}

static int outputs_invalid(const char *where, const char *expected, enum scan_token found,
			   struct fault *fault)
{
	return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
			 "the model's reply: %s: expected %s, found %s", where, expected,
			 scan_token_name(found));
}

static int read_outputs(struct scan *s, const struct model *model, struct results *out,
			struct fault *fault)
{
	enum scan_token token = scan_next(s);

	if (token == SCAN_ARRAY && out->count == 0) {
		while ((token = scan_next(s)) == SCAN_OBJECT)
			if (read_output(s, model, out, fault) < 0)
				return -1;
		if (token == SCAN_ARRAY_END)
			return 0;
	}
	if (token == SCAN_ERROR)
		return judge_not_json(s, fault);
	return outputs_invalid("outputs", "one array of objects", token, fault);
}

static int read_reply(struct scan *s, const struct model *model, struct results *out,
		      struct fault *fault)
{
	enum scan_token token = scan_next(s);

	if (token == SCAN_ERROR)
		return judge_not_json(s, fault);
	if (token != SCAN_OBJECT)
		return outputs_invalid("its root", "an object", token, fault);
	while ((token = scan_next(s)) == SCAN_KEY) {
		if (!scan_key_is(s, "outputs"))
			scan_skip(s, scan_next(s));
		else if (read_outputs(s, model, out, fault) < 0)
			return -1;
	}
	if (token == SCAN_ERROR || scan_next(s) != SCAN_END)
		return judge_not_json(s, fault);
	if (out->count == 0)
		return fault_set(fault, REASON_MODEL_REPLY_INVALID, ERR_INVALID,
				 "the model's reply: expected outputs[0].data, found none");
	return 0;
}

int v2_reply(const struct model *model, const char *text, size_t len, size_t rows,
	     struct results *out, struct fault *fault)
{
	struct results found = {.rows = rows};
	struct scan s;

	if (judge_reply(text, len, fault) < 0)
		return -1;
	scan_init(&s, text, len);
	if (read_reply(&s, model, &found, fault) < 0) {
		results_done(&found);
		return -1;
	}
	*out = found;
	return 0;
}
