#include "runner/gojson.h"

/* The length of the character at p that must be escaped, or 0. */
static size_t unsafe(const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x20 || strchr("\"\\<>&", c) != NULL)
		return 1;
	return has_prefix(p, "\xE2\x80\xA8") || has_prefix(p, "\xE2\x80\xA9") ? 3 : 0;
}

static void add_escape(struct buf *out, const char *p)
{
	static const char plain[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *known = strchr(plain, *p);

	if (known != NULL)
		buf_addf(out, "\\%c", names[known - plain]);
	else if ((unsigned char)*p == 0xE2)
		buf_adds(out, (unsigned char)p[2] == 0xA8 ? "\\u2028" : "\\u2029");
	else
		buf_addf(out, "\\u%04x", (unsigned char)*p);
}

void gojson_add_string(struct buf *out, const char *text)
{
	const char *start = text;

	buf_addc(out, '"');
	while (*text != '\0') {
		size_t len = unsafe(text);

		if (len == 0) {
			text++;
			continue;
		}
		buf_add(out, start, (size_t)(text - start));
		add_escape(out, text);
		start = text += len;
	}
	buf_adds(out, start);
	buf_addc(out, '"');
}

static int by_key(const void *a, const void *b)
{
	const struct gojson_pair *left = a, *right = b;

	return strcmp(left->key, right->key);
}

void gojson_add_map(struct buf *out, struct gojson_pair *pairs, size_t count)
{
	if (count > 0)
		qsort(pairs, count, sizeof(*pairs), by_key);
	buf_addc(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		gojson_add_string(out, pairs[i].key);
		buf_addc(out, ':');
		gojson_add_string(out, pairs[i].value);
	}
	buf_addc(out, '}');
}
