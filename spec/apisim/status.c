#include "spec/apisim/status.h"

#include "spec/apisim/schema.h"

static struct json *build(int code, const char *reason, const char *message)
{
	struct json *status = json_build("{'kind':'Status','apiVersion':'v1','metadata':{},"
					 "'status':'Failure','message':%s}",
					 message);

	if (reason[0] != '\0')
		json_set_str(status, "reason", reason);
	json_set(status, "code", json_int(code));
	return status;
}

struct json *status_new(int code, const char *reason, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	return build(code, reason, message);
}

static struct json *details(const struct resource *resource, const char *name, const char *kind)
{
	struct json *d = json_build("{'name':%s}", name);

	if (resource->group[0] != '\0')
		json_set_str(d, "group", resource->group);
	json_set_str(d, "kind", kind);
	return d;
}

struct json *status_about(int code, const char *reason, const struct resource *resource,
			  const char *name, const char *fmt, ...)
{
	auto_free char *message = NULL;
	struct json *status;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	status = build(code, reason, message);
	json_set(status, "details", details(resource, name, resource->plural));
	return status;
}

struct json *status_not_found(const struct resource *resource, const char *name)
{
	return status_about(404, "NotFound", resource, name, "%s \"%s\" not found",
			    resource->qualified, name);
}

struct json *status_exists(const struct resource *resource, const char *name)
{
	return status_about(409, "AlreadyExists", resource, name, "%s \"%s\" already exists",
			    resource->qualified, name);
}

struct json *status_conflict(const struct resource *resource, const char *name, const char *why)
{
	return status_about(409, "Conflict", resource, name,
			    "Operation cannot be fulfilled on %s \"%s\": %s", resource->qualified,
			    name, why);
}

struct json *status_forbidden(const struct resource *resource, const char *name, const char *why)
{
	return status_about(403, "Forbidden", resource, name, "%s \"%s\" is forbidden: %s",
			    resource->qualified, name, why);
}

struct json *status_bad_request(const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	return build(400, "BadRequest", message);
}

struct json *status_expired(void)
{
	return status_new(410, "Expired",
			  "The provided continue parameter is too old to display a consistent list "
			  "result. You can start a new list without the continue parameter.");
}

struct json *status_invalid(const struct resource *resource, const char *name,
			    const struct json *causes)
{
	auto_free char *joined = schema_message(causes);
	const char *dot = resource->group[0] != '\0' ? "." : "";
	struct json *status = status_new(422, "Invalid", "%s%s%s \"%s\" is invalid: %s",
					 resource->kind, dot, resource->group, name, joined);
	struct json *d = details(resource, name, resource->kind);

	json_set(d, "causes", json_copy(causes));
	json_set(status, "details", d);
	return status;
}

void status_cause(struct json *causes, const char *reason, const char *field, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	json_append(causes,
		    json_build("{'reason':%s,'message':%s,'field':%s}", reason, message, field));
}

struct json *status_deleted(const struct resource *resource, const char *name, const char *uid)
{
	struct json *d = details(resource, name, resource->plural);
	struct json *status;

	json_set_str(d, "uid", uid);
	status = json_build("{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Success',"
			    "'details':%j}",
			    d);
	json_free(d);
	return status;
}

int status_code(const struct json *status)
{
	return (int)json_get_int(status, "code", 200);
}
