#include "kube/pieces.h"

#include "base/scan.h"

static bool is_key(const struct scan *s, const char *key)
{
	return s->span_len == strlen(key) && memcmp(s->span, key, s->span_len) == 0;
}

int pieces_find(struct piece object, size_t count, const char *const *keys, struct piece *found,
		struct err *err)
{
	enum scan_token token;
	struct scan s;
	size_t member;

	for (size_t i = 0; i < count; i++)
		found[i] = (struct piece){.text = ""};
	scan_init(&s, object.text, object.len);
	token = scan_next(&s);
	if (token != SCAN_OBJECT && token != SCAN_ERROR)
		return err_set(err, ERR_INVALID, "expected an object, found '%.*s'",
			       (int)(s.span_len < 40 ? s.span_len : 40), s.span);
	while (token != SCAN_ERROR && (token = scan_skip_any(&s)) == SCAN_KEY) {
		for (member = 0; member < count && !is_key(&s, keys[member]);)
			member++;
		token = scan_skip_any(&s);
		if (token != SCAN_ERROR && member < count)
			found[member] = (struct piece){s.span, s.span_len};
	}
	if (token != SCAN_ERROR)
		token = scan_next(&s);
	return token == SCAN_ERROR ? scan_fail(&s, err) : 0;
}

int pieces_each(struct piece array, piece_fn *fn, void *arg, struct err *err)
{
	enum scan_token token;
	struct scan s;
	size_t number = 0;

	if (array.len == 0)
		return 0;
	scan_init(&s, array.text, array.len);
	token = scan_next(&s);
	if (token == SCAN_NULL)
		return 0;
	if (token != SCAN_ARRAY && token != SCAN_ERROR)
		return err_set(err, ERR_INVALID, "expected an array, found '%.*s'",
			       (int)(s.span_len < 40 ? s.span_len : 40), s.span);
	while (token != SCAN_ERROR && (token = scan_skip_any(&s)) != SCAN_ARRAY_END)
		if (token != SCAN_ERROR && !fn(arg, ++number, (struct piece){s.span, s.span_len}))
			return 0;
	return token == SCAN_ERROR ? scan_fail(&s, err) : 0;
}

struct json *piece_parse(struct piece piece, struct err *err)
{
	return json_parse(piece.text, piece.len, err);
}

struct json *piece_identity(struct piece object)
{
	static const char *const metadata_key[] = {"metadata"};
	static const char *const keys[] = {"namespace", "name", "uid", "resourceVersion"};
	struct json *identity = json_build("{'metadata': {}}");
	struct piece metadata, found[ARRAY_LEN(keys)];
	struct err err = ERR_INIT;

	if (pieces_find(object, 1, metadata_key, &metadata, &err) < 0 ||
	    pieces_find(metadata, ARRAY_LEN(keys), keys, found, &err) < 0)
		return identity;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_json struct json *value = piece_parse(found[i], &err);

		if (json_str(value) != NULL)
			json_set_str(json_mut(identity, "metadata"), keys[i], json_str(value));
	}
	return identity;
}
