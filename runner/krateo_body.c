/* krateo_body.c - what a notebook is sent. */
#include "base/log.h"
#include "runner/gojson.h"
#include "runner/krateo.h"

static int check_args(const struct gojson_pair *pairs, size_t count, struct fault *fault)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(pairs[i].key) + 1 + strlen(pairs[i].value);

		if (len > KRATEO_ARG_MAX)
			return fault_set(
			    fault, REASON_ARG_TOO_LONG, ERR_LIMIT,
			    "%s: expected at most %zu bytes, found %zu: a notebook gets "
			    "it as one argument of its command line",
			    pairs[i].key, KRATEO_ARG_MAX - strlen(pairs[i].key) - 1,
			    strlen(pairs[i].value));
		sum += len + 1;
	}
	if (sum > KRATEO_ARGS_MAX)
		return fault_set(
		    fault, REASON_ARG_TOO_LONG, ERR_LIMIT,
		    "parameters: expected at most %d bytes in all, found %zu: a notebook "
		    "gets them as its command line",
		    KRATEO_ARGS_MAX, sum);
	return 0;
}

static bool is_own(const struct gojson_pair *own, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (streq(own[i].key, key))
			return true;
	return false;
}

/* The own pairs, then the parameters. */
static int add_body(const struct contract *contract, const struct gojson_pair *own,
		    size_t own_count, struct buf *out, struct fault *fault)
{
	size_t max = own_count + json_len(contract->parameters), count = own_count;
	auto_free struct gojson_pair *pairs = xcalloc(max + 1, sizeof(*pairs));

	for (size_t i = 0; i < own_count; i++)
		pairs[i] = own[i];
	for (const struct json *c = json_first(contract->parameters); c != NULL; c = json_next(c)) {
		const char *value = json_str(c) != NULL ? json_str(c) : "";

		if (is_own(own, own_count, json_key(c)))
			log_warn("parameter left out: its name is reserved", "parameter",
				 json_key(c));
		else
			pairs[count++] = (struct gojson_pair){json_key(c), value};
	}
	if (check_args(pairs, count, fault) < 0)
		return -1;
	gojson_add_map(out, pairs, count);
	return 0;
}

int krateo_input_body(const struct contract *contract, struct buf *out, struct fault *fault)
{
	return add_body(contract, NULL, 0, out, fault);
}

int krateo_output_body(const struct contract *contract, const char *pod_uid,
		       const char *predictions, struct buf *out, struct fault *fault)
{
	const struct gojson_pair own[] = {
	    {"job_uid", contract->job_id}, {"pod_uid", pod_uid}, {"predictions", predictions}};

	return add_body(contract, own, ARRAY_LEN(own), out, fault);
}

int krateo_chunk_body(const struct contract *contract, const char *pod_uid,
		      const struct krateo_cut *chunk, struct buf *out, struct fault *fault)
{
	auto_free char *offset = xasprintf("%lld", (long long)chunk->offset);
	auto_free char *total = xasprintf("%lld", (long long)chunk->total);
	const struct gojson_pair own[] = {
	    {"job_uid", contract->job_id},
	    {"pod_uid", pod_uid},
	    {"predictions", chunk->text.data},
	    {"job_name", contract_run_key(contract)},
	    {"offset", offset},
	    {"total", total},
	};

	return add_body(contract, own, ARRAY_LEN(own), out, fault);
}

/* ---- cutting ---- */

/* The next value, with its quotes; false behind the last. */
static bool next_value(struct krateo_cut *cut)
{
	enum scan_token token = scan_next(&cut->scan);

	if (token == SCAN_ARRAY_END || token == SCAN_END || token == SCAN_ERROR)
		return false;
	scan_skip(&cut->scan, token);
	cut->value = cut->scan.span - (token == SCAN_STRING);
	cut->value_len = cut->scan.span_len + (token == SCAN_STRING ? 2 : 0);
	return true;
}

static void rewind_to(struct krateo_cut *cut, const char *predictions, size_t len)
{
	scan_init(&cut->scan, predictions, len);
	scan_next(&cut->scan);
}

void krateo_cut_init(struct krateo_cut *cut, const char *predictions, size_t len)
{
	*cut = (struct krateo_cut){.text = BUF_INIT(SIZE_MAX / 2)};
	rewind_to(cut, predictions, len);
	while (next_value(cut))
		cut->total++;
	cut->value = NULL;
	rewind_to(cut, predictions, len);
}

void krateo_cut_done(struct krateo_cut *cut)
{
	buf_done(&cut->text);
}

bool krateo_cut_next(struct krateo_cut *cut)
{
	static const size_t max = KRATEO_ARG_MAX - sizeof("predictions=") + 1;

	if (cut->ended)
		return false;
	cut->offset += cut->count;
	cut->count = 0;
	buf_clear(&cut->text);
	buf_addc(&cut->text, '[');
	for (;; cut->count++) {
		if (cut->value == NULL && !next_value(cut)) {
			cut->ended = true;
			break;
		}
		if (cut->count > 0 && cut->text.len + cut->value_len + strlen(",]") > max)
			break;
		buf_adds(&cut->text, cut->count > 0 ? "," : "");
		buf_add(&cut->text, cut->value, cut->value_len);
		cut->value = NULL;
	}
	buf_addc(&cut->text, ']');
	return true;
}
