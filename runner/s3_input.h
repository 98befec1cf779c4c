/*
 * s3_input.h - one object, or all objects with a prefix in the order of their keys.
 *
 * Of a prefix, what is no data is left out: objects without bytes, and names (behind the last
 * slash) that begin with _ or a dot, as Hadoop has it, so that the output of one run can be the
 * input of another. Each object is a whole text of its format.
 *
 * A connection that breaks is made anew where it broke (Range), as long as the object is the same
 * (If-Match). What is read was listed before the first inference; an object that has changed since
 * ends the attempt.
 */
#ifndef RUNNER_S3_INPUT_H
#define RUNNER_S3_INPUT_H

#include "base/digest.h"
#include "runner/http_stream.h"
#include "runner/s3_list.h"

struct s3_input {
	const struct s3_client *client;
	struct s3_list list;
	char identity[DIGEST_HEX_LEN + 1];

	/* private: the object that is being read */
	size_t at;
	int64_t offset;
	int tries; /* since bytes came */
	struct http_stream *stream;
	struct http_request request;
	struct http_headers headers;
	struct http_reply reply;
	char *url;
};

/* client outlives the input. */
void s3_input_init(struct s3_input *input, const struct s3_client *client);

/* Find the object (prefix NULL), or the objects (key NULL). */
int s3_input_find(struct s3_input *input, const char *key, const char *prefix, struct fault *fault);

/* As provider.read, next_part and part_name. */
int s3_input_read(struct s3_input *input, struct buf *out, struct fault *fault);
int s3_input_next(struct s3_input *input);
const char *s3_input_name(const struct s3_input *input);

void s3_input_done(struct s3_input *input);

#endif
