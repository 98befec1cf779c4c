#include "kube/lines.h"

/* A buffer that one long line has blown up is given back; most lines are far shorter. */
enum { KEEP_CAPACITY = 64 << 10 };

void lines_init(struct lines *lines)
{
	lines->pending = (struct buf)BUF_INIT(LINE_MAX_LEN);
}

void lines_done(struct lines *lines)
{
	buf_done(&lines->pending);
}

static int too_long(struct err *err)
{
	return err_set(err, ERR_LIMIT, "expected lines of at most %d bytes, found a longer one",
		       LINE_MAX_LEN);
}

/* The rest of the line that was begun in earlier chunks. */
static int end_pending(struct lines *lines, const char *bytes, size_t len, line_fn *fn, void *arg,
		       struct err *err)
{
	struct buf *pending = &lines->pending;

	if (buf_add(pending, bytes, len) < 0)
		return too_long(err);
	if (fn(arg, pending->data, pending->len, err) < 0)
		return -1;
	if (pending->cap > KEEP_CAPACITY)
		buf_done(pending);
	buf_clear(pending);
	return 0;
}

int lines_feed(struct lines *lines, const char *bytes, size_t len, line_fn *fn, void *arg,
	       struct err *err)
{
	const char *end = bytes + len;
	const char *newline;

	while (bytes < end && (newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		size_t n = (size_t)(newline - bytes);

		if (lines->pending.len > 0) {
			if (end_pending(lines, bytes, n, fn, arg, err) < 0)
				return -1;
		} else if (n > LINE_MAX_LEN) {
			return too_long(err);
		} else if (n > 0 && fn(arg, bytes, n, err) < 0) {
			return -1;
		}
		bytes = newline + 1;
	}
	if (bytes < end && buf_add(&lines->pending, bytes, (size_t)(end - bytes)) < 0)
		return too_long(err);
	return 0;
}
