/*
 * controller.h - the loop of passes: what changed goes into the queue, a key that comes out is
 * observed, asked about, decided and acted upon, and told back to the queue.
 *
 * After a pass has written, the next one for that key is held until the watch has shown the write
 * (or HOLD_MS have gone by; every write is guarded, so an early pass wastes a call but breaks
 * nothing).
 */
#ifndef CONTROL_CONTROLLER_H
#define CONTROL_CONTROLLER_H

#include "control/metrics.h"
#include "kube/client.h"
#include "kube/events.h"
#include "net/loop.h"
#include "policy/host.h"

struct controller;

struct controller_spec {
	const char *const *namespaces;              /* to watch; NULL-terminated, empty: all */
	const char *policy_namespace, *policy_name; /* the policy ConfigMap */
	bool config_policies;                       /* configs may have policies of their own */
	const char *service_account; /* of runner pods; NULL: the namespace's default */
	int64_t pending_ms;          /* see waiting.h; 0: no limit */
	int max_in_flight;
	int64_t resync_ms;            /* every run that has not finished is looked at again */
	bool (*may_write)(void *arg); /* this process holds the lease, freshly */
	void *arg;
};

struct controller_deps {
	struct loop *loop;
	struct client *client;
	struct policy_host *host;
	struct events *events;
	struct metrics *metrics;
};

/* Starts to watch at once; passes begin with controller_lead. */
struct controller *controller_new(const struct controller_deps *deps,
				  const struct controller_spec *spec);
void controller_free(struct controller *controller);

/* This process holds the lease now: passes may begin, once the caches are full. */
void controller_lead(struct controller *controller);

/* Begin no more passes; stopped is called when the last one in flight has ended. */
void controller_stop(struct controller *controller, void (*stopped)(void *arg), void *arg);

/* The caches are full and the policies known. */
bool controller_ready(const struct controller *controller);

/* Age of the key that has been ready longest, in ms. */
int64_t controller_oldest_ms(const struct controller *controller);

/* Set the gauges that are read off the state. */
void controller_measure(struct controller *controller);

#endif
