#include "policy/host.h"

#include "base/map.h"
#include "policy/frame.h"
#include "policy/peer.h"

/*
 * The calls that wait, and the workers that take them in order. One worker is the rule; when calls
 * wait and for GROW_MS no worker has become free, another is started.
 *
 * What hangs is tried again by the engine, for ever. So that it does not occupy every worker, what
 * has reached a limit the last time has one worker at a time, together with all others like it.
 */

enum { DEADLINE_MS = 2000, REST_MS = 30000, GROW_MS = 10, WORKERS_MAX = 4, SUSPECTS_MAX = 4096 };

struct policy_host {
	struct loop *loop;
	struct shelf *shelf;
	struct policy_call *first, **last; /* that wait */
	struct peer *peers[WORKERS_MAX];
	struct timer *grow;
	bool growing;                    /* the timer is set */
	bool loading[2];                 /* a worker checks a bundle: the next of its lane waits */
	struct map *suspects;            /* sources of calls that have reached a limit */
	const struct policy_call *tried; /* the suspect that a worker has */
};

static void pump(void *arg);

/* ---- the queue ---- */

static void schedule(struct policy_host *host)
{
	loop_undefer(host->loop, host);
	loop_defer(host->loop, pump, host);
}

static struct policy_call *submit(struct policy_call *call)
{
	struct policy_host *host = call->host;

	*host->last = call;
	host->last = &call->next;
	schedule(host);
	return call;
}

static void take_out(struct policy_host *host, struct policy_call *call)
{
	struct policy_call **link = &host->first;

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	if (host->last == &call->next)
		host->last = link;
}

static bool is_suspect(const struct policy_host *host, const struct policy_call *call)
{
	return call->kind == CALL_EVAL && map_get(host->suspects, call->source) != NULL;
}

static void forget_suspects(struct policy_host *host)
{
	map_free(host->suspects);
	host->suspects = map_new(NULL);
}

static void learn(struct policy_host *host, const struct policy_call *call)
{
	static char yes;

	if (host->tried == call)
		host->tried = NULL;
	if (call->kind != CALL_EVAL)
		return;
	if (!call_met_limit(call))
		map_del(host->suspects, call->source);
	else if (map_len(host->suspects) < SUSPECTS_MAX)
		map_put(host->suspects, call->source, &yes);
}

/* The bundle for all does not wait for those that have names. */
static int lane_of(const struct policy_call *load)
{
	return load->name[0] != '\0';
}

/* Loads of a lane go one after another, so that the last one asked for is the one that stays. */
static bool must_wait(const struct policy_host *host, const struct policy_call *call)
{
	return call->kind == CALL_LOAD ? host->loading[lane_of(call)]
				       : host->tried != NULL && is_suspect(host, call);
}

static struct policy_call *next_call(const struct policy_host *host)
{
	struct policy_call *call = host->first;

	while (call != NULL && must_wait(host, call))
		call = call->next;
	return call;
}

/* The last act of whoever calls it: the callback may free the host. */
static void finish(struct policy_call *call)
{
	policy_done_fn *done = call->done;

	if (call->host->first != NULL)
		schedule(call->host);
	if (done != NULL)
		done(call->arg, call->reply, call->reply == NULL ? &call->err : NULL);
	call_free(call);
}

/* ---- the workers ---- */

static void put_in_force(struct policy_host *host, struct peer *peer, struct policy_call *call)
{
	const struct shelf_item *item;

	shelf_put(host->shelf, call->name, call->over, steal(call->bundle));
	item = shelf_find(host->shelf, call->name);
	peer_knows(peer, call->name, item->version);
	json_set_str(call->reply, "digest", item->digest);
	if (call->name[0] == '\0')
		forget_suspects(host);
}

/* The worker has taken a bundle that nobody wants any more. */
static void take_back(struct peer *peer, const struct policy_call *call)
{
	peer_knows(peer, call->name, SHELF_NONE);
	peer_forget(peer, call->name);
}

static void on_ended(void *arg, struct peer *peer, struct policy_call *call)
{
	struct policy_host *host = arg;

	if (call->kind == CALL_LOAD)
		host->loading[lane_of(call)] = false;
	if (call->kind == CALL_LOAD && call->reply != NULL && call->done == NULL)
		take_back(peer, call);
	else if (call->kind == CALL_LOAD && call->reply != NULL)
		put_in_force(host, peer, call);
	learn(host, call);
	timer_clear(host->grow);
	host->growing = false;
	finish(call);
}

static int count_running(const struct policy_host *host)
{
	int count = 0;

	for (int i = 0; i < WORKERS_MAX; i++)
		count += peer_runs(host->peers[i]);
	return count;
}

/* One worker stays. */
static void on_rested(void *arg, struct peer *peer)
{
	struct policy_host *host = arg;

	if (count_running(host) > 1)
		peer_stop(peer);
}

static struct peer *free_peer(const struct policy_host *host)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (peer_runs(host->peers[i]) && peer_call(host->peers[i]) == NULL)
			return host->peers[i];
	return NULL;
}

static struct peer *new_peer(const struct policy_host *host)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (!peer_runs(host->peers[i]))
			return host->peers[i];
	return NULL;
}

/* ---- giving calls to workers ---- */

/* -1: the call has failed. */
static int give(struct policy_host *host, struct peer *peer, struct policy_call *call)
{
	const struct shelf_item *item = shelf_find(host->shelf, call->name);

	if (call->err.kind != ERR_NONE)
		return -1;
	if (call->kind == CALL_LOAD &&
	    shelf_room(host->shelf, call->name, call->bundle, &call->err) < 0)
		return -1;
	if (call->kind == CALL_EVAL && item == NULL)
		return err_set(&call->err, ERR_NOT_FOUND, "there is no policy bundle %s",
			       call->name);
	if (item != NULL)
		memcpy(call->digest, item->digest, sizeof(call->digest));
	if (peer_give(peer, host->shelf, call, &call->err) < 0)
		return -1;
	call->given = true;
	if (call->kind == CALL_LOAD)
		host->loading[lane_of(call)] = true;
	if (is_suspect(host, call))
		host->tried = call;
	return 0;
}

/* Returns false if the call has failed, and the host may be gone. */
static bool give_next(struct policy_host *host, struct peer *peer, struct policy_call *call)
{
	take_out(host, call);
	if (give(host, peer, call) == 0)
		return true;
	finish(call);
	return false;
}

static void grow_later(struct policy_host *host)
{
	if (host->growing || new_peer(host) == NULL)
		return;
	host->growing = true;
	timer_set(host->grow, GROW_MS);
}

static void pump(void *arg)
{
	struct policy_host *host = arg;
	struct policy_call *call;

	while ((call = next_call(host)) != NULL) {
		struct peer *peer = free_peer(host);

		if (peer == NULL && count_running(host) == 0)
			peer = new_peer(host);
		if (peer == NULL) {
			grow_later(host);
			return;
		}
		if (!give_next(host, peer, call))
			return;
	}
}

/* Every worker has been busy for a while. */
static void on_grow(void *arg)
{
	struct policy_host *host = arg;
	struct policy_call *call = next_call(host);
	struct peer *peer = new_peer(host);

	host->growing = false;
	if (call != NULL && peer != NULL && give_next(host, peer, call) && host->first != NULL)
		schedule(host);
}

/* ---- the interface ---- */

struct policy_host *policy_host_new(struct loop *loop, const struct policy_options *options)
{
	struct policy_host *host = xcalloc(1, sizeof(*host));
	const struct peer_spec spec = {
	    .loop = loop,
	    .program = options->program != NULL ? options->program : "/proc/self/exe",
	    .deadline_ms = options->deadline_ms != 0 ? options->deadline_ms : DEADLINE_MS,
	    .rest_ms = options->rest_ms != 0 ? options->rest_ms : REST_MS,
	    .ended = on_ended,
	    .rested = on_rested,
	    .arg = host,
	};

	host->loop = loop;
	host->shelf = shelf_new();
	host->last = &host->first;
	host->suspects = map_new(NULL);
	host->grow = timer_new(loop, on_grow, host);
	for (int i = 0; i < WORKERS_MAX; i++)
		host->peers[i] = peer_new(&spec);
	return host;
}

void policy_host_free(struct policy_host *host)
{
	if (host == NULL)
		return;
	while (host->first != NULL) {
		struct policy_call *call = host->first;

		take_out(host, call);
		call_free(call);
	}
	for (int i = 0; i < WORKERS_MAX; i++)
		peer_free(host->peers[i]);
	loop_undefer(host->loop, host);
	timer_free(host->grow);
	shelf_free(host->shelf);
	map_free(host->suspects);
	free(host);
}

struct policy_call *policy_load(struct policy_host *host, const char *name, bool over,
				const struct json *files, policy_done_fn *done, void *arg)
{
	struct policy_call *call = call_new(host, CALL_LOAD, name, done, arg);
	auto_json struct json *message = NULL;

	call->over = over && name[0] != '\0';
	call->bundle = shelf_make(host->shelf, call->over, files, &call->err);
	if (call->bundle == NULL)
		return submit(call);
	message = json_build("{'op': 'load', 'bundle': %s, 'over': %b, 'files': %j}", name,
			     call->over, files);
	frame_pack(message, NULL, &call->frame, &call->err);
	return submit(call);
}

void policy_forget(struct policy_host *host, const char *name)
{
	shelf_forget(host->shelf, name);
	for (int i = 0; i < WORKERS_MAX && name[0] != '\0'; i++)
		peer_forget(host->peers[i], name);
}

struct policy_call *policy_eval(struct policy_host *host, const char *name,
				const struct json *request, policy_done_fn *done, void *arg)
{
	struct policy_call *call = call_new(host, CALL_EVAL, name, done, arg);

	call_ask(call, request);
	return submit(call);
}

bool policy_busy(const struct policy_host *host, const char *name, const struct json *request)
{
	auto_free char *source = call_source(name, request);
	const struct policy_call *call = host->first;

	if (map_get(host->suspects, source) == NULL)
		return false;
	while (call != NULL && !is_suspect(host, call))
		call = call->next;
	return host->tried != NULL || call != NULL;
}

void policy_cancel(struct policy_call *call)
{
	if (call->given) { /* the worker finishes it; nobody hears of it */
		call->done = NULL;
		return;
	}
	take_out(call->host, call);
	call_free(call);
}

int policy_workers(const struct policy_host *host)
{
	return count_running(host);
}

bool policy_has(const struct policy_host *host, const char *name)
{
	return shelf_find(host->shelf, name) != NULL;
}

bool policy_shapes(const struct policy_host *host, const char *name)
{
	const struct shelf_item *item = shelf_find(host->shelf, name);

	return item != NULL && bundle_find(item->bundle, "job.lua") != NULL;
}

const char *policy_digest(const struct policy_host *host, const char *name)
{
	const struct shelf_item *item = shelf_find(host->shelf, name);

	return item != NULL ? item->digest : NULL;
}
