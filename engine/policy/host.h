/*
 * host.h - the engine's side of the policy workers: child processes that run Lua.
 *
 * A worker is this program started again ("policy-worker") with a socketpair as its only
 * descriptor beside stderr, an empty environment, resource limits and a seccomp filter. It has one
 * request at a time; others wait in order. One worker is the rule. When requests wait and every
 * worker has been busy for 10 ms, another is started, up to 4; those end after 30 s of idleness.
 *
 * A worker that misses the deadline (it may still tell where the script is), crashes or answers
 * nonsense is killed, and its request answered: the hooks that had answered keep their results, the
 * others have an error of kind "limit". A load fails with ERR_RETRY then: the machine may be at
 * fault, not the bundle. Runs and named bundles that have reached a limit share one worker until
 * they are answered well, so that they keep nobody else waiting.
 *
 * A bundle is a JSON object from file name to text: {"contract.lua": "return {...}", ...}. The one
 * named "" is in force for all; at first it is the default bundle, which is built into the
 * program. Others have names that callers choose.
 */
#ifndef POLICY_HOST_H
#define POLICY_HOST_H

#include "base/json.h"
#include "net/loop.h"

struct policy_host;
struct policy_call;

struct policy_options {
	const char *program; /* the path of the worker's program, borrowed; NULL: /proc/self/exe */
	int64_t deadline_ms; /* for one request; 0: 2000 */
	int64_t rest_ms;     /* of idleness, then a worker too many is ended; 0: 30000 */
};

enum {
	POLICY_BUNDLE_MAX = 1 << 20, /* bytes of all files: a ConfigMap holds no more */
	POLICY_REPLY_MAX = 4 << 20,
};

/* Starts with the default bundle in force. */
struct policy_host *policy_host_new(struct loop *loop, const struct policy_options *options);
void policy_host_free(struct policy_host *host); /* cancels every call, ends the workers */

/* On failure reply is NULL: the request is wrong or too large, there is no such bundle
 * (ERR_NOT_FOUND), or no worker can be started. What a script does wrong stands in the reply. Both
 * are valid during the call only. */
typedef void policy_done_fn(void *arg, const struct json *reply, const struct err *err);

/*
 * Put a bundle in force under a name: it is compiled, run and checked in a worker first. Success:
 * reply is {"digest": "sha256:<12 hex>"} and every evaluation started from now on uses it. Failure
 * (err: "file:line: message"): what had the name before keeps it.
 *
 * What the bundle leaves out comes from the default bundle; with over (which "" cannot be) from the
 * one in force, whichever that is at the time of an evaluation. Loads are served in order, those of
 * "" beside those of names. Limits: shelf.h.
 */
struct policy_call *policy_load(struct policy_host *host, const char *name, bool over,
				const struct json *files, policy_done_fn *done, void *arg);

/* Drop a named bundle. A load of that name which is under way still takes effect. */
void policy_forget(struct policy_host *host, const char *name);

/*
 * Evaluate hooks with one input. request:
 *	{"hooks": ["validate", "contract", "shape", "status"], "run": {...}, "config": {...},
 *	 "job": {...}, "manifest": {...}, "pods": [...], "now": "2026-11-24T10:00:00Z"}
 * Only the hooks named are run, in that order, each in a fresh state. `job` is {"id","name"} for
 * contract and the Job object (or null) for status. reply:
 *	{"digest": "sha256:...", "results": {"contract": {"ok": {...}, "usage": {...}},
 *	 "validate": {"error": {...}, "usage": {...}}}}
 * usage (eval.h) is there where the hook has come to its end. An error is {"kind": "reject" |
 * "script" | "limit", "hook", "file", "line", "message", "traceback"}; line is 0 where none is
 * known. ok of validate: [{"field","message"}, ...] (maybe empty); of status:
 * {"phase","reason","message","conditions"?}; of shape: the manifest. A result of another shape is
 * an error of kind "script".
 */
struct policy_call *policy_eval(struct policy_host *host, const char *name,
				const struct json *request, policy_done_fn *done, void *arg);

/*
 * Would policy_eval() of this wait for others that have reached a limit, as it has itself? Who has
 * better to do should not ask now: such a wait may be long. Once a bundle is in force for all, what
 * runs have met before it is forgotten.
 */
bool policy_busy(const struct policy_host *host, const char *name, const struct json *request);

/* A load that is cancelled has no effect. */
void policy_cancel(struct policy_call *call);

bool policy_has(const struct policy_host *host, const char *name);

/* Has the bundle a job.lua? Without one, asking for shape is a long way to the manifest. */
bool policy_shapes(const struct policy_host *host, const char *name);

/* The digest of what is run under that name, what it is laid over included; NULL: no such bundle.
 * Valid until the next turn of the loop. */
const char *policy_digest(const struct policy_host *host, const char *name);

/* How many worker processes there are now. */
int policy_workers(const struct policy_host *host);

/* Main of the child, for main.c: `kserve-controller policy-worker`. Does not return. */
_Noreturn void policy_worker_main(void);

#endif
