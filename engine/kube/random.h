/*
 * random.h - unpredictable numbers from the kernel: jitter, unique names.
 */
#ifndef KUBE_RANDOM_H
#define KUBE_RANDOM_H

#include "base/base.h"

uint64_t random_u64(void);

/* Evenly from low to high, both included; low if there is nothing between. */
int64_t random_between(int64_t low, int64_t high);

/* A random UUID (RFC 9562, version 4); yours. */
char *random_uuid(void);

#endif
