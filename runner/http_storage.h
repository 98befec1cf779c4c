/*
 * http_storage.h - the provider "http": what a server gives as input, or takes as output.
 *
 *	"http": {"url": "https://host/rows.jsonl"}
 *	"http": {"endpointRef": {"name": "...", "namespace": "..."}, "path": "/rows",
 *	         "method": "POST", "headers": ["Name: value"], "body": {...}}
 *
 * Either url or endpointRef (endpoint.h) with path; a secret belongs into the Secret. An address
 * with a query needs "format", unless it is json. An input is the body of the answer to GET, or to
 * a method given, and is read as a stream. An output is sent by POST, or by a method given, and has
 * three members more:
 *
 *	"chunks": true      a request for each chunk of rows, as soon as they are there (format
 *	                    jsonl), instead of one with all of them, which are held in memory
 *	"idempotent": true  the server tells by the Idempotency-Key that it has a request already:
 *	                    then what became of a request that broke is no question, it is sent
 *	                    again. Default for PUT
 *	"success": "status" a status of 2xx is enough; else the body of the answer must be empty or
 *	                    JSON without an "error"
 *
 * Idempotency-Key is "JOBID/JOB", with chunks "JOBID/JOB/FIRST-LAST" (rows, from 1): the same for
 * each attempt of a Job
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/). An input that is
 * HTML is refused whatever the status. An output holds up to HTTP_REPLY_MAX bytes.
 */
#ifndef RUNNER_HTTP_STORAGE_H
#define RUNNER_HTTP_STORAGE_H

#include "runner/provider.h"

extern const struct provider http_provider;

#endif
