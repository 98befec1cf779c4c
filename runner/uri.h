/*
 * uri.h - percent-encoding (RFC 3986 section 2.1) as AWS signatures want it: all but letters,
 * digits and -._~ becomes %XX, in upper case; a space is %20.
 */
#ifndef RUNNER_URI_H
#define RUNNER_URI_H

#include "base/buf.h"

/* Append the text encoded; characters of keep ("/", "") stay as they are. */
void uri_encode(const char *text, size_t len, const char *keep, struct buf *out);

/* Append the text decoded; a % without two hexadecimal digits stands for itself. */
void uri_decode(const char *text, size_t len, struct buf *out);

#endif
