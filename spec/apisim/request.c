#include "base/yaml.h"
#include "spec/apisim/numbers.h"
#include "spec/apisim/proto.h"
#include "spec/apisim/status.h"
#include "spec/apisim/verbs.h"

enum { BODY_REWRITTEN_MAX = 32 << 20 }; /* 1e20 has 21 digits */

static const char *verb_of(const struct request *request)
{
	bool object = request->route.name[0] != '\0';

	if (streq(request->method, "GET")) {
		if (query_is_true(request->query, "watch"))
			return "watch";
		return object ? "get" : "list";
	}
	if (streq(request->method, "POST"))
		return "create";
	if (streq(request->method, "PUT"))
		return "update";
	if (streq(request->method, "PATCH"))
		return "patch";
	return object ? "delete" : "deletecollection";
}

static char *header(const struct call *call, const char *name)
{
	const char *value = call_header(call, name);

	return xstrdup(value != NULL ? value : "");
}

/* kubectl/v1.32.4 (linux/amd64) kubernetes/...: the part up to the first blank tells who. */
static char *client_name(const struct call *call)
{
	const char *agent = call_header(call, "User-Agent");

	return agent != NULL ? xstrndup(agent, strcspn(agent, " ")) : xstrdup("");
}

static struct json *read_body(struct request *request, const struct call *call)
{
	size_t len;
	const char *text = call_body(call, &len);
	auto_buf struct buf exact = BUF_INIT(BODY_REWRITTEN_MAX);
	struct err err = ERR_INIT;

	if (len == 0)
		return NULL;
	if (strstr(request->content_type, "protobuf") != NULL)
		request->body = proto_parse(text, len, &err);
	else if (strstr(request->content_type, "yaml") != NULL)
		request->body = yaml_parse(text, len, &err);
	else if (numbers_rewrite(text, len, &exact, &err) == 0)
		request->body = json_parse(exact.data, exact.len, &err);
	if (request->body == NULL)
		return status_bad_request("the request's body: %s", err.msg);
	return NULL;
}

struct json *request_read(struct request *request, const struct server *server,
			  const struct call *call)
{
	const struct route *route = &request->route;
	struct json *refused;

	request->route = route_parse(call_path(call));
	request->method = xstrdup(call_method(call));
	request->query = xstrdup(call_query(call));
	request->accept = header(call, "Accept");
	request->content_type = header(call, "Content-Type");
	request->client = client_name(call);
	request->warnings = json_array();
	request->verb = verb_of(request);
	request->resource_name = xasprintf(
	    "%s%s%s", route->plural, route->subresource[0] != '\0' ? "/" : "", route->subresource);
	if (route->kind == ROUTE_OBJECTS)
		request->resource =
		    kinds_find(server->kinds, route->group, route->version, route->plural);
	refused = read_body(request, call);
	if (route->name[0] != '\0')
		request->target_name = xstrdup(route->name);
	else
		request->target_name =
		    xstrdup(json_get_str(json_get(request->body, "metadata"), "name", ""));
	return refused;
}

void request_done(struct request *request)
{
	free(request->method);
	free(request->query);
	free(request->accept);
	free(request->content_type);
	free(request->client);
	free(request->resource_name);
	free(request->target_name);
	json_free(request->body);
	json_free(request->warnings);
}
