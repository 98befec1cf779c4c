#include "spec/apisim/numbers.h"

#include <errno.h>
#include <math.h>

enum { DIGITS_MAX = 17, NUMBER_MAX = 64 };

static const char token_bytes[] = "+-.0123456789Ee";

/* The shortest that reads back as value: digits without a point, and the exponent of the first. */
static int shortest(double value, char digits[DIGITS_MAX + 1])
{
	char text[NUMBER_MAX];
	char *exponent;
	size_t count = 0;

	for (int decimals = 0; decimals < DIGITS_MAX; decimals++) {
		snprintf(text, sizeof(text), "%.*e", decimals, value);
		if (strtod(text, NULL) == value)
			break;
	}
	exponent = strchr(text, 'e');
	for (const char *c = text; c < exponent; c++)
		if (*c != '.')
			digits[count++] = *c;
	digits[count] = '\0';
	return (int)strtol(exponent + 1, NULL, 10);
}

static void add_double(struct buf *out, double value)
{
	char digits[DIGITS_MAX + 1];
	int exponent = shortest(fabs(value), digits), count = (int)strlen(digits);

	if (value < 0)
		buf_adds(out, "-");
	if (exponent >= 21 || exponent < -6)
		buf_addf(out, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1, exponent);
	else if (exponent >= count - 1)
		buf_addf(out, "%s%.*s", digits, exponent - (count - 1), "00000000000000000000");
	else if (exponent >= 0)
		buf_addf(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
	else
		buf_addf(out, "0.%.*s%s", -exponent - 1, "000000", digits);
}

static bool is_integer(const char *token)
{
	char *end;

	errno = 0;
	strtoll(token, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool has_leading_zero(const char *token)
{
	token += *token == '-';
	return token[0] == '0' && token[1] >= '0' && token[1] <= '9';
}

static int add_number(struct buf *out, const char *token, struct err *err)
{
	char *end;
	double value = strtod(token, &end);

	if (isinf(value))
		return err_set(err, ERR_INVALID,
			       "json: cannot unmarshal number %s into Go value of type float64",
			       token);
	if (*end != '\0' || has_leading_zero(token) || (value != 0 && is_integer(token)))
		buf_adds(out, token);
	else if (value == 0)
		buf_adds(out, "0");
	else
		add_double(out, value);
	return 0;
}

/* The length of a string with its quotes; to the end if it has no second one. */
static size_t string_length(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		i += text[i] == '\\';
	}
	return len;
}

/* The length of a number's bytes, or of what looks like one. */
static size_t token_length(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && text[i] != '\0' && strchr(token_bytes, text[i]) != NULL)
		i++;
	return i;
}

int numbers_rewrite(const char *text, size_t len, struct buf *out, struct err *err)
{
	size_t copied = 0;

	for (size_t i = 0; i < len;) {
		if (text[i] == '"') {
			i += string_length(text + i, len - i);
		} else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9')) {
			size_t step = token_length(text + i, len - i);
			auto_free char *token = xstrndup(text + i, step);

			buf_add(out, text + copied, i - copied);
			if (add_number(out, token, err) < 0)
				return -1;
			i += step;
			copied = i;
		} else {
			i++;
		}
	}
	buf_add(out, text + copied, len - copied);
	if (out->full)
		return err_set(err, ERR_INVALID, "expected at most %zu bytes, found more",
			       out->max);
	return 0;
}
