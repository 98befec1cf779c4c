/*
 * v2.h - the parts of the protocol v2, for each other and for tests. See protocol.h.
 */
#ifndef RUNNER_V2_H
#define RUNNER_V2_H

#include "runner/protocol.h"

/* The address of the model's metadata, or NULL if url does not end with /infer; yours. */
char *v2_metadata_url(const char *url);

/* The shape of the input of this name, or of the only one; false if the metadata has none. */
bool v2_metadata_shape(const char *text, size_t len, const char *input_name, struct shape *out);

/* As reply() of protocol.h. */
int v2_reply(const struct model *model, const char *text, size_t len, size_t rows,
	     struct results *out, struct fault *fault);

#endif
