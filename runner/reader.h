/*
 * reader.h - rows out of a storage: bytes are pulled as they are needed, a format makes rows of
 * them. What is held is a piece of bytes and the rows that were asked for.
 */
#ifndef RUNNER_READER_H
#define RUNNER_READER_H

#include "runner/provider.h"

struct reader {
	const struct section *section;
	struct storage *storage;
	struct decoder *decoder;
	struct feed feed;
	int64_t bytes; /* read so far */
	bool ended;    /* the last row has been handed out */
};

void reader_init(struct reader *reader, const struct section *section, struct storage *storage);

/* Add rows until there are max_rows of them, or max_bytes of text are reached, or the input ends.
 */
int reader_fill(struct reader *reader, struct rows *rows, size_t max_rows, size_t max_bytes,
		struct fault *fault);
void reader_done(struct reader *reader);

#endif
