/*
 * buf.h - a growing byte buffer with a hard maximum.
 *
 * data is never NULL and always ends with a NUL byte behind data[len - 1], so that text needs no
 * extra step. A call that would pass the maximum adds nothing, sets `full` and returns -1; the
 * flag stays, so a chain of adds is checked once at its end:
 *
 *	auto_buf struct buf b = BUF_INIT(4096);
 *
 *	buf_adds(&b, "name=");
 *	buf_addf(&b, "%d", number);
 *	if (b.full)
 *		return err_set(err, ERR_LIMIT, "...");
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes, without the NUL */
	bool full;
};

extern char buf_empty[1];

#define BUF_INIT(maximum)                                                                          \
	{                                                                                          \
		.data = buf_empty, .max = (maximum)                                                \
	}

void buf_done(struct buf *b);
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_adds(struct buf *b, const char *text);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Add text as a JSON string with its quotes (RFC 8259). Invalid UTF-8 becomes U+FFFD. */
int buf_add_json(struct buf *b, const char *text, size_t len);

/* Drop the first count bytes (count <= len). */
void buf_consume(struct buf *b, size_t count);

/* Make it empty; keeps the memory, clears full. */
void buf_clear(struct buf *b);

/* The text, yours to free; the buffer is empty afterwards. */
char *buf_steal(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_done)))

#endif
