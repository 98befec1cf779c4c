/*
 * call.h - one question to a policy worker: the bytes of it, and what has been answered so far.
 *
 * It does no I/O: host.c keeps the calls that wait, peer.c carries one to a worker and back.
 */
#ifndef POLICY_CALL_H
#define POLICY_CALL_H

#include "base/buf.h"
#include "policy/bundle.h"
#include "policy/host.h"

enum call_kind { CALL_LOAD, CALL_EVAL };

struct policy_call {
	struct policy_host *host;
	struct policy_call *next;
	enum call_kind kind;
	char *name;       /* of the bundle */
	struct buf frame; /* the question as it is sent */
	bool given;       /* to a worker */
	char *source;     /* CALL_EVAL: the bundle or the run whose fault a hang would be */

	bool over;             /* CALL_LOAD */
	struct bundle *bundle; /* CALL_LOAD: what comes into force */
	struct json *hooks;    /* CALL_EVAL: names */
	struct json *results;  /* CALL_EVAL: so far, by name */
	char digest[BUNDLE_DIGEST_MAX];

	struct json *reply; /* at the end; without one err is set */
	struct err err;
	policy_done_fn *done; /* NULL: cancelled while a worker has it */
	void *arg;
};

struct policy_call *call_new(struct policy_host *host, enum call_kind kind, const char *name,
			     policy_done_fn *done, void *arg);
void call_free(struct policy_call *call); /* NULL is fine */

/* CALL_EVAL: ask for the hooks of a request (policy_eval); what is wrong with it is in err. */
void call_ask(struct policy_call *call, const struct json *request);

/* What would be to blame if that request hung; yours. A named bundle stands for itself; with the one
 * in force it is a run that makes it hang. */
char *call_source(const char *name, const struct json *request);

/* Take an answer of the worker in; what of it belongs to the reply is moved there. */
enum call_state {
	CALL_OPEN,     /* more are to come */
	CALL_ENDED,    /* reply or err is there */
	CALL_NONSENSE, /* this is no answer to the question */
};
enum call_state call_take(struct policy_call *call, struct json *answer);

/* Bring the call to its end without its worker, which met `problem` while it ran the hook `ran`
 * (NULL: the one whose answer is awaited). Hooks that have answered keep their answers. */
void call_lose(struct policy_call *call, const char *ran, const char *problem);

/* Has a hook of this call that is at its end reached a limit? */
bool call_met_limit(const struct policy_call *call);

#endif
