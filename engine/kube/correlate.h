/*
 * correlate.h - which Event object an occurrence belongs to; the rules of events.h. No I/O.
 */
#ifndef KUBE_CORRELATE_H
#define KUBE_CORRELATE_H

#include "base/json.h"

struct correlator;

/* One Event object, shared by the table of the correlator and the sender. */
struct record {
	char *name;                /* of the Event */
	int64_t count;             /* occurrences so far */
	int64_t first_ms, last_ms; /* of them, wall clock */
	bool created;              /* the sender's: the server has it */

	struct record *next; /* the sender's: the queue, */
	bool queued;         /* being in it, */
	struct json *event;  /* and what to send */

	int holders;     /* private */
	int64_t used_ms; /* private */
};

void record_hold(struct record *record);
void record_release(struct record *record); /* frees it with its last holder */

/* Every table has table entries; clock is in ms and never goes back. */
struct correlator *correlator_new(size_t table, int64_t (*clock)(void));
void correlator_free(struct correlator *c); /* NULL is fine */

/* Count one occurrence. NULL: the object has too many. *combined: similar ones share the record.
 * Borrowed until the next call; hold it to keep it. */
struct record *correlate(struct correlator *c, const struct json *object, const char *type,
			 const char *reason, const char *message, bool *combined);

#endif
