#include "spec/podrunner/image.h"

const struct image *image_find(const struct image *images, size_t count, const char *reference)
{
	const char *slash = strrchr(reference, '/');
	size_t start = slash == NULL ? 0 : (size_t)(slash - reference);
	size_t len = start + strcspn(reference + start, ":@"); /* a port comes before the slash */

	for (size_t i = 0; i < count; i++) {
		const char *name = images[i].name;

		if (streq(name, "*") || (strlen(name) == len && strncmp(name, reference, len) == 0))
			return &images[i];
	}
	return NULL;
}
