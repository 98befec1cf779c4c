#include "policy/kept.h"

static struct kept {
	uint64_t bundle;
	size_t heap_max;
	int64_t instructions;
	char file[BUNDLE_NAME_MAX + 1];
	struct arena_image *image; /* NULL: free */
	size_t heap_used, heap_peak;
	int64_t left;
	const char *seen_file;
	sig_atomic_t seen_line;
	uint64_t turn; /* when it was used last */
} all[KEPT_MAX];

static uint64_t turns;

/* A box that counts lines must see them run. */
static bool can_be_kept(const struct sandbox *box)
{
	return box->arena != NULL && box->options.coverage == NULL;
}

static struct kept *oldest(void)
{
	struct kept *found = all;

	for (struct kept *k = all; k < all + KEPT_MAX; k++)
		if (k->turn < found->turn)
			found = k;
	return found;
}

void kept_add(const struct sandbox *box, const char *file)
{
	struct arena_image *image;
	struct kept *k = oldest();

	if (!can_be_kept(box) || box->log_lines > 0)
		return;
	image = arena_keep(box->arena);
	if (image == NULL)
		return;
	free(k->image);
	*k = (struct kept){
	    .bundle = bundle_serial(box->options.bundle),
	    .heap_max = box->options.heap_max,
	    .instructions = box->options.instructions,
	    .image = image,
	    .heap_used = box->heap_used,
	    .heap_peak = box->heap_peak,
	    .left = box->left,
	    .seen_file = box->seen_file,
	    .seen_line = box->seen_line,
	    .turn = ++turns,
	};
	snprintf(k->file, sizeof(k->file), "%s", file);
}

static bool is_for(const struct kept *k, const struct sandbox *box, const char *file)
{
	return k->image != NULL && k->bundle == bundle_serial(box->options.bundle) &&
	       k->heap_max == box->options.heap_max &&
	       k->instructions == box->options.instructions && streq(k->file, file);
}

bool kept_recall(struct sandbox *box, const char *file)
{
	struct kept *k = all;

	while (k < all + KEPT_MAX && !is_for(k, box, file))
		k++;
	if (k == all + KEPT_MAX || !can_be_kept(box))
		return false;
	k->turn = ++turns;
	arena_restore(box->arena, k->image);
	box->heap_used = k->heap_used;
	box->heap_peak = k->heap_peak;
	box->left = k->left;
	box->seen_file = k->seen_file;
	box->seen_line = k->seen_line;
	return true;
}
