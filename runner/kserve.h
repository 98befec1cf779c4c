/*
 * kserve.h - inference by the Open Inference Protocol, version 2
 * (https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md).
 *
 * One input tensor of FP32 with all rows; of the answer, the data of the first output, flat in
 * row-major order, every digit as it came.
 *
 * The shape is [rows, width], unless the model wants more dimensions: Triton refuses a tensor of
 * another rank than its configuration says. kserve.shape in the contract tells it; without that
 * the model's metadata does (GET of the URL without "/infer"), where the model has any.
 */
#ifndef RUNNER_KSERVE_H
#define RUNNER_KSERVE_H

#include "runner/contract.h"

/* Reasons: ModelUnavailable, ModelRejected, ModelReplyInvalid, ShapeMismatch. */
int kserve_infer(const struct contract *contract, const struct rows *rows, struct buf *predictions,
		 size_t *count, struct fault *fault);

/* ---- the pure parts, for tests ---- */

/* Fit the rows into a wanted shape: rank 0 gives [count, width]; a first -1 is the count, one
 * other -1 is what the width leaves. Fails where the numbers do not fit. */
int kserve_fit(const struct shape *wanted, size_t count, size_t width, struct shape *out,
	       struct err *err);

void kserve_request(const char *input_name, const struct rows *rows, const struct shape *shape,
		    struct buf *out);

/* row_count is what the first dimension of the output must be. */
int kserve_reply(const char *text, size_t len, size_t row_count, struct buf *predictions,
		 size_t *count, struct fault *fault);

/* The address of the model's metadata, or NULL if url does not end with /infer; yours. */
char *kserve_metadata_url(const char *url);

/* The shape of the input of this name, or of the only one; false if the metadata has none. */
bool kserve_metadata_shape(const char *text, size_t len, const char *input_name, struct shape *out);

#endif
