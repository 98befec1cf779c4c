#include "runner/s3.h"

#include "runner/field.h"
#include "runner/s3_input.h"
#include "runner/s3_parts.h"
#include "runner/s3_upload.h"

struct storage {
	const struct section *section;
	const char *key, *prefix; /* one is NULL */
	struct s3_client client;
	struct s3_input input;
	struct s3_parts parts;
	struct s3_upload upload;
};

/* ---- checking ---- */

static int check_length(const char *text, const char *where, const char *name, struct err *err)
{
	if (strlen(text) <= S3_KEY_MAX)
		return 0;
	return err_set(err, ERR_LIMIT, "%s.%s: expected at most %d bytes, found %zu", where, name,
		       S3_KEY_MAX, strlen(text));
}

static int check_place(const struct section *section, bool *one, struct err *err)
{
	const char *where = section->where, *key, *prefix;

	if (field_string(section->settings, where, "key", &key, err) < 0 ||
	    field_string(section->settings, where, "prefix", &prefix, err) < 0 ||
	    check_length(key, where, "key", err) < 0 ||
	    check_length(prefix, where, "prefix", err) < 0)
		return -1;
	if ((*key == '\0') == (*prefix == '\0'))
		return err_set(err, ERR_INVALID, "%s: expected key or prefix, found %s", where,
			       *key == '\0' ? "none" : "both");
	*one = *key != '\0';
	return 0;
}

/* What goes with a key alone, or with the prefix of an output alone. */
static int check_options(const struct section *section, bool one, struct err *err)
{
	const char *where = section->where, *format;
	bool output = section->side == SIDE_OUTPUT, overwrite = false;
	int64_t part_bytes = 0;

	if (field_bool(section->settings, where, "overwrite", &overwrite, err) < 0 ||
	    field_int(section->settings, where, "partBytes", S3_PART_BYTES_MIN, S3_PART_BYTES_MAX,
		      &part_bytes, err) < 0 ||
	    field_string(section->settings, where, "format", &format, err) < 0)
		return -1;
	if (overwrite && (!output || !one))
		return err_set(err, ERR_INVALID,
			       "%s.overwrite: expected it in an output with a key alone", where);
	if (part_bytes > 0 && (!output || one))
		return err_set(err, ERR_INVALID,
			       "%s.partBytes: expected it in an output with a prefix alone", where);
	if (output && !one && streq(format, "json"))
		return err_set(err, ERR_INVALID,
			       "%s.format: expected a format of lines with a prefix, found json",
			       where);
	return 0;
}

static int check(const struct section *section, struct err *err)
{
	bool one = false;

	if (s3_client_check(section, err) < 0 || check_place(section, &one, err) < 0)
		return -1;
	return check_options(section, one, err);
}

/* Objects with a prefix are of lines, unless the contract names another format. */
static const char *path(const struct json *settings)
{
	const char *key = json_get_str(settings, "key", "");

	return *key != '\0' ? key : "part.jsonl";
}

/* ---- opening ---- */

static void close_storage(struct storage *storage)
{
	if (storage->section->side == SIDE_INPUT)
		s3_input_done(&storage->input);
	else if (storage->key != NULL)
		s3_upload_done(&storage->upload);
	else
		s3_parts_done(&storage->parts);
	s3_client_done(&storage->client);
	free(storage);
}

static const char *setting(const struct section *section, const char *name)
{
	const char *text = json_get_str(section->settings, name, "");

	return *text != '\0' ? text : NULL;
}

static struct storage *open_storage(const struct contract *contract, const struct section *section,
				    struct fault *fault)
{
	struct storage *storage = xcalloc(1, sizeof(*storage));

	storage->section = section;
	storage->key = setting(section, "key");
	storage->prefix = setting(section, "prefix");
	if (section->side == SIDE_INPUT)
		s3_input_init(&storage->input, &storage->client);
	else if (storage->key != NULL)
		s3_upload_init(&storage->upload, &storage->client, contract, section);
	else
		s3_parts_init(&storage->parts, &storage->client, contract, section);
	if (s3_client_open(section, &storage->client, fault) == 0)
		return storage;
	close_storage(storage);
	return NULL;
}

/* HeadBucket: is the bucket there, and ours to use? */
static int look_at_bucket(const struct s3_client *client, struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = s3_url(client, "", "");
	auto_free char *what = xasprintf("HEAD s3://%s", client->bucket);
	const struct s3_call call = {.method = "HEAD", .url = url};

	if (s3_call(client, &call, &reply, fault) < 0)
		return -1;
	if (reply.status == 404)
		return fault_set(fault, s3_rejected(client), ERR_NOT_FOUND,
				 "s3://%s: expected a bucket, found none", client->bucket);
	return s3_judge(client, &reply, what, fault);
}

static int preflight(struct storage *storage, struct fault *fault)
{
	if (storage->section->side == SIDE_OUTPUT)
		return look_at_bucket(&storage->client, fault);
	return s3_input_find(&storage->input, storage->key, storage->prefix, fault);
}

/* ---- moving bytes ---- */

static int read_piece(struct storage *storage, struct buf *out, struct fault *fault)
{
	return s3_input_read(&storage->input, out, fault);
}

static int next_part(struct storage *storage, struct fault *fault UNUSED)
{
	return s3_input_next(&storage->input);
}

static const char *part_name(const struct storage *storage)
{
	return s3_input_name(&storage->input);
}

static const char *identity(const struct storage *storage)
{
	return storage->input.identity;
}

static int begin(struct storage *storage, const char *input, int64_t *rows_done,
		 struct fault *fault)
{
	if (storage->key != NULL)
		return s3_upload_begin(&storage->upload, input, rows_done, fault);
	return s3_parts_begin(&storage->parts, input, rows_done, fault);
}

static int head(struct storage *storage, const char *bytes, size_t len, struct fault *fault)
{
	if (storage->key != NULL)
		return s3_upload_write(&storage->upload, bytes, len, 0, fault);
	s3_parts_head(&storage->parts, bytes, len);
	return 0;
}

static int write_piece(struct storage *storage, const char *bytes, size_t len, int64_t rows,
		       struct fault *fault)
{
	if (storage->key != NULL)
		return s3_upload_write(&storage->upload, bytes, len, rows, fault);
	return s3_parts_write(&storage->parts, bytes, len, rows, fault);
}

static int commit(struct storage *storage, struct fault *fault)
{
	if (storage->key != NULL)
		return s3_upload_commit(&storage->upload, fault);
	return s3_parts_commit(&storage->parts, fault);
}

const struct provider s3_provider = {
    .name = "s3",
    .members = {"bucket", "key", "prefix", "endpointRef", "region", "endpoint", "style",
		"overwrite", "partBytes"},
    .check = check,
    .path = path,
    .open = open_storage,
    .preflight = preflight,
    .read = read_piece,
    .next_part = next_part,
    .part_name = part_name,
    .identity = identity,
    .begin = begin,
    .head = head,
    .write = write_piece,
    .commit = commit,
    .close = close_storage,
};
