/*
 * lines.h - a byte stream cut into lines, whatever its chunks are (a watch is one JSON a line).
 */
#ifndef KUBE_LINES_H
#define KUBE_LINES_H

#include "base/buf.h"
#include "base/err.h"

/* etcd holds objects of 1.5 MiB; one that it holds as protobuf may be six times as long in JSON,
 * where a "<" is \u003c. */
enum { LINE_MAX_LEN = 16 << 20 };

struct lines {
	struct buf pending; /* the start of a line whose end has not come yet */
};

/* line is valid during the call and ends with its len, not with a NUL. */
typedef int line_fn(void *arg, const char *line, size_t len, struct err *err);

void lines_init(struct lines *lines);
void lines_done(struct lines *lines);

/* Give every line that is now complete, without its newline and not if empty, to fn; stops with
 * -1 when fn does, or with ERR_LIMIT when a line is longer than LINE_MAX_LEN. After a failure
 * only lines_done makes sense. fn must not call lines_done. */
int lines_feed(struct lines *lines, const char *bytes, size_t len, line_fn *fn, void *arg,
	       struct err *err);

#endif
