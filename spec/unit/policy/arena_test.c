#include "policy_util.h"

#include "policy/arena.h"

/* Blocks keep their bytes whatever is done to others, and come back as they were kept; a state that
 * is a copy is as good as a new one. */

enum { BLOCKS = 300, STEPS = 20000, LARGE = 3 * ARENA_SIZE / 2 };

struct block {
	unsigned char *bytes;
	size_t size;
};

static struct block blocks[BLOCKS];

/* The same numbers in each run. */
static size_t draw(uint64_t *seed, size_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(*seed >> 33) % below;
}

static bool is_whole(const struct block *block, int i)
{
	for (size_t at = 0; at < block->size; at++)
		if (block->bytes[at] != (unsigned char)(i + 1))
			return false;
	return true;
}

/* Mostly small, as in Lua. */
static size_t draw_size(uint64_t *seed)
{
	switch (draw(seed, 8)) {
	case 0:
		return 1 + draw(seed, 20000);
	case 1:
		return 1 + draw(seed, 1200);
	default:
		return 1 + draw(seed, 120);
	}
}

static void change(struct arena *arena, int i, size_t size)
{
	struct block *block = &blocks[i];
	size_t kept = size < block->size ? size : block->size;

	assert_true(is_whole(block, i));
	block->bytes = arena_resize(arena, block->bytes, block->size, size);
	assert_non_null(block->bytes);
	assert_int_equal((uintptr_t)block->bytes % 16, 0);
	block->size = kept;
	assert_true(is_whole(block, i));
	memset(block->bytes, i + 1, size);
	block->size = size;
}

static void drop(struct arena *arena, int i)
{
	assert_true(is_whole(&blocks[i], i));
	arena_release(arena, blocks[i].bytes, blocks[i].size);
	blocks[i] = (struct block){0};
}

static void churn(struct arena *arena, uint64_t seed)
{
	for (int step = 0; step < STEPS; step++) {
		int i = (int)draw(&seed, BLOCKS);

		if (blocks[i].bytes != NULL && draw(&seed, 2) == 0)
			drop(arena, i);
		else
			change(arena, i, draw_size(&seed));
	}
	for (int i = 0; i < BLOCKS; i++)
		assert_true(is_whole(&blocks[i], i));
}

static void blocks_keep_their_bytes(void **state)
{
	struct arena *arena = arena_new();
	struct arena_image *image;
	struct block before[BLOCKS];

	(void)state;
	memset(blocks, 0, sizeof(blocks));
	for (int i = 0; i < BLOCKS; i += 2)
		change(arena, i, 1 + (size_t)i * 3);
	for (int i = 0; i < BLOCKS; i += 6)
		drop(arena, i); /* so that there are free ones to keep as well */
	image = arena_keep(arena);
	assert_non_null(image);
	memcpy(before, blocks, sizeof(blocks));
	for (int round = 0; round < 5; round++) {
		churn(arena, (uint64_t)round);
		arena_restore(arena, image);
		memcpy(blocks, before, sizeof(blocks));
		for (int i = 0; i < BLOCKS; i++)
			assert_true(is_whole(&blocks[i], i));
	}
	free(image);
	arena_free(arena);
}

static void what_does_not_fit_comes_from_elsewhere(void **state)
{
	struct arena *arena = arena_new();
	struct arena_image *image = arena_keep(arena);

	(void)state;
	for (int round = 0; round < 3; round++) {
		memset(blocks, 0, sizeof(blocks));
		change(arena, 0, ARENA_SIZE - 16);
		change(arena, 1, 16);
		change(arena, 2, 16); /* one too many */
		change(arena, 2, LARGE);
		change(arena, 2, 100);
		change(arena, 3, LARGE);
		drop(arena, 3);
		change(arena, 0, LARGE); /* it moves out */
		assert_null(arena_keep(arena));
		arena_restore(arena, image); /* frees those that are left */
	}
	memset(blocks, 0, sizeof(blocks));
	change(arena, 0, ARENA_WARM);
	free(image);
	image = arena_keep(arena);
	assert_non_null(image);
	change(arena, 1, 1);
	assert_null(arena_keep(arena));
	free(image);
	arena_free(arena);
}

/* ---- states ---- */

static char *answer(const char *script)
{
	struct bundle *bundle = bundle_of(script);
	struct sandbox *box = sandbox_new(&(struct sandbox_options){.bundle = bundle});
	struct sandbox_call call = {
	    .file = "contract.lua", .function = "contract", .want = SANDBOX_RESULT};
	struct buf out = BUF_INIT(SANDBOX_OUTPUT_MAX);
	struct policy_fault fault;

	for (int i = 0; i < 2; i++) { /* the second time with the code that was kept */
		buf_clear(&out);
		if (sandbox_call(box, &call, &out, &fault) < 0) {
			buf_clear(&out);
			buf_addf(&out, "%s: %s | %s", fault.kind, fault.message, fault.traceback);
		}
		sandbox_free(box);
		box = sandbox_new(&(struct sandbox_options){.bundle = bundle});
	}
	sandbox_free(box);
	bundle_free(bundle);
	return buf_steal(&out);
}

/* Memory runs out while json.parse() reads. */
static const char hoard[] = "return {contract = function() local t = {} while true do t[#t + 1] = "
			    "json.parse('[' .. ('[],'):rep(50000) .. '[]]') end end}";

static void a_copy_is_as_good_as_a_new_state(void **state)
{
	static const char *const scripts[] = {
	    "return {contract = function() return {a = ('x'):rep(3), b = #('y'):rep(3000000)} end}",
	    "local n = 0 return {contract = function() n = n + 1 return n end}",
	    "return {contract = function() local t = {} for i = 1, 5e4 do t[i] = {} end end}",
	    "return {contract = function(x)\n return x.y end}",
	    "return {contract = function(\n end}",
	    "return {contract = function() reject('no') end}",
	    "return {contract = function() while true do end end}",
	    "return {contract = function() getmetatable('').__index = nil end}",
	    "return {contract = function() string.format = nil end}",
	    "return {contract = function() return {json.parse('[[[1]]]'), json.parse('[')} end}",
	    hoard,
	};
	char *expected[ARRAY_LEN(scripts)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		expected[i] = answer(scripts[i]);
	sandbox_prepare();
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
			auto_free char *found = answer(scripts[i]);

			assert_string_equal(found, expected[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		free(expected[i]);
}

static void a_second_state_at_a_time_is_a_new_one(void **state)
{
	struct bundle *bundle = bundle_of("return {contract = function() return 1 end}");
	struct sandbox_options options = {.bundle = bundle};
	struct sandbox *first = sandbox_new(&options), *second = sandbox_new(&options);

	(void)state;
	assert_ptr_not_equal(first, second);
	sandbox_free(first);
	sandbox_free(second);
	bundle_free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_keep_their_bytes),
	    cmocka_unit_test(what_does_not_fit_comes_from_elsewhere),
	    cmocka_unit_test(a_copy_is_as_good_as_a_new_state),
	    cmocka_unit_test(a_second_state_at_a_time_is_a_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
