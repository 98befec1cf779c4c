#include "kube/lru.h"

#include <stdalign.h>
#include <sys/queue.h>

#include "base/map.h"

struct node {
	TAILQ_ENTRY(node) link;
	char *key;
	alignas(max_align_t) char record[];
};

struct lru {
	struct map *map;               /* key -> node; borrowed */
	TAILQ_HEAD(uses, node) by_use; /* the first was used last */
	size_t max, size;
	void (*drop)(void *);
};

struct lru *lru_new(size_t max, size_t size, void (*drop)(void *record))
{
	struct lru *lru = xcalloc(1, sizeof(*lru));

	lru->map = map_new(NULL);
	TAILQ_INIT(&lru->by_use);
	lru->max = max;
	lru->size = size;
	lru->drop = drop;
	return lru;
}

static void evict(struct lru *lru, struct node *node)
{
	TAILQ_REMOVE(&lru->by_use, node, link);
	map_del(lru->map, node->key);
	if (lru->drop != NULL)
		lru->drop(node->record);
	free(node->key);
	free(node);
}

void lru_free(struct lru *lru)
{
	if (lru == NULL)
		return;
	for (struct node *next, *node = TAILQ_FIRST(&lru->by_use); node != NULL; node = next) {
		next = TAILQ_NEXT(node, link);
		evict(lru, node);
	}
	map_free(lru->map);
	free(lru);
}

void *lru_use(struct lru *lru, const char *key)
{
	struct node *node = map_get(lru->map, key);

	if (node != NULL) {
		TAILQ_REMOVE(&lru->by_use, node, link);
	} else {
		if (map_len(lru->map) >= lru->max)
			evict(lru, TAILQ_LAST(&lru->by_use, uses));
		node = xcalloc(1, sizeof(*node) + lru->size);
		node->key = xstrdup(key);
		map_put(lru->map, key, node);
	}
	TAILQ_INSERT_HEAD(&lru->by_use, node, link);
	return node->record;
}
