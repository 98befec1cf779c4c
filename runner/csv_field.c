#include "runner/csv_field.h"

#include "base/scan.h"
#include "base/utf8.h"

static const char *read_quoted(const char *at, const char *end, char delimiter, struct buf *out,
			       const char **problem)
{
	for (at++;; at++) {
		const char *quote = memchr(at, '"', (size_t)(end - at));

		if (quote == NULL) {
			*problem = "expected a closing quote, found none";
			return end;
		}
		buf_add(out, at, (size_t)(quote - at));
		at = quote + 1;
		if (at == end || *at != '"')
			break;
		buf_addc(out, '"');
	}
	if (at < end && *at != delimiter)
		*problem = "expected a delimiter behind the closing quote";
	return at;
}

static const char *read_plain(const char *at, const char *end, char delimiter, struct buf *out,
			      const char **problem)
{
	const char *start = at;

	while (at < end && *at != delimiter && *at != '"')
		at++;
	if (at < end && *at == '"')
		*problem = "expected quotes around the whole field, found one inside of it";
	buf_add(out, start, (size_t)(at - start));
	return at;
}

const char *csv_read(const char *at, const char *end, char delimiter, struct buf *out, bool *quoted,
		     const char **problem)
{
	buf_clear(out);
	*quoted = at < end && *at == '"';
	at = *quoted ? read_quoted(at, end, delimiter, out, problem)
		     : read_plain(at, end, delimiter, out, problem);
	if (*problem == NULL && !utf8_valid(out->data, out->len))
		*problem = "expected UTF-8";
	if (*problem == NULL && memchr(out->data, '\0', out->len) != NULL)
		*problem = "expected text, found a NUL byte";
	return at;
}

bool csv_is_number(const struct buf *cell, const char **text, size_t *len)
{
	const char *start = cell->data + strspn(cell->data, " \t"), *end = cell->data + cell->len;
	struct scan s;

	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*text = start;
	*len = (size_t)(end - start);
	scan_init(&s, start, *len);
	return *len > 0 && (*start == '-' || (*start >= '0' && *start <= '9')) &&
	       scan_next(&s) == SCAN_NUMBER && scan_next(&s) == SCAN_END;
}

void csv_add(const char *text, bool always, char delimiter, struct buf *out)
{
	char special[] = {delimiter, '"', '\r', '\n', '\0'};

	if (!always && *text != '\0' && text[strcspn(text, special)] == '\0') {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		buf_adds(out, *text == '"' ? "\"" : "");
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}
