#include "runner/s3_parts.h"

#include "base/log.h"

static const char manifest_name[] = "_SUCCESS";

static void add_folder(const char *name, struct buf *out)
{
	buf_adds(out, name);
	if (out->len > 0 && out->data[out->len - 1] != '/')
		buf_addc(out, '/');
}

void s3_parts_init(struct s3_parts *parts, const struct s3_client *client,
		   const struct contract *contract, const struct section *section)
{
	struct buf folder = BUF_INIT(SIZE_MAX / 2);

	add_folder(json_get_str(section->settings, "prefix", ""), &folder);
	add_folder(contract->job_id, &folder);
	if (!streq(contract_run_key(contract), contract->job_id))
		add_folder(contract_run_key(contract), &folder);
	*parts = (struct s3_parts){
	    .client = client,
	    .contract = contract,
	    .format = section->format,
	    .folder = buf_steal(&folder),
	    .part_bytes = (size_t)json_get_int(section->settings, "partBytes", S3_PART_BYTES),
	    .header = BUF_INIT(SIZE_MAX / 2),
	    .held = BUF_INIT(SIZE_MAX / 2),
	};
}

static char *part_name(const struct s3_parts *parts, int64_t number)
{
	return xasprintf("part-%05lld%s", (long long)number, parts->format->suffixes[0]);
}

static char *key_of(const struct s3_parts *parts, const char *name)
{
	return xasprintf("%s%s", parts->folder, name);
}

/* ---- what is there already ---- */

static int conflict(const struct s3_parts *parts, const char *what, struct fault *fault)
{
	return fault_set(fault, REASON_OUTPUT_CONFLICT, ERR_CONFLICT,
			 "s3://%s/%s: expected nothing, or parts of this run, found %s: the "
			 "contract or the input has changed since; remove what is there, or name "
			 "another prefix",
			 parts->client->bucket, parts->folder, what);
}

/* 1: the run is done already. */
static int look_for_manifest(struct s3_parts *parts, struct fault *fault)
{
	auto_free char *key = key_of(parts, manifest_name);
	auto_s3_head struct s3_head head = {.exists = false};

	if (s3_head(parts->client, key, &head, fault) < 0)
		return -1;
	if (!head.exists)
		return 0;
	if (!streq(head.mark.run, parts->mark.run))
		return conflict(parts, "the output of another run", fault);
	parts->whole = true;
	log_info("an earlier attempt has stored everything", "object", key);
	return 1;
}

static int remove_parts(const struct s3_parts *parts, const struct s3_list *list,
			struct fault *fault)
{
	log_warn("nobody can tell whether the input is still the same: beginning anew", "folder",
		 parts->folder, "parts", log_num((int64_t)list->count));
	for (size_t i = list->count; i > 0; i--)
		if (s3_delete(parts->client, list->objects[i - 1].key, fault) < 0)
			return -1;
	return 0;
}

/* The parts of this run, from 0 on without a gap; anything else is a conflict. */
static int check_names(const struct s3_parts *parts, const struct s3_list *list,
		       struct fault *fault)
{
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = part_name(parts, (int64_t)i);
		auto_free char *key = key_of(parts, name);

		if (!streq(list->objects[i].key, key))
			return conflict(parts, list->objects[i].key, fault);
	}
	return 0;
}

static int take_over(struct s3_parts *parts, const struct s3_list *list, bool known,
		     struct fault *fault)
{
	auto_s3_head struct s3_head last = {.exists = false};
	const char *key = list->objects[list->count - 1].key;

	if (check_names(parts, list, fault) < 0 || s3_head(parts->client, key, &last, fault) < 0)
		return -1;
	if (!last.exists || !streq(last.mark.run, parts->mark.run) || last.mark.rows < 0)
		return conflict(parts, "parts of another run", fault);
	if (!known)
		return remove_parts(parts, list, fault);
	for (size_t i = 0; i < list->count; i++)
		parts->bytes += list->objects[i].size;
	parts->parts = (int64_t)list->count;
	parts->mark.rows = last.mark.rows;
	log_info("going on behind the parts of an earlier attempt", "folder", parts->folder,
		 "parts", log_num(parts->parts), "rows", log_num(parts->mark.rows));
	return 0;
}

int s3_parts_begin(struct s3_parts *parts, const char *input, int64_t *rows_done,
		   struct fault *fault)
{
	auto_s3_list struct s3_list list = {.count = 0};
	int found;

	s3_run_digest(parts->contract, input, parts->mark.run);
	found = look_for_manifest(parts, fault);
	if (found < 0)
		return -1;
	if (found == 0 && (s3_list(parts->client, parts->folder, &list, fault) < 0 ||
			   (list.count > 0 && take_over(parts, &list, input != NULL, fault) < 0)))
		return -1;
	*rows_done = parts->whole ? INT64_MAX : parts->mark.rows;
	return 0;
}

/* ---- writing ---- */

static int put_part(struct s3_parts *parts, bool once, struct fault *fault)
{
	auto_free char *name = part_name(parts, parts->parts);
	auto_free char *key = key_of(parts, name);
	struct s3_put put = {.key = key,
			     .bytes = parts->held.data,
			     .len = parts->held.len,
			     .type = parts->format->media,
			     .mark = parts->mark,
			     .once = once};

	if (parts->parts == S3_PARTS_MAX)
		return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_LIMIT,
				 "s3://%s/%s: expected at most %d parts, found more: make "
				 "partBytes larger",
				 parts->client->bucket, parts->folder, S3_PARTS_MAX);
	put.mark.rows += parts->held_rows;
	if (s3_put(parts->client, &put, fault) < 0)
		return -1;
	parts->mark.rows = put.mark.rows;
	parts->held_rows = 0;
	parts->bytes += (int64_t)parts->held.len;
	parts->parts++;
	buf_clear(&parts->held);
	return 0;
}

void s3_parts_head(struct s3_parts *parts, const char *bytes, size_t len)
{
	buf_add(&parts->header, bytes, len);
}

int s3_parts_write(struct s3_parts *parts, const char *bytes, size_t len, int64_t rows,
		   struct fault *fault)
{
	if (parts->held.len == 0)
		buf_add(&parts->held, parts->header.data, parts->header.len);
	buf_add(&parts->held, bytes, len);
	parts->held_rows += rows;
	return parts->held.len < parts->part_bytes ? 0 : put_part(parts, false, fault);
}

static int put_manifest(const struct s3_parts *parts, struct fault *fault)
{
	auto_free char *key = key_of(parts, manifest_name);
	auto_json struct json *manifest =
	    json_build("{'v': 1, 'jobId': %s, 'run': %s, 'digest': %s, 'rows': %d, 'parts': %d,"
		       " 'bytes': %d}",
		       parts->contract->job_id, contract_run_key(parts->contract), parts->mark.run,
		       parts->mark.rows, parts->parts, parts->bytes);
	auto_free char *text = json_print(manifest);
	const struct s3_put put = {.key = key,
				   .bytes = text,
				   .len = strlen(text),
				   .type = "application/json",
				   .mark = parts->mark};

	return s3_put(parts->client, &put, fault);
}

int s3_parts_commit(struct s3_parts *parts, struct fault *fault)
{
	if (parts->whole)
		return 0;
	if (parts->held.len > 0 && put_part(parts, false, fault) < 0)
		return -1;
	return put_manifest(parts, fault);
}

static void checkpoint(struct s3_parts *parts)
{
	struct fault fault = FAULT_INIT;

	if (put_part(parts, true, &fault) < 0)
		log_warn("the results that were not stored yet are lost: the next attempt asks "
			 "the model again",
			 "rows", log_num(parts->held_rows), "error", fault.err.msg);
}

void s3_parts_done(struct s3_parts *parts)
{
	if (http_stop && parts->held_rows > 0)
		checkpoint(parts);
	buf_done(&parts->header);
	buf_done(&parts->held);
	free(parts->folder);
}
