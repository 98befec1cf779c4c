/*
 * http_setup.h - from a request to the options of a libcurl handle, for http.c alone.
 */
#ifndef NET_HTTP_SETUP_H
#define NET_HTTP_SETUP_H

#include "net/http.h"

struct curl_slist;

enum { SETUP_PROBLEM_MAX = 256 }; /* CURL_ERROR_SIZE */

/* What the handle points to: must outlive its transfer. */
struct setup {
	char *target; /* "GET https://host:port", for messages: no user, path or query */
	struct curl_slist *headers, *connect_to;
	char problem[SETUP_PROBLEM_MAX]; /* what went wrong, or "" */
};

/* Everything but the callbacks, for a CURL * (which is a void *). tls must outlive the transfer,
 * too. On failure (a request that no server could answer) target is set, and setup_done is still
 * needed. */
int setup_fill(struct setup *setup, void *easy, const struct http_request *request,
	       const struct http_tls *tls, const char *proxy, struct err *err);
void setup_done(struct setup *setup);

/* Set an option of ours: one that libcurl refuses is a bug or no memory. */
#define EASY_SET(easy, option, value)                                                              \
	do {                                                                                       \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK)                             \
			abort();                                                                   \
	} while (0)

#endif
