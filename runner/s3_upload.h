/*
 * s3_upload.h - an output of one object with a key of its own. It appears whole or not at all: in
 * one PutObject, or if it is larger than S3_UPLOAD_PIECE, as a multipart upload. So it cannot go on
 * where an earlier attempt has ended, but knows when that has stored everything.
 */
#ifndef RUNNER_S3_UPLOAD_H
#define RUNNER_S3_UPLOAD_H

#include "runner/s3_object.h"

/* Pieces are held in memory; S3 takes 5 MiB to 5 GiB, and at most 10000 of them. */
enum { S3_UPLOAD_PIECE = 8 << 20, S3_PIECES_MAX = 10000 };

struct s3_upload {
	const struct s3_client *client;
	const struct contract *contract;
	const char *key, *type;
	bool replace; /* what stands there */

	struct s3_mark mark;
	struct buf held;
	char *id;            /* of the multipart upload, once it has begun */
	struct buf finished; /* its pieces, as CompleteMultipartUpload wants them */
	int pieces;
	bool whole;
};

/* All that is given outlives the upload. */
void s3_upload_init(struct s3_upload *upload, const struct s3_client *client,
		    const struct contract *contract, const struct section *section);

/* As the functions of a provider. */
int s3_upload_begin(struct s3_upload *upload, const char *input, int64_t *rows_done,
		    struct fault *fault);
int s3_upload_write(struct s3_upload *upload, const char *bytes, size_t len, int64_t rows,
		    struct fault *fault);
int s3_upload_commit(struct s3_upload *upload, struct fault *fault);

/* Give a multipart upload up that is not committed. */
void s3_upload_done(struct s3_upload *upload);

#endif
