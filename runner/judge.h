/*
 * judge.h - what an answer means. A status of 2xx is not enough: the database handler answers 200
 * with the error text of a notebook that failed, and proxies answer 200 with a page.
 */
#ifndef RUNNER_JUDGE_H
#define RUNNER_JUDGE_H

#include "base/scan.h"
#include "runner/http.h"
#include "runner/report.h"

/* After http_call failed and left its error in fault->err: add the reason. Returns -1. */
int judge_no_answer(const struct http_reply *reply, enum reason unavailable, struct fault *fault);

/* 0 if the status is 2xx, else a fault that quotes what the server said. who: "the model". A 500
 * that tells of a failed authentication counts as 401: the database handler says so. */
int judge_status(const struct http_reply *reply, const char *who, enum reason rejected,
		 enum reason unavailable, struct fault *fault);

/*
 * 0 if the answer to a request with output means that it is stored: a status of 2xx, and a body
 * that is empty or JSON without an error. A gateway that gave up (502, 504) leaves it open:
 * OutputAmbiguous. judge_stored_status does not look at the body.
 */
int judge_stored(const struct http_reply *reply, struct fault *fault);
int judge_stored_status(const struct http_reply *reply, struct fault *fault);

/* A notebook that failed has said this. Returns -1. */
int judge_notebook(const char *who, const char *says, struct fault *fault);

/* What a runner does about the answer of a model to one request. */
enum verdict {
	VERDICT_GOOD,    /* status 2xx: read it */
	VERDICT_AGAIN,   /* the same request later */
	VERDICT_SMALLER, /* fewer rows may do; for one row alone: again */
	VERDICT_ROWS,    /* these rows are at fault, or one of them */
	VERDICT_OVER,    /* no request will do */
};

/*
 * Judge an answer. rc and fault->err are those of the call, started tells whether the model has
 * answered anything well before, tries how often it has answered this request with 500. On a
 * verdict but GOOD, fault says why.
 *
 *	no answer in time, 504, a reply too long   SMALLER: a gateway's limit, or too much at once
 *	connection failed or broke, 408, 425, 429, 502, 503, 507 and other 5xx   AGAIN
 *	400 with "not ready" (MLServer says so)    AGAIN
 *	404 without a JSON body, before the start  AGAIN: its route is not there yet
 *	413 SMALLER, for one row ROWS; 400, 422 ROWS
 *	500 AGAIN twice, then ROWS: KServe answers so to any exception of a model
 *	the rest, such as 401, 403, 404, 501       OVER
 */
enum verdict judge_model(int rc, const struct http_reply *reply, bool started, int tries,
			 size_t rows, struct fault *fault);

/* 0 unless a model's answer with status 2xx says that it is an error. */
int judge_reply(const char *text, size_t len, struct fault *fault);

/* The scanner has failed in a model's answer. Returns -1. */
int judge_not_json(const struct scan *s, struct fault *fault);

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
