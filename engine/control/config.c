#include "control/config.h"

#include "control/names.h"

const char *config_namespace_of(const struct json *run)
{
	const char *theirs = json_get_str(json_at(run, "spec", "configRef"), "namespace", "");

	return *theirs != '\0' ? theirs : json_get_str(json_get(run, "metadata"), "namespace", "");
}

char *config_key_of(const struct json *run)
{
	return xasprintf("%s/%s", config_namespace_of(run),
			 json_get_str(json_at(run, "spec", "configRef"), "name", ""));
}

bool config_allows(const struct json *config, const char *namespace)
{
	const struct json *meta = json_get(config, "metadata");
	const char *list =
	    json_get_str(json_get(meta, "annotations"), ANNOTATION_ALLOW_NAMESPACES, "");

	if (streq(json_get_str(meta, "namespace", ""), namespace))
		return true;
	while (*list != '\0') {
		size_t blank = strspn(list, ", "), len = strcspn(list + blank, ", ");

		list += blank;
		if ((len == 1 && *list == '*') ||
		    (len == strlen(namespace) && memcmp(list, namespace, len) == 0))
			return len > 0;
		list += len;
	}
	return false;
}
