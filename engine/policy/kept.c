#include "policy/kept.h"

static struct kept {
	uint64_t bundle;
	char file[BUNDLE_NAME_MAX + 1];
	struct arena_image *image; /* NULL: free */
	size_t heap_used, heap_peak;
	int64_t left;
	const char *seen_file;
	sig_atomic_t seen_line;
	uint64_t turn; /* when it was used last */
} all[KEPT_MAX];

static uint64_t turns;

static bool is_usual(const struct sandbox *box)
{
	return box->arena != NULL && box->options.coverage == NULL &&
	       box->options.heap_max == SANDBOX_HEAP_MAX &&
	       box->options.instructions == SANDBOX_INSTRUCTIONS;
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

	if (!is_usual(box) || box->log_lines > 0)
		return;
	image = arena_keep(box->arena);
	if (image == NULL)
		return;
	free(k->image);
	*k = (struct kept){
	    .bundle = bundle_serial(box->options.bundle),
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

bool kept_recall(struct sandbox *box, const char *file)
{
	if (!is_usual(box))
		return false;
	for (struct kept *k = all; k < all + KEPT_MAX; k++) {
		if (k->image == NULL || k->bundle != bundle_serial(box->options.bundle) ||
		    !streq(k->file, file))
			continue;
		k->turn = ++turns;
		arena_restore(box->arena, k->image);
		box->heap_used = k->heap_used;
		box->heap_peak = k->heap_peak;
		box->left = k->left;
		box->seen_file = k->seen_file;
		box->seen_line = k->seen_line;
		return true;
	}
	return false;
}
