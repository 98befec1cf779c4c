/*
 * format.h - how rows stand in bytes, and results in bytes.
 *
 * A format is one table. Reading is pulled: next() takes one row from the bytes that are there and
 * says when it needs more, so that an input of any size is read in small pieces:
 *
 *	json   [row, row, ...] or {"result": [row, ...]}; a null or missing result is no row
 *	jsonl  one row a line; blank lines are skipped (https://jsonlines.org)
 *	csv    RFC 4180, with these settings: "delimiter" (","); "header" (true): the first line has
 *	       names; "rows": "objects" makes an object of each row, with these names, instead of an
 *	       array. A field without quotes is a number or null (nothing) where it looks so and
 *	       the model takes it, else a string. Lines end with \n or \r\n, empty ones are skipped,
 *	       so is a byte order mark; all have as many fields as the first
 *
 * Writing is framing: a list of records is open, the records with between between them, close; or
 * where records are lines, between is behind each of them.
 */
#ifndef RUNNER_FORMAT_H
#define RUNNER_FORMAT_H

#include "base/json.h"
#include "runner/rows.h"

/* Bytes of the input on their way to a decoder: those from `at` on are not read yet. */
struct feed {
	struct buf bytes;
	size_t at;
	bool last; /* nothing will come behind them */
};

/* A value of a result row: its column and its JSON text. */
struct cell {
	const char *name;
	const char *text;
	size_t len;
};

struct decoder; /* each format has its own */

struct format {
	const char *name;
	const char *suffixes[4]; /* of file names, such as ".jsonl"; ends with NULL */

	/* Those settings. */
	const char *members[4];

	/* Refuse settings of a storage section that this format reads; NULL: there are none. */
	int (*check)(const struct json *settings, const char *where, struct err *err);

	struct decoder *(*decoder_new)(const struct json *settings);

	/* 1: one row was added. 0: more bytes are needed, or all has been read if feed->last.
	 * Reasons: InputNotJSON, InputInvalid. */
	int (*next)(struct decoder *decoder, struct feed *feed, struct rows *rows,
		    struct fault *fault);
	void (*decoder_free)(struct decoder *decoder);

	const char *media; /* its media type */

	bool uneven; /* records may have different members */

	/* The text around a list of records. */
	bool lines;
	const char *open, *between, *close;

	/* Add one record of named values. NULL cells: a header for the names, where the format has
	 * one. */
	int (*add_record)(const struct json *settings, const struct cell *cells, size_t count,
			  bool header, struct buf *out, struct fault *fault);
};

extern const struct format json_format, jsonl_format, csv_format;

/*
 * The format of a storage section: what its member "format" names, else what the suffix of path
 * tells, else json. path may be NULL.
 */
int format_choose(const struct json *settings, const char *where, const char *path,
		  const struct format **out, struct err *err);

#endif
