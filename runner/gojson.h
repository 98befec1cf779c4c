/*
 * gojson.h - JSON as Go's encoding/json writes it, byte for byte.
 *
 * Notebooks and models got their requests from Go programs up to now. What they get from this
 * runner is the same bytes: keys in byte order, no blanks, and the HTML-safe escapes of
 * json.Marshal (https://pkg.go.dev/encoding/json#Marshal): < > & and U+2028, U+2029 as \u....
 */
#ifndef RUNNER_GOJSON_H
#define RUNNER_GOJSON_H

#include "base/buf.h"

struct gojson_pair {
	const char *key, *value; /* borrowed, valid UTF-8 */
};

/* Add text as a string with its quotes. */
void gojson_add_string(struct buf *out, const char *text);

/* Add an object of strings; sorts the pairs in place. Keys must differ. */
void gojson_add_map(struct buf *out, struct gojson_pair *pairs, size_t count);

#endif
