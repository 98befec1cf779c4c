/*
 * pace.h - how often the passes of a run may write: PACE_BURST times in a row, then once every
 * PACE_MS. Each write brings the run's key back, so a status policy that never gives the same
 * answer twice would write without end. Pure: the clock is an argument.
 */
#ifndef CONTROL_PACE_H
#define CONTROL_PACE_H

#include "base/base.h"

struct paces;

enum { PACE_BURST = 20, PACE_MS = 5000 };

struct paces *paces_new(void);
void paces_free(struct paces *paces); /* NULL is fine */

/* A pass for key has written. */
void paces_wrote(struct paces *paces, const char *key, int64_t now);

/* How long the key must wait, in ms; 0 if it need not. */
int64_t paces_left(const struct paces *paces, const char *key, int64_t now);

/* How many keys are remembered: those that have written of late. */
size_t paces_len(const struct paces *paces);

#endif
