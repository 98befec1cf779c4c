/*
 * hold.h - reading one's own writes: which keys must wait until the watch has shown what their
 * last pass wrote. Pure: the clock is an argument.
 *
 * The watch may show a write before the reply to it arrives, so what is seen while a pass is in
 * flight is remembered until that pass has ended. A hold ends after HOLD_MS in any case: every
 * write is guarded, so a pass that comes too early wastes a call but breaks nothing.
 */
#ifndef CONTROL_HOLD_H
#define CONTROL_HOLD_H

#include "base/base.h"

struct holds;

enum { HOLD_MS = 5000 };

struct holds *holds_new(void);
void holds_free(struct holds *holds);

/* A pass for key begins. */
void holds_begin(struct holds *holds, const char *key);

/* The watch has shown this mark (a resourceVersion or a uid) for key. */
void holds_seen(struct holds *holds, const char *key, const char *mark);

/* The key is gone: there is nothing to wait for. */
void holds_forget(struct holds *holds, const char *key);

/* The pass has ended; wait for these marks. NULL: none. */
void holds_end(struct holds *holds, const char *key, const char *run_version, const char *job_uid,
	       int64_t now);

/* How long the key must still wait, in ms; 0 if it need not. */
int64_t holds_left(struct holds *holds, const char *key, int64_t now);

#endif
