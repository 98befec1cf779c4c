/*
 * s3.h - the provider "s3": objects of Amazon S3 and of servers that speak its protocol.
 *
 *	"s3": {"bucket": "features", "key": "day/in.jsonl" | "prefix": "day/",
 *	       "endpointRef": {"name": "...", "namespace": "..."},
 *	       "region": "eu-west-1", "endpoint": "https://s3.example.com", "style": "virtual",
 *	       "format": "jsonl", "overwrite": false, "partBytes": 8388608}
 *
 * bucket, endpointRef and one of key and prefix are required. The Secret has server-url,
 * aws-access-key and aws-secret-key, and may have aws-session-token, aws-region and what TLS needs.
 * region is that of the Secret unless given, and us-east-1 without both; endpoint takes the place
 * of server-url. The bucket is a part of the path, or with style virtual of the host's name.
 *
 * An input is described in s3_input.h; an output with a prefix in s3_parts.h, with a key in
 * s3_upload.h. overwrite goes with the key of an output alone, partBytes (1 KiB to 64 MiB) with its
 * prefix; there the format must be of lines. With a prefix, the format is jsonl unless told.
 */
#ifndef RUNNER_S3_H
#define RUNNER_S3_H

#include "runner/provider.h"

enum { S3_KEY_MAX = 1024, S3_PART_BYTES_MIN = 1 << 10, S3_PART_BYTES_MAX = 64 << 20 };

#endif
