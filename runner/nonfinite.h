/*
 * nonfinite.h - NaN and Infinity in JSON, where they cannot be. Triton, TorchServe and whatever
 * uses Python's json.dumps write them all the same.
 */
#ifndef RUNNER_NONFINITE_H
#define RUNNER_NONFINITE_H

#include "runner/model.h"

/*
 * Replace each NaN, Infinity and -Infinity outside of strings in text by null or by itself in
 * quotes; with NONFINITE_FAIL the first is a fault NonFinite. A text without them stays as it is.
 */
int nonfinite_clean(struct buf *text, enum nonfinite policy, struct fault *fault);

#endif
