/*
 * store_entry.h - an object as the store keeps it, for store.c alone.
 *
 * One allocation an object: a header, then the strings of meta, then the compact text, which does
 * not repeat what those say.
 */
#ifndef KUBE_STORE_ENTRY_H
#define KUBE_STORE_ENTRY_H

#include "kube/store.h"

/* Free with free(). Objects of one controller owner form a doubly linked list; the owner index of
 * the store holds its first. */
struct entry {
	struct store_meta meta;
	struct entry *sibling_before, *sibling_after;
	uint32_t seen; /* the last list that had this very version */
	uint32_t text_len;
	bool added; /* of a staged entry: its key is new to the store */
	char bytes[];
};

/* key: that of store_key(object). The object is unchanged when it returns. */
struct entry *entry_new(const char *key, struct json *object);

struct json *entry_object(const struct entry *entry); /* yours */

#endif
