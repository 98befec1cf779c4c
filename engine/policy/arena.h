/*
 * arena.h - the memory of one Lua state at a time, which can be set back to how it once was.
 *
 * A state holds no address but of its own memory and of the program. When that memory is copied and
 * later put back in the same place, the state is the one of before: a new state with all its
 * libraries, or one that has run a file as well, costs one memcpy(3), and giving a used one back
 * costs nothing.
 *
 * Blocks of up to 1 KiB come from free lists, larger ones in a row; what does not fit comes from
 * malloc(3), and arena_restore() frees it.
 */
#ifndef POLICY_ARENA_H
#define POLICY_ARENA_H

#include "base/base.h"

enum {
	ARENA_SIZE = 512 << 10, /* bytes; beyond: malloc */
	ARENA_WARM = 256 << 10, /* bytes that stay with the process after arena_restore() */
};

struct arena;
struct arena_image;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* As realloc(3); old_size is what was asked for, 0 with old NULL. A block that shrinks stays where
 * it is. NULL: no memory, and old is as it was. new_size is not 0. */
void *arena_resize(struct arena *arena, void *old, size_t old_size, size_t new_size);
void arena_release(struct arena *arena, void *old, size_t old_size);

/* What is there now; free(3) it. NULL if that is more than ARENA_WARM, or some of it from malloc. */
struct arena_image *arena_keep(const struct arena *arena);

/* Go back to it: an image of this very arena. */
void arena_restore(struct arena *arena, const struct arena_image *image);

#endif
