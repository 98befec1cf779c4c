/*
 * flights.h - the passes in flight, at most one for each key, and how long a key must wait for the
 * next: until the watch has shown what the last one wrote (hold.h), and for its pace (pace.h).
 */
#ifndef CONTROL_FLIGHTS_H
#define CONTROL_FLIGHTS_H

#include "control/pass.h"

struct flights;

/* A pass has ended and is in flight no more. It took so long; key and result are gone afterwards. */
typedef void flights_ended_fn(void *arg, const char *key, const struct pass_result *result,
			      int64_t took_ms);

/* env must outlive the flights; it is read when a pass begins. */
struct flights *flights_new(const struct pass_env *env, flights_ended_fn *ended, void *arg);
void flights_free(struct flights *flights); /* gives up what is in flight; NULL is fine */

/* How long the key must still wait, in ms; 0 if it need not. */
int64_t flights_wait(const struct flights *flights, const char *key, int64_t now);

/* Begin a pass for a key that has none. Takes the trees of view. */
void flights_begin(struct flights *flights, const char *key, struct view *view_taken);

/* As cache_spec.seen: the watch has shown this of the key. */
void flights_seen(struct flights *flights, const char *key, const char *run_version,
		  const char *job_uid);

size_t flights_len(const struct flights *flights);

#endif
