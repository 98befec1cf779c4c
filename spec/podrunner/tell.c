#include "spec/podrunner/tell.h"

#include "base/log.h"
#include "base/timefmt.h"

enum { TELL_RETRY_MS = 1000 };

struct tell {
	struct client *client;
	char *namespace, *name, *uid, *path, *status_path;
	struct json *sending, *next; /* statuses; NULL: none */
	struct client_call *status_call, *removal_call;
	struct timer *again; /* to send a status, or to remove */
	bool removing, stopped;
	loop_fn *settled;
	void *arg;
};

static const struct kind kind_pod = {"", "v1", "pods", "Pod"};
static const struct kind kind_event = {"", "v1", "events", "Event"};

static void send_status(struct tell *tell);
static void send_removal(struct tell *tell);

/* ---- statuses ---- */

static void on_status(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct tell *tell = arg;

	tell->status_call = NULL;
	if (err != NULL && err->kind == ERR_RETRY) {
		timer_set(tell->again, TELL_RETRY_MS);
		return;
	}
	/* Not found, or of another uid: the watch will tell that the Pod is gone. */
	if (err != NULL && err->kind != ERR_NOT_FOUND && err->kind != ERR_CONFLICT)
		log_error("status refused", "pod", tell->name, "error", err->msg);
	json_free(tell->sending);
	tell->sending = steal(tell->next);
	if (tell->sending != NULL)
		send_status(tell);
	else
		tell->settled(tell->arg);
}

static void send_status(struct tell *tell)
{
	tell->status_call = client_patch(tell->client, tell->status_path, PATCH_MERGE,
					 tell->sending, on_status, tell);
}

void tell_status(struct tell *tell, struct json *patch_taken)
{
	json_free(tell->next);
	tell->next = patch_taken;
	if (tell->sending != NULL || tell->stopped)
		return;
	tell->sending = steal(tell->next);
	send_status(tell);
}

/* ---- the rest ---- */

static void ignore(void *arg UNUSED, const struct json *object UNUSED, const struct err *err UNUSED)
{
}

void tell_event(struct tell *tell, const char *node, const char *reason, const char *message)
{
	auto_free char *path = client_path(&kind_event, tell->namespace, NULL, NULL);
	auto_free char *name = xasprintf("%s.%llx", tell->name, (unsigned long long)time_now_ms());
	auto_json struct json *event = NULL;
	char now[TIME_TEXT_MAX];

	time_format(time_now_ms(), false, now);
	event = json_build("{'apiVersion': 'v1', 'kind': 'Event', 'metadata': {'name': %s},"
			   " 'involvedObject': {'apiVersion': 'v1', 'kind': 'Pod', 'namespace': %s,"
			   " 'name': %s, 'uid': %s}, 'type': 'Warning', 'reason': %s,"
			   " 'message': %s, 'count': 1, 'firstTimestamp': %s, 'lastTimestamp': %s,"
			   " 'source': {'component': 'kubelet', 'host': %s}}",
			   name, tell->namespace, tell->name, tell->uid, reason, message, now, now,
			   node);
	client_create(tell->client, path, event, ignore, NULL);
}

static void on_removed(void *arg, const struct json *object UNUSED, const struct err *err)
{
	struct tell *tell = arg;

	tell->removal_call = NULL;
	if (err != NULL && err->kind == ERR_RETRY)
		timer_set(tell->again, TELL_RETRY_MS);
	else if (err != NULL && err->kind != ERR_NOT_FOUND && err->kind != ERR_CONFLICT)
		log_error("pod not removed", "pod", tell->name, "error", err->msg);
}

static void send_removal(struct tell *tell)
{
	tell->removal_call =
	    client_delete_now(tell->client, tell->path, tell->uid, on_removed, tell);
}

void tell_removal(struct tell *tell)
{
	tell->removing = true;
	if (!tell->stopped && tell->removal_call == NULL)
		send_removal(tell);
}

/* ---- the whole ---- */

static void try_again(void *arg)
{
	struct tell *tell = arg;

	if (tell->sending != NULL && tell->status_call == NULL)
		send_status(tell);
	if (tell->removing && tell->removal_call == NULL)
		send_removal(tell);
}

struct tell *tell_new(struct loop *loop, struct client *client, const struct json *pod,
		      loop_fn *settled, void *arg)
{
	const struct json *metadata = json_get(pod, "metadata");
	struct tell *tell = xcalloc(1, sizeof(*tell));

	tell->client = client;
	tell->namespace = xstrdup(json_get_str(metadata, "namespace", "default"));
	tell->name = xstrdup(json_get_str(metadata, "name", ""));
	tell->uid = xstrdup(json_get_str(metadata, "uid", ""));
	tell->path = client_path(&kind_pod, tell->namespace, tell->name, NULL);
	tell->status_path = client_path(&kind_pod, tell->namespace, tell->name, "status");
	tell->again = timer_new(loop, try_again, tell);
	tell->settled = settled;
	tell->arg = arg;
	return tell;
}

void tell_stop(struct tell *tell)
{
	tell->stopped = true;
	timer_clear(tell->again);
	client_cancel(tell->status_call);
	client_cancel(tell->removal_call);
	tell->status_call = tell->removal_call = NULL;
}

void tell_free(struct tell *tell)
{
	tell_stop(tell);
	timer_free(tell->again);
	json_free(tell->sending);
	json_free(tell->next);
	free(tell->namespace);
	free(tell->name);
	free(tell->uid);
	free(tell->path);
	free(tell->status_path);
	free(tell);
}
