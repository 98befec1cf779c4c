/*
 * What an API server may send, into a store. The first byte is the size of the chunks in which a
 * watch arrives, the first line is a page of a LIST, the others are the lines of a WATCH.
 */
#include "base/utf8.h"
#include "spec/fuzz/parts/fuzz.h"
#include "kube/intake.h"
#include "kube/lines.h"

static void on_event(void *arg, enum watch_event type, const struct store_meta *meta,
		     const struct json *object)
{
	const struct store *store = *(struct store **)arg;
	auto_json struct json *stored = store_get(store, meta->key);
	auto_free char *key = store_key(stored);

	promise(store_find(store, meta->key) == meta);
	promise(key != NULL && streq(key, meta->key));
	promise(type == WATCH_DELETED || object != NULL);
}

static void on_trouble(void *arg, const struct err *err)
{
	(void)arg;
	promise(err->kind != ERR_NONE && utf8_valid(err->msg, strlen(err->msg)));
}

static int on_line(void *arg, const char *line, size_t len, struct err *err)
{
	const struct piece piece = {line, len};

	promise(len > 0 && memchr(line, '\n', len) == NULL);
	if (intake_event(arg, piece, err) < 0)
		on_trouble(NULL, err);
	return 0;
}

static void list(struct intake *in, const char *text, size_t len)
{
	const struct piece page = {text, len};
	struct err err = ERR_INIT;
	auto_json struct json *metadata = NULL;

	in->list = store_begin(in->spec.store, NULL);
	metadata = intake_page(in, page, &err);
	if (metadata != NULL) {
		intake_commit(in);
		return;
	}
	on_trouble(NULL, &err);
	store_abort(in->list);
	in->list = NULL;
}

static void watch(struct intake *in, const char *text, size_t len, size_t chunk)
{
	struct lines lines;
	struct err err = ERR_INIT;

	lines_init(&lines);
	for (size_t at = 0; at < len; at += chunk)
		promise(lines_feed(&lines, text + at, len - at < chunk ? len - at : chunk, on_line,
				   in, &err) == 0);
	lines_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct kind pods = {"", "v1", "pods", "Pod"};
	const char *text = (const char *)bytes + 1, *newline;
	struct store *store = store_new(NULL);
	struct intake in = {.spec = {.kind = &pods,
				     .store = store,
				     .event = on_event,
				     .trouble = on_trouble,
				     .arg = &store},
			    .path = "/api/v1/pods"};

	newline = len > 1 ? memchr(text, '\n', len - 1) : NULL;
	if (newline != NULL) {
		list(&in, text, (size_t)(newline - text));
		watch(&in, newline + 1, len - 2 - (size_t)(newline - text), (size_t)bytes[0] + 1);
		list(&in, text, (size_t)(newline - text));
	}
	free(in.version);
	store_free(store);
	return 0;
}
