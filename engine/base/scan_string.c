#include "base/scan_string.h"

#include "base/utf8.h"

static bool fail(struct scan *s, const char *problem)
{
	scan_refuse(s, problem);
	return false;
}

/* The four hex digits at p, or -1. */
static long hex4(const char *p, const char *end)
{
	long value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Check the escape whose backslash is at s->at and step over it. */
static bool skip_escape(struct scan *s)
{
	const char *p = s->at + 1;
	long unit;

	if (p < s->end && *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL) {
		s->at += 2;
		return true;
	}
	if (p >= s->end || *p != 'u' || (unit = hex4(p + 1, s->end)) < 0)
		return fail(s, "expected an escape such as \\n or \\u00e9");
	if (unit == 0)
		return fail(s, "\\u0000 is not supported");
	p += 5;
	if (unit >= 0xD800 && unit <= 0xDFFF) {
		long low =
		    s->end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, s->end) : -1;

		if (unit >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
			return fail(s, "expected a surrogate pair, found half of one");
		p += 6;
	}
	s->at = p;
	return true;
}

bool scan_string(struct scan *s)
{
	if (s->at >= s->end || *s->at != '"')
		return fail(s, "expected a string");
	s->span = ++s->at;
	s->escaped = false;
	while (s->at < s->end && *s->at != '"') {
		size_t n;

		if (*s->at == '\\') {
			s->escaped = true;
			if (!skip_escape(s))
				return false;
			continue;
		}
		if ((unsigned char)*s->at < 0x20)
			return fail(s, "expected an escape, found a control character in a string");
		n = utf8_char(s->at, (size_t)(s->end - s->at));
		if (n == 0)
			return fail(s, "expected UTF-8, found another byte");
		s->at += n;
	}
	if (s->at >= s->end)
		return fail(s, "expected the end of a string, found the end of the text");
	s->span_len = (size_t)(s->at++ - s->span);
	return true;
}

bool scan_quoted(struct scan *s)
{
	if (*s->at != '"')
		return fail(s, "expected a string");
	s->span = ++s->at;
	s->escaped = false;
	while (s->at < s->end && *s->at != '"') {
		bool backslash = *s->at == '\\';

		s->escaped = s->escaped || backslash;
		s->at += backslash && s->end - s->at > 1 ? 2 : 1;
	}
	if (s->at >= s->end)
		return fail(s, "expected the end of a string, found the end of the text");
	s->span_len = (size_t)(s->at++ - s->span);
	return true;
}

size_t scan_copy(const struct scan *s, char *text)
{
	static const char plain[] = "\"\\/\b\f\n\r\t", names[] = "\"\\/bfnrt";
	char *out = text;
	const char *p = s->span, *end = s->span + s->span_len;

	while (p < end) {
		uint32_t cp;

		if (*p != '\\') {
			*out++ = *p++;
			continue;
		}
		if (p[1] != 'u') {
			*out++ = plain[strchr(names, p[1]) - names];
			p += 2;
			continue;
		}
		cp = (uint32_t)hex4(p + 2, end);
		p += 6;
		if (cp >= 0xD800 && cp <= 0xDFFF) {
			cp =
			    0x10000 + ((cp - 0xD800) << 10) + ((uint32_t)hex4(p + 2, end) - 0xDC00);
			p += 6;
		}
		out += utf8_encode(cp, out);
	}
	*out = '\0';
	return (size_t)(out - text);
}

char *scan_text(const struct scan *s)
{
	char *text = xmalloc(s->span_len + 1);

	scan_copy(s, text);
	return text;
}
