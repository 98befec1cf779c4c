#include "policy/arena.h"

#include <sys/mman.h>

enum { GRAIN = 16, SMALL_MAX = 1024, CLASSES = SMALL_MAX / GRAIN };

struct cell {
	struct cell *next;
};

/* In front of a block from malloc(3), aligned as that is. */
struct outside {
	_Alignas(GRAIN) struct outside *next;
	struct outside *before;
};

struct filling {
	size_t used;                /* bytes; behind them nothing has been given out */
	struct cell *free[CLASSES]; /* by size */
};

struct arena_image {
	struct filling filling;
	char bytes[]; /* the first filling.used ones */
};

struct arena {
	char *base;
	struct filling now;
	size_t peak; /* of used, since the last restore */
	struct outside outside;
};

struct arena *arena_new(void)
{
	struct arena *arena = xcalloc(1, sizeof(*arena));

	arena->base =
	    mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena->base == MAP_FAILED)
		abort(); /* as malloc at start */
	arena->outside.next = arena->outside.before = &arena->outside;
	return arena;
}

/* ---- blocks from malloc ---- */

static void *outside_new(struct arena *arena, size_t size)
{
	struct outside *block = malloc(sizeof(*block) + size);

	if (block == NULL)
		return NULL;
	block->next = arena->outside.next;
	block->before = &arena->outside;
	block->next->before = block->before->next = block;
	return block + 1;
}

static void outside_free(void *memory)
{
	struct outside *block = (struct outside *)memory - 1;

	block->next->before = block->before;
	block->before->next = block->next;
	free(block);
}

static void *outside_resize(void *memory, size_t size)
{
	struct outside *block = (struct outside *)memory - 1;

	block = realloc(block, sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	block->next->before = block->before->next = block;
	return block + 1;
}

/* ---- blocks of our own ---- */

static size_t rounded(size_t size)
{
	return (size + GRAIN - 1) / GRAIN * GRAIN;
}

static struct cell **list_of(struct arena *arena, size_t size)
{
	return &arena->now.free[rounded(size) / GRAIN - 1];
}

static bool is_inside(const struct arena *arena, const void *memory)
{
	return (const char *)memory >= arena->base &&
	       (const char *)memory < arena->base + ARENA_SIZE;
}

static bool is_last(const struct arena *arena, const char *memory, size_t size)
{
	return memory + rounded(size) == arena->base + arena->now.used;
}

static void set_used(struct arena *arena, size_t used)
{
	arena->now.used = used;
	if (used > arena->peak)
		arena->peak = used;
}

static void *take_free(struct cell **list)
{
	struct cell *cell = *list;

	if (cell != NULL)
		*list = cell->next;
	return cell;
}

static void *allocate(struct arena *arena, size_t size)
{
	void *memory = size <= SMALL_MAX ? take_free(list_of(arena, size)) : NULL;

	if (memory != NULL)
		return memory;
	if (size > ARENA_SIZE - arena->now.used)
		return outside_new(arena, size);
	memory = arena->base + arena->now.used;
	set_used(arena, arena->now.used + rounded(size));
	return memory;
}

void arena_release(struct arena *arena, void *old, size_t old_size)
{
	struct cell *cell = old;
	struct cell **list;

	if (old == NULL || old_size == 0)
		return;
	if (!is_inside(arena, old)) {
		outside_free(old);
	} else if (is_last(arena, old, old_size)) {
		set_used(arena, arena->now.used - rounded(old_size));
	} else if (old_size <= SMALL_MAX) {
		list = list_of(arena, old_size);
		cell->next = *list;
		*list = cell;
	} /* a large one is lost until the arena is set back */
}

void *arena_resize(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
	char *memory = old;

	if (old == NULL)
		return allocate(arena, new_size);
	if (!is_inside(arena, old))
		return outside_resize(old, new_size);
	if (rounded(new_size) <= rounded(old_size))
		return old;
	if (is_last(arena, memory, old_size) &&
	    new_size <= (size_t)(arena->base + ARENA_SIZE - memory)) {
		set_used(arena, (size_t)(memory - arena->base) + rounded(new_size));
		return old;
	}
	memory = allocate(arena, new_size);
	if (memory == NULL)
		return NULL;
	memcpy(memory, old, old_size);
	arena_release(arena, old, old_size);
	return memory;
}

/* ---- images ---- */

static void free_outside(struct arena *arena)
{
	struct outside *block = arena->outside.next;

	while (block != &arena->outside) {
		struct outside *next = block->next;

		free(block);
		block = next;
	}
	arena->outside.next = arena->outside.before = &arena->outside;
}

struct arena_image *arena_keep(const struct arena *arena)
{
	struct arena_image *image;

	if (arena->outside.next != &arena->outside || arena->now.used > ARENA_WARM)
		return NULL;
	image = xmalloc(sizeof(*image) + arena->now.used);
	image->filling = arena->now;
	memcpy(image->bytes, arena->base, arena->now.used);
	return image;
}

void arena_restore(struct arena *arena, const struct arena_image *image)
{
	free_outside(arena);
	if (arena->peak > ARENA_WARM)
		madvise(arena->base + ARENA_WARM, ARENA_SIZE - ARENA_WARM, MADV_DONTNEED);
	memcpy(arena->base, image->bytes, image->filling.used);
	arena->now = image->filling;
	arena->peak = arena->now.used;
}

void arena_free(struct arena *arena)
{
	free_outside(arena);
	munmap(arena->base, ARENA_SIZE);
	free(arena);
}
