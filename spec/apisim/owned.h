/*
 * owned.h - what the controllers inside have in common: references, conditions, Events.
 */
#ifndef APISIM_OWNED_H
#define APISIM_OWNED_H

#include "spec/apisim/server.h"

/* The uid of the owner of that kind that controls object; NULL when there is none. */
const char *controller_uid(const struct json *object, const char *kind);

/* metadata for an object that owner (a tree of that kind) controls. */
struct json *controller_reference(const char *api_version, const char *kind,
				  const struct json *owner);

/* True where status.conditions has one of that type with status True. */
bool condition_true(const struct json *status, const char *type);

/* Add or replace a condition {type, status, reason, message} with the time of now. */
void condition_set(struct json *status, const char *type, bool value, const char *reason,
		   const char *message);

/* Record an Event about object, as the controller manager does. */
void emit_event(struct server *server, const struct json *object, const char *component,
		const char *type, const char *reason, const char *message);

#endif
