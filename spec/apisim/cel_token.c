#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "cel_token.h"

/* ---- characters ---- */

void cel_skip_blank(struct cel_reader *r)
{
	for (;;) {
		r->at += strspn(r->at, " \t\r\n\f");
		if (!has_prefix(r->at, "//"))
			return;
		r->at += strcspn(r->at, "\n");
	}
}

void *cel_fail(struct cel_reader *r, const char *expected)
{
	size_t line = 1, column = 1;
	size_t len = utf8_prefix(r->at, strlen(r->at), 16);

	for (const char *c = r->start; c < r->at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	err_set(r->err, ERR_INVALID, "line %zu, column %zu: expected %s, found %s%.*s%s", line,
		column, expected, len > 0 ? "'" : "the end", (int)len, r->at, len > 0 ? "'" : "");
	return NULL;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Take token if it comes next; one that ends in a letter must not go on as a word. */
bool cel_accept(struct cel_reader *r, const char *token)
{
	size_t len = strlen(token);

	cel_skip_blank(r);
	if (!has_prefix(r->at, token) || (is_word(token[len - 1]) && is_word(r->at[len])))
		return false;
	r->at += len;
	return true;
}

char *cel_identifier(struct cel_reader *r)
{
	const char *from;

	cel_skip_blank(r);
	from = r->at;
	if (isdigit((unsigned char)*from) || !is_word(*from))
		return NULL;
	while (is_word(*r->at))
		r->at++;
	return xstrndup(from, (size_t)(r->at - from));
}

/* ---- names ---- */

bool cel_is_keyword(const char *name)
{
	return streq(name, "true") || streq(name, "false") || streq(name, "null") ||
	       streq(name, "in");
}

bool cel_is_reserved(const char *name)
{
	static const char *const words[] = {
	    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
	    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (streq(name, words[i]))
			return true;
	return cel_is_keyword(name);
}

char *cel_unescape(const char *name)
{
	static const struct {
		const char *escaped, *plain;
	} parts[] = {
	    {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
	size_t len = strlen(name);
	struct buf out = BUF_INIT(CEL_TEXT_MAX);

	if (len > 4 && has_prefix(name, "__") && streq(name + len - 2, "__")) {
		auto_free char *inner = xstrndup(name + 2, len - 4);

		if (cel_is_reserved(inner))
			return steal(inner);
	}
	while (*name != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(parts) && !has_prefix(name, parts[i].escaped))
			i++;
		if (i < ARRAY_LEN(parts)) {
			buf_adds(&out, parts[i].plain);
			name += strlen(parts[i].escaped);
		} else {
			buf_addc(&out, *name++);
		}
	}
	return buf_steal(&out);
}

/* ---- literals ---- */

static bool unicode_escape(struct cel_reader *r, struct buf *out)
{
	size_t digits = *r->at == 'u' ? 4 : 8, n;
	char hex[9] = "", utf8[4];
	unsigned long cp;

	n = strspn(r->at + 1, "0123456789abcdefABCDEF");
	if (n < digits)
		return false;
	memcpy(hex, r->at + 1, digits);
	cp = strtoul(hex, NULL, 16);
	if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return false;
	buf_add(out, utf8, utf8_encode((uint32_t)cp, utf8));
	r->at += digits + 1;
	return true;
}

/* What follows a backslash. */
static bool escape(struct cel_reader *r, struct buf *out)
{
	static const char letters[] = "abfnrtv\\'\"`?", meaning[] = "\a\b\f\n\r\t\v\\'\"`?";
	const char *letter;

	if (*r->at == 'u' || *r->at == 'U')
		return unicode_escape(r, out);
	letter = *r->at != '\0' ? strchr(letters, *r->at) : NULL;
	if (letter == NULL)
		return false;
	buf_addc(out, meaning[letter - letters]);
	r->at++;
	return true;
}

struct json *cel_string(struct cel_reader *r, bool raw)
{
	auto_buf struct buf text = BUF_INIT(CEL_TEXT_MAX);
	const char *open = r->at;
	char quote = *r->at++;

	if (r->at[0] == quote && r->at[1] == quote)
		return cel_fail(r, "a string in one pair of quotes");
	while (*r->at != quote) {
		if (*r->at == '\0' || *r->at == '\n') {
			r->at = open;
			return cel_fail(r, "a string with its closing quote");
		}
		if (*r->at != '\\' || raw) {
			buf_addc(&text, *r->at++);
			continue;
		}
		r->at++;
		if (!escape(r, &text))
			return cel_fail(r, "one of the escapes \\n \\t \\r \\\\ \\' \\\" \\u0041");
	}
	r->at++;
	return json_string(text.data);
}

struct json *cel_number(struct cel_reader *r)
{
	static const char expected[] = "an integer of 64 bits or a number such as 1.5";
	const char *from = r->at;
	bool hex = has_prefix(from + (*from == '-'), "0x");
	char *end;
	auto_free char *text = NULL;
	long long n;
	double real;

	errno = 0;
	n = strtoll(from, &end, hex ? 16 : 10);
	if (hex || *end == '\0' || strchr(".eE", *end) == NULL) {
		if (errno != 0 || is_word(*end) || !isxdigit((unsigned char)end[-1]))
			return cel_fail(r, expected);
		r->at = end;
		return json_int(n);
	}
	real = strtod(from, &end);
	if (is_word(*end) || !isdigit((unsigned char)end[-1]) || !isfinite(real))
		return cel_fail(r, expected);
	r->at = end;
	text = xasprintf("%.17g", real);
	return json_number(text);
}
