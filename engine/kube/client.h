/*
 * client.h - six verbs on generic JSON.
 *
 * A reply outside 2xx becomes an error whose message is that of the Status object and whose kind
 * follows https://kubernetes.io/docs/reference/using-api/api-concepts/ : 409 CONFLICT, 410 GONE,
 * 404 NOT_FOUND, 401 and 403 DENIED, 400 405 413 415 422 INVALID, 408 429 5xx RETRY (with
 * retry_ms from Retry-After). err->status holds the HTTP status.
 *
 * Tried again here, unseen by the caller: a 401 once, with fresh credentials; a 429 or 503 whose
 * Retry-After is at most CLIENT_PATIENCE_MS up to CLIENT_RETRIES times (the server has not begun
 * such a request), but not for a stream. Nothing else is: a POST whose connection broke has an
 * unknown outcome and ends with RETRY.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "base/json.h"
#include "kube/config.h"
#include "kube/lines.h"
#include "net/http.h"

struct client;
struct client_call;

/* One kind of object: kind_job = {"batch", "v1", "jobs", "Job"}; the core group is "". */
struct kind {
	const char *group, *version, *plural, *name;
};

enum patch_type { PATCH_MERGE, PATCH_JSON };

enum { CLIENT_REPLY_MAX = 64 << 20, CLIENT_TIMEOUT_MS = 30000 };
enum { CLIENT_RETRIES = 5, CLIENT_PATIENCE_MS = 10000 };

/* config must outlive the client. */
struct client *client_new(struct loop *loop, const struct kube_config *config, struct err *err);
void client_free(struct client *client); /* cancels every call */

/* The path of a collection (name NULL) or object; namespace NULL or "": all, or cluster-scoped;
 * subresource may be NULL; yours. Names may be anything: they are percent-encoded. */
char *client_path(const struct kind *kind, const char *namespace, const char *name,
		  const char *subresource);

/* Add text, percent-encoded, so that it can be a path segment or a value in a query. */
void client_escape(struct buf *out, const char *text);

/* On success err is NULL and object the reply's JSON (NULL for an empty body), borrowed during the
 * call. */
typedef void client_done_fn(void *arg, const struct json *object, const struct err *err);

/* path may carry a query. The handles are valid until done. */
struct client_call *client_get(struct client *c, const char *path, client_done_fn *done, void *arg);

/* The same, but the body comes as it is, unchecked, when err is NULL; borrowed during the call. */
typedef void client_text_fn(void *arg, const char *body, size_t len, const struct err *err);
struct client_call *client_get_text(struct client *c, const char *path, client_text_fn *done,
				    void *arg);

struct client_call *client_create(struct client *c, const char *path, const struct json *object,
				  client_done_fn *done, void *arg);
struct client_call *client_replace(struct client *c, const char *path, const struct json *object,
				   client_done_fn *done, void *arg);
struct client_call *client_patch(struct client *c, const char *path, enum patch_type type,
				 const struct json *patch, client_done_fn *done, void *arg);

/* Background propagation; uid and resource_version are preconditions, NULL: none. */
struct client_call *client_delete(struct client *c, const char *path, const char *uid,
				  const char *resource_version, client_done_fn *done, void *arg);

/* Without a grace period: what a kubelet does once the containers of a deleted Pod have ended. */
struct client_call *client_delete_now(struct client *c, const char *path, const char *uid,
				      client_done_fn *done, void *arg);

/* A streamed GET: each complete line of a 2xx body goes to line (see lines.h), which may end the
 * call with -1 and err. timeout_ms is for the whole call (0: none), and the reply must have begun
 * within CLIENT_TIMEOUT_MS. done gets no object. */
struct client_call *client_stream(struct client *c, const char *path, int64_t timeout_ms,
				  line_fn *line, client_done_fn *done, void *arg);

void client_cancel(struct client_call *call); /* NULL is fine */

/* Called after every HTTP exchange, for metrics: method is GET, POST, ...; status 0: no reply. It must
 * not cancel or free. */
typedef void client_observe_fn(void *arg, const char *method, int status, int64_t duration_ms);
void client_observe(struct client *c, client_observe_fn *fn, void *arg);

#endif
