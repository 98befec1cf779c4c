#include "base/file.h"

#include <errno.h>

static enum err_kind kind_of(int number)
{
	if (number == ENOENT || number == ENOTDIR)
		return ERR_NOT_FOUND;
	return number == EACCES || number == EPERM ? ERR_DENIED : ERR_RETRY;
}

int file_read(const char *path, struct buf *out, struct err *err)
{
	auto_file FILE *opened = NULL;
	FILE *file = stdin;
	char chunk[8192];
	size_t n;

	if (!streq(path, "-")) {
		opened = file = fopen(path, "re");
		if (file == NULL)
			return err_set(err, kind_of(errno), "%s: %s", path, strerror(errno));
	}
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		if (buf_add(out, chunk, n) < 0) /* what is read may have no end */
			break;
	if (ferror(file))
		return err_set(err, kind_of(errno), "%s: %s", path, strerror(errno));
	if (out->full)
		return err_set(err, ERR_LIMIT, "%s: expected at most %zu bytes, found more", path,
			       out->max);
	return 0;
}
