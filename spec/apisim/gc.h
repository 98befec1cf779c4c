/*
 * gc.h - what goes when something else has gone: dependents of a deleted owner (also of one that
 * never was), owners that wait for their dependents (foreground), and all that is in a namespace
 * that is being deleted.
 *
 * The source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
#ifndef APISIM_GC_H
#define APISIM_GC_H

#include "spec/apisim/server.h"

struct gc;

struct gc *gc_new(struct server *server);
void gc_free(struct gc *gc);

#endif
