#include "runner/sigv4.h"

#include <ctype.h>

#include "runner/uri.h"

enum { STAMP_LEN = sizeof("20150830T123600Z"), DAY_LEN = 8 };

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* A slice of text. */
struct span {
	const char *text;
	size_t len;
};

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void sigv4_key_done(struct sigv4_key *key)
{
	free(key->access);
	wipe(key->secret);
	wipe(key->token);
	free(key->region);
	free(key->service);
	*key = (struct sigv4_key){0};
}

/* ---- the URL ---- */

static void split_url(const char *url, struct span *host, struct span *path, struct span *query)
{
	const char *scheme = strstr(url, "://");
	const char *start = scheme != NULL ? scheme + 3 : url;
	size_t len = strcspn(start, "/?#");
	const char *at = memrchr(start, '@', len);

	path->text = start + len;
	path->len = strcspn(path->text, "?#");
	query->text = path->text + path->len;
	query->text += *query->text == '?';
	query->len = strcspn(query->text, "#");
	host->text = at != NULL ? at + 1 : start;
	host->len = (size_t)(start + len - host->text);
}

/* S3 encodes the decoded path, the others encode once more what is sent. */
static void add_path(struct span path, bool is_s3, struct buf *out)
{
	auto_buf struct buf decoded = BUF_INIT(SIZE_MAX / 2);

	if (path.len == 0)
		buf_addc(out, '/');
	if (is_s3)
		uri_decode(path.text, path.len, &decoded);
	else
		buf_add(&decoded, path.text, path.len);
	uri_encode(decoded.data, decoded.len, "/", out);
}

/* ---- lists, sorted ---- */

struct list {
	char **items;
	size_t count;
};

static void list_add(struct list *list, char *item_taken)
{
	list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
	list->items[list->count++] = item_taken;
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		wipe(list->items[i]);
	free(list->items);
}

/* By name, then by value: names end with the lowest of all characters. */
static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_sort(struct list *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

/* ---- the query ---- */

static void add_recoded(struct span part, struct buf *out)
{
	auto_buf struct buf decoded = BUF_INIT(SIZE_MAX / 2);

	uri_decode(part.text, part.len, &decoded);
	uri_encode(decoded.data, decoded.len, "", out);
}

/* "name\1value": so that "a" sorts before "a-b", which it would not as "a=". */
static char *query_item(struct span item)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	const char *equals = memchr(item.text, '=', item.len);
	size_t name_len = equals != NULL ? (size_t)(equals - item.text) : item.len;

	add_recoded((struct span){item.text, name_len}, &text);
	buf_addc(&text, '\1');
	if (equals != NULL)
		add_recoded((struct span){equals + 1, item.len - name_len - 1}, &text);
	return buf_steal(&text);
}

static void add_query(struct span query, struct buf *out)
{
	struct list list = {0};

	for (size_t at = 0; at < query.len;) {
		const char *start = query.text + at, *end = memchr(start, '&', query.len - at);
		size_t len = end != NULL ? (size_t)(end - start) : query.len - at;

		if (len > 0)
			list_add(&list, query_item((struct span){start, len}));
		at += len + 1;
	}
	list_sort(&list);
	for (size_t i = 0; i < list.count; i++) {
		*strchr(list.items[i], '\1') = '=';
		buf_addf(out, "%s%s", i > 0 ? "&" : "", list.items[i]);
	}
	list_done(&list);
}

/* ---- the headers ---- */

/* "name:value": the name in lower case, the value without blanks around it and with single ones
 * within. */
static char *header_item(const char *line)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	const char *value = strchr(line, ':') + 1;

	for (const char *p = line; p < value - 1; p++)
		buf_addc(&text, (char)tolower((unsigned char)*p));
	buf_addc(&text, '\1');
	while (*(value += strspn(value, " \t")) != '\0') {
		size_t len = strcspn(value, " \t");

		if (text.data[text.len - 1] != '\1')
			buf_addc(&text, ' ');
		buf_add(&text, value, len);
		value += len;
	}
	return buf_steal(&text);
}

/* Lines into out, names with ; between them into names. */
static void add_headers(const struct http_headers *headers, struct buf *out, struct buf *names)
{
	struct list list = {0};

	for (size_t i = 0; i < headers->count; i++)
		list_add(&list, header_item(headers->lines[i]));
	list_sort(&list);
	for (size_t i = 0; i < list.count; i++) {
		char *mark = strchr(list.items[i], '\1');

		buf_addf(names, "%s%.*s", i > 0 ? ";" : "", (int)(mark - list.items[i]),
			 list.items[i]);
		*mark = ':';
		buf_addf(out, "%s\n", list.items[i]);
	}
	list_done(&list);
}

/* ---- the signature ---- */

static void hmac_text(unsigned char key[DIGEST_LEN], const char *text)
{
	digest_hmac(key, DIGEST_LEN, text, strlen(text), key);
}

static void sign_text(const struct sigv4_key *key, const char *day, const char *text,
		      char out[DIGEST_HEX_LEN + 1])
{
	char *first = xasprintf("AWS4%s", key->secret);
	unsigned char sum[DIGEST_LEN];

	digest_hmac(first, strlen(first), day, strlen(day), sum);
	hmac_text(sum, key->region);
	hmac_text(sum, key->service);
	hmac_text(sum, "aws4_request");
	hmac_text(sum, text);
	digest_hex(sum, out);
	explicit_bzero(sum, sizeof(sum));
	wipe(first);
}

static void format_stamp(int64_t now_ms, char out[STAMP_LEN])
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(out, STAMP_LEN, "%Y%m%dT%H%M%SZ", &parts);
}

static void set_headers(const struct sigv4_key *key, struct span host, const char *stamp,
			const char *body_sha256, struct http_headers *headers)
{
	auto_free char *name = xstrndup(host.text, host.len);

	http_header_set(headers, "Host", name);
	http_header_set(headers, "X-Amz-Date", stamp);
	if (streq(key->service, "s3"))
		http_header_set(headers, "X-Amz-Content-Sha256", body_sha256);
	if (key->token != NULL)
		http_header_set(headers, "X-Amz-Security-Token", key->token);
}

void sigv4_sign(const struct sigv4_key *key, const char *method, const char *url,
		const char *body_sha256, int64_t now_ms, struct http_headers *headers)
{
	auto_buf struct buf request = BUF_INIT(SIZE_MAX / 2), names = BUF_INIT(SIZE_MAX / 2);
	auto_free char *scope = NULL, *text = NULL, *value = NULL;
	char stamp[STAMP_LEN], day[DAY_LEN + 1], hex[DIGEST_HEX_LEN + 1];
	struct span host, path, query;

	split_url(url, &host, &path, &query);
	format_stamp(now_ms, stamp);
	snprintf(day, sizeof(day), "%.*s", DAY_LEN, stamp);
	set_headers(key, host, stamp, body_sha256, headers);
	buf_addf(&request, "%s\n", method);
	add_path(path, streq(key->service, "s3"), &request);
	buf_addc(&request, '\n');
	add_query(query, &request);
	buf_addc(&request, '\n');
	add_headers(headers, &request, &names);
	buf_addf(&request, "\n%s\n%s", names.data, body_sha256);
	digest_sha256(request.data, request.len, hex);
	scope = xasprintf("%s/%s/%s/aws4_request", day, key->region, key->service);
	text = xasprintf("%s\n%s\n%s\n%s", algorithm, stamp, scope, hex);
	sign_text(key, day, text, hex);
	value = xasprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", algorithm,
			  key->access, scope, names.data, hex);
	http_header_set(headers, "Authorization", value);
}
