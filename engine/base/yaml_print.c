#include "base/yaml.h"

#include <ctype.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { STEP = 2 };

/* What YAML 1.1, which many still read, takes for something else than a string. */
static bool is_special(const char *text)
{
	static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
					    "off",  "y",    "n",     "nan", "inf"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Text that every reader of YAML takes for this string, without quotes. */
static bool is_plain(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '/' && *text != '_')
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		bool inner = p[1] != '\0' && p[1] != ' ';

		if (!isalnum((unsigned char)*p) && strchr("_./-+=@()", *p) == NULL &&
		    !(inner && strchr(" :,", *p) != NULL))
			return false;
	}
	return !is_special(text);
}

/* Characters that JSON writes as they are, and YAML reads as a line break or not at all; 0: none.
 */
static unsigned int unreadable(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	if (b[0] == 0xC2 && b[1] < 0xA0)
		return b[1];
	if (b[0] == 0xE2 && b[1] == 0x80 && (b[2] == 0xA8 || b[2] == 0xA9))
		return 0x2000U | (b[2] & 0x3FU);
	if (b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF)
		return 0xFEFF;
	return b[0] == 0xEF && b[1] == 0xBF && b[2] >= 0xBE ? 0xFFC0U | (b[2] & 0x3FU) : 0;
}

static void add_quoted(struct buf *out, const char *text)
{
	auto_buf struct buf json = BUF_INIT(SIZE_MAX / 2);
	size_t len;

	buf_add_json(&json, text, strlen(text));
	for (const char *p = json.data; *p != '\0'; p += len) {
		unsigned int c = unreadable(p);

		len = utf8_char(p, (size_t)(json.data + json.len - p));
		if (c != 0)
			buf_addf(out, "\\u%04X", c);
		else
			buf_add(out, p, len);
	}
}

static void add_string(struct buf *out, const char *text)
{
	if (is_plain(text))
		buf_adds(out, text);
	else
		add_quoted(out, text);
}

static void add_block(struct buf *out, const struct json *value, int indent);

/* Behind "key:" or "-": on the same line, or as a block below it. */
static void add_value(struct buf *out, const struct json *value, int indent)
{
	auto_free char *text = NULL;

	if (json_first(value) != NULL) {
		buf_addc(out, '\n');
		add_block(out, value, indent);
		return;
	}
	buf_addc(out, ' ');
	if (json_str(value) != NULL) {
		add_string(out, json_str(value));
	} else {
		text = json_print(value); /* a number, a word, {} or [] */
		buf_adds(out, text);
	}
	buf_addc(out, '\n');
}

static void add_members(struct buf *out, const struct json *object, int indent, bool indented)
{
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		bool list = json_type(m) == JSON_ARRAY;

		buf_addf(out, "%*s", indented ? 0 : indent, "");
		indented = false;
		add_string(out, json_key(m));
		buf_addc(out, ':');
		add_value(out, m, list ? indent : indent + STEP); /* as kubectl lays lists out */
	}
}

static void add_items(struct buf *out, const struct json *list, int indent)
{
	for (const struct json *i = json_first(list); i != NULL; i = json_next(i)) {
		buf_addf(out, "%*s-", indent, "");
		if (json_type(i) == JSON_OBJECT && json_first(i) != NULL) {
			buf_addc(out, ' ');
			add_members(out, i, indent + STEP, true);
		} else {
			add_value(out, i, indent + STEP);
		}
	}
}

static void add_block(struct buf *out, const struct json *value, int indent)
{
	if (json_type(value) == JSON_OBJECT)
		add_members(out, value, indent, false);
	else
		add_items(out, value, indent);
}

char *yaml_print(const struct json *value)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);

	if (json_first(value) != NULL) {
		add_block(&out, value, 0);
	} else {
		add_value(&out, value, 0);
		buf_consume(&out, 1); /* the blank */
	}
	return buf_steal(&out);
}
