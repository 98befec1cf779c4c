/*
 * admit.h - defaults and validation of the built-in kinds, as far as clients can see them.
 */
#ifndef APISIM_ADMIT_H
#define APISIM_ADMIT_H

#include "spec/apisim/objects.h"

/* What the server fills in. old is NULL on create. */
void admit_defaults(const struct resource *resource, struct json *object, const struct json *old);

/* Append a cause (see status.h) for everything that the server would refuse. */
void admit_check(const struct resource *resource, const struct json *object, const struct json *old,
		 struct json *causes);

/* Names, labels, annotations. */
void admit_check_metadata(const struct resource *resource, const struct json *object,
			  struct json *causes);

/* The defaults of a PodSpec: of a Pod, or of a template in spec.template. */
void admit_pod_spec(struct json *spec);

#endif
