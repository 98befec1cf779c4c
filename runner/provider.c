#include "runner/provider.h"

static const struct provider *const providers[] = {&krateo_provider};

int provider_find(const struct json *section, const char *where, const struct provider **out,
		  const struct json **settings, struct err *err)
{
	const struct json *first = json_first(section);

	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		const struct json *found = json_get(section, providers[i]->name);

		if (found != NULL) {
			*out = providers[i];
			*settings = found;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, "%s: expected the storage provider krateo, found %s%s",
		       where, first != NULL ? "only " : "none",
		       first != NULL ? json_key(first) : "");
}
