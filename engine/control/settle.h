/*
 * settle.h - what is better written a moment later. Pure.
 *
 * A finished Job's Pods may still be on their way to us, and a change of words within one phase may
 * be over at once: held back for so long after what caused it, a run whose Pod starts and ends
 * without delay costs one write a phase. Why an attempt failed is not held back where another
 * follows, for its Pod may go.
 */
#ifndef CONTROL_SETTLE_H
#define CONTROL_SETTLE_H

#include "control/decide.h"

enum {
	SETTLE_PODS_LATE_MS = 5000, /* that long the Pods are waited for, */
	SETTLE_PODS_MS = 200,       /* looking again after so long */
	SETTLE_WORDS_MS = 2000,
};

/* The Job has finished, and the end of a Pod that it has counted is not seen yet. */
bool settle_pods_are_late(const struct observed *o);

/* Only the words of the status would change, and what they tell of is too new. */
bool settle_words_can_wait(const struct observed *o, const struct json *wanted);

#endif
