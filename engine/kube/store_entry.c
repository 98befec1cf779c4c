#include "kube/store_entry.h"

/* A slash would make the key of one object that of another; no Kubernetes name has one. */
char *store_key(const struct json *object)
{
	const struct json *metadata = json_get(object, "metadata");
	const char *namespace = json_get_str(metadata, "namespace", "");
	const char *name = json_get_str(metadata, "name", "");

	if (*name == '\0' || strchr(name, '/') != NULL || strchr(namespace, '/') != NULL)
		return NULL;
	return *namespace != '\0' ? xasprintf("%s/%s", namespace, name) : xstrdup(name);
}

static const char *controller_uid(const struct json *metadata)
{
	const struct json *ref = json_first(json_get(metadata, "ownerReferences"));

	while (ref != NULL && !json_is_true(json_get(ref, "controller")))
		ref = json_next(ref);
	return json_get_str(ref, "uid", "");
}

static char *append(char **at, const char *text, size_t len)
{
	char *copy = *at;

	memcpy(copy, text, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

static void take_text(struct json *metadata, const char *member)
{
	if (json_str(json_get(metadata, member)) != NULL)
		json_remove(metadata, member);
}

/* Take out of the tree what an entry's meta holds too. */
static void take_identity(struct json *object)
{
	struct json *metadata = json_mut(object, "metadata");

	take_text(metadata, "namespace");
	take_text(metadata, "name");
	take_text(metadata, "uid");
	take_text(metadata, "resourceVersion");
}

static void put_identity(struct json *object, const struct store_meta *meta)
{
	struct json *metadata = json_mut(object, "metadata");
	const char *slash = strchr(meta->key, '/');
	auto_free char *namespace =
	    slash != NULL ? xstrndup(meta->key, (size_t)(slash - meta->key)) : NULL;

	if (namespace != NULL)
		json_set_str(metadata, "namespace", namespace);
	json_set_str(metadata, "name", slash != NULL ? slash + 1 : meta->key);
	if (*meta->uid != '\0')
		json_set_str(metadata, "uid", meta->uid);
	if (*meta->resource_version != '\0')
		json_set_str(metadata, "resourceVersion", meta->resource_version);
}

struct entry *entry_new(const char *key, struct json *object)
{
	const struct json *metadata = json_get(object, "metadata");
	auto_free char *uid = xstrdup(json_get_str(metadata, "uid", ""));
	auto_free char *version = xstrdup(json_get_str(metadata, "resourceVersion", ""));
	auto_free char *owner = xstrdup(controller_uid(metadata));
	auto_free char *text = NULL;
	size_t key_len = strlen(key), uid_len = strlen(uid), version_len = strlen(version);
	size_t owner_len = strlen(owner), text_len;
	struct entry *entry;
	char *at;

	take_identity(object);
	text = json_print(object);
	text_len = strlen(text);
	entry = xmalloc(offsetof(struct entry, bytes) + key_len + uid_len + version_len +
			owner_len + text_len + 5);
	*entry = (struct entry){.text_len = (uint32_t)text_len};
	at = entry->bytes;
	entry->meta.key = append(&at, key, key_len);
	entry->meta.uid = append(&at, uid, uid_len);
	entry->meta.resource_version = append(&at, version, version_len);
	entry->meta.owner_uid = append(&at, owner, owner_len);
	append(&at, text, text_len);
	put_identity(object, &entry->meta);
	return entry;
}

static const char *entry_text(const struct entry *entry)
{
	return entry->meta.owner_uid + strlen(entry->meta.owner_uid) + 1;
}

struct json *entry_object(const struct entry *entry)
{
	struct err err = ERR_INIT;
	struct json *object = json_parse(entry_text(entry), entry->text_len, &err);

	if (object != NULL)
		put_identity(object, &entry->meta);
	return object;
}
