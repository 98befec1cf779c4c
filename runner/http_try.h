/*
 * http_try.h - one try of a call, between http.c, http_multi.c and http_stream.c: how a request
 * becomes a handle of libcurl, and its end a reply or an error.
 */
#ifndef RUNNER_HTTP_TRY_H
#define RUNNER_HTTP_TRY_H

#include "runner/http.h"

struct http_try {
	const struct http_request *request;
	struct http_reply *reply;
	void *easy, *lines; /* libcurl's */
	char detail[256];
};

/* Set try->easy up; reply is emptied. Both pointers stay in use until http_try_end. */
void http_try_begin(struct http_try *try, const struct http_request *request,
		    struct http_reply *reply);

/*
 * code is what libcurl returned (an int, so that nobody else needs its header). Fills the reply
 * and frees the handle. *again: another try may help and does no harm. -1 if there is no answer.
 */
int http_try_end(struct http_try *try, int code, bool *again, struct err *err);

/* Only the error of http_try_end, for a try that goes on to exist. Returns -1. */
int http_try_explain(const struct http_try *try, int code, struct err *err);

/* As http_try_end failing for this reason, for what libcurl does not know of. */
int http_try_interrupted(const struct http_request *request, struct http_reply *reply,
			 struct err *err);

/* The two variables of the environment, in ms. */
int64_t http_call_timeout(const struct http_request *request);
int64_t http_retry_delay(void);

/* Sleep, but end when http_stop is set. */
void http_wait(int64_t ms);

#endif
