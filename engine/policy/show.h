/*
 * show.h - a value as a line for people who write policies: what log(value) writes.
 *
 * A string is itself. A table is shown as JSON would be, keys in their fixed order, to a depth of
 * SHOW_DEPTH_MAX; what JSON cannot hold is shown by its type, such as function. Nothing is too big:
 * the line is cut.
 */
#ifndef POLICY_SHOW_H
#define POLICY_SHOW_H

#include "policy/luaapi.h"
#include "policy/sandbox.h"

enum { SHOW_DEPTH_MAX = 8 };

struct shown {
	char text[SANDBOX_LOG_LINE_MAX + 8]; /* a character more: the log cuts between two */
	size_t len;
};

LUA_RAISES void show_value(lua_State *L, int index, struct shown *out);

#endif
