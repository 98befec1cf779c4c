/*
 * index.h - a hash table of records that hold their own key: a pointer a record and nothing copied.
 *
 * The records are borrowed; one must keep its key while it is in an index. Keys are hashed as those
 * of map.h. (map.h copies keys, which costs more than a small object's own data.)
 */
#ifndef KUBE_INDEX_H
#define KUBE_INDEX_H

#include "base/base.h"

struct index {
	void **slots;
	size_t cap;  /* a power of two, or 0 */
	size_t used; /* live and deleted ones */
	size_t live;
	size_t key_at; /* where a record holds its `const char *` key */
};

#define INDEX_INIT(type, key)                                                                      \
	{                                                                                          \
		.key_at = offsetof(type, key)                                                      \
	}

void index_done(struct index *index); /* the records stay */

void *index_get(const struct index *index, const char *key); /* NULL when absent */

/* Add; returns the record with the same key that it replaces, or NULL. */
void *index_put(struct index *index, void *record);

/* Remove; returns the record, or NULL when it was absent. */
void *index_del(struct index *index, const char *key);

/* The next record in no fixed order, NULL at the end; start with *at = 0. Meanwhile nothing may be
 * put, but anything deleted. */
void *index_next(const struct index *index, size_t *at);

#endif
