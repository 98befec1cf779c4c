#include "spec/apisim/route.h"

#include <ctype.h>

enum { PARTS_MAX = 8 };

struct parts {
	char text[PARTS_MAX][ROUTE_PART_MAX];
	size_t count;
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes len bytes; false where it does not fit or holds a NUL byte. */
static bool decode(const char *text, size_t len, bool plus, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
			c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0' || n + 1 >= size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

static bool split(const char *path, struct parts *parts)
{
	parts->count = 0;
	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if (len == 0 && path[len] == '\0')
			break;
		if (parts->count == PARTS_MAX || len == 0 ||
		    !decode(path, len, false, parts->text[parts->count++], ROUTE_PART_MAX))
			return false;
		path += len;
	}
	return *path == '\0';
}

static void set(char *out, const char *text)
{
	snprintf(out, ROUTE_PART_MAX, "%s", text);
}

/* The parts behind the group and version. */
static void parse_objects(struct route *route, const struct parts *parts, size_t at)
{
	size_t left = parts->count - at;
	bool in_namespace = left >= 3 && streq(parts->text[at], "namespaces");

	if (left == 3 && in_namespace && route->group[0] == '\0' &&
	    (streq(parts->text[at + 2], "status") || streq(parts->text[at + 2], "finalize")))
		in_namespace = false;
	if (in_namespace) {
		set(route->namespace, parts->text[at + 1]);
		at += 2;
		left -= 2;
	}
	if (left == 0 || left > 3)
		return;
	route->kind = ROUTE_OBJECTS;
	set(route->plural, parts->text[at]);
	if (left > 1)
		set(route->name, parts->text[at + 1]);
	if (left > 2)
		set(route->subresource, parts->text[at + 2]);
}

static void parse_group(struct route *route, const struct parts *parts)
{
	if (parts->count == 1) {
		route->kind = ROUTE_APIS;
		return;
	}
	set(route->group, parts->text[1]);
	if (parts->count == 2) {
		route->kind = ROUTE_GROUP;
		return;
	}
	set(route->version, parts->text[2]);
	if (parts->count == 3)
		route->kind = ROUTE_RESOURCES;
	else
		parse_objects(route, parts, 3);
}

static void parse_core(struct route *route, const struct parts *parts)
{
	if (parts->count == 1) {
		route->kind = ROUTE_API;
		return;
	}
	set(route->version, parts->text[1]);
	if (parts->count == 2)
		route->kind = ROUTE_RESOURCES;
	else
		parse_objects(route, parts, 2);
}

struct route route_parse(const char *path)
{
	struct route route = {.kind = ROUTE_UNKNOWN};
	struct parts parts;
	const char *first = parts.text[0];

	if (!split(path, &parts) || parts.count == 0)
		return route;
	if (streq(first, "api"))
		parse_core(&route, &parts);
	else if (streq(first, "apis"))
		parse_group(&route, &parts);
	else if (streq(first, "version") && parts.count == 1)
		route.kind = ROUTE_VERSION;
	else if ((streq(first, "healthz") || streq(first, "livez") || streq(first, "readyz")))
		route.kind = ROUTE_HEALTH;
	else if (streq(first, "openapi") && parts.count == 2 && streq(parts.text[1], "v2"))
		route.kind = ROUTE_OPENAPI_V2;
	else if (streq(first, "apisim") && parts.count >= 2) {
		route.kind = ROUTE_CONTROL;
		set(route.name, parts.text[1]);
		if (parts.count > 2)
			set(route.subresource, parts.text[2]);
	}
	return route;
}

char *query_get(const char *query, const char *key)
{
	size_t key_len = strlen(key);

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > key_len && strncmp(query, key, key_len) == 0 && query[key_len] == '=') {
			size_t size = len - key_len;
			char *out = xmalloc(size);

			if (decode(query + key_len + 1, size - 1, true, out, size))
				return out;
			free(out);
			return NULL;
		}
		query += len;
		query += *query == '&';
	}
	return NULL;
}

bool query_is_true(const char *query, const char *key)
{
	auto_free char *value = query_get(query, key);

	return value != NULL && (streq(value, "true") || streq(value, "1"));
}
