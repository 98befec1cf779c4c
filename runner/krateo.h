/*
 * krateo.h - the provider "krateo": notebooks of the finops-database-handler.
 *
 *	"krateo": {"api": {"endpointRef": {"name": "...", "namespace": "..."},
 *	                   "path": "/compute/notebook", "verb": "POST",
 *	                   "headers": ["Accept: application/json"]}}
 *
 * fetch sends the parameters as an object and expects {"result": [[...], ...]}. store sends
 * job_uid, pod_uid (from the environment), predictions (an array as text) and the parameters, and
 * expects an empty body or JSON. Both send exactly "Accept: application/json", which the handler
 * compares byte by byte, unless the headers of the contract say otherwise. api.payload is ignored,
 * as ever. The pure parts are here for their tests.
 */
#ifndef RUNNER_KRATEO_H
#define RUNNER_KRATEO_H

#include "runner/contract.h"
#include "runner/http.h"

/*
 * The handler passes each value to the notebook as one argument "key=value", and Linux limits an
 * argument to 128 KiB with its NUL (MAX_ARG_STRLEN) and all of them to 2 MiB.
 */
enum { KRATEO_ARG_MAX = (128 << 10) - 1, KRATEO_ARGS_MAX = (2 << 20) - (64 << 10) };

/* The bodies; reason ArgTooLong. Parameters that are called like a reserved key are left out. */
int krateo_input_body(const struct contract *contract, struct buf *out, struct fault *fault);
int krateo_output_body(const struct contract *contract, const char *pod_uid,
		       const char *predictions, struct buf *out, struct fault *fault);

/* 0 if the answer means success, whatever the rows in it. */
int krateo_judge_fetch(const struct http_reply *reply, struct fault *fault);

/* The headers that the section asks for, and those that go with every call. */
void krateo_headers(const struct json *section, const char *authorization,
		    struct http_headers *out);

#endif
