#include "kube/index.h"

#include "base/map.h"

/* Open addressing; a deleted record leaves a mark, so that those behind it are still found. The
 * table is rebuilt when three quarters are used. */
static char deleted[1];

static const char *key_of(const struct index *index, const void *record)
{
	const char *key;

	memcpy(&key, (const char *)record + index->key_at, sizeof(key));
	return key;
}

void index_done(struct index *index)
{
	free(index->slots);
	index->slots = NULL;
	index->cap = index->used = index->live = 0;
}

/* The slot of key; else the free one where the search for it ends. NULL if there is no table. */
static void **find(const struct index *index, const char *key)
{
	size_t mask = index->cap - 1;

	if (index->cap == 0)
		return NULL;
	for (size_t i = map_hash(key) & mask;; i = (i + 1) & mask) {
		void **slot = &index->slots[i];

		if (*slot == NULL || (*slot != deleted && streq(key_of(index, *slot), key)))
			return slot;
	}
}

static void rebuild(struct index *index)
{
	struct index bigger = {.key_at = index->key_at, .cap = 16};
	void *record;

	while (bigger.cap < index->live * 2 + 2)
		bigger.cap *= 2;
	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	for (size_t i = 0; (record = index_next(index, &i)) != NULL;)
		*find(&bigger, key_of(index, record)) = record;
	bigger.used = bigger.live = index->live;
	free(index->slots);
	*index = bigger;
}

void *index_get(const struct index *index, const char *key)
{
	void **slot = find(index, key);

	return slot != NULL ? *slot : NULL;
}

void *index_put(struct index *index, void *record)
{
	void **slot = find(index, key_of(index, record));
	void *old = slot != NULL ? *slot : NULL;

	if (old == NULL) {
		if (slot == NULL || (index->used + 1) * 4 > index->cap * 3) {
			rebuild(index);
			slot = find(index, key_of(index, record));
		}
		index->used++;
		index->live++;
	}
	*slot = record;
	return old;
}

void *index_del(struct index *index, const char *key)
{
	void **slot = find(index, key);
	void *record = slot != NULL ? *slot : NULL;

	if (record == NULL)
		return NULL;
	*slot = deleted;
	index->live--;
	return record;
}

void *index_next(const struct index *index, size_t *at)
{
	while (*at < index->cap) {
		void *record = index->slots[(*at)++];

		if (record != NULL && record != deleted)
			return record;
	}
	return NULL;
}
