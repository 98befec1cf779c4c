#include "runner/nonfinite.h"

static bool has(const struct buf *text, const char *word)
{
	return memmem(text->data, text->len, word, strlen(word)) != NULL;
}

/* The length of the word at p, 0 if there is none. */
static size_t word_at(const char *p)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_prefix(p, words[i]))
			return strlen(words[i]);
	return 0;
}

/* Behind the string whose quote is at p. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

static void replace(struct buf *text, bool quoted)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	const char *p = text->data, *end = p + text->len, *start = p;

	while (p < end) {
		size_t len = *p == '"' ? 0 : word_at(p);

		if (len == 0) {
			p = *p == '"' ? skip_string(p, end) : p + 1;
			continue;
		}
		buf_add(&out, start, (size_t)(p - start));
		if (quoted)
			buf_addf(&out, "\"%.*s\"", (int)len, p);
		else
			buf_adds(&out, "null");
		p += len;
		start = p;
	}
	buf_add(&out, start, (size_t)(end - start));
	out.max = text->max;
	buf_done(text);
	*text = out;
}

static bool any_outside_strings(const struct buf *text)
{
	const char *p = text->data, *end = p + text->len;

	while (p < end && (*p == '"' || word_at(p) == 0))
		p = *p == '"' ? skip_string(p, end) : p + 1;
	return p < end;
}

int nonfinite_clean(struct buf *text, enum nonfinite policy, struct fault *fault)
{
	if ((!has(text, "NaN") && !has(text, "Infinity")) || !any_outside_strings(text))
		return 0;
	if (policy == NONFINITE_FAIL)
		return fault_set(fault, REASON_NON_FINITE, ERR_INVALID,
				 "the model's reply: expected numbers, found NaN or Infinity: see "
				 "kserve.nonFinite");
	replace(text, policy == NONFINITE_STRING);
	return 0;
}
