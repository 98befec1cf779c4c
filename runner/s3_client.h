/*
 * s3_client.h - signed calls to one bucket of an S3 server.
 *
 * Source: Amazon S3 API Reference (https://docs.aws.amazon.com/AmazonS3/latest/API/), the REST
 * calls by name. A call is tried up to HTTP_TRIES times: when the connection
 * failed or broke, and on 408, 409 (a conditional write that met another), 429, 500, 502, 503
 * (SlowDown), 504 and 400 RequestTimeout. Every call of ours may be done twice.
 *
 * Redirects are not followed: a bucket of another region is an error that names the region.
 */
#ifndef RUNNER_S3_CLIENT_H
#define RUNNER_S3_CLIENT_H

#include "runner/endpoint.h"
#include "runner/provider.h"

struct s3_client {
	const char *bucket; /* borrowed from the settings */
	enum side side;     /* whose reasons faults have */
	struct endpoint endpoint;
	char *base; /* the URL of the bucket, without a slash at its end */
};

/* Refuse settings of a bucket: bucket, region, endpoint, endpointRef, style. */
int s3_client_check(const struct section *section, struct err *err);

/* Read the Secret. */
int s3_client_open(const struct section *section, struct s3_client *out, struct fault *fault);
void s3_client_done(struct s3_client *client);

/* The URL of an object, or of the bucket for ""; query without its ?, encoded, or "". Yours. */
char *s3_url(const struct s3_client *client, const char *key, const char *query);

struct s3_call {
	const char *method, *url;
	const char *body; /* NULL: none */
	size_t len;
	const char *type;                 /* the content type of the body */
	const struct http_headers *extra; /* or NULL */
	bool once; /* a single try, which no signal breaks off: for the last things to do */
};

/* 0 if an answer came that no other try would change, whatever its status. */
int s3_call(const struct s3_client *client, const struct s3_call *call, struct http_reply *reply,
	    struct fault *fault);

/* 0 if the status is 2xx, else a fault in the server's words. what: "GET s3://bucket/key". */
int s3_judge(const struct s3_client *client, const struct http_reply *reply, const char *what,
	     struct fault *fault);

/* True if another try may get another answer. */
bool s3_passing(const struct http_reply *reply);

/* Wait before the next try; false if there is none: the tries are used up, or a signal came
 * (reply->interrupted). */
bool s3_wait(int tries, struct http_reply *reply, const char *what);

/* "Unavailable" or "Rejected", for the side of the client. */
enum reason s3_unavailable(const struct s3_client *client);
enum reason s3_rejected(const struct s3_client *client);

#endif
