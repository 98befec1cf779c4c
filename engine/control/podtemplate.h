/*
 * podtemplate.h - laying one pod template over another, as `kubectl patch` does: objects member by
 * member; containers, ports, mounts and pull secrets matched by their key and merged; volumes and
 * environment variables matched by name and replaced whole (they hold one of several sources);
 * every other list replaced. An overlay that is no object changes nothing.
 */
#ifndef CONTROL_PODTEMPLATE_H
#define CONTROL_PODTEMPLATE_H

#include "base/json.h"

void podtemplate_merge(struct json *target, const struct json *overlay);

#endif
