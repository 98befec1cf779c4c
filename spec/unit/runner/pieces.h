/*
 * pieces.h - rows out of a text that comes in pieces of any size: for the tests of formats and their
 * fuzz targets.
 */
#ifndef SPEC_UNIT_RUNNER_PIECES_H
#define SPEC_UNIT_RUNNER_PIECES_H

#include "runner/reader.h"

/* A provider whose input is a text. */
struct storage {
	const char *text;
	size_t len, piece;
};

static inline int pieces_read(struct storage *storage, struct buf *out, struct fault *fault UNUSED)
{
	size_t len = storage->len < storage->piece ? storage->len : storage->piece;

	buf_add(out, storage->text, len);
	storage->text += len;
	storage->len -= len;
	return 0;
}

static const struct provider pieces_provider = {.name = "text", .read = pieces_read};

/* All rows of the text. */
static inline int pieces_decode(const struct format *format, const struct json *settings,
				const char *text, size_t len, size_t piece, struct rows *rows,
				struct fault *fault)
{
	struct storage storage = {.text = text, .len = len, .piece = piece};
	struct section section = {
	    .provider = &pieces_provider, .settings = settings, .format = format};
	struct reader reader;
	int rc;

	reader_init(&reader, &section, &storage);
	rc = reader_fill(&reader, rows, SIZE_MAX, SIZE_MAX, fault);
	reader_done(&reader);
	return rc;
}

#endif
