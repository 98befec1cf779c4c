#include "base/map.h"

#include <sys/random.h>

/* Open addressing with tombstones; the table is rebuilt when three quarters are used. */
struct slot {
	char *key; /* NULL: never used; DELETED: a tombstone */
	void *value;
	uint64_t hash;
};

struct map {
	struct slot *slots;
	size_t cap;  /* a power of two, or 0 */
	size_t used; /* live and tombstones */
	size_t live;
	void (*free_value)(void *);
};

static char DELETED[1];

static uint64_t rotl(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein), seeded once a process. */
uint64_t map_hash(const char *key)
{
	static uint64_t seed[2];
	size_t len = strlen(key), left = len;
	uint64_t v[4], word;

	if (seed[0] == 0 && getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		abort();
	v[0] = seed[0] ^ 0x736f6d6570736575ULL;
	v[1] = seed[1] ^ 0x646f72616e646f6dULL;
	v[2] = seed[0] ^ 0x6c7967656e657261ULL;
	v[3] = seed[1] ^ 0x7465646279746573ULL;
	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&word, key, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)(unsigned char)key[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct map *map_new(void (*free_value)(void *value))
{
	struct map *map = xcalloc(1, sizeof(*map));

	map->free_value = free_value;
	return map;
}

static void release(struct map *map, struct slot *slot)
{
	free(slot->key);
	if (map->free_value != NULL)
		map->free_value(slot->value);
}

void map_free(struct map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].key != NULL && map->slots[i].key != DELETED)
			release(map, &map->slots[i]);
	free(map->slots);
	free(map);
}

static struct slot *find(const struct map *map, const char *key, uint64_t hash)
{
	if (map->cap == 0)
		return NULL;
	for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
		struct slot *slot = &map->slots[i];

		if (slot->key == NULL)
			return NULL;
		if (slot->key != DELETED && slot->hash == hash && streq(slot->key, key))
			return slot;
	}
}

static void insert(struct map *map, struct slot entry)
{
	size_t i = entry.hash & (map->cap - 1);

	while (map->slots[i].key != NULL)
		i = (i + 1) & (map->cap - 1);
	map->slots[i] = entry;
	map->used++;
	map->live++;
}

static void rebuild(struct map *map)
{
	struct slot *old = map->slots;
	size_t old_cap = map->cap;

	map->cap = 16;
	while (map->cap < map->live * 2 + 2)
		map->cap *= 2;
	map->slots = xcalloc(map->cap, sizeof(*map->slots));
	map->used = map->live = 0;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].key != NULL && old[i].key != DELETED)
			insert(map, old[i]);
	free(old);
}

void *map_get(const struct map *map, const char *key)
{
	struct slot *slot = find(map, key, map_hash(key));

	return slot != NULL ? slot->value : NULL;
}

void map_put(struct map *map, const char *key, void *value)
{
	uint64_t hash = map_hash(key);
	struct slot *slot = find(map, key, hash);

	if (slot != NULL) {
		if (map->free_value != NULL && slot->value != value)
			map->free_value(slot->value);
		slot->value = value;
		return;
	}
	if ((map->used + 1) * 4 > map->cap * 3)
		rebuild(map);
	insert(map, (struct slot){.key = xstrdup(key), .value = value, .hash = hash});
}

bool map_del(struct map *map, const char *key)
{
	struct slot *slot = find(map, key, map_hash(key));

	if (slot == NULL)
		return false;
	release(map, slot);
	slot->key = DELETED;
	slot->value = NULL;
	map->live--;
	return true;
}

size_t map_len(const struct map *map)
{
	return map->live;
}

bool map_next(const struct map *map, size_t *at, const char **key, void **value)
{
	for (; *at < map->cap; (*at)++) {
		struct slot *slot = &map->slots[*at];

		if (slot->key == NULL || slot->key == DELETED)
			continue;
		*key = slot->key;
		*value = slot->value;
		(*at)++;
		return true;
	}
	return false;
}
