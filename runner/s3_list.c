#include "runner/s3_list.h"

#include "runner/uri.h"
#include "runner/xml.h"

#define RESULT "ListBucketResult"
#define CONTENTS RESULT "/Contents"

void s3_list_add(struct s3_list *list, const char *key, const char *etag, int64_t size)
{
	if (list->count == list->room) {
		list->room = list->room > 0 ? list->room * 2 : 64;
		list->objects = xrealloc(list->objects, list->room * sizeof(*list->objects));
	}
	list->objects[list->count++] =
	    (struct s3_object){.key = xstrdup(key), .etag = xstrdup(etag), .size = size};
}

void s3_list_done(struct s3_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->objects[i].key);
		free(list->objects[i].etag);
	}
	free(list->objects);
	free(list->next);
	*list = (struct s3_list){0};
}

/* ---- one page ---- */

/* What has been read of a page. */
struct page {
	bool truncated;
	char *token;
	char *key, *etag, *size; /* of the object that is being read */
};

static void forget_object(struct page *page)
{
	free(steal(page->key));
	free(steal(page->etag));
	free(steal(page->size));
}

static int parse_size(const char *text, int64_t *out)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 18 || text[len] != '\0')
		return -1;
	*out = (int64_t)strtoll(text, NULL, 10);
	return 0;
}

static int end_object(struct page *page, struct s3_list *list, struct err *err)
{
	int64_t size;

	if (page->key == NULL || *page->key == '\0' || page->etag == NULL || page->size == NULL ||
	    parse_size(page->size, &size) < 0)
		return err_set(err, ERR_INVALID,
			       "expected Key, ETag and Size of each object, found \"%s\" without",
			       page->key != NULL ? page->key : "");
	if (list->count == S3_OBJECTS_MAX)
		return err_set(err, ERR_LIMIT,
			       "expected at most %d objects with this prefix, found more",
			       S3_OBJECTS_MAX);
	s3_list_add(list, page->key, page->etag, size);
	forget_object(page);
	return 0;
}

static void keep(char **where, struct xml *x)
{
	free(*where);
	*where = buf_steal(&x->text);
}

static int end_element(struct page *page, struct xml *x, struct s3_list *list, struct err *err)
{
	const char *path = x->path.data;

	if (streq(path, CONTENTS "/Key"))
		keep(&page->key, x);
	else if (streq(path, CONTENTS "/ETag"))
		keep(&page->etag, x);
	else if (streq(path, CONTENTS "/Size"))
		keep(&page->size, x);
	else if (streq(path, CONTENTS))
		return end_object(page, list, err);
	else if (streq(path, RESULT "/NextContinuationToken"))
		keep(&page->token, x);
	else if (streq(path, RESULT "/IsTruncated"))
		page->truncated = streq(x->text.data, "true");
	return 0;
}

static int read_page(struct page *page, struct xml *x, struct s3_list *list, struct err *err)
{
	enum xml_token token;

	while ((token = xml_next(x)) == XML_OPEN || token == XML_CLOSE) {
		if (!has_prefix(x->path.data, RESULT))
			return err_set(err, ERR_INVALID, "expected " RESULT ", found %s",
				       x->path.data);
		if (token == XML_CLOSE && end_element(page, x, list, err) < 0)
			return -1;
	}
	if (token == XML_ERROR)
		return err_set(err, ERR_INVALID, "expected XML, found %s", x->problem);
	if (page->truncated && (page->token == NULL || *page->token == '\0'))
		return err_set(err, ERR_INVALID,
			       "expected NextContinuationToken in a page that is not the last");
	return 0;
}

int s3_list_page(const char *text, size_t len, struct s3_list *list, struct err *err)
{
	struct page page = {0};
	auto_xml struct xml x;
	int rc;

	xml_init(&x, text, len);
	rc = read_page(&page, &x, list, err);
	forget_object(&page);
	free(steal(list->next));
	if (rc == 0 && page.truncated)
		list->next = steal(page.token);
	free(page.token);
	return rc;
}

/* ---- all pages ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct s3_object *)a)->key, ((const struct s3_object *)b)->key);
}

static char *list_url(const struct s3_client *client, const char *prefix, const char *token)
{
	auto_buf struct buf query = BUF_INIT(SIZE_MAX / 2);

	if (token != NULL) {
		buf_adds(&query, "continuation-token=");
		uri_encode(token, strlen(token), "", &query);
		buf_addc(&query, '&');
	}
	buf_adds(&query, "list-type=2&prefix=");
	uri_encode(prefix, strlen(prefix), "", &query);
	return s3_url(client, "", query.data);
}

static int add_page(const struct http_reply *reply, struct s3_list *list, struct err *err)
{
	auto_free char *before = steal(list->next);

	if (s3_list_page(reply->body.data, reply->body.len, list, err) < 0)
		return -1;
	if (before != NULL && list->next != NULL && streq(before, list->next))
		return err_set(err, ERR_INVALID, "expected another page, found the same again");
	return 0;
}

static int get_page(const struct s3_client *client, const char *prefix, struct s3_list *list,
		    struct fault *fault)
{
	auto_reply struct http_reply reply = HTTP_REPLY_INIT;
	auto_free char *url = list_url(client, prefix, list->next);
	auto_free char *what = xasprintf("list s3://%s/%s", client->bucket, prefix);
	const struct s3_call call = {.method = "GET", .url = url};

	if (s3_call(client, &call, &reply, fault) < 0 || s3_judge(client, &reply, what, fault) < 0)
		return -1;
	if (add_page(&reply, list, &fault->err) == 0)
		return 0;
	err_wrap(&fault->err, "%s", what);
	return fault_as(fault, s3_rejected(client));
}

int s3_list(const struct s3_client *client, const char *prefix, struct s3_list *out,
	    struct fault *fault)
{
	struct s3_list list = {0};

	do {
		if (get_page(client, prefix, &list, fault) < 0) {
			s3_list_done(&list);
			return -1;
		}
	} while (list.next != NULL);
	if (list.count > 1)
		qsort(list.objects, list.count, sizeof(*list.objects), compare);
	*out = list;
	return 0;
}
