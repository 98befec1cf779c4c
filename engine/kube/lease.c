#include "kube/lease.h"

#include "base/timefmt.h"
#include "kube/random.h"

enum { HOSTNAME_LEN = 255, DURATION_MAX_S = 24 * 3600 };

static const struct lease_timing default_timing = {
    .duration_ms = 15000, .deadline_ms = 10000, .retry_ms = 2000, .poll_ms = 500};

static const struct kind kind_lease = {"coordination.k8s.io", "v1", "leases", "Lease"};

enum role { ROLE_CANDIDATE, ROLE_LEADER, ROLE_RELEASING, ROLE_OVER };

struct lease {
	struct loop *loop;
	struct client *client;
	struct lease_spec spec;
	struct lease_timing timing;
	char *namespace, *name, *identity;

	enum role role;
	struct client_call *call;
	struct timer *retry;    /* the next try */
	struct timer *attempt;  /* the end of this try, or of the release */
	struct timer *deadline; /* of the leader */
	int64_t sent_ms;        /* when the write on its way was sent */
	int64_t renewed_ms;     /* sent_ms of the last write that succeeded */
	bool final;             /* the write on its way is the release */

	struct json *current; /* the Lease; NULL: unknown, so read it before writing */
	char *record;         /* its spec as text, to see it change */
	int64_t observed_ms;  /* when it changed, on our clock */
	char *holder;         /* whom waiting() was told last */

	loop_fn *released;
	void *released_arg;
};

/* ---- the record ---- */

char *lease_identity(void)
{
	char host[HOSTNAME_LEN + 1] = "";
	auto_free char *uuid = random_uuid();

	gethostname(host, HOSTNAME_LEN);
	return xasprintf("%s_%s", host, uuid);
}

static const char *holder_of(const struct json *lease)
{
	return json_get_str(json_get(lease, "spec"), "holderIdentity", "");
}

static bool is_ours(const struct lease *l, const struct json *lease)
{
	return streq(holder_of(lease), l->identity);
}

static void observe(struct lease *l, const struct json *lease)
{
	const struct json *spec = json_get(lease, "spec");
	char *record = spec != NULL ? json_print(spec) : xstrdup("");

	if (l->record == NULL || !streq(record, l->record))
		l->observed_ms = time_mono_ms();
	free(l->record);
	l->record = record;
	json_free(l->current);
	l->current = json_copy(lease);
}

static void forget(struct lease *l)
{
	json_free(steal(l->current));
}

/* How long from now the Lease is still its holder's; nothing if it has none, or one that has been
 * silent for its own duration. */
static int64_t held_for_ms(const struct lease *l)
{
	int64_t seconds = json_get_int(json_get(l->current, "spec"), "leaseDurationSeconds", 0);
	int64_t duration_ms = l->timing.duration_ms;

	if (*holder_of(l->current) == '\0')
		return 0;
	if (seconds > 0)
		duration_ms = (seconds < DURATION_MAX_S ? seconds : DURATION_MAX_S) * 1000;
	return l->observed_ms + duration_ms - time_mono_ms();
}

/* Everything that we do not know stays as it was read. */
static struct json *next_record(const struct lease *l)
{
	struct json *lease =
	    l->current != NULL
		? json_copy(l->current)
		: json_build("{'apiVersion': 'coordination.k8s.io/v1', 'kind': 'Lease', "
			     "'metadata': {'namespace': %s, 'name': %s}}",
			     l->namespace, l->name);
	bool released = l->role == ROLE_RELEASING;
	bool taken = !is_ours(l, lease);
	struct json *spec = json_obj(lease, "spec");
	char now[TIME_TEXT_MAX];

	time_format_micro(time_now_ms(), now);
	if (l->current == NULL)
		json_set(spec, "leaseTransitions", json_int(0));
	else if (taken)
		json_set(spec, "leaseTransitions",
			 json_int(json_get_int(spec, "leaseTransitions", 0) + 1));
	if (taken || released)
		json_set_str(spec, "acquireTime", now);
	json_set_str(spec, "renewTime", now);
	json_set_str(spec, "holderIdentity", released ? "" : l->identity);
	json_set(spec, "leaseDurationSeconds",
		 json_int(released ? 1 : l->timing.duration_ms / 1000));
	return lease;
}

/* ---- tries ---- */

static void halt(struct lease *l)
{
	client_cancel(l->call);
	l->call = NULL;
	timer_clear(l->retry);
	timer_clear(l->attempt);
	timer_clear(l->deadline);
	l->role = ROLE_OVER;
}

/* This try is over; plan the next. */
static void schedule(struct lease *l, int64_t ms)
{
	timer_clear(l->attempt);
	timer_set(l->retry, ms);
}

static void finish_release(struct lease *l)
{
	halt(l);
	l->released(l->released_arg);
}

static void lose(void *arg)
{
	struct lease *l = arg;

	halt(l);
	l->spec.lost(l->spec.arg);
}

static void step(struct lease *l);

static void try_failed(struct lease *l, const struct err *err)
{
	int64_t ms = l->timing.retry_ms;

	forget(l); /* also after a lost reply: what was written is unknown */
	if (l->role == ROLE_RELEASING) {
		if (l->final)
			finish_release(l);
		else
			step(l);
		return;
	}
	if (l->role == ROLE_CANDIDATE) /* so that candidates do not collide for ever */
		ms += random_between(0, ms * 6 / 5);
	schedule(l, ms);
	if (err->kind != ERR_CONFLICT && l->spec.trouble != NULL) /* a rival was faster: fine */
		l->spec.trouble(l->spec.arg, err);
}

static void attempt_over(void *arg)
{
	struct lease *l = arg;
	struct err err = ERR_INIT;

	client_cancel(l->call);
	l->call = NULL;
	if (l->role == ROLE_RELEASING) {
		finish_release(l);
		return;
	}
	err_set(&err, ERR_RETRY, "lease %s/%s: expected a reply within %lld ms, found none",
		l->namespace, l->name, (long long)(l->timing.deadline_ms / 2));
	try_failed(l, &err);
}

static void renewed(struct lease *l)
{
	bool was_leader = l->role == ROLE_LEADER;

	l->role = ROLE_LEADER;
	l->renewed_ms = l->sent_ms;
	timer_set(l->deadline, l->renewed_ms + l->timing.deadline_ms - time_mono_ms());
	schedule(l, l->timing.retry_ms);
	if (!was_leader)
		l->spec.started(l->spec.arg);
}

static void wrote(void *arg, const struct json *lease, const struct err *err)
{
	struct lease *l = arg;

	l->call = NULL;
	if (err != NULL) {
		try_failed(l, err);
		return;
	}
	observe(l, lease);
	if (l->role != ROLE_RELEASING)
		renewed(l);
	else if (l->final)
		finish_release(l);
	else
		step(l);
}

static void write_record(struct lease *l)
{
	auto_json struct json *lease = next_record(l);
	auto_free char *path =
	    client_path(&kind_lease, l->namespace, l->current != NULL ? l->name : NULL, NULL);

	l->sent_ms = time_mono_ms();
	l->final = l->role == ROLE_RELEASING;
	l->call =
	    (l->current != NULL ? client_replace : client_create)(l->client, path, lease, wrote, l);
}

static void held_by_another(struct lease *l)
{
	auto_free char *holder = xstrdup(holder_of(l->current));
	bool news = l->holder == NULL || !streq(l->holder, holder);
	int64_t poll_ms = l->timing.poll_ms + random_between(0, l->timing.poll_ms * 3 / 5);
	int64_t held_ms = held_for_ms(l);

	if (l->role == ROLE_LEADER) {
		lose(l);
		return;
	}
	forget(l); /* it will have changed until the next try */
	schedule(l, held_ms < poll_ms ? held_ms : poll_ms);
	if (!news || l->spec.waiting == NULL)
		return;
	free(l->holder);
	l->holder = xstrdup(holder);
	l->spec.waiting(l->spec.arg, holder);
}

static void read_record(void *arg, const struct json *lease, const struct err *err)
{
	struct lease *l = arg;
	bool missing = err != NULL && err->kind == ERR_NOT_FOUND;

	l->call = NULL;
	if (err != NULL && !missing) {
		try_failed(l, err);
		return;
	}
	if (!missing)
		observe(l, lease);
	if (l->role == ROLE_RELEASING && (missing || !is_ours(l, l->current)))
		finish_release(l);
	else if (missing || is_ours(l, l->current) || held_for_ms(l) <= 0)
		write_record(l);
	else
		held_by_another(l);
}

/* Begin a try: a write if the Lease is known, which is when we have just written it, else a read.
 */
static void step(struct lease *l)
{
	auto_free char *path = client_path(&kind_lease, l->namespace, l->name, NULL);

	if (l->role != ROLE_RELEASING)
		timer_set(l->attempt, l->timing.deadline_ms / 2);
	if (l->current != NULL)
		write_record(l);
	else
		l->call = client_get(l->client, path, read_record, l);
}

static void retry(void *arg)
{
	step(arg);
}

/* ---- lifetime ---- */

struct lease *lease_start(struct loop *loop, struct client *client, const struct lease_spec *spec)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->client = client;
	l->spec = *spec;
	l->timing = spec->timing != NULL ? *spec->timing : default_timing;
	l->namespace = xstrdup(spec->namespace);
	l->name = xstrdup(spec->name);
	l->identity = xstrdup(spec->identity);
	l->retry = timer_new(loop, retry, l);
	l->attempt = timer_new(loop, attempt_over, l);
	l->deadline = timer_new(loop, lose, l);
	step(l);
	return l;
}

void lease_free(struct lease *l)
{
	if (l == NULL)
		return;
	halt(l);
	loop_undefer(l->loop, l);
	timer_free(l->retry);
	timer_free(l->attempt);
	timer_free(l->deadline);
	forget(l);
	free(l->record);
	free(l->holder);
	free(l->namespace);
	free(l->name);
	free(l->identity);
	free(l);
}

bool lease_fresh(const struct lease *l)
{
	return l->role == ROLE_LEADER && time_mono_ms() - l->renewed_ms < l->timing.deadline_ms;
}

static void nothing_to_release(void *arg)
{
	finish_release(arg);
}

void lease_release(struct lease *l, loop_fn *done, void *arg)
{
	l->released = done;
	l->released_arg = arg;
	if (l->role != ROLE_LEADER) {
		halt(l);
		loop_defer(l->loop, nothing_to_release, l);
		return;
	}
	l->role = ROLE_RELEASING;
	l->final = false;
	timer_clear(l->retry);
	timer_clear(l->deadline);
	timer_set(l->attempt, l->timing.deadline_ms / 2);
	if (l->call == NULL)
		step(l);
}
