#include "runner/xml.h"

#include "base/utf8.h"

enum { ENTITY_MAX = 12 };

static const char blanks[] = " \t\r\n";

void xml_init(struct xml *x, const char *text, size_t len)
{
	*x = (struct xml){.path = BUF_INIT(SIZE_MAX / 2),
			  .text = BUF_INIT(SIZE_MAX / 2),
			  .at = text,
			  .end = text + len};
	if (!utf8_valid(text, len) || memchr(text, 0, len) != NULL)
		x->problem = "invalid UTF-8, or a NUL byte";
}

void xml_done(struct xml *x)
{
	buf_done(&x->path);
	buf_done(&x->text);
}

static enum xml_token fail(struct xml *x, const char *problem)
{
	x->problem = problem;
	return XML_ERROR;
}

static bool starts_with(const struct xml *x, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(x->end - x->at) >= len && memcmp(x->at, text, len) == 0;
}

/* Step behind the next mark; false if there is none. */
static bool step_over(struct xml *x, const char *mark)
{
	const char *found = memmem(x->at, (size_t)(x->end - x->at), mark, strlen(mark));

	if (found != NULL)
		x->at = found + strlen(mark);
	return found != NULL;
}

/* ---- text ---- */

static bool is_character(unsigned long code)
{
	return code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* Add what the name between & and ; stands for. */
static bool add_entity(const char *name, struct buf *out)
{
	static const struct {
		const char *name, *text;
	} known[] = {{"lt", "<"}, {"gt", ">"}, {"amp", "&"}, {"quot", "\""}, {"apos", "'"}};
	bool hex = has_prefix(name, "#x");
	const char *digits = name + (hex ? 2 : 1);
	char bytes[4];
	unsigned long code;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (streq(name, known[i].name))
			return buf_adds(out, known[i].text) == 0;
	if (name[0] != '#' || *digits == '\0' ||
	    digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] != '\0')
		return false;
	code = strtoul(digits, NULL, hex ? 16 : 10);
	return is_character(code) && buf_add(out, bytes, utf8_encode((uint32_t)code, bytes)) == 0;
}

static bool read_entity(struct xml *x)
{
	const char *semicolon;
	char name[ENTITY_MAX + 1];
	size_t room = (size_t)(x->end - x->at - 1);

	semicolon = memchr(x->at + 1, ';', room < ENTITY_MAX ? room : ENTITY_MAX);
	if (semicolon == NULL)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(semicolon - x->at - 1), x->at + 1);
	x->at = semicolon + 1;
	return add_entity(name, &x->text);
}

/* Read text up to the next tag. */
static bool read_text(struct xml *x)
{
	while (x->at < x->end && *x->at != '<') {
		if (*x->at != '&')
			buf_addc(&x->text, *x->at++);
		else if (!read_entity(x))
			return false;
	}
	return true;
}

/* ---- tags ---- */

static size_t name_length(const struct xml *x)
{
	size_t len = 0;

	while (x->at + len < x->end && strchr(" \t\r\n/>=<\"'&", x->at[len]) == NULL)
		len++;
	return len;
}

/* Step over attributes to the > or /> of a tag. */
static bool skip_attributes(struct xml *x)
{
	while (x->at < x->end && *x->at != '>' && *x->at != '<' && !starts_with(x, "/>")) {
		char quote = *x->at++;

		if (quote != '"' && quote != '\'')
			continue;
		x->at = memchr(x->at, quote, (size_t)(x->end - x->at));
		if (x->at == NULL)
			return false;
		x->at++;
	}
	return x->at < x->end && *x->at != '<';
}

/* Drop the last name of the path. */
static void leave(struct xml *x)
{
	x->depth--;
	x->path.len = x->starts[x->depth] > 0 ? x->starts[x->depth] - 1 : 0;
	x->path.data[x->path.len] = '\0';
	x->closed = false;
	x->over = x->depth == 0;
}

static enum xml_token open_tag(struct xml *x)
{
	size_t len;

	x->at++;
	len = name_length(x);
	if (len == 0 || len > XML_NAME_MAX)
		return fail(x, "a tag without a name, or with a long one");
	if (x->depth == XML_DEPTH_MAX)
		return fail(x, "elements too deep in each other");
	if (x->path.len > 0)
		buf_addc(&x->path, '/');
	x->starts[x->depth++] = x->path.len;
	buf_add(&x->path, x->at, len);
	x->at += len;
	if (!skip_attributes(x)) {
		x->at = x->end;
		return fail(x, "a tag without an end");
	}
	x->closing = *x->at == '/';
	x->at += x->closing ? 2 : 1;
	x->leaf = true;
	buf_clear(&x->text);
	return XML_OPEN;
}

static enum xml_token close_element(struct xml *x)
{
	if (!x->leaf)
		buf_clear(&x->text);
	x->leaf = false;
	x->closing = false;
	x->closed = true;
	return XML_CLOSE;
}

static enum xml_token close_tag(struct xml *x)
{
	const char *name = x->depth > 0 ? x->path.data + x->starts[x->depth - 1] : "";
	size_t len;

	x->at += 2;
	len = name_length(x);
	if (x->depth == 0 || len != strlen(name) || memcmp(name, x->at, len) != 0)
		return fail(x, "the end of an element that is not open");
	x->at += len;
	while (x->at < x->end && strchr(blanks, *x->at) != NULL)
		x->at++;
	if (x->at == x->end || *x->at != '>')
		return fail(x, "a tag without an end");
	x->at++;
	return close_element(x);
}

/* Text may stand in leaves alone. */
static bool text_is_misplaced(const struct xml *x, bool opens)
{
	bool in_leaf = x->leaf && x->depth > 0 && !opens;

	return !in_leaf && x->text.data[strspn(x->text.data, blanks)] != '\0';
}

static enum xml_token read_tag(struct xml *x)
{
	bool opens = !starts_with(x, "</");

	if (text_is_misplaced(x, opens))
		return fail(x, "text beside elements");
	if (starts_with(x, "<!") || starts_with(x, "<?"))
		return fail(x, "a declaration");
	if (!opens)
		return close_tag(x);
	if (x->over)
		return fail(x, "a second root");
	return open_tag(x);
}

enum xml_token xml_next(struct xml *x)
{
	if (x->problem != NULL)
		return XML_ERROR;
	if (x->closing)
		return close_element(x);
	if (x->closed)
		leave(x);
	if (!x->leaf)
		buf_clear(&x->text);
	for (;;) {
		if (!read_text(x))
			return fail(x, "an unknown entity");
		if (x->at == x->end)
			break;
		if (starts_with(x, "<?xml") ? step_over(x, "?>")
					    : starts_with(x, "<!--") && step_over(x, "-->"))
			continue;
		return read_tag(x);
	}
	if (!x->over)
		return fail(x, "an early end");
	return text_is_misplaced(x, true) ? fail(x, "text behind the root") : XML_END;
}

char *xml_find(const char *text, size_t len, const char *path)
{
	auto_xml struct xml x;
	enum xml_token token;

	xml_init(&x, text, len);
	while ((token = xml_next(&x)) == XML_OPEN || token == XML_CLOSE)
		if (token == XML_CLOSE && streq(x.path.data, path))
			return buf_steal(&x.text);
	return NULL;
}
