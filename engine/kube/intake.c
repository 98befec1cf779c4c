#include "kube/intake.h"

#include "kube/reply.h"

/* This object is passed over. number: its place in a page; 0: it came in an event. */
static void pass_over(const struct intake *in, const char *key, size_t number,
		      const struct err *why)
{
	struct err err = *why;

	if (key != NULL && in->spec.passed_over != NULL)
		in->spec.passed_over(in->spec.arg, key, why);
	if (in->dead || in->spec.trouble == NULL)
		return;
	if (key != NULL)
		err_wrap(&err, "%s: passed over %s", in->path, key);
	else if (number > 0)
		err_wrap(&err, "%s: passed over object %zu of a page", in->path, number);
	else
		err_wrap(&err, "%s: passed over the object of an event", in->path);
	in->spec.trouble(in->spec.arg, &err);
}

/* ---- LIST ---- */

static void report_gone(void *arg, const struct store_meta *meta)
{
	const struct intake *in = arg;

	in->spec.event(in->spec.arg, WATCH_DELETED, meta, NULL);
}

static void report_listed(const struct intake *in, enum watch_event type,
			  const struct store_meta *meta)
{
	auto_json struct json *object = store_get(in->spec.store, meta->key);

	in->spec.event(in->spec.arg, type, meta, object);
}

static void report_added(void *arg, const struct store_meta *meta)
{
	report_listed(arg, WATCH_ADDED, meta);
}

static void report_modified(void *arg, const struct store_meta *meta)
{
	report_listed(arg, WATCH_MODIFIED, meta);
}

void intake_commit(struct intake *in)
{
	const struct store_changes report = {
	    .gone = report_gone, .added = report_added, .modified = report_modified, .arg = in};

	store_commit(in->list, &report);
	if (!in->dead)
		in->list = NULL;
}

/* The items of a list of built-in objects do not say what they are; those of a WATCH do.
 * (https://github.com/kubernetes/kubernetes/issues/80609) */
static void name_kind(const struct intake *in, struct json *object)
{
	const struct kind *kind = in->spec.kind;
	auto_free char *version = NULL;

	if (json_get(object, "kind") != NULL)
		return;
	version = *kind->group != '\0' ? xasprintf("%s/%s", kind->group, kind->version)
				       : xstrdup(kind->version);
	json_set_str(object, "apiVersion", version);
	json_set_str(object, "kind", kind->name);
}

/* One that is not staged counts as gone when the list takes effect. */
static bool stage(void *arg, size_t number, struct piece item)
{
	struct intake *in = arg;
	struct err err = ERR_INIT;
	auto_json struct json *object = piece_parse(item, &err);
	auto_json struct json *identity = NULL;
	auto_free char *key = NULL;

	if (object != NULL)
		name_kind(in, object);
	if (object != NULL && store_stage(in->list, object, &err) == 0)
		return true;
	identity = piece_identity(item);
	key = store_key(identity);
	pass_over(in, key, number, &err);
	return !in->dead;
}

struct json *intake_page(struct intake *in, struct piece page, struct err *err)
{
	static const char *const keys[] = {"metadata", "items"};
	struct piece found[ARRAY_LEN(keys)];

	if (pieces_find(page, ARRAY_LEN(keys), keys, found, err) < 0 ||
	    pieces_each(found[1], stage, in, err) < 0 || in->dead)
		return NULL;
	return piece_parse(found[0], err);
}

/* ---- WATCH ---- */

static void apply_change(struct intake *in, struct json *object, const char *key)
{
	const struct json *metadata = json_get(object, "metadata");
	const struct store_meta *old = store_find(in->spec.store, key);
	bool known = old != NULL && streq(old->uid, json_get_str(metadata, "uid", ""));
	struct err err = ERR_INIT;

	if (known && streq(old->resource_version, json_get_str(metadata, "resourceVersion", "")))
		return;
	if (old != NULL && !known)
		in->spec.event(in->spec.arg, WATCH_DELETED, old, NULL);
	if (in->dead || store_put(in->spec.store, object, &err) < 0)
		return;
	in->spec.event(in->spec.arg, known ? WATCH_MODIFIED : WATCH_ADDED,
		       store_find(in->spec.store, key), object);
}

static void apply_deletion(struct intake *in, const struct json *object, const char *key)
{
	const struct store_meta *old = store_find(in->spec.store, key);

	if (old == NULL)
		return;
	in->spec.event(in->spec.arg, WATCH_DELETED, old, object);
	if (!in->dead)
		store_delete(in->spec.store, key);
}

/* Of an object that cannot be parsed, what can be read is enough to delete an older version. */
static void apply_object(struct intake *in, struct piece piece, bool bookmark, bool deleted)
{
	struct err why = ERR_INIT;
	auto_json struct json *object = piece_parse(piece, &why);
	auto_json struct json *identity = object == NULL ? piece_identity(piece) : NULL;
	const struct json *known = object != NULL ? object : identity;
	const char *version = json_str(json_at(known, "metadata", "resourceVersion"));
	auto_free char *key = store_key(known);

	if (version != NULL && *version != '\0') {
		free(in->version);
		in->version = xstrdup(version);
	}
	if (bookmark)
		return;
	if (object != NULL && key != NULL && !deleted) {
		apply_change(in, object, key);
		return;
	}
	if (key != NULL)
		apply_deletion(in, object, key);
	if (in->dead)
		return;
	if (key != NULL && deleted) {
		if (object == NULL && in->spec.passed_over != NULL)
			in->spec.passed_over(in->spec.arg, key, NULL);
		return;
	}
	if (object != NULL)
		err_set(&why, ERR_INVALID, "expected metadata.name, found none");
	pass_over(in, key, 0, &why);
}

static int apply(struct intake *in, const char *type, struct piece object, struct err *err)
{
	bool bookmark = streq(type, "BOOKMARK"), deleted = streq(type, "DELETED");

	if (streq(type, "ERROR")) {
		auto_json struct json *status = piece_parse(object, err);

		return status != NULL ? reply_status_error(status, err) : -1;
	}
	if (!bookmark && !deleted && !streq(type, "ADDED") && !streq(type, "MODIFIED"))
		return err_set(err, ERR_INVALID,
			       "expected an event with a known type, found '%.40s'", type);
	apply_object(in, object, bookmark, deleted);
	return 0;
}

int intake_event(struct intake *in, struct piece line, struct err *err)
{
	static const char *const keys[] = {"type", "object"};
	struct piece found[ARRAY_LEN(keys)];
	auto_json struct json *type = NULL;

	if (pieces_find(line, ARRAY_LEN(keys), keys, found, err) < 0 ||
	    (type = piece_parse(found[0], err)) == NULL)
		return err_wrap(err, "expected an event in JSON");
	return apply(in, json_str(type) != NULL ? json_str(type) : "", found[1], err);
}
