/*
 * base64.h - Base64 with the standard alphabet (RFC 4648 section 4).
 *
 * Decoding is strict: padding is required, the unused bits before it are zero, and nothing else
 * (blanks, line breaks) may appear, so that every value has exactly one spelling.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/err.h"

/* Append the decoded bytes to out; INVALID (with the position, never the text: it may be a
 * secret) or LIMIT, and then nothing is added. */
int base64_decode(const char *text, size_t len, struct buf *out, struct err *err);

/* Append the encoded text to out; -1 when it does not fit. */
int base64_encode(const void *bytes, size_t len, struct buf *out);

#endif
