#include "control/policymap.h"

#include "base/digest.h"
#include "base/timefmt.h"
#include "control/names.h"

enum { SHORT_DIGEST = 12 };

struct policymap {
	const struct policymap_env *env;
	struct policymap_spec spec;
	char *namespace, *name, *bundle;
	struct json *object; /* with its metadata alone */
	struct json *files;  /* of the last edit; NULL before it */
	struct json *next;   /* files that came while others were being loaded */
	struct policy_call *load;
	struct timer *again; /* to load the same files once more */
	int64_t again_ms;    /* after so long the next time */
	struct client_call *telling, *annotating;
	struct json *sent; /* the status that was written last; NULL: none */
	char *error;       /* the last edit was refused; NULL: taken */
	const char *kept;  /* NULL: the owner has not told yet */
	bool tried;        /* files have been loaded, well or not */
	bool gone;
};

/* ---- telling ---- */

static void written(const struct policymap *map, const struct err *err)
{
	if (err != NULL && err->kind != ERR_NOT_FOUND)
		map->env->trouble(map->env->arg, err);
}

static void told(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct policymap *map = arg;

	map->telling = NULL;
	written(map, err);
}

static void annotated(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct policymap *map = arg;

	map->annotating = NULL;
	written(map, err);
}

static struct client_call *patch(struct policymap *map, const char *annotation, const char *text,
				 client_done_fn *done)
{
	auto_free char *path = client_path(&KIND_CONFIGMAP, map->namespace, map->name, NULL);
	auto_json struct json *annotations = json_object(), *body = NULL;

	json_set_str(annotations, annotation, text);
	body = json_build("{'metadata': {'annotations': %j}}", annotations);
	return client_patch(map->env->client, path, PATCH_MERGE, body, done, map);
}

void policymap_annotate(struct policymap *map, const char *annotation, const char *text)
{
	if (!map->env->may_write(map->env->arg))
		return;
	client_cancel(map->annotating);
	map->annotating = patch(map, annotation, text, annotated);
}

/* Of files that made no bundle: there is nothing better to tell them by than their text. */
static void text_digest(const struct json *files, char out[SHORT_DIGEST + 8])
{
	auto_free char *text = json_print(files);
	char hex[DIGEST_HEX_LEN + 1];

	digest_sha256(text, strlen(text), hex);
	snprintf(out, SHORT_DIGEST + 8, "sha256:%.*s", SHORT_DIGEST, hex);
}

static const char *active(const struct policymap *map)
{
	const char *digest = policy_digest(map->env->host, map->bundle);

	return digest != NULL ? digest : "";
}

static struct json *status_of(const struct policymap *map)
{
	char refused[SHORT_DIGEST + 8];

	if (map->error == NULL)
		return json_build("{'state': 'active', 'active': %s}", active(map));
	text_digest(map->files, refused);
	return json_build(
	    "{'state': 'refused', 'refused': %s, 'active': %s, 'kept': %s, 'error': %s}", refused,
	    active(map), map->kept, map->error);
}

/* True if the annotation says this already, whenever it was written. */
static bool is_told(const struct policymap *map, const struct json *status)
{
	const char *text =
	    json_str(json_at(map->object, "metadata", "annotations", ANNOTATION_POLICY_STATUS));
	struct err err = ERR_INIT;
	auto_json struct json *told = text != NULL ? json_parse(text, strlen(text), &err) : NULL;

	json_remove(told, "time");
	return told != NULL && json_equal(told, status);
}

static void tell(struct policymap *map, struct json *status)
{
	auto_free char *text = NULL;
	char now[TIME_TEXT_MAX];

	time_format(time_now_ms(), false, now);
	json_set_str(status, "time", now);
	text = json_print(status);
	client_cancel(map->telling);
	map->telling = patch(map, ANNOTATION_POLICY_STATUS, text, told);
}

static void emit(const struct policymap *map)
{
	auto_free char *message = NULL;

	if (map->error == NULL)
		message = xasprintf("%s is %s", active(map), map->spec.taken);
	else if (*active(map) != '\0')
		message =
		    xasprintf("%s; %s (%s) stays in force", map->error, active(map), map->kept);
	else
		message = xasprintf("%s; nothing is in force", map->error);
	map->env->emit(map->env->arg, map->object, map->error == NULL ? "Normal" : "Warning",
		       map->error == NULL ? "PolicyActive" : "PolicyRefused", message);
}

void policymap_tell(struct policymap *map, const char *kept)
{
	auto_json struct json *status = NULL;
	bool again;

	map->kept = kept;
	if (map->files == NULL || map->load != NULL || !map->env->may_write(map->env->arg))
		return;
	status = status_of(map);
	again = json_equal(status, map->sent);
	if (is_told(map, status) || (again && map->telling != NULL))
		return;
	if (!again)
		emit(map);
	json_free(map->sent);
	map->sent = json_copy(status);
	if (!map->gone)
		tell(map, status);
}

/* ---- loading ---- */

static void load(struct policymap *map, struct json *files_taken);

static void judge(struct policymap *map, const struct err *err)
{
	free(map->error);
	map->error = err != NULL ? xstrdup(err->msg) : NULL;
	map->env->judged(map->env->arg, map->name, map->spec.taken, active(map), err);
	map->spec.loaded(map->spec.arg, map, err);
}

static void try_again_later(struct policymap *map)
{
	timer_set(map->again, map->again_ms);
	map->again_ms *= 2;
	if (map->again_ms > POLICYMAP_AGAIN_MAX_MS)
		map->again_ms = POLICYMAP_AGAIN_MAX_MS;
}

static void loaded(void *arg, const struct json *reply UNUSED, const struct err *err)
{
	struct policymap *map = arg;
	struct json *next = steal(map->next);

	map->load = NULL;
	if (err != NULL && err->kind == ERR_RETRY)
		try_again_later(map);
	if (next != NULL && json_equal(next, map->files)) {
		json_free(next);
		next = NULL;
	}
	judge(map, err);
	if (next != NULL)
		load(map, next);
}

static void load_files(void *arg)
{
	struct policymap *map = arg;

	map->kept = NULL;
	map->load =
	    policy_load(map->env->host, map->bundle, map->spec.over, map->files, loaded, map);
}

static void load(struct policymap *map, struct json *files_taken)
{
	json_free(map->files);
	map->files = files_taken;
	map->tried = true;
	map->again_ms = map->env->again_ms != 0 ? map->env->again_ms : POLICYMAP_AGAIN_MS;
	timer_clear(map->again);
	load_files(map);
}

static void edit(struct policymap *map, struct json *files_taken)
{
	if (map->load != NULL) {
		json_free(map->next);
		map->next = files_taken;
	} else if (map->tried && json_equal(map->files, files_taken)) {
		json_free(files_taken);
		if (map->kept != NULL)
			policymap_tell(map, map->kept);
	} else {
		load(map, files_taken);
	}
}

/* What is no text cannot be a policy: it is kept as a null, which no bundle may have, so that it is
 * refused by its name. */
static struct json *files_of(const struct json *configmap)
{
	const struct json *data = json_get(configmap, "data");
	const struct json *binary = json_first(json_get(configmap, "binaryData"));
	struct json *files = json_type(data) == JSON_OBJECT ? json_copy(data) : json_object();

	for (; binary != NULL; binary = json_next(binary))
		json_set(files, json_key(binary), json_null());
	return files;
}

static void see(struct policymap *map, const struct json *configmap)
{
	json_free(map->object);
	map->object = json_build("{'metadata': %j}", json_get(configmap, "metadata"));
	map->gone = false;
}

void policymap_offer(struct policymap *map, const struct json *configmap)
{
	see(map, configmap);
	edit(map, files_of(configmap));
}

void policymap_gone(struct policymap *map)
{
	map->gone = true;
	json_remove(json_mut(map->object, "metadata"), "annotations");
	edit(map, json_object());
}

void policymap_refuse(struct policymap *map, const struct json *configmap, const struct err *err)
{
	see(map, configmap);
	if (map->error != NULL && streq(map->error, err->msg)) {
		policymap_tell(map, map->kept);
		return;
	}
	json_free(map->files);
	map->files = files_of(configmap);
	judge(map, err);
}

const char *policymap_error(const struct policymap *map)
{
	return map->error;
}

const struct json *policymap_object(const struct policymap *map)
{
	return map->object;
}

const struct json *policymap_files(const struct policymap *map)
{
	return map->error == NULL && map->load == NULL ? map->files : NULL;
}

/* ---- life ---- */

struct policymap *policymap_new(const struct policymap_env *env, const struct policymap_spec *spec)
{
	struct policymap *map = xcalloc(1, sizeof(*map));

	map->env = env;
	map->spec = *spec;
	map->namespace = xstrdup(spec->namespace);
	map->name = xstrdup(spec->name);
	map->bundle = xstrdup(spec->bundle);
	map->again = timer_new(env->loop, load_files, map);
	return map;
}

void policymap_free(struct policymap *map)
{
	if (map == NULL)
		return;
	if (map->load != NULL)
		policy_cancel(map->load);
	client_cancel(map->telling);
	client_cancel(map->annotating);
	timer_free(map->again);
	json_free(map->object);
	json_free(map->files);
	json_free(map->next);
	json_free(map->sent);
	free(map->error);
	free(map->namespace);
	free(map->name);
	free(map->bundle);
	free(map);
}
