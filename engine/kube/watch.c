#include "kube/watch.h"

#include "base/timefmt.h"
#include "kube/intake.h"
#include "kube/random.h"

enum { QUERY_MAX = 64 << 10 };

static const struct watch_timing default_timing = {
    .backoff_ms = 800,
    .backoff_max_ms = 30000,
    .healthy_ms = 120000,
    .session_s = 240,
    .slack_ms = 30000,
    .short_ms = 1000,
};

enum state { STATE_LIST, STATE_WATCH, STATE_BACKOFF };

struct watch {
	struct client *client;
	struct watch_timing timing;
	char *path;
	struct intake in; /* its list is there from the first page on; no version: LIST first */

	enum state state;
	struct client_call *call; /* in LIST and WATCH */
	struct timer *timer;      /* runs in BACKOFF */

	char *next_page; /* the continue token; NULL: the first page */
	int64_t page_size;

	int64_t stream_began_ms;
	bool heard; /* this WATCH has brought a line */

	int64_t backoff_ms;
	int64_t troubled_ms; /* when there was trouble last */
	bool relisted;       /* for a 410, and no WATCH has brought a line since */
	bool synced;

	int busy; /* callbacks of ours on the stack. One may free the watch: that sets in.dead, and
		   * the memory goes when the last of them returns */
};

static void step(struct watch *w);

/* ---- lifetime ---- */

static void destroy(struct watch *w)
{
	free(w->path);
	free(w->next_page);
	free(w->in.version);
	free(w);
}

static void enter(struct watch *w)
{
	w->busy++;
}

static void leave(struct watch *w)
{
	if (--w->busy == 0 && w->in.dead)
		destroy(w);
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	client_cancel(w->call);
	timer_free(w->timer);
	store_abort(w->in.list);
	w->in.dead = true;
	if (w->busy == 0)
		destroy(w);
}

static void go(struct watch *w, enum state state)
{
	w->state = state;
	step(w);
}

static void set(char **text, const char *value)
{
	free(*text);
	*text = value != NULL && *value != '\0' ? xstrdup(value) : NULL;
}

/* ---- trouble ---- */

static void back_off(struct watch *w, const struct err *err)
{
	int64_t now = time_mono_ms();
	int64_t wait;

	if (now - w->troubled_ms > w->timing.healthy_ms)
		w->backoff_ms = w->timing.backoff_ms;
	w->troubled_ms = now;
	wait = random_between(0, w->backoff_ms);
	w->backoff_ms *= 2;
	if (w->backoff_ms > w->timing.backoff_max_ms)
		w->backoff_ms = w->timing.backoff_max_ms;
	if (err->retry_ms > 0) {
		wait = err->retry_ms < WATCH_PATIENCE_MS ? err->retry_ms : WATCH_PATIENCE_MS;
		wait += random_between(0, wait / 4);
	}
	w->state = STATE_BACKOFF;
	timer_set(w->timer, wait);
	if (w->in.spec.trouble != NULL)
		w->in.spec.trouble(w->in.spec.arg, err);
}

static void backed_off(void *arg)
{
	struct watch *w = arg;

	go(w, w->in.version != NULL ? STATE_WATCH : STATE_LIST);
}

static void failed(struct watch *w, const struct err *err)
{
	bool stuck = err->kind == ERR_GONE || err->kind == ERR_INVALID || err->kind == ERR_LIMIT ||
		     err->status == 504;

	store_abort(steal(w->in.list));
	set(&w->next_page, NULL);
	if (stuck)
		set(&w->in.version, NULL);
	if (err->kind == ERR_LIMIT && w->state == STATE_LIST && w->page_size > 1)
		w->page_size /= 2;
	if (err->kind == ERR_GONE && !w->relisted) {
		w->relisted = true;
		go(w, STATE_LIST);
	} else {
		back_off(w, err);
	}
}

/* ---- LIST ---- */

static void list_complete(struct watch *w)
{
	intake_commit(&w->in);
	if (w->in.dead)
		return;
	w->synced = true;
	if (w->in.spec.synced != NULL)
		w->in.spec.synced(w->in.spec.arg);
	if (!w->in.dead)
		go(w, STATE_WATCH);
}

static void page_arrived(struct watch *w, struct piece page)
{
	struct err err = ERR_INIT;
	auto_json struct json *metadata = intake_page(&w->in, page, &err);

	if (w->in.dead)
		return;
	if (metadata == NULL) {
		err_wrap(&err, "list %s: expected a list in JSON", w->path);
		err.kind = ERR_RETRY; /* whatever stands between us may go away */
		failed(w, &err);
		return;
	}
	set(&w->next_page, json_get_str(metadata, "continue", NULL));
	if (w->next_page != NULL) {
		step(w);
		return;
	}
	set(&w->in.version, json_get_str(metadata, "resourceVersion", NULL));
	if (w->in.version != NULL) {
		list_complete(w);
		return;
	}
	err_set(&err, ERR_RETRY, "list %s: expected metadata.resourceVersion, found none", w->path);
	failed(w, &err);
}

static void listed(void *arg, const char *body, size_t len, const struct err *err)
{
	struct watch *w = arg;

	w->call = NULL;
	enter(w);
	if (err == NULL)
		page_arrived(w, (struct piece){body, len});
	else
		failed(w, err);
	leave(w);
}

/* ---- WATCH ---- */

static int line_arrived(void *arg, const char *line, size_t len, struct err *err)
{
	struct watch *w = arg;
	int result;

	enter(w);
	w->heard = true;
	result = intake_event(&w->in, (struct piece){line, len}, err);
	if (result == 0)
		w->relisted = false;
	leave(w); /* the client asks no more of a call that was cancelled meanwhile */
	return result;
}

static void stream_ended(void *arg, const struct json *object UNUSED, const struct err *cause)
{
	struct watch *w = arg;
	struct err err = ERR_INIT;

	w->call = NULL;
	enter(w);
	if (cause != NULL) {
		failed(w, cause);
	} else if (!w->heard && time_mono_ms() - w->stream_began_ms < w->timing.short_ms) {
		err_set(&err, ERR_RETRY, "watch %s: it ended at once, without an event", w->path);
		failed(w, &err);
	} else {
		step(w);
	}
	leave(w);
}

/* ---- requests ---- */

static void add_parameter(struct buf *path, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_addf(path, "&%s=", name);
	client_escape(path, value);
}

static void start_list(struct watch *w)
{
	auto_buf struct buf path = BUF_INIT(QUERY_MAX);

	if (w->in.list == NULL)
		w->in.list = store_begin(w->in.spec.store, w->in.spec.namespace);
	buf_addf(&path, "%s?limit=%lld", w->path, (long long)w->page_size);
	add_parameter(&path, "labelSelector", w->in.spec.label_selector);
	add_parameter(&path, "fieldSelector", w->in.spec.field_selector);
	add_parameter(&path, "continue", w->next_page);
	w->call = client_get_text(w->client, path.data, listed, w);
}

static void start_watch(struct watch *w)
{
	auto_buf struct buf path = BUF_INIT(QUERY_MAX);
	int64_t seconds = random_between(w->timing.session_s, w->timing.session_s * 5 / 4);

	buf_addf(&path, "%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%lld", w->path,
		 (long long)seconds);
	add_parameter(&path, "labelSelector", w->in.spec.label_selector);
	add_parameter(&path, "fieldSelector", w->in.spec.field_selector);
	add_parameter(&path, "resourceVersion", w->in.version);
	w->stream_began_ms = time_mono_ms();
	w->heard = false;
	w->call = client_stream(w->client, path.data, seconds * 1000 + w->timing.slack_ms,
				line_arrived, stream_ended, w);
}

static void step(struct watch *w)
{
	switch (w->state) {
	case STATE_LIST:
		start_list(w);
		break;
	case STATE_WATCH:
		start_watch(w);
		break;
	case STATE_BACKOFF: /* the timer goes on */
		break;
	}
}

struct watch *watch_start(struct loop *loop, struct client *client, const struct watch_spec *spec)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->client = client;
	w->in.spec = *spec;
	w->timing = spec->timing != NULL ? *spec->timing : default_timing;
	w->path = client_path(spec->kind, spec->namespace, NULL, NULL);
	w->in.path = w->path;
	w->page_size = WATCH_PAGE;
	w->backoff_ms = w->timing.backoff_ms;
	w->timer = timer_new(loop, backed_off, w);
	go(w, STATE_LIST);
	return w;
}

bool watch_synced(const struct watch *w)
{
	return w->synced;
}
