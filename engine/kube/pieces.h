/*
 * pieces.h - the objects of a LIST or WATCH, cut out so that each can be parsed by itself.
 *
 * Whoever may write an object of a kind without a schema chooses what is in it, and an API server
 * takes what our parser refuses: 10,000 levels of nesting, \u0000 in a string. One such object must
 * not cost the others. So the frame around the objects is read with scan_skip_any(), which looks at
 * brackets and quotes only. A piece is borrowed from the text; it may be no JSON.
 */
#ifndef KUBE_PIECES_H
#define KUBE_PIECES_H

#include "base/json.h"

struct piece {
	const char *text;
	size_t len; /* 0: absent */
};

/* found[i] becomes the member keys[i] of an object; -1 with err if object is none. */
int pieces_find(struct piece object, size_t count, const char *const *keys, struct piece *found,
		struct err *err);

/* Give every element of an array to fn, counting from 1, until it says false. null and what is
 * absent have none: an empty list of a Go program may be null. -1 with err if it is no array; fn
 * may have been called before that is found out. */
typedef bool piece_fn(void *arg, size_t number, struct piece element);
int pieces_each(struct piece array, piece_fn *fn, void *arg, struct err *err);

struct json *piece_parse(struct piece piece, struct err *err);

/* {"metadata": {...}} with the namespace, name, uid and resourceVersion of an object as far as they
 * can be read, whatever else is in it; yours. */
struct json *piece_identity(struct piece object);

#endif
