/*
 * image.h - which program stands for a container image.
 */
#ifndef PODRUNNER_IMAGE_H
#define PODRUNNER_IMAGE_H

#include "base/base.h"

struct image {
	const char *name;   /* without tag and digest; "*": any */
	const char *binary; /* "": none, the Pod must have a command */
};

/* The first that fits an image reference such as "host:5000/name:tag@sha256:..."; NULL: none. */
const struct image *image_find(const struct image *images, size_t count, const char *reference);

#endif
