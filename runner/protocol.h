/*
 * protocol.h - how a model is asked. One table per protocol:
 *
 *	v2   Open Inference Protocol, /v2/models/m/infer
 *	     (https://github.com/kserve/open-inference-protocol, inference_rest.md)
 *	v1   KServe's older one, /v1/models/m:predict: {"instances": [...]} ->
 *	     {"predictions": [...]}
 *	     (https://kserve.github.io/website/latest/modelserving/data_plane/v1_protocol/)
 *	raw  each row is the body of a request, and its answer is stored as it is: chat
 *	     completions, embeddings, inference graphs, explainers
 *
 * Everything here is pure but prepare().
 */
#ifndef RUNNER_PROTOCOL_H
#define RUNNER_PROTOCOL_H

#include "runner/model.h"
#include "runner/results.h"
#include "runner/rows.h"

struct protocol {
	const char *name;
	bool one_row; /* a request carries one row */

	struct row_rule (*rule)(const struct model *model);

	/* Learn from the model what is needed for the first request, which has these rows. May be
	 * NULL. One try: a fault of kind ERR_RETRY asks to be called again. */
	int (*prepare)(struct model *model, const struct rows *rows, struct fault *fault);

	/* Add the body for count rows from row `from` on. Reasons: ShapeMismatch, InputInvalid. */
	int (*request)(const struct model *model, const struct rows *rows, size_t from,
		       size_t count, struct buf *out, struct fault *fault);

	/* Read the answer (status 2xx) for so many rows. text must outlive the results. Reasons:
	 * ModelRejected, ModelReplyInvalid, ShapeMismatch, NonFinite. */
	int (*reply)(const struct model *model, const char *text, size_t len, size_t rows,
		     struct results *out, struct fault *fault);
};

extern const struct protocol v1_protocol, v2_protocol, raw_protocol;

/* See model.h for the choice. */
int protocol_choose(const struct json *kserve, const char *url, const struct protocol **out,
		    struct err *err);

#endif
