#include "policy/frame.h"

void frame_put_size(size_t size, unsigned char header[FRAME_HEADER])
{
	for (int i = 0; i < FRAME_HEADER; i++)
		header[i] = (unsigned char)(size >> (8 * (FRAME_HEADER - 1 - i)));
}

size_t frame_get_size(const void *header)
{
	const unsigned char *bytes = header;
	size_t size = 0;

	for (int i = 0; i < FRAME_HEADER; i++)
		size = size << 8 | bytes[i];
	return size;
}

static void add_members(struct buf *body, const struct json *object)
{
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		auto_free char *value = json_print(m);

		buf_adds(body, json_key(m));
		buf_addc(body, ' ');
		buf_adds(body, value);
		buf_addc(body, '\n');
	}
}

int frame_pack(const struct json *message, const struct json *more, struct buf *out,
	       struct err *err)
{
	auto_buf struct buf body = BUF_INIT(FRAME_MAX);
	unsigned char header[FRAME_HEADER];

	add_members(&body, message);
	add_members(&body, more);
	if (body.full || body.len + FRAME_HEADER > out->max - out->len)
		return err_set(err, ERR_LIMIT,
			       "a message for the policy worker has at most %d bytes", FRAME_MAX);
	frame_put_size(body.len, header);
	buf_add(out, header, sizeof(header));
	return buf_add(out, body.data, body.len);
}

struct json *frame_unpack(const char *bytes, size_t len, struct err *err)
{
	auto_json struct json *message = json_object();

	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		const char *blank = end != NULL ? memchr(bytes, ' ', (size_t)(end - bytes)) : NULL;
		auto_free char *key = NULL;
		struct json *value;

		if (blank == NULL) {
			err_set(err, ERR_INVALID, "expected lines of a key and a value");
			return NULL;
		}
		key = xstrndup(bytes, (size_t)(blank - bytes));
		value = json_parse(blank + 1, (size_t)(end - blank - 1), err);
		if (value == NULL)
			return NULL;
		json_set(message, key, value);
		len -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
	return steal(message);
}
