/*
 * decoding.h - what the tests of formats say of rows and refusals.
 */
#ifndef SPEC_UNIT_RUNNER_DECODING_H
#define SPEC_UNIT_RUNNER_DECODING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/unit/runner/pieces.h"

static const struct row_rule numbers = {.leaves = LEAF_NUMBER, .even = true};
static const struct row_rule anything = {.leaves = LEAF_ANY, .scalars = true, .nested = true};

/* All rows of a text that comes in pieces of this size. */
static inline int read_all(const struct format *format, const struct json *settings,
			   const char *text, size_t piece, struct rows *rows, struct fault *fault)
{
	return pieces_decode(format, settings, text, strlen(text), piece, rows, fault);
}

struct refused_case {
	const char *text;
	enum reason reason;
	const char *message;
};

static inline void check_refused(const struct format *format, const struct json *settings,
				 const struct refused_case *c)
{
	for (size_t piece = 1; piece <= strlen(c->text) + 1; piece++) {
		auto_rows struct rows rows = ROWS_INIT(numbers);
		struct fault fault = FAULT_INIT;

		if (read_all(format, settings, c->text, piece, &rows, &fault) == 0)
			fail_msg("accepted in pieces of %zu: %s", piece, c->text);
		if (fault.reason != c->reason || strstr(fault.err.msg, c->message) == NULL)
			fail_msg("%s in pieces of %zu: %s: %s", c->text, piece,
				 reason_name(fault.reason), fault.err.msg);
	}
}

static inline void check_rows(const struct format *format, const struct json *settings,
			      struct row_rule rule, const char *text, const char *expected,
			      size_t count)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		auto_rows struct rows rows = ROWS_INIT(rule);
		struct fault fault = FAULT_INIT;

		if (read_all(format, settings, text, piece, &rows, &fault) < 0)
			fail_msg("%s in pieces of %zu: %s", text, piece, fault.err.msg);
		assert_string_equal(rows.text.data, expected);
		assert_int_equal(rows.count, count);
	}
}

#endif
