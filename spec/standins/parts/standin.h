/*
 * standin.h - what every stand-in has: its command line, a log of requests, and faults on demand.
 *
 * A stand-in is an HTTP server that behaves as a real service does, in memory. The tests and the
 * demo talk to it, and look behind the scenes at paths that the real service does not have:
 *
 *	GET    /requests  the last 256 requests, oldest first: [{"method", "path", "query",
 *	                  "accept", "content_type", "authorization" (its scheme alone), "body"}, ...]
 *	DELETE /requests  forget them
 *	POST   /faults    add a fault: an object of the fields below
 *	GET    /faults    those that are left
 *	DELETE /faults    forget them
 *
 * A fault strikes the next requests that match it, then it is used up:
 *
 *	"path"          of the request; ending in "*": every path that begins so. Required
 *	"method"        any by default
 *	"times"         how many requests, 1 by default
 *	"status"        answer with this status ...
 *	"body"          ... this body ("" by default; without "status": 200) ...
 *	"content_type"  ... of this type ("text/plain") ...
 *	"headers"       ... and these headers: ["Retry-After: 1"]
 *	"drop"          true: close the connection without an answer
 *	"truncate"      true: announce the whole body, send half of it and close
 *	"after"         true: do the work of the request all the same, then let the fault strike, so
 *	                that the client cannot know the outcome
 *	"delay_ms"      answer so much later; the work is done before
 *
 * Without "status", "body" and "drop" the request is answered as usual ("delay_ms", "truncate").
 */
#ifndef STANDINS_STANDIN_H
#define STANDINS_STANDIN_H

#include "base/buf.h"
#include "base/json.h"
#include "net/serve.h"

enum { STANDIN_BODY_MAX = 64 << 20 };

/* An answer under construction; set all but headers. */
struct standin_reply {
	int status;
	const char *content_type;
	struct buf body;
};

struct standin {
	const char *name;    /* of the program */
	const char *options; /* help on the options of its own, lines that end with \n */
	/* An option of its own: -1 with err set if it is unknown or the value is wrong. */
	int (*option)(void *arg, const char *name, const char *value, struct err *err);
	/* Called for every request but those above. */
	void (*answer)(void *arg, const struct serve_request *request, struct standin_reply *reply);
	void *arg;
	size_t parallel; /* requests answered at once, the others wait in line; 0: no limit */
};

/* Serve until SIGTERM or SIGINT; returns the exit status. */
int standin_main(const struct standin *standin, int argc, char **argv);

/* {"error": message} with this status, as both services say it. */
void standin_error(struct standin_reply *reply, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void standin_json(struct standin_reply *reply, int status, const struct json *value);
void standin_text(struct standin_reply *reply, int status, const char *text);

#endif
