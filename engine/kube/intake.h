/*
 * intake.h - what a LIST or WATCH brings, taken into a store and reported; the half of watch.c that
 * does no I/O.
 */
#ifndef KUBE_INTAKE_H
#define KUBE_INTAKE_H

#include "kube/pieces.h"
#include "kube/watch.h"

/* Any callback of spec may set dead, after which nothing but the struct itself is touched. */
struct intake {
	struct watch_spec spec;
	const char *path;        /* of the collection, for messages */
	struct store_list *list; /* begun, and its pages come; or NULL */
	char *version;           /* where a WATCH goes on; moved by every event; or NULL */
	bool dead;
};

/* Stage the items of a page. Returns its metadata, yours; NULL with err, or if dead is set. */
struct json *intake_page(struct intake *in, struct piece page, struct err *err);

/* All pages have been staged: the list takes effect. */
void intake_commit(struct intake *in);

/* One line of a WATCH. -1 with err: it is an ERROR event or none at all, end the stream. */
int intake_event(struct intake *in, struct piece line, struct err *err);

#endif
