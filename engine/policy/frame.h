/*
 * frame.h - messages between engine and worker: an object of JSON values behind its length.
 *
 * Four bytes of length (big-endian), then for each member a line: its key, a blank, its value as
 * compact JSON. Values stand on lines of their own, not inside one JSON text, so that an object
 * which is nested as deep as scan.h allows still fits.
 */
#ifndef POLICY_FRAME_H
#define POLICY_FRAME_H

#include "base/buf.h"
#include "base/json.h"

enum {
	FRAME_HEADER = 4,
	FRAME_MAX = 8 << 20, /* bytes behind the header */
};

/* Append a message to out: the members of an object and those of another one (NULL: none). -1 with
 * kind LIMIT and out as it was, if it is too large. */
int frame_pack(const struct json *message, const struct json *more, struct buf *out,
	       struct err *err);

void frame_put_size(size_t size, unsigned char header[FRAME_HEADER]);
size_t frame_get_size(const void *header);

/* The message in the bytes behind a header; NULL with err set. */
struct json *frame_unpack(const char *bytes, size_t len, struct err *err);

#endif
