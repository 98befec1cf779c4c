/*
 * map.h - a hash table from strings to pointers.
 *
 * Keys are copied. Values belong to the map if it was made with a free function. Keys are hashed
 * with SipHash and a seed of the process, so that nobody who names objects can make it slow.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

struct map;

/* free_value may be NULL: then values are borrowed. */
struct map *map_new(void (*free_value)(void *value));
void map_free(struct map *map);

/* NULL when absent. */
void *map_get(const struct map *map, const char *key);

/* Add or replace (the old value is freed). value must not be NULL. */
void map_put(struct map *map, const char *key, void *value);

/* Remove and free; false when it was absent. */
bool map_del(struct map *map, const char *key);

/* The hash of a key, for another table; it differs from process to process. */
uint64_t map_hash(const char *key);

size_t map_len(const struct map *map);

/*
 * Walk in no fixed order; do not change the map meanwhile, except for deleting the current key:
 *
 *	for (size_t i = 0; map_next(map, &i, &key, &value);)
 */
bool map_next(const struct map *map, size_t *at, const char **key, void **value);

#endif
