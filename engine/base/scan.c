#include "base/scan.h"

#include "base/scan_string.h"

void scan_init(struct scan *s, const char *text, size_t len)
{
	*s = (struct scan){.start = text,
			   .at = text,
			   .end = text + len,
			   .want = SCAN_WANT_VALUE,
			   .line = 1,
			   .column = 1};
}

enum scan_token scan_refuse(struct scan *s, const char *problem)
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
		return scan_refuse(s, "expected at most 64 levels of nesting, found more");
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
		return scan_refuse(s, "expected a value");
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!skip_digits(s))
			return scan_refuse(s, "expected a digit behind the decimal point");
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!skip_digits(s))
			return scan_refuse(s, "expected a digit in the exponent");
	}
	s->span_len = (size_t)(s->at - s->span);
	after_value(s);
	return SCAN_NUMBER;
}

static enum scan_token read_word(struct scan *s, const char *word, enum scan_token token)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return scan_refuse(s, "expected a value");
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
		if (!scan_string(s))
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
		return scan_refuse(s, "expected ':' behind an object's key");
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
		*token = s->at == s->end ? SCAN_END
					 : scan_refuse(s, "expected nothing behind the value");
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
			scan_refuse(s,
				    in_object(s) ? "expected ',' or '}'" : "expected ',' or ']'");
			return AHEAD_NEITHER;
		}
		s->at++;
		skip_space(s);
	}
	if (s->at >= s->end) {
		scan_refuse(s, "expected a value, found the end of the text");
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
	return ahead == AHEAD_KEY ? read_key(s, scan_string) : read_value(s);
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
		return scan_refuse(s, "expected a value");
	do {
		if (s->at >= s->end)
			return scan_refuse(s, "expected ']' or '}', found the end of the text");
		if (*s->at == '"') {
			if (!scan_quoted(s))
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
	return ahead == AHEAD_KEY ? read_key(s, scan_quoted) : skip_value(s);
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
