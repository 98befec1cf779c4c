/*
 * answer.h - what the status policy may answer. The facts stay the engine's: a Job that has not
 * finished cannot be called Succeeded or Failed, one that has must be. Pure.
 */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include "control/decide.h"

/* An answer may add conditions up to so many: with as many long messages the API still takes the
 * status. */
enum { ANSWER_CONDITIONS_MAX = 32 };

/* NULL if the answer agrees with o->job and can stand in a status, else what is wrong; yours. */
char *answer_fault(const struct observed *o, const struct json *answer);

#endif
