#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits that c stands for, or -1. */
static int value_of(char c)
{
	const char *found = c == '\0' ? NULL : strchr(alphabet, c);

	return found == NULL ? -1 : (int)(found - alphabet);
}

/* Check all before anything is written, so that a failure adds nothing. */
static int check(const char *text, size_t len, size_t digits, struct err *err)
{
	size_t unused_bits = digits * 6 % 8;

	if (len % 4 != 0)
		return err_set(err, ERR_INVALID,
			       "expected base64 in groups of 4 characters, found %zu characters",
			       len);
	for (size_t i = 0; i < digits; i++) {
		if (value_of(text[i]) < 0)
			return err_set(err, ERR_INVALID,
				       "expected a base64 character at position %zu, found another",
				       i + 1);
	}
	if (digits > 0 && (value_of(text[digits - 1]) & ((1 << unused_bits) - 1)) != 0)
		return err_set(
		    err, ERR_INVALID,
		    "expected the unused bits at the end of the base64 to be zero, found "
		    "others");
	return 0;
}

int base64_decode(const char *text, size_t len, struct buf *out, struct err *err)
{
	size_t digits = len;
	unsigned bits = 0;

	while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	if (check(text, len, digits, err) < 0)
		return -1;
	if (out->full || digits * 3 / 4 > out->max - out->len)
		return err_set(err, ERR_LIMIT,
			       "expected at most %zu bytes of base64 data, found %zu",
			       out->max - out->len, digits * 3 / 4);
	for (size_t i = 0; i < digits; i++) {
		bits = bits << 6 | (unsigned)value_of(text[i]);
		if (i % 4 > 0)
			buf_addc(out, (char)(bits >> (6 - i % 4 * 2)));
	}
	return 0;
}

int base64_encode(const void *bytes, size_t len, struct buf *out)
{
	const unsigned char *b = bytes;

	if (out->full || (len + 2) / 3 > (out->max - out->len) / 4) {
		out->full = true;
		return -1;
	}
	for (size_t i = 0; i < len; i += 3) {
		unsigned group = (unsigned)b[i] << 16;
		char four[4] = {0, 0, '=', '='};

		if (i + 1 < len)
			group |= (unsigned)b[i + 1] << 8;
		if (i + 2 < len)
			group |= b[i + 2];
		four[0] = alphabet[group >> 18];
		four[1] = alphabet[group >> 12 & 63];
		if (i + 1 < len)
			four[2] = alphabet[group >> 6 & 63];
		if (i + 2 < len)
			four[3] = alphabet[group & 63];
		buf_add(out, four, 4);
	}
	return 0;
}
