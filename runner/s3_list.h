/*
 * s3_list.h - the objects of a bucket whose keys begin with a prefix (ListObjectsV2).
 *
 * A list holds at most S3_OBJECTS_MAX objects, sorted by the bytes of their keys.
 */
#ifndef RUNNER_S3_LIST_H
#define RUNNER_S3_LIST_H

#include "runner/s3_client.h"

enum { S3_OBJECTS_MAX = 100 * 1000 };

struct s3_object {
	char *key, *etag; /* the ETag with its quotes */
	int64_t size;     /* bytes */
};

struct s3_list {
	struct s3_object *objects;
	size_t count, room;
	char *next; /* where the next page begins; NULL: there is none */
};

/* All pages. NOT_FOUND if there is no such bucket. */
int s3_list(const struct s3_client *client, const char *prefix, struct s3_list *out,
	    struct fault *fault);

/* Add an object; its texts are copied. */
void s3_list_add(struct s3_list *list, const char *key, const char *etag, int64_t size);

/* Add the objects of one page, a ListBucketResult, and set next. INVALID if it is none. */
int s3_list_page(const char *text, size_t len, struct s3_list *list, struct err *err);

void s3_list_done(struct s3_list *list);
#define auto_s3_list __attribute__((cleanup(s3_list_done)))

#endif
