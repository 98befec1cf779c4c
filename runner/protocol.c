#include "runner/protocol.h"

#include "runner/field.h"

static const struct protocol *by_name(const char *name)
{
	static const struct protocol *const all[] = {&v1_protocol, &v2_protocol, &raw_protocol};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (streq(all[i]->name, name))
			return all[i];
	return NULL;
}

static bool path_ends(const char *url, const char *suffix)
{
	size_t len = strcspn(url, "?#"), tail = strlen(suffix);

	return len > tail && strncmp(url + len - tail, suffix, tail) == 0;
}

int protocol_choose(const struct json *kserve, const char *url, const struct protocol **out,
		    struct err *err)
{
	const char *name, *version;

	if (field_string(kserve, "kserve", "protocol", &name, err) < 0 ||
	    field_string(kserve, "kserve", "modelVersion", &version, err) < 0)
		return -1;
	if (*name != '\0') {
		*out = by_name(name);
		return *out != NULL
			   ? 0
			   : err_set(err, ERR_INVALID,
				     "kserve.protocol: expected v1, v2 or raw, found \"%s\"", name);
	}
	*out = path_ends(url, ":predict") || (!path_ends(url, "/infer") && streq(version, "v1"))
		   ? &v1_protocol
		   : &v2_protocol;
	return 0;
}
