#include "base/scan.h"

#include "base/utf8.h"

void scan_init(struct scan *s, const char *text, size_t len)
{
	*s = (struct scan){.start = text,
			   .at = text,
			   .end = text + len,
			   .want = SCAN_WANT_VALUE,
			   .line = 1,
			   .column = 1};
}

static enum scan_token fail(struct scan *s, const char *problem)
{
	if (s->problem == NULL)
		s->problem = problem;
	return SCAN_ERROR;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool in_object(const struct scan *s)
{
	return s->depth > 0 && ((s->objects >> (s->depth - 1)) & 1);
}

static void after_value(struct scan *s)
{
	s->want = s->depth == 0 ? SCAN_WANT_END : SCAN_WANT_MORE;
}

static enum scan_token open_level(struct scan *s, bool object)
{
	if (s->depth == SCAN_DEPTH_MAX)
		return fail(s, "expected at most 64 levels of nesting, found more");
	s->objects = (s->objects & ~(1ULL << s->depth)) | ((uint64_t)object << s->depth);
	s->depth++;
	s->at++;
	s->want = SCAN_WANT_FIRST;
	return object ? SCAN_OBJECT : SCAN_ARRAY;
}

static enum scan_token close_level(struct scan *s)
{
	bool object = in_object(s);

	s->depth--;
	s->at++;
	after_value(s);
	return object ? SCAN_OBJECT_END : SCAN_ARRAY_END;
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
		return fail(s, "expected an escape such as \\n or \\u00e9"), false;
	if (unit == 0)
		return fail(s, "\\u0000 is not supported"), false;
	p += 5;
	if (unit >= 0xD800 && unit <= 0xDFFF) {
		long low =
		    s->end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, s->end) : -1;

		if (unit >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
			return fail(s, "expected a surrogate pair, found half of one"), false;
		p += 6;
	}
	s->at = p;
	return true;
}

static bool read_string(struct scan *s)
{
	if (s->at >= s->end || *s->at != '"')
		return fail(s, "expected a string"), false;
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
			return fail(s, "expected an escape, found a control character in a string"),
			       false;
		n = utf8_char(s->at, (size_t)(s->end - s->at));
		if (n == 0)
			return fail(s, "expected UTF-8, found another byte"), false;
		s->at += n;
	}
	if (s->at >= s->end)
		return fail(s, "expected the end of a string, found the end of the text"), false;
	s->span_len = (size_t)(s->at++ - s->span);
	return true;
}

static bool skip_digits(struct scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static enum scan_token read_number(struct scan *s)
{
	s->span = s->at;
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!skip_digits(s))
		return fail(s, "expected a value");
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!skip_digits(s))
			return fail(s, "expected a digit behind the decimal point");
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!skip_digits(s))
			return fail(s, "expected a digit in the exponent");
	}
	s->span_len = (size_t)(s->at - s->span);
	after_value(s);
	return SCAN_NUMBER;
}

static enum scan_token read_word(struct scan *s, const char *word, enum scan_token token)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return fail(s, "expected a value");
	s->span = s->at;
	s->span_len = len;
	s->at += len;
	after_value(s);
	return token;
}

static enum scan_token read_value(struct scan *s)
{
	s->span = s->at;
	s->span_len = 1;
	switch (*s->at) {
	case '{':
		return open_level(s, true);
	case '[':
		return open_level(s, false);
	case '"':
		if (!read_string(s))
			return SCAN_ERROR;
		after_value(s);
		return SCAN_STRING;
	case 't':
		return read_word(s, "true", SCAN_TRUE);
	case 'f':
		return read_word(s, "false", SCAN_FALSE);
	case 'n':
		return read_word(s, "null", SCAN_NULL);
	default:
		return read_number(s);
	}
}

/* A string by its quotes alone. */
static bool skip_string(struct scan *s)
{
	if (*s->at != '"')
		return fail(s, "expected a string"), false;
	s->span = ++s->at;
	s->escaped = false;
	while (s->at < s->end && *s->at != '"') {
		bool backslash = *s->at == '\\';

		s->escaped = s->escaped || backslash;
		s->at += backslash && s->end - s->at > 1 ? 2 : 1;
	}
	if (s->at >= s->end)
		return fail(s, "expected the end of a string, found the end of the text"), false;
	s->span_len = (size_t)(s->at++ - s->span);
	return true;
}

static enum scan_token read_key(struct scan *s, bool (*string)(struct scan *s))
{
	const char *key;
	size_t len;

	if (!string(s))
		return SCAN_ERROR;
	key = s->span;
	len = s->span_len;
	skip_space(s);
	if (s->at >= s->end || *s->at != ':')
		return fail(s, "expected ':' behind an object's key");
	s->at++;
	s->span = key;
	s->span_len = len;
	s->want = SCAN_WANT_VALUE;
	return SCAN_KEY;
}

enum ahead { AHEAD_KEY, AHEAD_VALUE, AHEAD_NEITHER };

/* Go to the next key or value; or *token is all that there is. */
static enum ahead look_ahead(struct scan *s, enum scan_token *token)
{
	*token = SCAN_ERROR;
	if (s->problem != NULL)
		return AHEAD_NEITHER;
	skip_space(s);
	if (s->want == SCAN_WANT_END) {
		*token = s->at == s->end ? SCAN_END : fail(s, "expected nothing behind the value");
		return AHEAD_NEITHER;
	}
	if ((s->want == SCAN_WANT_FIRST || s->want == SCAN_WANT_MORE) && s->at < s->end &&
	    *s->at == (in_object(s) ? '}' : ']')) {
		s->span = s->at;
		s->span_len = 1;
		*token = close_level(s);
		return AHEAD_NEITHER;
	}
	if (s->want == SCAN_WANT_MORE && s->at < s->end) {
		if (*s->at != ',') {
			fail(s, in_object(s) ? "expected ',' or '}'" : "expected ',' or ']'");
			return AHEAD_NEITHER;
		}
		s->at++;
		skip_space(s);
	}
	if (s->at >= s->end) {
		fail(s, "expected a value, found the end of the text");
		return AHEAD_NEITHER;
	}
	return s->want != SCAN_WANT_VALUE && in_object(s) ? AHEAD_KEY : AHEAD_VALUE;
}

enum scan_token scan_next(struct scan *s)
{
	enum scan_token token;
	enum ahead ahead = look_ahead(s, &token);

	if (ahead == AHEAD_NEITHER)
		return token;
	return ahead == AHEAD_KEY ? read_key(s, read_string) : read_value(s);
}

enum scan_token scan_skip(struct scan *s, enum scan_token first)
{
	const char *start = s->span;
	enum scan_token token = first;
	int depth = s->depth - 1;

	if (first != SCAN_OBJECT && first != SCAN_ARRAY)
		return first;
	while (s->depth > depth) {
		token = scan_next(s);
		if (token == SCAN_ERROR)
			return SCAN_ERROR;
	}
	s->span = start;
	s->span_len = (size_t)(s->at - start);
	return token;
}

/* The text of what is neither string nor bracket: up to whatever can end it. */
static void skip_word(struct scan *s)
{
	while (s->at < s->end && strchr(" \n\t\r,:\"[]{}", *s->at) == NULL)
		s->at++;
}

static enum scan_token token_of(char first)
{
	switch (first) {
	case '{':
		return SCAN_OBJECT;
	case '[':
		return SCAN_ARRAY;
	case '"':
		return SCAN_STRING;
	case 't':
		return SCAN_TRUE;
	case 'f':
		return SCAN_FALSE;
	case 'n':
		return SCAN_NULL;
	default:
		return SCAN_NUMBER;
	}
}

static enum scan_token skip_value(struct scan *s)
{
	const char *start = s->at;
	size_t depth = 0;

	if (strchr(",:]}", *start) != NULL) /* or a NUL */
		return fail(s, "expected a value");
	do {
		if (s->at >= s->end)
			return fail(s, "expected ']' or '}', found the end of the text");
		if (*s->at == '"') {
			if (!skip_string(s))
				return SCAN_ERROR;
			continue;
		}
		depth += *s->at == '{' || *s->at == '[';
		depth -= depth > 0 && (*s->at == '}' || *s->at == ']');
		s->at++;
	} while (depth > 0);
	if (token_of(*start) > SCAN_STRING)
		skip_word(s);
	s->span = start;
	s->span_len = (size_t)(s->at - start);
	after_value(s);
	return token_of(*start);
}

enum scan_token scan_skip_any(struct scan *s)
{
	enum scan_token token;
	enum ahead ahead = look_ahead(s, &token);

	if (ahead == AHEAD_NEITHER)
		return token;
	return ahead == AHEAD_KEY ? read_key(s, skip_string) : skip_value(s);
}

/* The line and column of the scanner's place. */
static void find_place(const struct scan *s, int *line, int *column)
{
	int row = s->line, place = s->column;

	for (const char *p = s->start; p < s->at && p < s->end; p++) {
		place++;
		if (*p == '\n') {
			row++;
			place = 1;
		}
	}
	*line = row;
	*column = place;
}

bool scan_step(struct scan *s, bool last, enum scan_token *token)
{
	enum { LONGEST = 12 }; /* a surrogate pair: what is refused is not looked at further */
	struct scan before = *s;

	*token = scan_next(s);
	if (last || (*token == SCAN_ERROR && s->end - s->at >= LONGEST) ||
	    (*token != SCAN_ERROR && *token != SCAN_END && *token != SCAN_NUMBER) ||
	    (*token == SCAN_NUMBER && s->at < s->end))
		return true;
	*s = before;
	find_place(s, &s->line, &s->column);
	s->start = s->at;
	return false;
}

void scan_more(struct scan *s, const char *text, size_t len)
{
	s->start = s->at = text;
	s->end = text + len;
}

int scan_fail(const struct scan *s, struct err *err)
{
	int line, column;

	find_place(s, &line, &column);
	return err_set(err, ERR_INVALID, "line %d, column %d: %s", line, column,
		       s->problem != NULL ? s->problem : "not JSON");
}

char *scan_text(const struct scan *s)
{
	static const char plain[] = "\"\\/\b\f\n\r\t", names[] = "\"\\/bfnrt";
	char *text = xmalloc(s->span_len + 1), *out = text;
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
	return text;
}
