/*
 * scan.h - a strict, allocation-free JSON tokenizer (RFC 8259).
 *
 * It reads one JSON text from memory and yields one token after another; strings and numbers are
 * spans of the text, so a value can be copied on with every digit as it came. It refuses what the
 * grammar refuses (leading zeros, trailing commas, control characters and lone surrogates in
 * strings), invalid UTF-8, \u0000 (no C string can carry it), nesting deeper than SCAN_DEPTH_MAX
 * and anything behind the value. scan_skip_any() steps over a part of the text without all that.
 *
 *	struct scan s;
 *
 *	scan_init(&s, text, len);
 *	while ((token = scan_next(&s)) != SCAN_END && token != SCAN_ERROR)
 *		...
 *
 * A text that comes in pieces is read with scan_step() and scan_more().
 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/err.h"

enum { SCAN_DEPTH_MAX = 64 };

enum scan_token {
	SCAN_ERROR, /* scan_fail() tells; every later call says SCAN_ERROR again */
	SCAN_END,
	SCAN_OBJECT,
	SCAN_OBJECT_END,
	SCAN_ARRAY,
	SCAN_ARRAY_END,
	SCAN_KEY, /* an object's key; its value is the next token */
	SCAN_STRING,
	SCAN_NUMBER,
	SCAN_TRUE,
	SCAN_FALSE,
	SCAN_NULL,
};

struct scan {
	const char *span; /* the last token's text; of a key or string without its quotes */
	size_t span_len;
	bool escaped; /* the last key or string holds a backslash */

	/* private */
	const char *start, *at, *end;
	const char *problem;
	int line, column; /* of start */
	int depth;
	uint64_t objects; /* bit d: level d is an object */
	enum { SCAN_WANT_VALUE, SCAN_WANT_FIRST, SCAN_WANT_MORE, SCAN_WANT_END } want;
};

void scan_init(struct scan *s, const char *text, size_t len);
enum scan_token scan_next(struct scan *s);

/* With the value's first token just read: go to its end, so that the whole value is the span; that
 * of a string is without its quotes, as ever. */
enum scan_token scan_skip(struct scan *s, enum scan_token first);

/*
 * As scan_next, but a value is one token, with all that is in it, and the span is its whole text, a
 * string's with its quotes. The token tells how the value begins. Only brackets are counted,
 * without a limit, and quotes matched; keys are not checked either. So a part that would be refused
 * can be stepped over, or cut out and parsed by itself. scan_text() is not for what this found.
 */
enum scan_token scan_skip_any(struct scan *s);

/*
 * As scan_next, for a text of which only the beginning is there: false where more text could make
 * the token another one. Then call scan_more() with all that was not read yet, from s->at on, and
 * what has come behind it, and step again. last: nothing more will come.
 */
bool scan_step(struct scan *s, bool last, enum scan_token *token);
void scan_more(struct scan *s, const char *text, size_t len);

/* After SCAN_ERROR: set err to "line 3, column 7: expected ..., found ...". Returns -1. */
int scan_fail(const struct scan *s, struct err *err);

/* The plain text of the last key or string, escapes resolved; yours. */
char *scan_text(const struct scan *s);

/* The same, into memory of span_len + 1 bytes; returns its length. */
size_t scan_copy(const struct scan *s, char *text);

#endif
