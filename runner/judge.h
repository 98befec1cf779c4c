/*
 * judge.h - what an answer means. A status of 2xx is not enough: the database handler answers 200
 * with the error text of a notebook that failed, and proxies answer 200 with a page.
 */
#ifndef RUNNER_JUDGE_H
#define RUNNER_JUDGE_H

#include "runner/http.h"
#include "runner/report.h"

/* After http_call failed and left its error in fault->err: add the reason. Returns -1. */
int judge_no_answer(const struct http_reply *reply, enum reason unavailable, struct fault *fault);

/* 0 if the status is 2xx, else a fault that quotes what the server said. who: "the model". */
int judge_status(const struct http_reply *reply, const char *who, enum reason rejected,
		 enum reason unavailable, struct fault *fault);

enum body {
	BODY_EMPTY, /* nothing but blanks */
	BODY_JSON,
	BODY_ERROR,    /* {"error": ...}, with something in it */
	BODY_NOTEBOOK, /* what a notebook prints when it fails */
	BODY_HTML,
	BODY_TEXT,
};

/* *says is what to quote of an error or a text, else NULL; yours. */
enum body judge_body(const char *body, size_t len, char **says);

#endif
