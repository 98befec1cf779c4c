#include "spec/apisim/api.h"

#include <sys/queue.h>

#include "spec/apisim/route.h"
#include "spec/apisim/status.h"
#include "spec/apisim/verbs.h"

static const char JSON_TYPE[] = "application/json";

struct api {
	struct server *server;
	struct hub *hub;
	struct api_options options;
	struct faults *faults;
	TAILQ_HEAD(, exchange) waiting; /* for their time to come */
};

/* One request on its way. */
struct exchange {
	TAILQ_ENTRY(exchange) link;
	struct api *api;
	struct call *call;
	struct request request;
	enum fault fault;
	int64_t fault_value;
	struct timer *timer; /* while it waits */
};

struct api *api_new(struct server *server, struct hub *hub, const struct api_options *options)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->server = server;
	api->hub = hub;
	api->options = *options;
	api->faults = faults_new();
	TAILQ_INIT(&api->waiting);
	return api;
}

static void exchange_free(struct exchange *x)
{
	if (x->timer != NULL)
		TAILQ_REMOVE(&x->api->waiting, x, link);
	timer_free(x->timer);
	request_done(&x->request);
	free(x);
}

void api_free(struct api *api)
{
	struct exchange *next;

	if (api == NULL)
		return;
	for (struct exchange *x = TAILQ_FIRST(&api->waiting); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		exchange_free(x);
	}
	faults_free(api->faults);
	free(api);
}

/* ---- answers ---- */

static void send(struct exchange *x, int status, const char *type, const char *body, size_t len)
{
	switch (x->fault) {
	case FAULT_COMMIT_RESET:
		call_reset(x->call);
		return;
	case FAULT_COMMIT_TIMEOUT:
		call_hold(x->call);
		return;
	case FAULT_TRUNCATE:
		call_truncate(x->call, status, type, body, len);
		return;
	case FAULT_NONE:
	case FAULT_RESET:
	case FAULT_TIMEOUT:
	case FAULT_DELAY:
	case FAULT_STATUS:
		break;
	}
	call_reply(x->call, status, type, body, len);
}

static void send_json(struct exchange *x, int status, struct json *value_taken)
{
	auto_free char *text = json_print(value_taken);

	if (status == 429 || status == 503)
		call_add_header(x->call, "Retry-After", "1");
	send(x, status, JSON_TYPE, text, strlen(text));
	json_free(value_taken);
}

static void send_status(struct exchange *x, struct json *status_taken)
{
	send_json(x, status_code(status_taken), status_taken);
}

static void send_no_page(struct exchange *x)
{
	send(x, 404, "text/plain; charset=utf-8", "404 page not found\n", 19);
}

static void add_warnings(struct exchange *x)
{
	const struct json *w = json_first(x->request.warnings);

	for (; w != NULL; w = json_next(w)) {
		auto_buf struct buf header = BUF_INIT(4096);

		buf_adds(&header, "299 - ");
		buf_add_json(&header, json_str(w), strlen(json_str(w)));
		call_add_header(x->call, "Warning", header.data);
	}
}

/* ---- what is no object ---- */

static void control_faults(struct exchange *x)
{
	struct faults *faults = x->api->faults;
	struct err err = ERR_INIT;

	if (streq(x->request.method, "DELETE"))
		faults_clear(faults);
	else if (x->request.body == NULL)
		err_set(&err, ERR_INVALID, "expected a fault as JSON in the body");
	else
		faults_add(faults, x->request.body, &err);
	if (err.kind != ERR_NONE)
		send_status(x, status_bad_request("%s", err.msg));
	else
		send_json(x, 200, json_object());
}

static void control(struct exchange *x)
{
	const struct route *route = &x->request.route;

	if (streq(route->name, "faults")) {
		control_faults(x);
	} else if (streq(route->name, "requests")) {
		if (streq(x->request.method, "DELETE"))
			faults_reset_counters(x->api->faults);
		send_json(x, 200, faults_report(x->api->faults));
	} else if (streq(route->name, "watches")) {
		struct json *count = json_build("{'watches':%d}", (int64_t)hub_count(x->api->hub));

		if (streq(route->subresource, "close")) {
			if (query_is_true(x->request.query, "forget"))
				store_forget(x->api->server->store);
			hub_close(x->api->hub);
		}
		send_json(x, 200, count);
	} else {
		send_no_page(x);
	}
}

static void discover(struct exchange *x)
{
	const struct route *route = &x->request.route;
	const struct kinds *kinds = x->api->server->kinds;
	struct json *document = NULL;

	if (route->kind == ROUTE_VERSION)
		document = discovery_version();
	else if (route->kind == ROUTE_API)
		document = discovery_api();
	else if (route->kind == ROUTE_APIS)
		document = discovery_groups(kinds);
	else if (route->kind == ROUTE_GROUP)
		document = discovery_group(kinds, route->group);
	else
		document = discovery_resources(kinds, route->group, route->version);
	if (document == NULL)
		send_no_page(x);
	else
		send_json(x, 200, document);
}

static void objects(struct exchange *x)
{
	struct reply reply = {.status = 200, .text = BUF_INIT(LIST_BYTES_MAX)};
	struct json *refused;

	if (x->request.resource == NULL) {
		send_no_page(x);
		return;
	}
	if (streq(x->request.verb, "watch")) {
		refused = verbs_watch(x->api->hub, x->call, &x->request);
		if (refused != NULL)
			send_status(x, refused);
		return;
	}
	refused = verbs_do(x->api->server, &x->request, &reply);
	add_warnings(x);
	if (refused != NULL)
		send_status(x, refused);
	else
		send(x, reply.status, JSON_TYPE, reply.text.data, reply.text.len);
	buf_done(&reply.text);
}

static void dispatch(struct exchange *x)
{
	switch (x->request.route.kind) {
	case ROUTE_HEALTH:
		send(x, 200, "text/plain; charset=utf-8", "ok", 2);
		return;
	case ROUTE_OPENAPI_V2:
		/* An empty protobuf document: kubectl then leaves validation to the server. Its
		 * own media type has an "@", which kubectl's parser refuses. */
		send(x, 200, "application/octet-stream", "", 0);
		return;
	case ROUTE_CONTROL:
		control(x);
		return;
	case ROUTE_OBJECTS:
		objects(x);
		return;
	case ROUTE_VERSION:
	case ROUTE_API:
	case ROUTE_APIS:
	case ROUTE_GROUP:
	case ROUTE_RESOURCES:
		discover(x);
		return;
	case ROUTE_UNKNOWN:
		break;
	}
	send_no_page(x);
}

/* ---- faults and delays ---- */

static struct json *injected(const struct exchange *x)
{
	const struct resource *resource = x->request.resource;
	const char *name = x->request.target_name;
	int status = (int)x->fault_value;

	if (resource != NULL && status == 409)
		return streq(x->request.verb, "create")
			   ? status_exists(resource, name)
			   : status_conflict(resource, name,
					     "the object has been modified; please apply your "
					     "changes to the latest version and try again");
	if (resource != NULL && status == 404)
		return status_not_found(resource, name);
	if (resource != NULL && status == 403)
		return status_forbidden(resource, name, "injected fault");
	if (status == 410)
		return status_expired();
	if (status == 401)
		return status_new(401, "Unauthorized", "Unauthorized");
	if (status == 429)
		return status_new(429, "TooManyRequests",
				  "Too many requests, please try again later.");
	if (status == 500)
		return status_new(500, "InternalError", "Internal error occurred: injected fault");
	return status_new(status, status == 503 ? "ServiceUnavailable" : "", "injected fault");
}

static void proceed(struct exchange *x)
{
	if (call_lost(x->call) || x->fault == FAULT_RESET)
		call_reset(x->call);
	else if (x->fault == FAULT_TIMEOUT)
		call_hold(x->call);
	else if (x->fault == FAULT_STATUS)
		send_status(x, injected(x));
	else
		dispatch(x);
	exchange_free(x);
}

static void time_has_come(void *arg)
{
	proceed(arg);
}

static bool allowed(const struct exchange *x)
{
	const char *token = x->api->options.token;
	const char *header;

	if (x->api->options.client_certs && call_has_client_cert(x->call))
		return true;
	if (token == NULL)
		return !x->api->options.client_certs;
	header = call_header(x->call, "Authorization");
	if (header == NULL || !has_prefix(header, "Bearer "))
		return false;
	return streq(header + strlen("Bearer "), token);
}

static void judge(struct exchange *x)
{
	int64_t delay = x->api->options.latency_ms;
	struct request_facts facts = {
	    .verb = x->request.verb,
	    .resource = x->request.resource_name,
	    .namespace = x->request.route.namespace,
	    .name = x->request.target_name,
	    .client = x->request.client,
	};

	if (x->request.route.kind == ROUTE_OBJECTS) {
		faults_count(x->api->faults, &facts);
		x->fault = faults_take(x->api->faults, &facts, &x->fault_value);
	}
	if (x->fault == FAULT_DELAY)
		delay += x->fault_value;
	if (delay == 0) {
		proceed(x);
		return;
	}
	x->timer = timer_new(x->api->server->loop, time_has_come, x);
	TAILQ_INSERT_TAIL(&x->api->waiting, x, link);
	timer_set(x->timer, delay);
}

void api_handle(void *arg, struct call *call)
{
	struct api *api = arg;
	struct exchange *x = xcalloc(1, sizeof(*x));
	struct json *refused;

	x->api = api;
	x->call = call;
	refused = request_read(&x->request, api->server, call);
	if (x->request.route.kind != ROUTE_HEALTH && !allowed(x)) {
		json_free(refused);
		refused = status_new(401, "Unauthorized", "Unauthorized");
	}
	if (refused == NULL) {
		judge(x);
		return;
	}
	send_status(x, refused);
	exchange_free(x);
}
