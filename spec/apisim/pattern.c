#include "pattern.h"

#include <ctype.h>
#include <regex.h>

#include "base/buf.h"

struct pattern {
	regex_t regex;
};

/* The class of \d and friends, inside or outside of brackets. NULL: no class has this letter. */
static const char *class_of(char letter, bool in_brackets)
{
	switch (letter) {
	case 'd':
		return in_brackets ? "0-9" : "[0-9]";
	case 'w':
		return in_brackets ? "0-9A-Za-z_" : "[0-9A-Za-z_]";
	case 's':
		return in_brackets ? "\t\n\f\r " : "[\t\n\f\r ]";
	case 'D':
		return in_brackets ? NULL : "[^0-9]";
	case 'W':
		return in_brackets ? NULL : "[^0-9A-Za-z_]";
	case 'S':
		return in_brackets ? NULL : "[^\t\n\f\r ]";
	default:
		return NULL;
	}
}

/* POSIX takes a backslash in brackets for itself, so what is escaped there is sorted out here:
 * ] must come first, - last and ^ not first. */
static int brackets(const char **at, struct buf *out, struct err *err)
{
	auto_buf struct buf set = BUF_INIT(PATTERN_MAX);
	bool negated = (*at)[1] == '^', close = false, dash = false, caret = false;
	const char *p = *at + 1 + negated;

	for (bool first = true; *p != '\0' && (*p != ']' || first); p++, first = false) {
		const char *class = *p == '\\' ? class_of(p[1], true) : NULL;

		if (*p == '[')
			return err_set(err, ERR_INVALID,
				       "write \\[ outside of the brackets instead of [ in them");
		p += *p == '\\';
		if (class != NULL)
			buf_adds(&set, class);
		else if (p[-1] == '\\' && isalnum((unsigned char)*p))
			return err_set(err, ERR_INVALID, "\\%c in brackets is not supported", *p);
		else if (*p == ']')
			close = true;
		else if (*p == '-' && (p[-1] == '\\' || p[1] == ']' || first))
			dash = true;
		else if (*p == '^')
			caret = true;
		else if (*p != '\0')
			buf_addc(&set, *p);
		if (*p == '\0')
			break;
	}
	if (*p != ']')
		return err_set(err, ERR_INVALID,
			       "expected ] after [, found the end of the pattern");
	if (caret && set.len == 0 && !close && !dash && !negated)
		return err_set(err, ERR_INVALID, "write \\^ instead of [^]");
	buf_addf(out, "[%s%s%s%s%s]", negated ? "^" : "", close ? "]" : "", set.data,
		 caret ? "^" : "", dash ? "-" : "");
	*at = p;
	return 0;
}

static int escape(const char **at, struct buf *out, struct err *err)
{
	const char *class = class_of(*++*at, false);

	if (class != NULL) {
		buf_adds(out, class);
		return 0;
	}
	if (**at == '\0' || isalnum((unsigned char)**at))
		return err_set(err, ERR_INVALID, "\\%c is not supported",
			       **at != '\0' ? **at : ' ');
	buf_addc(out, '\\');
	buf_addc(out, **at);
	return 0;
}

static int translate(const char *p, struct buf *out, struct err *err)
{
	for (; *p != '\0'; p++) {
		if (*p == '[') {
			if (brackets(&p, out, err) < 0)
				return -1;
		} else if (*p == '\\') {
			if (escape(&p, out, err) < 0)
				return -1;
		} else if (has_prefix(p, "(?:")) {
			buf_addc(out, '(');
			p += 2;
		} else if (has_prefix(p, "(?") || (strchr("*+?}", *p) != NULL && p[1] == '?')) {
			return err_set(err, ERR_INVALID, "%.2s is not supported", p);
		} else {
			buf_addc(out, *p);
		}
	}
	if (out->full)
		return err_set(err, ERR_LIMIT, "expected a pattern of at most %d bytes",
			       PATTERN_MAX);
	return 0;
}

struct pattern *pattern_new(const char *text, struct err *err)
{
	auto_buf struct buf posix = BUF_INIT(PATTERN_MAX);
	auto_free struct pattern *pattern = xmalloc(sizeof(*pattern));
	int failed;

	if (translate(text, &posix, err) < 0)
		return NULL;
	failed = regcomp(&pattern->regex, posix.data, REG_EXTENDED | REG_NOSUB);
	if (failed != 0) {
		char why[128];

		regerror(failed, &pattern->regex, why, sizeof(why));
		err_set(err, ERR_INVALID, "%s", why);
		return NULL;
	}
	return steal(pattern);
}

void pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	regfree(&pattern->regex);
	free(pattern);
}

bool pattern_matches(const struct pattern *pattern, const char *text)
{
	return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}
