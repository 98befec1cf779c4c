/*
 * sigv4.h - AWS Signature Version 4 in the header Authorization, the payload in one piece.
 *
 * Sources: the IAM guide, "Create a signed AWS API request", and for S3 the API reference,
 * "Signature Calculations for the Authorization Header". libcurl can sign too, but what Debian 12
 * has (7.88.1) is wrong for S3 in several ways, among them keys with + or = and queries without a
 * value.
 *
 *	http_header_set(&headers, "If-None-Match", "*");
 *	digest_sha256(body, len, sha256);
 *	sigv4_sign(&key, "PUT", url, sha256, time_now_ms(), &headers);
 *
 * A signature is good for 15 minutes before and after the server's time, so each try gets its own.
 */
#ifndef RUNNER_SIGV4_H
#define RUNNER_SIGV4_H

#include "base/digest.h"
#include "runner/http.h"

/* All are needed but token, which comes with temporary credentials. */
struct sigv4_key {
	char *access, *secret, *token;
	char *region, *service;
};

/* Overwrites what is secret. */
void sigv4_key_done(struct sigv4_key *key);

/*
 * Set Host, X-Amz-Date, X-Amz-Security-Token (with a token), X-Amz-Content-Sha256 (service s3) and
 * Authorization. Every header that is there already is signed, so it must be sent as it is.
 *
 * The url is signed however its path and query are encoded, since the server decodes them first;
 * but dots and double slashes in a path mean themselves. now_ms is the time since 1970.
 */
void sigv4_sign(const struct sigv4_key *key, const char *method, const char *url,
		const char *body_sha256, int64_t now_ms, struct http_headers *headers);

#endif
