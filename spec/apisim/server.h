/*
 * server.h - what the parts of apisim share.
 */
#ifndef APISIM_SERVER_H
#define APISIM_SERVER_H

#include "net/loop.h"
#include "spec/apisim/kinds.h"
#include "spec/apisim/objects.h"

struct server {
	struct loop *loop;
	struct store *store;
	struct kinds *kinds;
};

/* "2026-11-24T10:00:00Z", in out. */
const char *server_now(char out[32]);

/* A random version 4 UUID as text; and the 5 random characters behind a generateName. */
void random_uid(char out[37]);
void random_suffix(char out[6]);

#endif
