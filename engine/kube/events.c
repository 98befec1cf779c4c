#include "kube/events.h"

#include "base/timefmt.h"
#include "base/utf8.h"
#include "kube/correlate.h"

enum { RETRY_MS = 10000, INSTANCE_MAX = 128 };

static const struct kind kind_event = {"", "v1", "events", "Event"};

struct events {
	struct client *client;
	char *component, *instance;
	int64_t retry_ms;
	struct correlator *correlator;

	struct record *first, **last; /* the queue */
	size_t queued;

	struct record *sending; /* NULL: nothing is under way */
	struct json *event;     /* its Event */
	struct client_call *call;
	struct timer *timer; /* starts a try */
	int tries;
	struct events_count count;
};

/* ---- the queue ---- */

static void enqueue(struct events *e, struct record *record)
{
	record_hold(record);
	record->queued = true;
	record->next = NULL;
	*e->last = record;
	e->last = &record->next;
	e->queued++;
}

static struct record *dequeue(struct events *e)
{
	struct record *record = e->first;

	if (record == NULL)
		return NULL;
	e->first = record->next;
	if (e->first == NULL)
		e->last = &e->first;
	e->queued--;
	record->queued = false;
	return record;
}

/* ---- sending ---- */

static const char *namespace_of(const struct json *event)
{
	return json_get_str(json_get(event, "metadata"), "namespace", NULL);
}

static void end_sending(struct events *e)
{
	json_free(steal(e->event));
	record_release(steal(e->sending));
	timer_set(e->timer, 0);
}

static void sent(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct events *e = arg;
	struct record *record = e->sending;
	bool exists = err != NULL && err->kind == ERR_CONFLICT && !record->created;

	e->call = NULL;
	if (err == NULL || exists) { /* it exists: an earlier try came through, its reply did not */
		record->created = true;
		e->count.sent++;
		end_sending(e);
	} else if (err->kind == ERR_NOT_FOUND && record->created) {
		record->created = false; /* the server has let it expire: make it again */
		timer_set(e->timer, 0);
	} else if (err->kind == ERR_RETRY && ++e->tries < EVENTS_TRIES) {
		timer_set(e->timer, err->retry_ms > e->retry_ms ? err->retry_ms : e->retry_ms);
	} else {
		e->count.failed++;
		end_sending(e);
	}
}

static void create_event(struct events *e)
{
	auto_free char *path = client_path(&kind_event, namespace_of(e->event), NULL, NULL);
	char time[TIME_TEXT_MAX];

	time_format(e->sending->first_ms, false, time);
	json_set_str(e->event, "firstTimestamp", time);
	time_format(e->sending->last_ms, false, time);
	json_set_str(e->event, "lastTimestamp", time);
	json_set(e->event, "count", json_int(e->sending->count));
	e->call = client_create(e->client, path, e->event, sent, e);
}

static void patch_event(struct events *e)
{
	auto_free char *path =
	    client_path(&kind_event, namespace_of(e->event), e->sending->name, NULL);
	auto_json struct json *patch = NULL;
	char time[TIME_TEXT_MAX];

	time_format(e->sending->last_ms, false, time);
	patch = json_build("{'count': %d, 'lastTimestamp': %s, 'message': %s}", e->sending->count,
			   time, json_get_str(e->event, "message", ""));
	e->call = client_patch(e->client, path, PATCH_MERGE, patch, sent, e);
}

static void step(void *arg)
{
	struct events *e = arg;

	if (e->sending == NULL) {
		e->sending = dequeue(e);
		if (e->sending == NULL)
			return;
		e->event = steal(e->sending->event);
		e->tries = 0;
	}
	if (e->sending->created)
		patch_event(e);
	else
		create_event(e);
}

/* ---- what others see ---- */

static struct json *make_event(const struct events *e, const struct json *object, const char *name,
			       const char *type, const char *reason, const char *message)
{
	return json_build("{'apiVersion': 'v1', 'kind': 'Event',"
			  " 'metadata': {'name': %s, 'namespace': %s}, 'involvedObject': %j,"
			  " 'type': %s, 'reason': %s, 'message': %s, 'source': {'component': %s},"
			  " 'reportingComponent': %s, 'reportingInstance': %s}",
			  name, json_get_str(object, "namespace", "default"), object, type, reason,
			  message, e->component, e->component, e->instance);
}

static char *cut(const char *text, size_t max)
{
	return xstrndup(text, utf8_prefix(text, strlen(text), max));
}

void events_emit(struct events *e, const struct json *object, const char *type, const char *reason,
		 const char *message)
{
	bool combined = false;
	struct record *record = correlate(e->correlator, object, type, reason, message, &combined);
	auto_free char *whole =
	    xasprintf("%s%s", combined ? "(combined from similar events): " : "", message);
	auto_free char *text = cut(whole, EVENTS_MESSAGE_MAX);

	if (record == NULL) {
		e->count.spam++;
		return;
	}
	if (!record->queued && e->queued >= EVENTS_QUEUE) {
		e->count.dropped++;
		return;
	}
	json_free(record->event);
	record->event = make_event(e, object, record->name, type, reason, text);
	if (!record->queued)
		enqueue(e, record);
	if (e->sending == NULL)
		timer_set(e->timer, 0);
}

struct events_count events_count(const struct events *e)
{
	struct events_count count = e->count;

	count.waiting = e->queued + (e->sending != NULL);
	return count;
}

struct events *events_new(struct loop *loop, struct client *client, const struct events_spec *spec)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->client = client;
	e->component = xstrdup(spec->component);
	e->instance = cut(spec->instance, INSTANCE_MAX);
	e->retry_ms = spec->retry_ms > 0 ? spec->retry_ms : RETRY_MS;
	e->correlator =
	    correlator_new(EVENTS_TABLE, spec->clock != NULL ? spec->clock : time_mono_ms);
	e->last = &e->first;
	e->timer = timer_new(loop, step, e);
	return e;
}

void events_free(struct events *e)
{
	if (e == NULL)
		return;
	client_cancel(e->call);
	timer_free(e->timer);
	json_free(e->event);
	record_release(e->sending);
	for (struct record *record; (record = dequeue(e)) != NULL;)
		record_release(record);
	correlator_free(e->correlator);
	free(e->component);
	free(e->instance);
	free(e);
}
