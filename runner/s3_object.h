/*
 * s3_object.h - objects as a run leaves them: each tells in its metadata which run wrote it and how
 * many rows of the input are done with it, so that a second attempt knows its own.
 */
#ifndef RUNNER_S3_OBJECT_H
#define RUNNER_S3_OBJECT_H

#include "base/digest.h"
#include "runner/s3_client.h"

/* x-amz-meta-kserve-run and x-amz-meta-kserve-rows. */
struct s3_mark {
	char run[DIGEST_HEX_LEN + 1]; /* see s3_run_digest; "" on an object of somebody else */
	int64_t rows;
};

struct s3_head {
	bool exists;
	char *etag;
	int64_t size;
	struct s3_mark mark;
};

/*
 * What the attempts of one run have in common and no other run has: its key, its whole contract and
 * the identity of its input (NULL: unknown).
 */
void s3_run_digest(const struct contract *contract, const char *input,
		   char out[DIGEST_HEX_LEN + 1]);

/* HeadObject; an object that is not there is no fault. */
int s3_head(const struct s3_client *client, const char *key, struct s3_head *out,
	    struct fault *fault);
void s3_head_done(struct s3_head *head);
#define auto_s3_head __attribute__((cleanup(s3_head_done)))

/* The headers of a write: the mark, and unless it may replace an object, If-None-Match: *. */
void s3_mark_headers(const struct s3_mark *mark, bool replace, struct http_headers *out);

struct s3_put {
	const char *key;
	const char *bytes; /* never NULL */
	size_t len;
	const char *type;
	struct s3_mark mark;
	bool replace; /* whatever stands there */
	bool once;    /* as in struct s3_call */
};

/*
 * PutObject. Where the same run has written the same rows already, by a try whose answer got lost
 * or in another pod, that is as good; else an object that stands there is an OutputConflict.
 */
int s3_put(const struct s3_client *client, const struct s3_put *put, struct fault *fault);

/* After status 412 to a write of ours: 0 if what stands there is marked as it would be. */
int s3_settle(const struct s3_client *client, const char *key, const struct s3_mark *mark,
	      struct fault *fault);

/* DeleteObject. */
int s3_delete(const struct s3_client *client, const char *key, struct fault *fault);

#endif
