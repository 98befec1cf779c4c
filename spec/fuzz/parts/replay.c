/*
 * replay.c - a fuzz target without libFuzzer: `TARGET DIRECTORY` feeds it every file there, in the
 * order of their names, and prints TAP.
 */
#include <dirent.h>

#include "base/file.h"
#include "spec/fuzz/parts/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

_Noreturn static void give_up(const char *problem)
{
	fprintf(stderr, "%s\n", problem);
	exit(2);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void feed(const char *path)
{
	auto_buf struct buf text = BUF_INIT(INPUT_MAX);
	struct err err = ERR_INIT;
	auto_free uint8_t *bytes = NULL;

	if (file_read(path, &text, &err) < 0)
		give_up(err.msg);
	bytes = xmalloc(text.len); /* no byte more: AddressSanitizer watches its end */
	memcpy(bytes, text.data, text.len);
	LLVMFuzzerTestOneInput(bytes, text.len);
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int count = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;

	if (count < 1)
		give_up("expected one argument, a directory with inputs");
	puts("1..1");
	for (int i = 0; i < count; i++) {
		auto_free char *path = xasprintf("%s/%s", argv[1], entries[i]->d_name);

		printf("# %s\n", path);
		fflush(stdout); /* the last one is the one that crashed */
		feed(path);
		free(entries[i]);
	}
	free(entries);
	printf("ok 1 - %d inputs\n", count);
	return 0;
}
