/*
 * http_multi.h - several calls at once, one try each; connections are kept and used again.
 *
 *	http_multi_add(multi, &request, &reply, chunk);
 *	while ((chunk = http_multi_wait(multi, 1000, &rc, &again, &err)) != NULL)
 *		...
 */
#ifndef RUNNER_HTTP_MULTI_H
#define RUNNER_HTTP_MULTI_H

#include "runner/http.h"

struct http_multi;

struct http_multi *http_multi_new(void);

/* Breaks off what is under way. */
void http_multi_free(struct http_multi *multi);

/* Start a call. request and reply stay in use until it has ended; arg names it, not NULL. */
void http_multi_add(struct http_multi *multi, const struct http_request *request,
		    struct http_reply *reply, void *arg);

/*
 * Wait for the end of one call, at most so long: its arg, or NULL. *rc, reply and err are as those
 * of http_call; *again tells that another try may help and does no harm. If nothing is under way,
 * it sleeps. A signal that sets http_stop ends calls as it does those of http_call.
 */
void *http_multi_wait(struct http_multi *multi, int64_t ms, int *rc, bool *again, struct err *err);

#endif
