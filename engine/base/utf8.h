/*
 * utf8.h - checking and cutting UTF-8 (RFC 3629).
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

/* The length (1 to 4) of the well-formed character that starts at text, or 0: truncated,
 * overlong, a surrogate, above U+10FFFF or no start byte. */
size_t utf8_char(const char *text, size_t len);

bool utf8_valid(const char *text, size_t len);

/* The largest length <= max that does not cut a character of text in two. */
size_t utf8_prefix(const char *text, size_t len, size_t max);

/* Write code point cp (not a surrogate, at most 0x10FFFF) to out; returns its length, 1 to 4. */
size_t utf8_encode(uint32_t cp, char out[4]);

#endif
