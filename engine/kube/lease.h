/*
 * lease.h - one leader at a time, through a Lease object.
 *
 * https://kubernetes.io/docs/concepts/architecture/leases/ ; the algorithm is that of client-go's
 * leaderelection: clocks of other machines are never compared. A holder is thought alive for the
 * leaseDurationSeconds of its record, counted on our own monotonic clock from the moment when we
 * saw the record change last. Every write is guarded by the resourceVersion that was read.
 *
 *	candidate: read the Lease every 0.5 to 0.8 s, every 2 to 4.4 s while that fails; create it
 *	           if there is none; take it over if it is released or its holder has been silent
 *	           for its duration. So a release is taken over within a second, a crash within 17 s
 *	leader:    write renewTime every 2 s; one try takes at most half of the renew deadline;
 *	           lost() when none has succeeded for 10 s, or when another holder is found
 *	over:      after lost() or lease_release(): nothing more happens. Exit.
 *
 * Our own duration is 15 s: another can lead 5 s after we have stopped at the earliest. The time
 * of a renewal is that of its sending, and lease_fresh() reads the clock itself, so that a process
 * which was stopped for a while finds out before it writes, not when its timers run.
 *
 *	struct lease *lease = lease_start(loop, client, &(struct lease_spec){
 *		.namespace = "kserve-system", .name = "kserve-controller", .identity = identity,
 *		.started = lead, .lost = stop, .arg = app});
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "kube/client.h"

struct lease;

/* In ms; duration_ms in whole seconds, greater than deadline_ms, greater than retry_ms; poll_ms
 * is independent of them. */
struct lease_timing {
	int64_t duration_ms; /* 15000 */
	int64_t deadline_ms; /* 10000 */
	int64_t retry_ms;    /* 2000 */
	int64_t poll_ms;     /* 500; of a candidate, up to 3/5 are added */
};

/* namespace, name and identity are copied. */
struct lease_spec {
	const char *namespace, *name;
	const char *identity;       /* of this process alone: lease_identity() */
	void (*started)(void *arg); /* we lead from now on */
	void (*lost)(void *arg);    /* we lead no more; called once, only after started */
	/* Another holds the Lease (once for each holder seen), or a try failed; or NULL. */
	void (*waiting)(void *arg, const char *holder);
	void (*trouble)(void *arg, const struct err *err);
	void *arg;
	const struct lease_timing *timing; /* NULL: as above */
};

struct lease *lease_start(struct loop *loop, struct client *client, const struct lease_spec *spec);
void lease_free(struct lease *lease); /* does not release it */

/* May we still create things? True while we lead and the last renewal is younger than the
 * deadline. */
bool lease_fresh(const struct lease *lease);

/*
 * Stop: if we lead, write an empty holder and a duration of 1 s, so that another takes over at
 * once. All work that the Lease guards must have ended before. done comes when it is written, has
 * failed or has taken half of the deadline; lost() does not come any more.
 */
void lease_release(struct lease *lease, loop_fn *done, void *arg);

/* "HOSTNAME_UUID", new each time; yours. */
char *lease_identity(void);

#endif
