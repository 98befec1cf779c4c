/*
 * signer.c - runner/sigv4.h for s3.py, which compares it with another signer.
 *
 * Each line of standard input is a request, {"method", "url", "sha256", "ms", "headers": {...},
 * "access", "secret", "token" (or null), "region", "service"}; each line of standard output is its
 * header Authorization.
 */
#include "base/json.h"
#include "runner/sigv4.h"

static char *text_of(const struct json *request, const char *key)
{
	return (char *)json_get_str(request, key, "");
}

static void sign(const struct json *request)
{
	struct sigv4_key key = {
	    .access = text_of(request, "access"),
	    .secret = text_of(request, "secret"),
	    .token = (char *)json_str(json_get(request, "token")),
	    .region = text_of(request, "region"),
	    .service = text_of(request, "service"),
	};
	struct http_headers headers = {0};

	for (const struct json *c = json_first(json_get(request, "headers")); c != NULL;
	     c = json_next(c))
		http_header_set(&headers, json_key(c), json_str(c));
	sigv4_sign(&key, text_of(request, "method"), text_of(request, "url"),
		   text_of(request, "sha256"), json_get_int(request, "ms", 0), &headers);
	for (size_t i = 0; i < headers.count; i++)
		if (has_prefix(headers.lines[i], "Authorization: "))
			puts(headers.lines[i]);
	http_headers_done(&headers);
}

int main(void)
{
	auto_free char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, stdin)) > 0) {
		struct err err = ERR_INIT;
		auto_json struct json *request = json_parse(line, (size_t)len, &err);

		if (request == NULL) {
			fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
		sign(request);
	}
	return 0;
}
