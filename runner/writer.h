/*
 * writer.h - records to the bytes of an output: what its format has around and between them.
 */
#ifndef RUNNER_WRITER_H
#define RUNNER_WRITER_H

#include "runner/provider.h"

struct writer {
	const struct section *section;
	struct storage *storage;
	bool resumed; /* an earlier attempt has written the beginning, and records */
	int64_t bytes;

	/* private */
	bool opened, headed, wrote;
};

/* Write the records (joined by format->between, maybe none) of so many rows of the input. header
 * is what the format wants in front of all records. */
int writer_add(struct writer *writer, const struct buf *header, const struct buf *records,
	       int64_t rows, struct fault *fault);

/* Write what stands behind all records. */
int writer_end(struct writer *writer, struct fault *fault);

#endif
