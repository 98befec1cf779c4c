#include "control/podtemplate.h"

/* The patch merge keys of the pod API
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/). */
static const struct list_rule {
	const char *field, *key;
	bool replace; /* the matched element, instead of merging it */
} rules[] = {
    {"containers", "name", false},
    {"initContainers", "name", false},
    {"volumes", "name", true},
    {"env", "name", true},
    {"volumeMounts", "mountPath", false},
    {"volumeDevices", "devicePath", false},
    {"ports", "containerPort", false},
    {"imagePullSecrets", "name", false},
};

static const struct list_rule *rule_of(const char *field)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (streq(rules[i].field, field))
			return &rules[i];
	return NULL;
}

static struct json *find(struct json *list, const char *key, const struct json *value)
{
	struct json *item = json_mut_first(list);

	while (item != NULL && !json_equal(json_get(item, key), value))
		item = json_mut_next(item);
	return item;
}

static void empty(struct json *object)
{
	while (json_first(object) != NULL)
		json_remove(object, json_key(json_first(object)));
}

static void merge_list(struct json *target, const struct json *overlay,
		       const struct list_rule *rule)
{
	for (const struct json *o = json_first(overlay); o != NULL; o = json_next(o)) {
		const struct json *key = json_get(o, rule->key);
		struct json *match = key != NULL ? find(target, rule->key, key) : NULL;

		if (match == NULL) {
			json_append(target, json_copy(o));
			continue;
		}
		if (rule->replace)
			empty(match);
		podtemplate_merge(match, o);
	}
}

void podtemplate_merge(struct json *target, const struct json *overlay)
{
	if (json_type(overlay) != JSON_OBJECT)
		return;
	for (const struct json *o = json_first(overlay); o != NULL; o = json_next(o)) {
		struct json *t = json_mut(target, json_key(o));
		const struct list_rule *rule = rule_of(json_key(o));

		if (json_type(o) == JSON_NULL)
			json_remove(target, json_key(o));
		else if (json_type(o) == JSON_OBJECT && json_type(t) == JSON_OBJECT)
			podtemplate_merge(t, o);
		else if (json_type(o) == JSON_ARRAY && json_type(t) == JSON_ARRAY && rule != NULL)
			merge_list(t, o, rule);
		else
			json_set(target, json_key(o), json_copy(o));
	}
}
