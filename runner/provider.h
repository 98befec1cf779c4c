/*
 * provider.h - where input comes from and where output goes.
 *
 * A provider is one file with one table of functions; its name is its key under `input` and
 * `output` in the contract. What it moves are bytes: a format (format.h) makes rows of them.
 *
 *	check      every section, before anything else happens
 *	open       credentials are read; no data moves
 *	preflight  before the first inference: is the input there, can the output be written?
 *	read       the input, piece by piece
 *	begin, write, write, ..., commit   the output; only commit makes it true
 *
 * A storage sees a contract and a section that outlive it. A provider that only reads or only
 * writes leaves the functions of the other side NULL, and its check() says so.
 *
 * A call that another try may mend is tried again inside the provider (http_call does so). A fault
 * of kind ERR_RETRY ends the pod, and the Job may start another; any other kind ends the run.
 */
#ifndef RUNNER_PROVIDER_H
#define RUNNER_PROVIDER_H

#include "base/buf.h"
#include "base/json.h"
#include "runner/format.h"
#include "runner/report.h"

struct contract;
struct storage; /* each provider has its own */

enum side { SIDE_INPUT, SIDE_OUTPUT };

/* How results become an output: see results.h. */
enum layout { LAYOUT_FLAT, LAYOUT_ROWS, LAYOUT_TENSORS };

/* One member of `input` or `output`. */
struct section {
	const struct provider *provider;
	const struct json *settings; /* borrowed from the contract */
	char *where;                 /* "input.krateo", for messages */
	enum side side;
	const struct format *format;
	enum layout layout; /* of an output */
};

struct provider {
	const char *name;

	/* As an output it takes the list of all values at once (layout flat), so that unless the
	 * contract says otherwise the model is asked once, for all rows. */
	bool whole;

	int (*check)(const struct section *section, struct err *err);

	/* What its section may have beside format, layout and what the format reads. Another member
	 * is warned of: perhaps a typo. */
	const char *members[12];

	/* The name of the file or object that a section means, for its suffix; NULL: it has none.
	 * Borrowed from the settings. The function itself may be NULL. */
	const char *(*path)(const struct json *settings);

	/* NULL on failure. */
	struct storage *(*open)(const struct contract *contract, const struct section *section,
				struct fault *fault);

	/* May be NULL: nothing to find out. */
	int (*preflight)(struct storage *storage, struct fault *fault);

	/* Append the next bytes of the input to out, at least one, as few as are easily had
	 * (64 KiB); at its end append nothing. */
	int (*read)(struct storage *storage, struct buf *out, struct fault *fault);

	/* Where an input has several parts, each a whole text of the format: after read() has come
	 * to the end of one, begin the next. 1: begun, 0: that was the last, -1: a fault. NULL:
	 * there is one part. */
	int (*next_part)(struct storage *storage, struct fault *fault);

	/* The name of the part that is being read, for messages. NULL: it needs none. */
	const char *(*part_name)(const struct storage *storage);

	/* What tells the bytes of this input from others, such as its ETag; after preflight. Where
	 * nobody can tell, NULL, as the function may be: then a second attempt begins anew. */
	const char *(*identity)(const struct storage *storage);

	/*
	 * Make ready to write. input is the identity of the input, or NULL. *rows_done is how many
	 * rows an earlier attempt of the same run has stored for good; they are left out of the
	 * input. Set it to 0 where nothing can be told, to INT64_MAX where the output is whole.
	 */
	int (*begin)(struct storage *storage, const char *input, int64_t *rows_done,
		     struct fault *fault);

	/* Take what the format has in front of the first record, a line of column names; also where
	 * an earlier attempt has written records. NULL: it is written, once. */
	int (*head)(struct storage *storage, const char *bytes, size_t len, struct fault *fault);

	/* Take bytes that are the results of the next `rows` rows of the input: whole records, or
	 * what the format has around them (rows 0). A part may end between two calls. */
	int (*write)(struct storage *storage, const char *bytes, size_t len, int64_t rows,
		     struct fault *fault);

	/* 0: the output is stored, whole, for good. If nobody can know: OutputAmbiguous. */
	int (*commit)(struct storage *storage, struct fault *fault);

	/* Undo what was written, as far as can be. Not called where another attempt of the run may
	 * go on: after an interruption, and after a fault of kind ERR_RETRY. May be NULL. */
	void (*abort)(struct storage *storage);

	void (*close)(struct storage *storage);
};

extern const struct provider krateo_provider, file_provider, s3_provider;

/* Read the section ({"krateo": {...}}) at `key` of the contract and check it. */
int section_read(const struct json *root, const char *key, enum side side, struct section *out,
		 struct err *err);
void section_done(struct section *section);

#endif
