#include "spec/apisim/patch.h"

/* Lists that the API merges, by the field that identifies an element; "" is a set of scalars. */
static const char *merge_key(const char *field)
{
	static const struct {
		const char *field, *key;
	} keys[] = {
	    {"containers", "name"},
	    {"initContainers", "name"},
	    {"ephemeralContainers", "name"},
	    {"volumes", "name"},
	    {"env", "name"},
	    {"imagePullSecrets", "name"},
	    {"secrets", "name"},
	    {"volumeMounts", "mountPath"},
	    {"volumeDevices", "devicePath"},
	    {"ports", "containerPort"},
	    {"conditions", "type"},
	    {"ownerReferences", "uid"},
	    {"hostAliases", "ip"},
	    {"topologySpreadConstraints", "topologyKey"},
	    {"finalizers", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (streq(keys[i].field, field))
			return keys[i].key;
	return NULL;
}

static void merge_object(struct json *target, const struct json *patch);

static bool is_directive(const char *key)
{
	return key[0] == '$';
}

static bool directive(const struct json *patch, const char *wanted)
{
	return streq(json_get_str(patch, "$patch", ""), wanted);
}

static struct json *without_directives(const struct json *patch)
{
	struct json *out = json_object();

	merge_object(out, patch);
	return out;
}

static bool contains(const struct json *array, const struct json *value)
{
	for (const struct json *c = json_first(array); c != NULL; c = json_next(c))
		if (json_equal(c, value))
			return true;
	return false;
}

static const struct json *by_key(const struct json *array, const char *key,
				 const struct json *value)
{
	for (const struct json *c = json_first(array); c != NULL; c = json_next(c))
		if (json_equal(json_get(c, key), value))
			return c;
	return NULL;
}

/* The list field ports of a Service is merged by port; a container's by containerPort. */
static const char *actual_key(const char *key, const struct json *patch)
{
	const struct json *first = json_first(patch);

	if (streq(key, "containerPort") && json_get(first, key) == NULL)
		return "port";
	return key;
}

static struct json *merge_set(const struct json *target, const struct json *patch)
{
	struct json *out = json_array();

	for (const struct json *c = json_first(target); c != NULL; c = json_next(c))
		json_append(out, json_copy(c));
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (!contains(out, p))
			json_append(out, json_copy(p));
	return out;
}

static void append_merged(struct json *out, const struct json *old, const struct json *patch)
{
	struct json *merged = json_copy(old);

	merge_object(merged, patch);
	json_append(out, merged);
}

static struct json *merge_list(const struct json *target, const struct json *patch, const char *key)
{
	struct json *out = json_array();

	for (const struct json *c = json_first(target); c != NULL; c = json_next(c)) {
		const struct json *p = by_key(patch, key, json_get(c, key));

		if (p == NULL)
			json_append(out, json_copy(c));
		else if (!directive(p, "delete"))
			append_merged(out, c, p);
	}
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (by_key(target, key, json_get(p, key)) == NULL && json_get(p, "$patch") == NULL)
			json_append(out, without_directives(p));
	return out;
}

static bool has_replace(const struct json *patch)
{
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (directive(p, "replace"))
			return true;
	return false;
}

/* A list that is not merged, or that says {"$patch": "replace"} itself. */
static struct json *replaced_list(const struct json *patch)
{
	struct json *out = json_array();

	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (!directive(p, "replace"))
			json_append(out, json_copy(p));
	return out;
}

static void merge_array(struct json *target, const char *field, const struct json *patch)
{
	const struct json *present = json_get(target, field);
	const char *key = merge_key(field);
	struct json *merged;

	if (key != NULL && key[0] != '\0')
		key = actual_key(key, patch);
	if (key == NULL || has_replace(patch))
		merged = replaced_list(patch);
	else if (key[0] == '\0')
		merged = merge_set(present, patch);
	else
		merged = merge_list(present, patch, key);
	json_set(target, field, merged);
}

/* "$deleteFromPrimitiveList/finalizers": ["a"] */
static void delete_from_list(struct json *target, const char *field, const struct json *values)
{
	struct json *out;

	if (json_type(json_get(target, field)) != JSON_ARRAY)
		return;
	out = json_array();
	for (const struct json *c = json_first(json_get(target, field)); c != NULL;
	     c = json_next(c))
		if (!contains(values, c))
			json_append(out, json_copy(c));
	json_set(target, field, out);
}

static void retain_keys(struct json *target, const struct json *keys)
{
	for (const struct json *c = json_first(target); c != NULL;) {
		auto_json struct json *name = json_string(json_key(c));

		c = json_next(c);
		if (!contains(keys, name))
			json_remove(target, json_str(name));
	}
}

static void apply_directives(struct json *target, const struct json *patch)
{
	static const char prefix[] = "$deleteFromPrimitiveList/";
	const struct json *keep = json_get(patch, "$retainKeys");

	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p))
		if (has_prefix(json_key(p), prefix))
			delete_from_list(target, json_key(p) + strlen(prefix), p);
	if (keep != NULL)
		retain_keys(target, keep);
}

static void clear(struct json *target)
{
	while (json_first(target) != NULL)
		json_remove(target, json_key(json_first(target)));
}

static void merge_object(struct json *target, const struct json *patch)
{
	if (directive(patch, "replace") || directive(patch, "delete"))
		clear(target);
	if (directive(patch, "delete"))
		return;
	apply_directives(target, patch);
	for (const struct json *p = json_first(patch); p != NULL; p = json_next(p)) {
		const char *key = json_key(p);

		if (is_directive(key))
			continue;
		if (json_type(p) == JSON_NULL)
			json_remove(target, key);
		else if (json_type(p) == JSON_OBJECT)
			merge_object(json_obj(target, key), p);
		else if (json_type(p) == JSON_ARRAY)
			merge_array(target, key, p);
		else
			json_set(target, key, json_copy(p));
	}
}

int patch_strategic(struct json **target, const struct json *patch, struct err *err)
{
	if (json_type(patch) != JSON_OBJECT) {
		err_set(err, ERR_INVALID, "error decoding patch: expected an object");
		err->status = 400;
		return -1;
	}
	merge_object(*target, patch);
	return 0;
}
