/*
 * events.h - core/v1 Events about our objects, without a flood.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ ; the numbers
 * are those of client-go's EventCorrelator:
 *
 *	same       the same object, type, reason and message within 10 minutes is one Event: its
 *	           count and lastTimestamp are patched
 *	similar    from the 11th message for the same object, type and reason within 10 minutes on,
 *	           they share one Event, "(combined from similar events): MESSAGE"
 *	spam       an object has 25 events, and 1 more every 300 s; beyond that they are dropped
 *
 * Nothing waits for an Event and no failure matters: they are sent one after another, at most
 * EVENTS_QUEUE wait, more are dropped. One that fails in a way that may pass is tried 12 times,
 * 10 s apart. Every table holds EVENTS_TABLE entries, the ones used longest ago go first.
 */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include "kube/client.h"

enum { EVENTS_TABLE = 4096, EVENTS_QUEUE = 1000, EVENTS_TRIES = 12, EVENTS_MESSAGE_MAX = 1024 };

struct events;

struct events_spec {
	const char *component;  /* source.component and reportingComponent: "kserve-controller" */
	const char *instance;   /* reportingInstance: lease_identity(); both are copied */
	int64_t retry_ms;       /* between the tries of one Event; 0: 10000 */
	int64_t (*clock)(void); /* of the rules above; NULL: time_mono_ms. For tests */
};

struct events *events_new(struct loop *loop, struct client *client, const struct events_spec *spec);
void events_free(struct events *events); /* what waits is dropped; NULL is fine */

/*
 * object is an ObjectReference with apiVersion, kind, namespace, name and uid; it becomes
 * involvedObject as it is. type is "Normal" or "Warning", reason one word in CamelCase; message is
 * cut to EVENTS_MESSAGE_MAX bytes.
 */
void events_emit(struct events *events, const struct json *object, const char *type,
		 const char *reason, const char *message);

struct events_count {
	uint64_t sent;    /* POST and PATCH that succeeded */
	uint64_t spam;    /* dropped by the limit of the object */
	uint64_t dropped; /* the queue was full */
	uint64_t failed;  /* refused by the server, or tried too often */
	size_t waiting;   /* in the queue, with the one that is being sent */
};

struct events_count events_count(const struct events *events);

#endif
