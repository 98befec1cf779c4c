#include "control/pace.h"

#include "base/map.h"

enum { SWEEP_MS = 60000 };

/* What is kept of a key is when its writes so far would be over, had they kept the pace. */
struct paces {
	struct map *over;
	int64_t sweep_at;
};

struct paces *paces_new(void)
{
	struct paces *paces = xcalloc(1, sizeof(*paces));

	paces->over = map_new(free);
	return paces;
}

void paces_free(struct paces *paces)
{
	if (paces == NULL)
		return;
	map_free(paces->over);
	free(paces);
}

static int64_t over(const struct paces *paces, const char *key, int64_t now)
{
	const int64_t *at = map_get(paces->over, key);

	return at != NULL && *at > now ? *at : now;
}

static void put(struct map *map, const char *key, int64_t at)
{
	int64_t *value = xmalloc(sizeof(*value));

	*value = at;
	map_put(map, key, value);
}

static void sweep(struct paces *paces, int64_t now)
{
	struct map *late = map_new(free);
	const char *key;
	void *at;

	for (size_t i = 0; map_next(paces->over, &i, &key, &at);)
		if (*(int64_t *)at > now)
			put(late, key, *(int64_t *)at);
	map_free(paces->over);
	paces->over = late;
	paces->sweep_at = now + SWEEP_MS;
}

void paces_wrote(struct paces *paces, const char *key, int64_t now)
{
	if (now >= paces->sweep_at)
		sweep(paces, now);
	put(paces->over, key, over(paces, key, now) + PACE_MS);
}

int64_t paces_left(const struct paces *paces, const char *key, int64_t now)
{
	int64_t left = over(paces, key, now) - now - (int64_t)(PACE_BURST - 1) * PACE_MS;

	return left > 0 ? left : 0;
}

size_t paces_len(const struct paces *paces)
{
	return map_len(paces->over);
}
