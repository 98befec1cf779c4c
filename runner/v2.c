/* v2.c - the Open Inference Protocol, version 2. */
#include "runner/v2.h"

#include "base/log.h"
#include "runner/gojson.h"
#include "runner/judge.h"

/* ---- rows ---- */

static unsigned leaves_of(const char *datatype)
{
	return streq(datatype, "BYTES")  ? LEAF_STRING
	       : streq(datatype, "BOOL") ? LEAF_BOOL
					 : LEAF_NUMBER;
}

/* All values of a row into one tensor: the rule is exact. Else values are looked at as they are
 * picked. */
static bool takes_all(const struct model *model)
{
	return model->input_count == 1 && model->inputs[0].columns == NULL;
}

static struct row_rule rule(const struct model *model)
{
	unsigned leaves = leaves_of(model->inputs[0].datatype);

	if (takes_all(model))
		return (struct row_rule){
		    .leaves = leaves, .scalars = leaves == LEAF_STRING, .even = true};
	return (struct row_rule){.leaves = LEAF_ANY, .nested = true};
}

/* ---- the shape, from the model's metadata ---- */

char *v2_metadata_url(const char *url)
{
	static const char suffix[] = "/infer";
	size_t len = strlen(url), tail = strlen(suffix);

	if (len <= tail || !streq(url + len - tail, suffix))
		return NULL;
	return xstrndup(url, len - tail);
}

bool v2_metadata_shape(const char *text, size_t len, const char *input_name, struct shape *out)
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

static int ask(const struct model *model, struct http_reply *reply, struct fault *fault)
{
	auto_free char *url = v2_metadata_url(model->url);
	struct http_request request = {.method = "GET",
				       .url = url,
				       .peer = &model->endpoint.peer,
				       .headers = &model->headers,
				       .timeout_ms = model->timeout_ms,
				       .single = true};

	if (http_call(&request, reply, &fault->err) < 0)
		return judge_no_answer(reply, REASON_MODEL_UNAVAILABLE, fault);
	if (!http_status_passing(reply->status))
		return 0;
	judge_status(reply, "the model", REASON_MODEL_REJECTED, REASON_MODEL_UNAVAILABLE, fault);
	fault->err.retry_ms = reply->retry_ms;
	return -1;
}

/* Triton refuses a tensor of another rank than its configuration says; where the contract tells no
 * shape, the model's metadata may. */
static int prepare(struct model *model, const struct rows *rows, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	struct shape wanted = {.rank = 0}, fitted;
	struct tensor *input = &model->inputs[0];
	auto_free char *url = v2_metadata_url(model->url);
	struct err err = ERR_INIT;

	if (!takes_all(model) || input->shape.rank > 0 || url == NULL)
		return 0;
	if (ask(model, &reply, fault) < 0)
		return -1;
	if (reply.status != 200 ||
	    !v2_metadata_shape(reply.body.data, reply.body.len, input->name, &wanted))
		return 0;
	if (shape_fit(&wanted, rows->count, rows->width, &fitted, &err) == 0)
		input->shape = wanted;
	else
		log_warn("the model's metadata does not fit the input", "error", err.msg);
	return 0;
}

/* ---- the request ---- */

/* As Go writes a map: keys in byte order. */
static void add_tensor(const struct tensor *input, const char *data, size_t len,
		       const struct shape *shape, struct buf *out)
{
	buf_adds(out, "{\"data\":[");
	buf_add(out, data, len);
	buf_adds(out, "],\"datatype\":");
	gojson_add_string(out, input->datatype);
	buf_adds(out, ",\"name\":");
	gojson_add_string(out, input->name);
	buf_adds(out, ",\"shape\":[");
	for (size_t i = 0; i < shape->rank; i++)
		buf_addf(out, "%s%lld", i > 0 ? "," : "", (long long)shape->dims[i]);
	buf_adds(out, "]}");
}

/* What is taken from one row for one input. */
struct pick {
	const struct tensor *input;
	size_t row, values; /* its number, for messages; values found so far */
	struct buf *out;
};

static int refuse(const struct pick *pick, const char *column, const char *found,
		  struct fault *fault)
{
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
			 "row %zu: input %s (%s): expected column %s with values of that type, "
			 "found %s",
			 pick->row, pick->input->name, pick->input->datatype, column, found);
}

static bool is_leaf_of(enum scan_token token, const char *datatype)
{
	unsigned leaves = leaves_of(datatype);

	return (token == SCAN_NUMBER && leaves == LEAF_NUMBER) ||
	       (token == SCAN_STRING && leaves == LEAF_STRING) ||
	       ((token == SCAN_TRUE || token == SCAN_FALSE) && leaves == LEAF_BOOL);
}

/* Take the value whose first token is read, with all leaves in it. */
static int take_value(struct pick *pick, struct scan *s, enum scan_token token, const char *column,
		      struct fault *fault)
{
	int depth = s->depth - (token == SCAN_ARRAY);

	for (;;) {
		if (is_leaf_of(token, pick->input->datatype)) {
			bool quoted = token == SCAN_STRING;

			buf_adds(pick->out, pick->values++ > 0 ? "," : "");
			buf_add(pick->out, s->span - quoted, s->span_len + 2 * (size_t)quoted);
		} else if (token != SCAN_ARRAY && token != SCAN_ARRAY_END) {
			return refuse(pick, column, scan_token_name(token), fault);
		}
		if (s->depth == depth)
			return 0;
		token = scan_next(s);
	}
}

/* Find a column in the row: by its name in an object, by its number in an array; NULL: each. */
static int take_column(struct pick *pick, const char *row, size_t len, const char *column,
		       int64_t number, struct fault *fault)
{
	struct scan s;
	enum scan_token token;
	int64_t i = 0;
	bool object;

	scan_init(&s, row, len);
	object = scan_next(&s) == SCAN_OBJECT;
	for (; (token = scan_next(&s)) != SCAN_OBJECT_END && token != SCAN_ARRAY_END; i++) {
		bool wanted =
		    object ? column == NULL || scan_key_is(&s, column) : number < 0 || i == number;

		if (object)
			token = scan_next(&s);
		if (!wanted)
			scan_skip(&s, token);
		else if (take_value(pick, &s, token, column != NULL ? column : "?", fault) < 0)
			return -1;
		else if (number >= 0 || column != NULL)
			return 0;
	}
	return number >= 0 || column != NULL ? refuse(pick, column, "none", fault) : 0;
}

/* Without columns an input of several has the member of its name. */
static int take_row(struct pick *pick, const struct model *model, const char *row, size_t len,
		    struct fault *fault)
{
	const struct json *columns = pick->input->columns;

	if (takes_all(model))
		return take_column(pick, row, len, NULL, -1, fault);
	if (columns == NULL)
		return take_column(pick, row, len, pick->input->name, INT64_MAX, fault);
	for (const struct json *c = json_first(columns); c != NULL; c = json_next(c)) {
		const char *name = json_str(c) != NULL ? json_str(c) : json_number_text(c);
		int64_t number = INT64_MAX;

		json_int64(c, &number);
		if (take_column(pick, row, len, name, number, fault) < 0)
			return -1;
	}
	return 0;
}

static int check_width(const struct pick *pick, size_t *width, struct fault *fault)
{
	if (*width == 0)
		*width = pick->values;
	if (pick->values == *width && *width > 0)
		return 0;
	return fault_set(fault, REASON_INPUT_INVALID, ERR_INVALID,
			 "row %zu: input %s: expected %zu values as in the rows before, found %zu",
			 pick->row, pick->input->name, *width, pick->values);
}

/* "[1,2],[3,4]" for an input, value by value. */
static int pick_rows(const struct model *model, const struct tensor *input, const struct rows *rows,
		     size_t from, size_t count, size_t *width, struct buf *out, struct fault *fault)
{
	for (size_t i = from; i < from + count; i++) {
		struct pick pick = {.input = input, .row = (size_t)rows->first + i + 1, .out = out};
		size_t len;
		const char *row = rows_slice(rows, i, 1, &len);

		buf_adds(out, i > from ? ",[" : "[");
		if (take_row(&pick, model, row, len, fault) < 0 ||
		    check_width(&pick, width, fault) < 0)
			return -1;
		buf_addc(out, ']');
	}
	return 0;
}

static bool has_objects(const struct rows *rows, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		if (rows->text.data[rows->starts[i]] == '{')
			return true;
	return false;
}

static int add_input(const struct model *model, const struct tensor *input, const struct rows *rows,
		     size_t from, size_t count, struct buf *out, struct fault *fault)
{
	auto_buf struct buf picked = BUF_INIT(SIZE_MAX / 2);
	size_t width = takes_all(model) ? rows->width : 0, len;
	const char *data;
	struct shape shape;

	if (takes_all(model) && !has_objects(rows, from, count)) {
		data = rows_slice(rows, from, count, &len);
	} else {
		if (pick_rows(model, input, rows, from, count, &width, &picked, fault) < 0)
			return -1;
		data = picked.data;
		len = picked.len;
	}
	if (shape_fit(&input->shape, count, width, &shape, &fault->err) < 0)
		return fault_as(fault, REASON_SHAPE_MISMATCH);
	add_tensor(input, data, len, &shape, out);
	return 0;
}

static int request(const struct model *model, const struct rows *rows, size_t from, size_t count,
		   struct buf *out, struct fault *fault)
{
	buf_adds(out, "{\"inputs\":[");
	for (size_t i = 0; i < model->input_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		if (add_input(model, &model->inputs[i], rows, from, count, out, fault) < 0)
			return -1;
	}
	buf_adds(out, "]}");
	return 0;
}
const struct protocol v2_protocol = {
    .name = "v2",
    .rule = rule,
    .prepare = prepare,
    .request = request,
    .reply = v2_reply,
};
