/*
 * s3_parts.h - an output of many objects, under a folder of the run:
 *
 *	<prefix>/<jobId>/<run>/part-00000.jsonl, part-00001.jsonl, ..., _SUCCESS
 *
 * Parts are written in order, each once (If-None-Match: *), and end between two rows; each is a
 * whole text of its format, with the header of that. _SUCCESS comes last: until it is there, a
 * reader must not use the parts. It is
 * {"v":1,"jobId":...,"run":...,"digest":...,"rows":...,"parts":...,"bytes":...}.
 *
 * A part is held in memory until it is full, so its size decides how much memory a run needs and
 * how much a second attempt does again. That goes on behind the last part, where it has the mark of
 * the same run; where the input has no identity, it removes what is there and begins anew. What is
 * held when a signal comes is written as a last part.
 */
#ifndef RUNNER_S3_PARTS_H
#define RUNNER_S3_PARTS_H

#include "runner/contract.h"
#include "runner/s3_list.h"
#include "runner/s3_object.h"

enum { S3_PART_BYTES = 8 << 20, S3_PARTS_MAX = 100 * 1000 };

struct s3_parts {
	const struct s3_client *client;
	const struct contract *contract;
	const struct format *format;
	char *folder;      /* ends with a slash */
	size_t part_bytes; /* a part is written when it has so many */

	struct s3_mark mark; /* of the next part */
	int64_t parts, bytes;
	struct buf header; /* of each part */
	struct buf held;
	int64_t held_rows;
	bool whole; /* an earlier attempt has written everything */
};

/* client and contract outlive the parts. */
void s3_parts_init(struct s3_parts *parts, const struct s3_client *client,
		   const struct contract *contract, const struct section *section);

/* As the functions of a provider. */
int s3_parts_begin(struct s3_parts *parts, const char *input, int64_t *rows_done,
		   struct fault *fault);
void s3_parts_head(struct s3_parts *parts, const char *bytes, size_t len);
int s3_parts_write(struct s3_parts *parts, const char *bytes, size_t len, int64_t rows,
		   struct fault *fault);
int s3_parts_commit(struct s3_parts *parts, struct fault *fault);

/* Write what is held, if a signal ended the run. */
void s3_parts_done(struct s3_parts *parts);

#endif
