#include "policy/peer.h"

#include "base/map.h"
#include "policy/frame.h"
#include "policy/process.h"

enum { READ_STEP = 64 << 10, LAST_WORDS_MS = 500 };

struct peer {
	struct peer_spec spec;
	struct process worker;
	struct io *io; /* NULL: no process */
	struct buf out, in;
	struct map *known;   /* name -> int64_t, version of the bundles that the worker has */
	struct timer *timer; /* with a call its deadline, without one the end of the rest */
	struct policy_call *call;
	bool late; /* the deadline of the call is over, and the worker was asked to end */
};

static void on_readable(void *arg);
static void on_writable(void *arg);

/* ---- the process ---- */

static void stop(struct peer *peer, char how[PROCESS_HOW_MAX])
{
	io_free(steal(peer->io));
	process_kill(&peer->worker, how);
	buf_done(&peer->out);
	buf_done(&peer->in);
	map_free(peer->known);
	peer->known = map_new(free);
	timer_clear(peer->timer);
}

static int start(struct peer *peer, struct err *err)
{
	if (process_start(&peer->worker, peer->spec.program, err) < 0)
		return err_wrap(err, "policy worker");
	peer->io = io_new(peer->spec.loop, peer->worker.fd, on_readable, on_writable, peer);
	peer_knows(peer, "", SHELF_DEFAULT);
	return 0;
}

bool peer_runs(const struct peer *peer)
{
	return peer->io != NULL;
}

void peer_stop(struct peer *peer)
{
	char how[PROCESS_HOW_MAX];

	stop(peer, how);
}

/* ---- ends of a call ---- */

static void end(struct peer *peer)
{
	struct policy_call *call = steal(peer->call);

	if (peer->io != NULL)
		timer_set(peer->timer, peer->spec.rest_ms);
	peer->spec.ended(peer->spec.arg, peer, call);
}

/* The worker is of no use any more. problem: NULL if how it ended tells it. */
static void lose(struct peer *peer, const char *problem)
{
	char how[PROCESS_HOW_MAX];
	auto_free char *text = NULL;

	stop(peer, how);
	if (peer->call == NULL)
		return;
	text = xasprintf("the policy worker %s", problem != NULL ? problem : how);
	call_lose(peer->call, NULL, text);
	end(peer);
}

/* After the deadline it does not matter in which way it goes. */
static void lose_late(struct peer *peer)
{
	char problem[80];

	snprintf(problem, sizeof(problem), "did not answer within %lld ms and was ended",
		 (long long)peer->spec.deadline_ms);
	lose(peer, problem);
}

static void on_timer(void *arg)
{
	struct peer *peer = arg;

	if (peer->call == NULL) {
		peer->spec.rested(peer->spec.arg, peer);
	} else if (peer->late) {
		lose_late(peer);
	} else {
		peer->late = true;
		process_ask_to_end(&peer->worker);
		timer_set(peer->timer, LAST_WORDS_MS);
	}
}

/* ---- reading ---- */

/* Returns true if more answers to the call are to come; else the peer may be gone. */
static bool take(struct peer *peer, struct json *answer)
{
	enum call_state state;

	if (json_is_true(json_get(answer, "last")))
		peer_stop(peer); /* it ends itself: nothing more may be sent to it */
	state = call_take(peer->call, answer);
	if (peer->late && peer->call->err.kind != ERR_NONE)
		peer->call->err.kind = ERR_RETRY; /* of a load: on a quicker machine it might end */
	if (state == CALL_OPEN && peer->io != NULL)
		return true;
	if (state == CALL_NONSENSE) {
		lose(peer, "gave an answer that makes no sense and was ended");
		return false;
	}
	if (state == CALL_OPEN)
		call_lose(peer->call, json_get_str(answer, "hook", ""),
			  "the policy worker was ended");
	end(peer);
	return false;
}

/* Take one answer out of what was read. Returns true if there may be another. */
static bool take_next(struct peer *peer)
{
	auto_json struct json *answer = NULL;
	struct err err = ERR_INIT;
	size_t size = 0;

	if (peer->in.len >= FRAME_HEADER)
		size = frame_get_size(peer->in.data);
	if (peer->call == NULL ? peer->in.len > 0 : size > POLICY_REPLY_MAX) {
		lose(peer, "gave an answer that nobody asked for and was ended");
		return false;
	}
	if (peer->in.len < FRAME_HEADER + size || peer->in.len == 0)
		return false;
	answer = frame_unpack(peer->in.data + FRAME_HEADER, size, &err);
	buf_consume(&peer->in, FRAME_HEADER + size);
	if (answer != NULL)
		return take(peer, answer);
	lose(peer, "gave an answer that is not JSON and was ended");
	return false;
}

static void on_readable(void *arg)
{
	struct peer *peer = arg;
	static char bytes[READ_STEP];
	ssize_t n = process_read(&peer->worker, bytes, sizeof(bytes));

	if (n < 0)
		return; /* not yet */
	if (n == 0 && peer->late) {
		lose_late(peer);
		return;
	}
	if (n == 0) {
		lose(peer, NULL);
		return;
	}
	buf_add(&peer->in, bytes, (size_t)n);
	while (take_next(peer))
		;
}

/* ---- writing ---- */

/* Most often all of it goes at once, and the loop need not be asked. */
static void on_writable(void *arg)
{
	struct peer *peer = arg;
	ssize_t n = process_write(&peer->worker, peer->out.data, peer->out.len);

	/* A worker that is gone shows at the reading side. */
	if (n > 0)
		buf_consume(&peer->out, (size_t)n);
	io_want(peer->io, true, peer->out.len > 0);
}

static int bring(struct peer *peer, const struct shelf *shelf, const char *name, struct err *err)
{
	const struct shelf_item *item = shelf_find(shelf, name);
	const int64_t *version = map_get(peer->known, name);
	auto_json struct json *message = NULL;

	if (item == NULL || (version != NULL && *version == item->version))
		return 0;
	message = json_build("{'op': 'use', 'bundle': %s, 'over': %b}", name, item->over);
	json_set(message, "files", bundle_files(item->bundle));
	peer_knows(peer, name, item->version);
	return frame_pack(message, NULL, &peer->out, err);
}

static int prepare(struct peer *peer, const struct shelf *shelf, const char *name, struct err *err)
{
	if (peer->in.len > 0)
		peer_stop(peer); /* it said more than it was asked */
	if (peer->io == NULL && start(peer, err) < 0)
		return -1;
	if (bring(peer, shelf, "", err) < 0)
		return -1;
	return bring(peer, shelf, name, err);
}

int peer_give(struct peer *peer, const struct shelf *shelf, struct policy_call *call,
	      struct err *err)
{
	if (prepare(peer, shelf, call->name, err) < 0) {
		peer_stop(peer);
		return -1;
	}
	buf_add(&peer->out, call->frame.data, call->frame.len);
	buf_done(&call->frame);
	peer->call = call;
	peer->late = false;
	on_writable(peer);
	timer_set(peer->timer, peer->spec.deadline_ms);
	return 0;
}

void peer_knows(struct peer *peer, const char *name, int64_t version)
{
	int64_t *known;

	if (peer->io == NULL)
		return;
	known = xmalloc(sizeof(*known));
	*known = version;
	map_put(peer->known, name, known);
}

void peer_forget(struct peer *peer, const char *name)
{
	auto_json struct json *message = json_build("{'op': 'forget', 'bundle': %s}", name);
	struct err err = ERR_INIT;

	if (!map_del(peer->known, name))
		return;
	if (frame_pack(message, NULL, &peer->out, &err) == 0)
		on_writable(peer);
}

/* ---- life ---- */

struct policy_call *peer_call(const struct peer *peer)
{
	return peer->call;
}

struct peer *peer_new(const struct peer_spec *spec)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->spec = *spec;
	peer->worker = (struct process)PROCESS_INIT;
	/* What it lacks of bundles, and a call. */
	peer->out = (struct buf)BUF_INIT(3 * (FRAME_HEADER + FRAME_MAX));
	peer->in = (struct buf)BUF_INIT(FRAME_HEADER + POLICY_REPLY_MAX + READ_STEP);
	peer->known = map_new(free);
	peer->timer = timer_new(spec->loop, on_timer, peer);
	return peer;
}

void peer_free(struct peer *peer)
{
	if (peer == NULL)
		return;
	peer_stop(peer);
	call_free(peer->call);
	map_free(peer->known);
	timer_free(peer->timer);
	free(peer);
}
