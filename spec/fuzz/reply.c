/*
 * Any bytes as what a model answers; the first two choose protocol, layout, format and how many rows
 * were sent. What is refused says why; what is accepted is stored as JSON, with a record for each
 * row where the layout promises one.
 */
#include "base/scan.h"
#include "base/utf8.h"
#include "runner/nonfinite.h"
#include "runner/protocol.h"
#include "spec/fuzz/parts/fuzz.h"

static void check_fault(const struct fault *fault)
{
	promise(fault->reason == REASON_MODEL_REJECTED ||
		fault->reason == REASON_MODEL_REPLY_INVALID ||
		fault->reason == REASON_SHAPE_MISMATCH || fault->reason == REASON_NON_FINITE);
	promise(fault->err.msg[0] != '\0' && utf8_valid(fault->err.msg, strlen(fault->err.msg)));
}

/* How many values the text is, with commas between them. */
static size_t count_values(const struct buf *text)
{
	auto_free char *list = xasprintf("[%s]", text->data != NULL ? text->data : "");
	enum scan_token token;
	struct scan s;
	size_t count = 0;

	scan_init(&s, list, strlen(list));
	promise(scan_next(&s) == SCAN_ARRAY);
	for (; (token = scan_next(&s)) != SCAN_ARRAY_END; count++)
		promise(scan_skip(&s, token) != SCAN_ERROR);
	promise(scan_next(&s) == SCAN_END);
	return count;
}

static void check_records(const struct section *section, const struct results *results)
{
	auto_buf struct buf records = BUF_INIT(SIZE_MAX / 2), header = BUF_INIT(SIZE_MAX / 2);
	struct fault fault = FAULT_INIT;
	size_t count;

	if (results_encode(results, section, 0, &records, &header, &fault) < 0) {
		check_fault(&fault);
		return;
	}
	count = count_values(&records);
	promise(section->layout != LAYOUT_ROWS || count == results->rows);
	promise(section->layout != LAYOUT_TENSORS || count == 1);
	promise(section->layout != LAYOUT_FLAT || count == results->outputs[0].values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct protocol *const protocols[] = {&v2_protocol, &v1_protocol,
							   &raw_protocol};
	auto_buf struct buf text = BUF_INIT(SIZE_MAX / 2);
	auto_results struct results results = {.count = 0};
	struct section section = {.format = &json_format};
	struct model model = {.input_count = 1};
	struct fault fault = FAULT_INIT;

	if (len < 2)
		return 0;
	model.protocol = protocols[bytes[0] % ARRAY_LEN(protocols)];
	model.nonfinite = (enum nonfinite)(bytes[0] / 3 % 3);
	section.layout = (enum layout)(bytes[1] % 3);
	buf_add(&text, (const char *)bytes + 2, len - 2);
	if (nonfinite_clean(&text, model.nonfinite, &fault) < 0 ||
	    model.protocol->reply(&model, text.data, text.len,
				  model.protocol->one_row ? 1 : 1 + bytes[1] / 3 % 8, &results,
				  &fault) < 0)
		check_fault(&fault);
	else
		check_records(&section, &results);
	return 0;
}
