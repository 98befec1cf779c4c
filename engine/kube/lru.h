/*
 * lru.h - a bounded table from strings to records; the one used longest ago goes when it is full.
 */
#ifndef KUBE_LRU_H
#define KUBE_LRU_H

#include "base/base.h"

struct lru;

/* Records start with size zero bytes. drop (NULL: nothing) is told of each before it is freed. */
struct lru *lru_new(size_t max, size_t size, void (*drop)(void *record));
void lru_free(struct lru *lru); /* NULL is fine */

/* The record of key, made if absent; it is now the one used last. Valid until its eviction, at the
 * earliest at the next lru_use. */
void *lru_use(struct lru *lru, const char *key);

#endif
