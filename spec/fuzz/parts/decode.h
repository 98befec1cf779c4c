/*
 * decode.h - what holds of the rows out of any bytes, for the fuzz targets of formats.
 */
#ifndef SPEC_FUZZ_DECODE_H
#define SPEC_FUZZ_DECODE_H

#include "base/utf8.h"
#include "spec/fuzz/parts/fuzz.h"
#include "spec/unit/runner/pieces.h"

/* Pieces change nothing: neither the rows nor the message. Rows that come out are JSON. */
static inline void check_decoder(const struct format *format, const struct json *settings,
				 struct row_rule rule, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	auto_rows struct rows whole = ROWS_INIT(rule), pieces = ROWS_INIT(rule);
	struct fault fault = FAULT_INIT, again = FAULT_INIT;
	int rc = pieces_decode(format, settings, text, len, SIZE_MAX, &whole, &fault);
	size_t piece = 1 + len % 7;

	promise(pieces_decode(format, settings, text, len, piece, &pieces, &again) == rc);
	promise(whole.count == pieces.count);
	promise(rc < 0 || streq(whole.text.data, pieces.text.data));
	if (rc < 0) {
		promise(fault.reason == again.reason && streq(fault.err.msg, again.err.msg));
		promise(utf8_valid(fault.err.msg, strlen(fault.err.msg)));
	}
	for (size_t i = 0; rc == 0 && i < whole.count; i++) {
		auto_rows struct rows copy = ROWS_INIT(rule);
		size_t row_len;
		const char *row = rows_slice(&whole, i, 1, &row_len);

		promise(rows_add(&copy, row, row_len, &fault) == 0);
		promise(copy.text.len == row_len);
	}
}

#endif
