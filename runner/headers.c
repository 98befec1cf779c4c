#include "runner/headers.h"

#include <strings.h>

/* "Key: value" at its first colon. False for what has no key: such lines have always been
 * skipped. */
static bool split_header(const char *line, char **name, char **value)
{
	const char *colon = strchr(line, ':'), *end;

	if (colon == NULL || colon == line)
		return false;
	*name = xstrndup(line, (size_t)(colon - line));
	colon += 1 + strspn(colon + 1, " \t\r\n");
	end = colon + strlen(colon);
	while (end > colon && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	*value = xstrndup(colon, (size_t)(end - colon));
	return true;
}

int headers_check(const struct json *headers, const char *where, struct err *err)
{
	int i = 0;

	if (headers == NULL || json_type(headers) == JSON_NULL)
		return 0;
	if (json_type(headers) != JSON_ARRAY)
		return err_set(err, ERR_INVALID, "%s.headers: expected an array, found %s", where,
			       json_type_name(json_type(headers)));
	for (const struct json *c = json_first(headers); c != NULL; c = json_next(c), i++) {
		auto_free char *name = NULL, *value = NULL;

		if (json_type(c) != JSON_STRING)
			return err_set(err, ERR_INVALID,
				       "%s.headers[%d]: expected a string, found %s", where, i,
				       json_type_name(json_type(c)));
		if (split_header(json_str(c), &name, &value) && !http_header_valid(name, value))
			return err_set(err, ERR_INVALID,
				       "%s.headers[%d]: expected \"Name: value\" without control "
				       "characters",
				       where, i);
	}
	return 0;
}

/* libcurl writes these itself; a second one would break the message. */
static bool is_framing(const char *name)
{
	return strcasecmp(name, "Content-Length") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0;
}

void headers_add(const struct json *lines, struct http_headers *out)
{
	for (const struct json *c = json_first(lines); c != NULL; c = json_next(c)) {
		auto_free char *name = NULL, *value = NULL;

		if (split_header(json_str(c), &name, &value) && !is_framing(name))
			http_header_set(out, name, value);
	}
}
