/*
 * peer.h - the engine's end of one policy worker: it starts the process, keeps its bundles up to
 * date, carries one call at a time to it, and ends it when it hangs, dies or talks nonsense.
 *
 * It can be used again after each of these: the process is started when a call is given.
 */
#ifndef POLICY_PEER_H
#define POLICY_PEER_H

#include "net/loop.h"
#include "policy/call.h"
#include "policy/shelf.h"

struct peer;

struct peer_spec {
	struct loop *loop;
	const char *program; /* borrowed */
	int64_t deadline_ms; /* for one call */
	int64_t rest_ms;     /* of idleness, then rested() is called */
	/* The call that it had is at its end and yours again. The last act of whoever calls it. */
	void (*ended)(void *arg, struct peer *peer, struct policy_call *call);
	void (*rested)(void *arg, struct peer *peer);
	void *arg;
};

struct peer *peer_new(const struct peer_spec *spec);
void peer_free(struct peer *peer); /* NULL is fine; ends the process, frees its call */

bool peer_runs(const struct peer *peer);                /* there is a process */
struct policy_call *peer_call(const struct peer *peer); /* NULL: it is idle */

/* Give an idle peer a call; the shelf is the truth about bundles. -1: no worker can be started,
 * and the call stays yours. */
int peer_give(struct peer *peer, const struct shelf *shelf, struct policy_call *call,
	      struct err *err);

/* The worker has this bundle from the load it has just served. */
void peer_knows(struct peer *peer, const char *name, int64_t version);
void peer_forget(struct peer *peer, const char *name);

void peer_stop(struct peer *peer); /* an idle one */

#endif
