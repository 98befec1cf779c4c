/*
 * decode.h - rows out of any bytes, whole or in pieces, for the fuzz targets of formats.
 */
#ifndef SPEC_FUZZ_DECODE_H
#define SPEC_FUZZ_DECODE_H

#include "base/utf8.h"
#include "runner/reader.h"
#include "spec/fuzz/parts/fuzz.h"

struct storage {
	const char *text;
	size_t len, piece;
};

static inline int give(struct storage *storage, struct buf *out, struct fault *fault UNUSED)
{
	size_t len = storage->len < storage->piece ? storage->len : storage->piece;

	buf_add(out, storage->text, len);
	storage->text += len;
	storage->len -= len;
	return 0;
}

static inline int decode(const struct format *format, const struct json *settings,
			 const uint8_t *bytes, size_t len, size_t piece, struct rows *rows,
			 struct fault *fault)
{
	static const struct provider text = {.name = "text", .read = give};
	struct storage storage = {.text = (const char *)bytes, .len = len, .piece = piece};
	struct section section = {.provider = &text, .settings = settings, .format = format};
	struct reader reader;
	int rc;

	reader_init(&reader, &section, &storage);
	rc = reader_fill(&reader, rows, SIZE_MAX, SIZE_MAX, fault);
	reader_done(&reader);
	return rc;
}

/* Pieces change nothing: neither the rows nor the message. Rows that come out are JSON. */
static inline void check_decoder(const struct format *format, const struct json *settings,
				 struct row_rule rule, const uint8_t *bytes, size_t len)
{
	auto_rows struct rows whole = ROWS_INIT(rule), pieces = ROWS_INIT(rule);
	struct fault fault = FAULT_INIT, again = FAULT_INIT;
	int rc = decode(format, settings, bytes, len, SIZE_MAX, &whole, &fault);
	size_t piece = 1 + len % 7;

	promise(decode(format, settings, bytes, len, piece, &pieces, &again) == rc);
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
