#include "spec/apisim/proto.h"

#include "base/base64.h"
#include "base/utf8.h"

enum { DEPTH_MAX = 16, BASE64_MAX = 16 << 20 };
enum kind { END, STR, INT, BOOL, FLAG, MSG, STRS, MSGS, STR_MAP, BYTES_MAP, SKIP };

/* A field of a message; SKIP is what only the server sets, FLAG a BOOL that is left out when false.
 */
struct field {
	uint32_t number;
	enum kind kind;
	const char *name;
	const struct field *sub;
};

static const struct field owner_reference[] = {
    {1, STR, "kind", NULL},        {3, STR, "name", NULL},
    {4, STR, "uid", NULL},         {5, STR, "apiVersion", NULL},
    {6, BOOL, "controller", NULL}, {7, BOOL, "blockOwnerDeletion", NULL},
    {0, END, NULL, NULL},
};
static const struct field object_meta[] = {
    {1, STR, "name", NULL},
    {2, STR, "generateName", NULL},
    {3, STR, "namespace", NULL},
    {4, SKIP, "selfLink", NULL},
    {5, STR, "uid", NULL},
    {6, STR, "resourceVersion", NULL},
    {7, SKIP, "generation", NULL},
    {8, SKIP, "creationTimestamp", NULL},
    {9, SKIP, "deletionTimestamp", NULL},
    {10, SKIP, "deletionGracePeriodSeconds", NULL},
    {11, STR_MAP, "labels", NULL},
    {12, STR_MAP, "annotations", NULL},
    {13, MSGS, "ownerReferences", owner_reference},
    {14, STRS, "finalizers", NULL},
    {17, SKIP, "managedFields", NULL},
    {0, END, NULL, NULL},
};
static const struct field config_map[] = {
    {1, MSG, "metadata", object_meta},
    {2, STR_MAP, "data", NULL},
    {3, BYTES_MAP, "binaryData", NULL},
    {4, BOOL, "immutable", NULL},
    {0, END, NULL, NULL},
};
static const struct field secret[] = {
    {1, MSG, "metadata", object_meta}, {2, BYTES_MAP, "data", NULL}, {3, STR, "type", NULL},
    {4, STR_MAP, "stringData", NULL},  {5, BOOL, "immutable", NULL}, {0, END, NULL, NULL},
};
static const struct field namespace[] = {
    {1, MSG, "metadata", object_meta},
    {2, SKIP, "spec", NULL},
    {3, SKIP, "status", NULL},
    {0, END, NULL, NULL},
};
static const struct field local_reference[] = {{1, STR, "name", NULL}, {0, END, NULL, NULL}};
static const struct field service_account[] = {
    {1, MSG, "metadata", object_meta},
    {3, MSGS, "imagePullSecrets", local_reference},
    {4, BOOL, "automountServiceAccountToken", NULL},
    {0, END, NULL, NULL},
};
static const struct field env_var[] = {
    {1, STR, "name", NULL}, {2, STR, "value", NULL}, {0, END, NULL, NULL}};
static const struct field container[] = {
    {1, STR, "name", NULL},
    {2, STR, "image", NULL},
    {3, STRS, "command", NULL},
    {4, STRS, "args", NULL},
    {5, STR, "workingDir", NULL},
    {7, MSGS, "env", env_var},
    {13, STR, "terminationMessagePath", NULL},
    {14, STR, "imagePullPolicy", NULL},
    {16, FLAG, "stdin", NULL},
    {17, FLAG, "stdinOnce", NULL},
    {18, FLAG, "tty", NULL},
    {20, STR, "terminationMessagePolicy", NULL},
    {0, END, NULL, NULL},
};
static const struct field pod_spec[] = {
    {2, MSGS, "containers", container},
    {3, STR, "restartPolicy", NULL},
    {4, INT, "terminationGracePeriodSeconds", NULL},
    {5, INT, "activeDeadlineSeconds", NULL},
    {6, STR, "dnsPolicy", NULL},
    {7, STR_MAP, "nodeSelector", NULL},
    {8, STR, "serviceAccountName", NULL},
    {9, STR, "serviceAccount", NULL},
    {10, STR, "nodeName", NULL},
    {11, FLAG, "hostNetwork", NULL},
    {12, FLAG, "hostPID", NULL},
    {13, FLAG, "hostIPC", NULL},
    {15, MSGS, "imagePullSecrets", local_reference},
    {16, STR, "hostname", NULL},
    {17, STR, "subdomain", NULL},
    {19, STR, "schedulerName", NULL},
    {20, MSGS, "initContainers", container},
    {0, END, NULL, NULL},
};
static const struct field pod_template[] = {
    {1, MSG, "metadata", object_meta}, {2, MSG, "spec", pod_spec}, {0, END, NULL, NULL}};
static const struct field job_spec[] = {
    {1, INT, "parallelism", NULL},           {2, INT, "completions", NULL},
    {3, INT, "activeDeadlineSeconds", NULL}, {6, MSG, "template", pod_template},
    {7, INT, "backoffLimit", NULL},          {8, INT, "ttlSecondsAfterFinished", NULL},
    {9, STR, "completionMode", NULL},        {10, BOOL, "suspend", NULL},
    {14, STR, "podReplacementPolicy", NULL}, {0, END, NULL, NULL},
};
static const struct field job[] = {
    {1, MSG, "metadata", object_meta},
    {2, MSG, "spec", job_spec},
    {3, SKIP, "status", NULL},
    {0, END, NULL, NULL},
};
static const struct field job_template[] = {
    {1, MSG, "metadata", object_meta}, {2, MSG, "spec", job_spec}, {0, END, NULL, NULL}};
static const struct field cron_job_spec[] = {
    {1, STR, "schedule", NULL},
    {2, INT, "startingDeadlineSeconds", NULL},
    {3, STR, "concurrencyPolicy", NULL},
    {4, BOOL, "suspend", NULL},
    {5, MSG, "jobTemplate", job_template},
    {6, INT, "successfulJobsHistoryLimit", NULL},
    {7, INT, "failedJobsHistoryLimit", NULL},
    {8, STR, "timeZone", NULL},
    {0, END, NULL, NULL},
};
static const struct field cron_job[] = {
    {1, MSG, "metadata", object_meta},
    {2, MSG, "spec", cron_job_spec},
    {3, SKIP, "status", NULL},
    {0, END, NULL, NULL},
};
static const struct {
	const char *kind;
	const struct field *fields;
} kinds[] = {
    {"ConfigMap", config_map},           {"Secret", secret}, {"Namespace", namespace},
    {"ServiceAccount", service_account}, {"Job", job},       {"CronJob", cron_job},
};

/* ---- the wire format ---- */

struct span {
	const unsigned char *at, *end;
};

struct item {
	uint32_t number;
	bool bytes; /* else a varint */
	uint64_t value;
	struct span span;
};

static bool read_varint(struct span *s, uint64_t *out)
{
	*out = 0;
	for (unsigned int shift = 0; s->at < s->end && shift < 64; shift += 7) {
		unsigned char byte = *s->at++;

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

static bool read_item(struct span *s, struct item *item)
{
	uint64_t key, len;

	if (!read_varint(s, &key) || key >> 3 > UINT32_MAX)
		return false;
	item->number = (uint32_t)(key >> 3);
	item->bytes = (key & 7) == 2;
	if ((key & 7) == 0)
		return read_varint(s, &item->value);
	if (!item->bytes || !read_varint(s, &len) || len > (uint64_t)(s->end - s->at))
		return false;
	item->span = (struct span){s->at, s->at + len};
	s->at += len;
	return true;
}

/* ---- values ---- */

static int broken(struct err *err, const char *where)
{
	return err_set(err, ERR_INVALID, "protobuf: %s: malformed", where);
}

static struct json *string_of(struct span s, const char *where, struct err *err)
{
	size_t len = (size_t)(s.end - s.at);
	auto_free char *text = xstrndup((const char *)s.at, len);

	if (strlen(text) == len && utf8_valid(text, len))
		return json_string(text);
	broken(err, where);
	return NULL;
}

static struct json *base64_of(struct span s)
{
	size_t len = (size_t)(s.end - s.at);
	auto_buf struct buf out = BUF_INIT(BASE64_MAX);

	base64_encode(s.at, len, &out);
	return json_string(out.data);
}

/* An entry of a map: 1 is the key, 2 the value. */
static int read_entry(struct json *map, struct span s, bool bytes, const char *where,
		      struct err *err)
{
	struct span parts[3] = {{s.end, s.end}, {s.end, s.end}, {s.end, s.end}};
	auto_json struct json *key = NULL;
	struct json *value;
	struct item item;

	while (s.at < s.end) {
		if (!read_item(&s, &item) || !item.bytes || item.number > 2)
			return broken(err, where);
		parts[item.number] = item.span;
	}
	key = string_of(parts[1], where, err);
	value = key == NULL ? NULL : bytes ? base64_of(parts[2]) : string_of(parts[2], where, err);
	if (value == NULL)
		return -1;
	json_set(map, json_str(key), value);
	return 0;
}

static struct json *list_at(struct json *object, const char *name)
{
	if (json_get(object, name) == NULL)
		json_set(object, name, json_array());
	return json_mut(object, name);
}

static int read_message(struct json *object, struct span s, const struct field *fields, int depth,
			struct err *err);

static int read_bytes(struct json *object, const struct field *field, struct span s, int depth,
		      struct err *err)
{
	struct json *value = NULL;

	switch (field->kind) {
	case STR:
	case STRS:
		if (s.at == s.end && field->kind == STR)
			return 0; /* Go writes also what is empty */
		value = string_of(s, field->name, err);
		if (value == NULL)
			return -1;
		if (field->kind == STRS)
			json_append(list_at(object, field->name), value);
		else
			json_set(object, field->name, value);
		return 0;
	case MSG:
		return read_message(json_obj(object, field->name), s, field->sub, depth + 1, err);
	case MSGS:
		value = json_object();
		json_append(list_at(object, field->name), value);
		return read_message(value, s, field->sub, depth + 1, err);
	case STR_MAP:
	case BYTES_MAP:
		return read_entry(json_obj(object, field->name), s, field->kind == BYTES_MAP,
				  field->name, err);
	case SKIP:
		return 0;
	case INT:
	case BOOL:
	case FLAG:
	case END:
		break;
	}
	return broken(err, field->name);
}

static int read_field(struct json *object, const struct field *field, const struct item *item,
		      int depth, struct err *err)
{
	if (item->bytes)
		return read_bytes(object, field, item->span, depth, err);
	if (field->kind == FLAG && item->value == 0)
		return 0;
	if (field->kind == BOOL || field->kind == FLAG)
		json_set(object, field->name, json_bool(item->value != 0));
	else if (field->kind == INT)
		json_set(object, field->name, json_int((int64_t)item->value));
	else if (field->kind != SKIP)
		return broken(err, field->name);
	return 0;
}

static int read_message(struct json *object, struct span s, const struct field *fields, int depth,
			struct err *err)
{
	struct item item;

	if (depth > DEPTH_MAX)
		return broken(err, "nesting");
	while (s.at < s.end) {
		const struct field *field = fields;

		if (!read_item(&s, &item))
			return broken(err, "field");
		while (field->kind != END && field->number != item.number)
			field++;
		if (field->kind != END) {
			if (read_field(object, field, &item, depth, err) < 0)
				return -1;
		} else if (item.bytes ? item.span.at < item.span.end : item.value != 0) {
			/* What is unknown may be left out only where it is empty. */
			return err_set(err, ERR_INVALID,
				       "protobuf: field %u is not known here: send JSON",
				       item.number);
		}
	}
	return 0;
}

/* ---- the envelope: "k8s\0", then runtime.Unknown ---- */

static const struct field type_meta[] = {
    {1, STR, "apiVersion", NULL}, {2, STR, "kind", NULL}, {0, END, NULL, NULL}};

struct json *proto_parse(const char *bytes, size_t len, struct err *err)
{
	struct span s = {(const unsigned char *)bytes, (const unsigned char *)bytes + len};
	struct span raw = {s.end, s.end};
	struct json *object;
	struct item item;

	if (len < 4 || memcmp(bytes, "k8s", 4) != 0) {
		broken(err, "prefix");
		return NULL;
	}
	object = json_object();
	s.at += 4;
	while (s.at < s.end) {
		if (!read_item(&s, &item) || !item.bytes ||
		    (item.number == 1 && read_message(object, item.span, type_meta, 0, err) < 0)) {
			broken(err, "envelope");
			goto fail;
		}
		if (item.number == 2)
			raw = item.span;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (streq(kinds[i].kind, json_get_str(object, "kind", ""))) {
			if (read_message(object, raw, kinds[i].fields, 0, err) < 0)
				goto fail;
			return object;
		}
	err_set(err, ERR_INVALID, "protobuf: kind \"%s\" is not known here: send JSON",
		json_get_str(object, "kind", ""));
fail:
	json_free(object);
	return NULL;
}
