/*
 * faults.h - requests that go wrong on purpose, and a count of all requests.
 *
 * A fault is JSON: {"match": {"verb": "create", "resource": "jobs", "name": "re", "namespace":
 * "ns", "client": "re", "nth": 3}, "times": 1, "fault": "reset"}. All of match is optional; a
 * subresource is "jobs/status"; name and client (the User-Agent) are POSIX extended expressions;
 * nth lets the first nth-1 matching requests pass; times 0 means for ever, its default is 1.
 *
 *	reset          cut the connection (TCP RST) before anything is done
 *	commit-reset   do it, then cut the connection: the client cannot know
 *	timeout        never answer, never do it
 *	commit-timeout do it, never answer
 *	delay:MS       answer MS later
 *	truncate       do it, send half of the reply, cut the connection
 *	409, 410, 429, 500, 503, any number from 400: refuse with that status
 */
#ifndef APISIM_FAULTS_H
#define APISIM_FAULTS_H

#include "base/json.h"

enum fault {
	FAULT_NONE,
	FAULT_RESET,
	FAULT_COMMIT_RESET,
	FAULT_TIMEOUT,
	FAULT_COMMIT_TIMEOUT,
	FAULT_DELAY,
	FAULT_TRUNCATE,
	FAULT_STATUS,
};

/* What a request is, for matching and counting. Empty strings where unknown. */
struct request_facts {
	const char *verb, *resource, *namespace, *name, *client;
};

struct faults;

enum { FAULTS_MAX = 256, COUNTERS_MAX = 4096 };

struct faults *faults_new(void);
void faults_free(struct faults *faults);

int faults_add(struct faults *faults, const struct json *fault, struct err *err);
void faults_clear(struct faults *faults);

/* What happens to this request; *value is the delay in milliseconds or the status. */
enum fault faults_take(struct faults *faults, const struct request_facts *facts, int64_t *value);

/* Count a request, and report: {"total", "writes", "requests": [{client, verb, resource, count}]}.
 */
void faults_count(struct faults *faults, const struct request_facts *facts);
struct json *faults_report(const struct faults *faults);
void faults_reset_counters(struct faults *faults);

#endif
