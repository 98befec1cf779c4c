/*
 * cel_value.h - the values of an evaluation and their operators. Private to the cel*.c files.
 */
#ifndef APISIM_CEL_VALUE_H
#define APISIM_CEL_VALUE_H

#include "cel_tree.h"

/* Values are JSON: borrowed from self and oldSelf, or made here and kept until the end. A number
 * is an integer when it is written like one: without the schema's types that is all there is to
 * see, and integers and doubles compare by value anyway. */
struct evaluation {
	struct json *kept; /* an array */
	int steps;
	struct err *err;
};

/* Keep a value until the evaluation ends, and give it back. */
const struct json *cel_keep(struct evaluation *e, struct json *value_taken);

/* Both return NULL, with the error set. b may be NULL. */
const struct json *cel_value_fail(struct evaluation *e, const char *what);
const struct json *cel_no_overload(struct evaluation *e, const char *operation,
				   const struct json *a, const struct json *b);

/* Numbers by value, everything else as json_equal(). */
bool cel_equal(const struct json *a, const struct json *b);

/* < <= > >= */
const struct json *cel_compare(struct evaluation *e, enum cel_op op, const struct json *a,
			       const struct json *b);

/* + - * / % */
const struct json *cel_arithmetic(struct evaluation *e, enum cel_op op, const struct json *a,
				  const struct json *b);

#endif
