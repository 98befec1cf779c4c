#include "runner/uri.h"

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

void uri_encode(const char *text, size_t len, const char *keep, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (is_unreserved(text[i]) || (text[i] != '\0' && strchr(keep, text[i]) != NULL))
			buf_addc(out, text[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)text[i]);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void uri_decode(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		bool escape = text[i] == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 &&
			      hex_value(text[i + 2]) >= 0;

		if (escape) {
			buf_addc(out, (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2])));
			i += 2;
		} else {
			buf_addc(out, text[i]);
		}
	}
}
