/*
 * queue.h - which key to reconcile next. Pure: the clock is an argument.
 *
 * A key is in the queue once, however often it is added; a key that is added while its pass is in
 * flight comes back when the pass is done, so one key never has two passes. Keys that are ready
 * go in order of arrival, those of queue_add before those of queue_add_low (a restart's backlog
 * does not hold up what happens now). A key whose pass failed waits: 0.5 s doubling to 5 min, with
 * up to 20% of jitter so that many do not come back as one.
 */
#ifndef CONTROL_QUEUE_H
#define CONTROL_QUEUE_H

#include "base/base.h"

struct queue;

enum { QUEUE_BACKOFF_MIN_MS = 500, QUEUE_BACKOFF_MAX_MS = 300000 };

struct queue *queue_new(void);
void queue_free(struct queue *queue);

void queue_add(struct queue *queue, const char *key, int64_t now);
void queue_add_low(struct queue *queue, const char *key, int64_t now);

/* As queue_add_low; and what has failed so far is forgotten: the back-off begins anew. */
void queue_add_anew(struct queue *queue, const char *key, int64_t now);

/* Not before now + delay_ms; an earlier time that is set already stays. */
void queue_add_after(struct queue *queue, const char *key, int64_t delay_ms, int64_t now);

/* The next ready key (yours), now in flight; NULL if none is ready. */
char *queue_pop(struct queue *queue, int64_t now);

/* The pass of a popped key has ended. failed: the key comes back after its back-off. */
void queue_done(struct queue *queue, const char *key, bool failed, int64_t now);

/* Milliseconds until a key gets ready, 0 if one is, -1 if none waits. */
int64_t queue_wait(const struct queue *queue, int64_t now);

/* For metrics: how long a key in flight had been ready when it was popped; how many keys were made
 * ready, and how many times a failed one was put off; keys ready or delayed; in flight; the age of
 * the oldest ready one. */
int64_t queue_waited_ms(const struct queue *queue, const char *key);
uint64_t queue_adds(const struct queue *queue);
uint64_t queue_retries(const struct queue *queue);
size_t queue_depth(const struct queue *queue);
size_t queue_in_flight(const struct queue *queue);
int64_t queue_oldest_ms(const struct queue *queue, int64_t now);

#endif
