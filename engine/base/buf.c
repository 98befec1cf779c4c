#include "base/buf.h"

#include "base/utf8.h"

char buf_empty[1] = "";

enum { SMALLEST = 64 };

void buf_done(struct buf *b)
{
	if (b->cap > 0)
		free(b->data);
	*b = (struct buf)BUF_INIT(b->max);
}

static int reserve(struct buf *b, size_t more)
{
	size_t need, cap;

	if (b->full || more > b->max - b->len) {
		b->full = true;
		return -1;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return 0;
	cap = b->cap > SMALLEST ? b->cap : SMALLEST;
	while (cap < need)
		cap += cap / 2;
	b->data = xrealloc(b->cap > 0 ? b->data : NULL, cap);
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (reserve(b, len) < 0)
		return -1;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_adds(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	return buf_adds(b, text);
}

static int add_escaped(struct buf *b, unsigned char c)
{
	static const char shorthand[128] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
					    ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
	char text[8];

	if (shorthand[c] != 0)
		snprintf(text, sizeof(text), "\\%c", shorthand[c]);
	else
		snprintf(text, sizeof(text), "\\u%04x", c);
	return buf_adds(b, text);
}

int buf_add_json(struct buf *b, const char *text, size_t len)
{
	size_t start = 0, i = 0, len_before = b->len;

	buf_addc(b, '"');
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		size_t n = utf8_char(text + i, len - i);

		if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7F) {
			i += n;
			continue;
		}
		buf_add(b, text + start, i - start);
		if (n > 0)
			add_escaped(b, c);
		else
			buf_adds(b, "\xEF\xBF\xBD");
		start = ++i;
	}
	buf_add(b, text + start, len - start);
	if (buf_addc(b, '"') == 0)
		return 0;
	b->len = len_before;
	b->data[b->len] = '\0';
	return -1;
}

void buf_consume(struct buf *b, size_t count)
{
	if (count == 0)
		return;
	b->len -= count;
	memmove(b->data, b->data + count, b->len + 1);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
	b->data[0] = '\0';
}

char *buf_steal(struct buf *b)
{
	char *text = b->cap > 0 ? b->data : xstrdup("");

	*b = (struct buf)BUF_INIT(b->max);
	return text;
}
