#include <math.h>

#include "cel_value.h"

enum { CEL_STRING_MAX = 1 << 20 };

const struct json *cel_keep(struct evaluation *e, struct json *value_taken)
{
	json_append(e->kept, value_taken);
	return value_taken;
}

const struct json *cel_value_fail(struct evaluation *e, const char *what)
{
	err_set(e->err, ERR_INVALID, "%s", what);
	return NULL;
}

const struct json *cel_no_overload(struct evaluation *e, const char *operation,
				   const struct json *a, const struct json *b)
{
	err_set(e->err, ERR_INVALID, "no such overload: %s of %s%s%s", operation,
		json_type_name(json_type(a)), b != NULL ? " and " : "",
		b != NULL ? json_type_name(json_type(b)) : "");
	return NULL;
}

/* ---- numbers and order ---- */

struct number {
	bool whole;
	int64_t n;
	double real;
};

static bool as_number(const struct json *value, struct number *out)
{
	const char *text = json_number_text(value);

	if (text == NULL)
		return false;
	out->whole = json_int64(value, &out->n);
	out->real = strtod(text, NULL);
	return true;
}

static int compare_numbers(const struct number *a, const struct number *b)
{
	if (a->whole && b->whole)
		return (a->n > b->n) - (a->n < b->n);
	return (a->real > b->real) - (a->real < b->real);
}

bool cel_equal(const struct json *a, const struct json *b)
{
	struct number x, y;

	if (as_number(a, &x) && as_number(b, &y))
		return compare_numbers(&x, &y) == 0;
	return json_equal(a, b);
}

const struct json *cel_compare(struct evaluation *e, enum cel_op op, const struct json *a,
			       const struct json *b)
{
	struct number x, y;
	int order;

	if (as_number(a, &x) && as_number(b, &y))
		order = compare_numbers(&x, &y);
	else if (json_type(a) == JSON_STRING && json_type(b) == JSON_STRING)
		order = strcmp(json_str(a), json_str(b));
	else if (json_type(a) == JSON_BOOL && json_type(b) == JSON_BOOL)
		order = json_is_true(a) - json_is_true(b);
	else
		return cel_no_overload(e, "comparison", a, b);
	if (op == CEL_LESS || op == CEL_GREATER_EQUAL)
		return cel_keep(e, json_bool((order < 0) == (op == CEL_LESS)));
	return cel_keep(e, json_bool((order > 0) == (op == CEL_GREATER)));
}

static const struct json *whole_arithmetic(struct evaluation *e, enum cel_op op, int64_t a,
					   int64_t b)
{
	bool over = false;
	int64_t n = 0;

	if ((op == CEL_DIVIDE || op == CEL_MODULO) && b == 0)
		return cel_value_fail(e, op == CEL_DIVIDE ? "division by zero" : "modulus by zero");
	if (op == CEL_ADD)
		over = __builtin_add_overflow(a, b, &n);
	else if (op == CEL_SUBTRACT)
		over = __builtin_sub_overflow(a, b, &n);
	else if (op == CEL_MULTIPLY)
		over = __builtin_mul_overflow(a, b, &n);
	else if (a == INT64_MIN && b == -1)
		over = true;
	else
		n = op == CEL_DIVIDE ? a / b : a % b;
	return over ? cel_value_fail(e, "integer overflow") : cel_keep(e, json_int(n));
}

static const struct json *real_arithmetic(struct evaluation *e, enum cel_op op, double a, double b)
{
	double n = op == CEL_ADD        ? a + b
		   : op == CEL_SUBTRACT ? a - b
		   : op == CEL_MULTIPLY ? a * b
					: a / b;
	auto_free char *text = NULL;

	/* JSON has no infinity; no value of an object compares with one usefully. */
	if (!isfinite(n))
		return cel_value_fail(e, "the result is no finite number");
	text = xasprintf("%.17g", n);
	return cel_keep(e, json_number(text));
}

static const struct json *concat(struct evaluation *e, const struct json *a, const struct json *b)
{
	struct json *list;

	if (json_type(a) == JSON_STRING && json_type(b) == JSON_STRING) {
		auto_free char *both = NULL;

		if (strlen(json_str(a)) + strlen(json_str(b)) > CEL_STRING_MAX)
			return cel_value_fail(e, "a string grew over 1 MiB");
		both = xasprintf("%s%s", json_str(a), json_str(b));
		return cel_keep(e, json_string(both));
	}
	if (json_type(a) != JSON_ARRAY || json_type(b) != JSON_ARRAY)
		return cel_no_overload(e, "arithmetic", a, b);
	list = json_copy(a);
	for (const struct json *c = json_first(b); c != NULL; c = json_next(c))
		json_append(list, json_copy(c));
	return cel_keep(e, list);
}

const struct json *cel_arithmetic(struct evaluation *e, enum cel_op op, const struct json *a,
				  const struct json *b)
{
	struct number x, y;

	if (as_number(a, &x) && as_number(b, &y)) {
		if (x.whole && y.whole)
			return whole_arithmetic(e, op, x.n, y.n);
		if (op != CEL_MODULO)
			return real_arithmetic(e, op, x.real, y.real);
	}
	return op == CEL_ADD ? concat(e, a, b) : cel_no_overload(e, "arithmetic", a, b);
}
