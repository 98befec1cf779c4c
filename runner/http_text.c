/* http_text.c - headers and URLs as text. */
#include <strings.h>

#include <curl/curl.h>

#include "runner/http.h"

/* ---- headers ---- */

static char **find_header(const struct http_headers *headers, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < headers->count; i++)
		if (strncasecmp(headers->lines[i], name, len) == 0 && headers->lines[i][len] == ':')
			return &headers->lines[i];
	return NULL;
}

void http_header_set(struct http_headers *headers, const char *name, const char *value)
{
	char **line = find_header(headers, name);

	if (line == NULL) {
		headers->lines =
		    xrealloc(headers->lines, (headers->count + 1) * sizeof(*headers->lines));
		line = &headers->lines[headers->count++];
		*line = NULL;
	}
	free(*line);
	*line = xasprintf("%s: %s", name, value);
}

bool http_header_has(const struct http_headers *headers, const char *name)
{
	return find_header(headers, name) != NULL;
}

void http_headers_copy(const struct http_headers *from, struct http_headers *to)
{
	to->lines = xcalloc(from->count + 1, sizeof(*to->lines));
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		to->lines[i] = xstrdup(from->lines[i]);
}

void http_headers_done(struct http_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		explicit_bzero(headers->lines[i], strlen(headers->lines[i]));
		free(headers->lines[i]);
	}
	free(headers->lines);
	*headers = (struct http_headers){0};
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool http_header_valid(const char *name, const char *value)
{
	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (!is_alnum(*name) && strchr("!#$%&'*+-.^_`|~", *name) == NULL)
			return false;
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7F)
			return false;
	return true;
}

char *http_reply_header(const struct http_reply *reply, const char *name)
{
	size_t len = strlen(name);
	const char *line = reply->headers.data;

	for (; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value;
		size_t value_len;

		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		value = line + len + 1;
		value += strspn(value, " \t");
		value_len = strcspn(value, "\r\n");
		while (value_len > 0 && strchr(" \t", value[value_len - 1]) != NULL)
			value_len--;
		return xstrndup(value, value_len);
	}
	return NULL;
}

/* ---- URLs ---- */

/* Of a URL that cannot be read nobody can tell where a password in it begins and ends. */
static int refuse_url(const char *url, bool readable, struct err *err)
{
	auto_free char *safe = http_url_safe(url);

	if (readable || strchr(url, '@') == NULL)
		return err_set(err, ERR_INVALID,
			       "expected an http:// or https:// URL, found \"%s\"", safe);
	return err_set(err, ERR_INVALID,
		       "expected an http:// or https:// URL, found another text, not shown for it "
		       "may hold a password: write / ? # @ in one as %%2F %%3F %%23 %%40");
}

int http_url_check(const char *url, struct err *err)
{
	CURLU *parts = curl_url();
	bool readable = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;

	curl_url_cleanup(parts);
	if (readable &&
	    (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0))
		return 0;
	return refuse_url(url, readable, err);
}

char *http_url_safe(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme != NULL ? scheme + 3 : url;
	size_t len = strcspn(host, "?#");
	const char *at = memrchr(host, '@', strcspn(host, "/?#"));
	const char *start = at != NULL ? at + 1 : host;

	return xasprintf("%.*s%.*s", (int)(host - url), url, (int)(host + len - start), start);
}
