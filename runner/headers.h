/*
 * headers.h - header lines as a contract lists them: ["Name: value", ...].
 *
 * A line is cut at its first colon; one without a name has always been skipped in silence, and so
 * it is here. The last line of a name counts.
 */
#ifndef RUNNER_HEADERS_H
#define RUNNER_HEADERS_H

#include "base/json.h"
#include "runner/http.h"

/* lines may be missing or null. where is the path of the object that has the member headers. */
int headers_check(const struct json *lines, const char *where, struct err *err);

/* Add what headers_check has let through, but not what frames the message. */
void headers_add(const struct json *lines, struct http_headers *out);

#endif
